/*
 * pg_proxy — stands between a client and PostgreSQL, and cuts the line at a chosen message.
 *
 * One for a test program. It serves one connection at a time, on a thread of its own.
 */
#ifndef FAN_TESTS_SUPPORT_PG_PROXY_H
#define FAN_TESTS_SUPPORT_PG_PROXY_H

#include "tests/support/pg.h"

#include <sys/types.h>

enum pg_cut {
    PG_CUT_NEVER,
    PG_CUT_ANSWER,  /* in front of the answer that holds the text: the server has done it */
    PG_CUT_REQUEST, /* in front of the request that holds it: answered is what stands before */
    PG_CUT_DEAF,    /* pass the request that holds it on, but none of its answers */
};

/** Start it, for the server of @url; @out is the same database through the proxy. */
void pg_proxy_start(const char *url, char out[PG_URL]);

/** Cut once, at @text: a part of a message, such as a statement's name or a command's tag. */
void pg_proxy_cut(enum pg_cut where, const char *text);

/** Kill this process of the server as soon as the line is cut, which makes the server crash. */
void pg_proxy_crash(pid_t backend);

void pg_proxy_stop(void);

#endif
