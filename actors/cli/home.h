/*
 * home — the folder in which one machine's Fanfare lives, and the user it runs as.
 *
 *   api-key      the first account's key
 *   lock         held by the supervisor
 *   log/         what each process wrote
 *   pg/          the private PostgreSQL cluster
 *   run/         sockets (elsewhere when this path is too long for one)
 *   state/       the processes' own: keys, journals, spools
 */
#ifndef FAN_CLI_HOME_H
#define FAN_CLI_HOME_H

#include "proto/arena.h"
#include "proto/err.h"

#include <stdbool.h>

struct fan_home {
    const char *path; /* absolute */
    const char *run;  /* folder of sockets; "" when only found */
    const char *state;
    const char *api_key_file;
    const char *database_url; /* FANFARE_DATABASE_URL, or of the private cluster */
    bool own_cluster;         /* the database is the private cluster */
    int lock;                 /* descriptor of fan_home_lock, open for life */
};

/**
 * Say where home is: @asked, else FANFARE_HOME, else /var/lib/fanfare for root and
 * ~/.local/share/fanfare for others. Makes nothing.
 */
enum fan_err fan_home_find(const char *asked, struct fan_arena *arena, struct fan_home *out,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Find home, make its folders, and go on as the user that everything runs as: root becomes the
 * user fanfare. The working directory is home from then on.
 *
 * fails  FAN_NOT_FOUND  root, and there is no user fanfare
 *        FAN_DENIED     the folder belongs to somebody else, or cannot be made
 */
enum fan_err fan_home_enter(const char *asked, struct fan_arena *arena, struct fan_home *out,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Hold the supervisor's lock until the process ends.
 *
 * fails  FAN_CONFLICT  another process holds it; the text says which
 */
enum fan_err fan_home_lock(struct fan_home *home, struct fan_why *why) FAN_MUST_CHECK;

#endif
