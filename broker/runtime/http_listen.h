/*
 * http_listen — the socket that a server listens on. Private to http_*.c of the server.
 */
#ifndef FAN_RUNTIME_HTTP_LISTEN_H
#define FAN_RUNTIME_HTTP_LISTEN_H

#include "broker/runtime/http_server.h"

/**
 * Listen on @options->listen.
 *
 * fd     for the caller to close
 * port   the one it got
 * fails  as fan_http_server_open
 */
enum fan_err fan_http_listen(const struct fan_http_server_options *options, int *fd, uint16_t *port,
        struct fan_why *why) FAN_MUST_CHECK;

#endif
