#include "actors/lib/decide/start.h"

#define JUMP (60 * FAN_SECOND)
#define HOLD (60 * FAN_SECOND)

enum fan_start_act fan_start_decide(const struct fan_start *start)
{
    if (start->end_at && start->now > start->end_at)
        return FAN_START_OVER;
    return start->now - start->scheduled_at > start->grace ? FAN_START_MISSED : FAN_START_GO;
}

bool fan_clock_watch_read(struct fan_clock_watch *watch, fan_time database, fan_time elapsed,
        fan_time *jumped)
{
    fan_time by = (database - watch->database) - (elapsed - watch->elapsed);

    *jumped = watch->database && by > JUMP ? by : 0;
    if (*jumped)
        watch->held_until = elapsed + HOLD;
    watch->database = database;
    watch->elapsed = elapsed;
    return elapsed < watch->held_until;
}
