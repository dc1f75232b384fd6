#include "broker/runtime/clock.h"

#include "proto/err.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static fan_time read_clock(clockid_t clock)
{
    struct timespec at;

    FAN_ASSERT(clock_gettime(clock, &at) == 0);
    return at.tv_sec * FAN_SECOND + at.tv_nsec / 1000;
}

fan_time fan_clock_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

fan_time fan_clock_elapsed(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

void fan_boot_id(char out[FAN_BOOT_ID])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    memset(out, 0, FAN_BOOT_ID);
    if (fd < 0)
        return;
    if (read(fd, out, FAN_BOOT_ID - 1) < 0)
        out[0] = '\0';
    close(fd);
}
