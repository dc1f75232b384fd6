#include "broker/daemon/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { PATH_TEXT = 256 };

/* Endpoints of workers are named anew each time, so nobody else would ever remove them. */
static void remove_leftovers(struct fan_bytes path)
{
    char pattern[PATH_TEXT];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%.*s.w[0-9]*", FAN_BYTES_ARG(path));
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            unlink(found.gl_pathv[i]);
    }
    globfree(&found);
}

enum fan_err fan_place_take(struct fan_bytes base, int *lock, struct fan_why *why)
{
    static const struct fan_bytes ipc = { "ipc://", 6 };
    struct fan_bytes path = { base.at + ipc.len, base.len - ipc.len };
    char lock_path[PATH_TEXT];

    *lock = -1;
    if (!fan_bytes_starts(base, ipc))
        return FAN_OK;
    snprintf(lock_path, sizeof lock_path, "%.*s.lock", FAN_BYTES_ARG(path));
    *lock = open(lock_path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (*lock < 0)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot write %s: %s", lock_path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) != 0) {
        close(*lock);
        *lock = -1;
        return fan_fail(why, FAN_UNAVAILABLE, "another broker listens at %.*s",
                FAN_BYTES_ARG(base));
    }
    remove_leftovers(path);
    return FAN_OK;
}
