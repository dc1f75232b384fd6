/*
 * cluster — the private PostgreSQL of a home: made once, tuned at every start, reached only
 * through a Unix socket that is this user's alone.
 */
#ifndef FAN_CLI_CLUSTER_H
#define FAN_CLI_CLUSTER_H

#include "actors/cli/home.h"

/**
 * Make the cluster if there is none, and write its configuration anew.
 *
 * A crash in the middle leaves nothing that the next call would take for a cluster.
 *
 * fails  FAN_NOT_FOUND    PostgreSQL is not installed
 *        FAN_UNAVAILABLE  it could not be made; initdb has said why on standard error
 */
enum fan_err fan_cluster_make(const struct fan_home *home, struct fan_why *why) FAN_MUST_CHECK;

/** The server's program for this home's cluster. fails FAN_NOT_FOUND */
enum fan_err fan_cluster_program(const struct fan_home *home, const char *program,
        struct fan_arena *arena, const char **path, struct fan_why *why) FAN_MUST_CHECK;

/**
 * Remove what a killed server left that the next one could take for a living one: its number may
 * belong to another process by now. Call when no process of it lives.
 */
void fan_cluster_sweep(const struct fan_home *home);

#endif
