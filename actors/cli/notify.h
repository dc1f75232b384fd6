/*
 * notify — readiness told and heard: the datagrams of sd_notify, in both directions.
 *
 * A process that is told a socket in NOTIFY_SOCKET writes "READY=1" to it once it can work. The
 * supervisor hears that from its children, and tells its own service manager.
 *
 * source  sd_notify(3)
 */
#ifndef FAN_CLI_NOTIFY_H
#define FAN_CLI_NOTIFY_H

#include "proto/err.h"

#include <stdbool.h>
#include <sys/types.h>

/** Tell the service manager, if there is one; "READY=1", "STOPPING=1". */
void fan_notify_tell(const char *text);

/** Make the socket @path, on which children are heard; does not wait. fails FAN_UNAVAILABLE */
enum fan_err fan_notify_listen(const char *path, int *fd, struct fan_why *why) FAN_MUST_CHECK;

/** Take the next datagram; false when there is none. @ready: it said "READY=1". */
bool fan_notify_hear(int fd, pid_t *from, bool *ready);

#endif
