/*
 * db_watch — keeps a pipelined database connection going from the loop.
 *
 * Call fan_db_watch_kick after submitting; the socket is watched, also when it changes because the
 * connection was made again, and a slow timer looks after connections that are down.
 */
#ifndef FAN_RUNTIME_DB_WATCH_H
#define FAN_RUNTIME_DB_WATCH_H

#include "broker/runtime/loop.h"
#include "sql/db.h"

struct fan_db_watch;

/** @db stays yours; free the watch first. */
struct fan_db_watch *fan_db_watch_new(struct fan_loop *loop, struct fan_db *db);
void fan_db_watch_free(struct fan_db_watch **watch);

/** Send what was submitted, soon and once for everything that was submitted in this callback. */
void fan_db_watch_kick(struct fan_db_watch *watch);

#endif
