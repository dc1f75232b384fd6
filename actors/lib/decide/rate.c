#include "actors/lib/decide/rate.h"

enum { LEAST_SHARE = 100 };

/* Where nothing is configured: not slower than one a second, and faster than 20,000 is no limit. */
#define SLOWEST FAN_SECOND
#define FASTEST 50

fan_time fan_rate_cut(fan_time interval, fan_time configured, uint32_t calls)
{
    fan_time slowest = configured > 0 ? configured * LEAST_SHARE : SLOWEST;
    fan_time cut;

    if (interval <= 0)
        interval = FAN_SECOND / (calls ? calls : 1);
    cut = (interval * 10 + 6) / 7;
    if (cut > slowest)
        cut = slowest;
    return cut < interval ? interval : cut;
}

fan_time fan_rate_grow(fan_time interval, fan_time configured)
{
    fan_time grown = interval * 100 / 102;

    if (configured <= 0)
        return grown < FASTEST ? 0 : grown;
    return grown < configured ? configured : grown;
}
