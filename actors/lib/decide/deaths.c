#include "actors/lib/decide/deaths.h"

int64_t fan_deaths_least(const struct fan_deaths_rules *rules)
{
    if (rules->percent == 0)
        return rules->minute;
    if (rules->minute == 0)
        return rules->least;
    return rules->minute < rules->least ? rules->minute : rules->least;
}

bool fan_deaths_are_too_many(const struct fan_deaths_rules *rules, const struct fan_deaths *deaths)
{
    if (rules->minute > 0 && deaths->in_minute >= rules->minute)
        return true;
    return rules->percent > 0 && deaths->resolved && deaths->in_all >= rules->least &&
            deaths->in_all * 100 >= deaths->recipients * rules->percent;
}
