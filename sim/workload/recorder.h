/* recorder: the part of a controller or elector that writes Events, as client-go's recorder does: a
 * new one for what is new, the count of an old one raised for what happens again. Events live as
 * long as the servers' event TTL and then go by themselves. */
#ifndef APISIM_SIM_RECORDER_H
#define APISIM_SIM_RECORDER_H

#include "sim/workload/client.h"

#define RECORDER_ROOM 4

typedef struct recorder {
  client base;
  uint32_t made; /* events so far: their names */
  uint32_t waiting; /* to be written */
  bool busy;
} recorder;

/* Something happened: written when the recorder has time; what is too much is dropped. */
void recorder_note(recorder *r);
void recorder_restart(recorder *r);

#endif
