/*
 * pg — a real PostgreSQL for a test program.
 *
 * FAN_TEST_PG_URL names a server to share (its superuser's URL). Without it, or after pg_own, the
 * program gets a cluster of its own below /tmp, started at first use and removed at exit.
 * Databases are made from a migrated template, so each test can have its own. What goes wrong here
 * ends the test program.
 */
#ifndef FAN_TESTS_SUPPORT_PG_H
#define FAN_TESTS_SUPPORT_PG_H

#include "sql/db.h"

enum { PG_URL = 256 };

/** Insist on an own cluster, for a test that stops it. To be called before anything else. */
void pg_own(void);

/** The superuser's URL of the database "postgres". */
const char *pg_url(void);

/** Make an empty database. */
void pg_fresh_database(char url[PG_URL]);

/** Make a database with the schema of this build. */
void pg_migrated_database(char url[PG_URL]);

/** The same URL for another login role. */
void pg_url_as(const char *url, const char *role, char out[PG_URL]);

/** Open a connection object for @url. */
struct fan_db *pg_connect(const char *url, enum fan_db_use use);

/** Run SQL text on @url; several statements at once if need be. */
void pg_exec(const char *url, const char *sql);

/** Ask @url for one number. */
int64_t pg_number(const char *url, const char *sql);

/** Stop the own cluster: politely, or as a power cut would. Start it again. */
void pg_stop(void);
void pg_kill(void);
void pg_start(void);

/** Wait until the own cluster, which crashed but was not stopped, takes connections again. */
void pg_await(void);

#endif
