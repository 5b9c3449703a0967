/* commands: the subcommands of apisim. One row each in main.c; one cmd_*.c each. */
#ifndef APISIM_SIM_COMMANDS_H
#define APISIM_SIM_COMMANDS_H

/* argv[0] is the subcommand's name; returns the exit code. */
typedef int (*command_fn)(int argc, char **argv);

int cmd_serve(int argc, char **argv);
int cmd_etcd(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_control(int argc, char **argv);
int cmd_conformance(int argc, char **argv);
int cmd_fuzz(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_sim_live(int argc, char **argv);
int cmd_sim_world(int argc, char **argv);

#endif
