/*
 * ports — whether the ports that `fanfare up` uses are free.
 *
 * It takes FAN_PORTS of them in a row: the API's, the ingester's, the sandbox's and each process's
 * status page.
 */
#ifndef FAN_CLI_PORTS_H
#define FAN_CLI_PORTS_H

#include "proto/err.h"

#include <stdint.h>

enum { FAN_PORTS = 30 };

/** Find some: from @asked on, or (0) from 8080 or the first hundred above that will do.
 *  fails FAN_UNAVAILABLE */
enum fan_err fan_ports_find(uint32_t asked, uint32_t *first, struct fan_why *why) FAN_MUST_CHECK;

/** Wait until those from @first on are free: processes of a supervisor that was killed still end.
 *  fails FAN_UNAVAILABLE  somebody else has one after @wait_ms; the text names it */
enum fan_err fan_ports_await(uint32_t first, uint32_t wait_ms, struct fan_why *why) FAN_MUST_CHECK;

#endif
