/* control: the engine's commands on the control address; rows of sim/control/commands.c. Each
 * answers 409 where the server has no engine. */
#ifndef APISIM_LIVE_CONTROL_H
#define APISIM_LIVE_CONTROL_H

#include "sim/control/control.h"
#include "sim/live/live.h"

void live_run_quiesce(control_call *c); /* quiet? within?: durations */
void live_run_advance(control_call *c); /* duration */
void live_run_faults(control_call *c);
void live_run_add_fault(control_call *c); /* the body: one fault, as in a plan */
void live_run_clear_faults(control_call *c); /* name? */
void live_run_heal(control_call *c);
void live_run_requests(control_call *c); /* filters; since and limit page through */
void live_run_lint(control_call *c);

/* Calls that still wait get their end; before live_close, behind the world's. */
void live_control_close(live *l);

#endif
