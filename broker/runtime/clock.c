#include "broker/runtime/clock.h"

#include "proto/err.h"

#include <time.h>

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
