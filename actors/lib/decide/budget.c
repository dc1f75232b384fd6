#include "actors/lib/decide/budget.h"

enum { TOKEN = 1000, SHARE = 100, A_SECOND = 1000, MINUTE = 60 };

static int64_t room(const struct fan_budget *budget)
{
    return MINUTE * A_SECOND + budget->share;
}

static void clip(struct fan_budget *budget)
{
    if (budget->millis > room(budget))
        budget->millis = room(budget);
}

/* What first attempts brought fades over a minute, so that the bucket never holds more than a
 * minute's worth of it. */
static void pass(struct fan_budget *budget, fan_time now)
{
    fan_time passed = now - budget->at;

    if (passed < FAN_MS)
        return;
    budget->at = now;
    if (passed > MINUTE * FAN_SECOND)
        passed = MINUTE * FAN_SECOND;
    budget->millis += passed * A_SECOND / FAN_SECOND;
    budget->share -= (int64_t)((double)budget->share * (double)passed / (MINUTE * FAN_SECOND));
    clip(budget);
}

void fan_budget_init(struct fan_budget *budget, fan_time now)
{
    *budget = (struct fan_budget){ .millis = MINUTE * A_SECOND, .at = now };
}

void fan_budget_first(struct fan_budget *budget, fan_time now)
{
    pass(budget, now);
    budget->share += SHARE;
    budget->millis += SHARE;
    clip(budget);
}

bool fan_budget_take(struct fan_budget *budget, fan_time now)
{
    pass(budget, now);
    if (budget->millis < TOKEN)
        return false;
    budget->millis -= TOKEN;
    return true;
}

void fan_budget_return(struct fan_budget *budget)
{
    budget->millis += TOKEN;
    clip(budget);
}

fan_time fan_budget_wait(const struct fan_budget *budget)
{
    int64_t lacks = TOKEN - budget->millis;

    return lacks > 0 ? lacks * FAN_SECOND / A_SECOND : 0;
}
