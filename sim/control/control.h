/* control: the second address of a running server, for what is no Kubernetes API: checkpoints,
 * reset, snapshots, status.
 *
 * HTTP/1.1 with JSON, on unix:PATH (only for this user) or a loopback port; never the Kubernetes
 * port, and never for a web page: requests with an Origin or a foreign Host are refused. Each
 * command is a row of a table (control_rows in commands.c): POST /NAME?param=value, GET for those
 * that change nothing. The answer is a JSON object; of an error {"error": "..."} with a status
 * above 399. GET / lists the commands. `apisim control ADDR NAME VALUES...` calls them. */
#ifndef APISIM_SIM_CONTROL_CONTROL_H
#define APISIM_SIM_CONTROL_CONTROL_H

#include "sim/serve.h"

#include <jansson.h>

typedef struct control control;

/* One request. It must be answered exactly once, in the command's own turn or later (a later
 * answer has to look at `gone`). Lives until then. */
typedef struct control_call {
  control *control;
  serving *serving;
  http_exchange *http;
  bool gone; /* the client left: control_answer only frees */
  int64_t started_ns; /* CLOCK_MONOTONIC */
} control_call;

typedef struct control_row {
  const char *name;
  bool reads; /* GET; else POST */
  const char *params; /* "file name?": in the order of the command line; ? may be absent */
  void (*run)(control_call *c);
  const char *help;
} control_row;
extern const control_row control_rows[]; /* ends with a NULL name */

/* A parameter's text, empty for none. Borrowed from the request. */
slice control_param(const control_call *c, const char *name);
/* Answers 200 with the object, whose reference it takes; adds "took_us". */
void control_answer(control_call *c, json_t *object);
void control_fail(control_call *c, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Listens and keeps the checkpoint "start". NULL with *problem, a line in a buffer that the next
 * call overwrites. */
control *control_open(serving *s, const char *address, const char **problem);
void control_close(control *c); /* before the server goes; NULL is fine */
/* Where: "unix:/path" or "127.0.0.1:12345". */
const char *control_address(const control *c);

#endif
