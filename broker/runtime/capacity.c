#include "broker/runtime/capacity.h"

static uint64_t in_flight(const struct fan_capacity_line *line)
{
    return line->came - line->finished;
}

/* Frames that a broker's line may amount to: those in flight and those that may still come. */
static uint64_t reserved(const struct fan_capacity_line *line)
{
    uint64_t most = line->told > line->came ? line->told : line->came;

    return most - line->finished;
}

void fan_capacity_came(struct fan_capacity *capacity, int broker)
{
    capacity->line[broker].came++;
}

/* Which broker a finished frame came from is not asked: the one with the most in flight is as good
 * as any, since only the sums matter. */
int fan_capacity_finished(struct fan_capacity *capacity)
{
    int most = 0;

    if (capacity->orphans) {
        capacity->orphans--;
        return -1;
    }
    for (int i = 1; i < FAN_BROKERS_MAX; i++) {
        if (in_flight(&capacity->line[i]) > in_flight(&capacity->line[most]))
            most = i;
    }
    if (!in_flight(&capacity->line[most]))
        return -1;
    capacity->line[most].finished++;
    return most;
}

void fan_capacity_forgotten(struct fan_capacity *capacity, int broker)
{
    struct fan_capacity_line *line = &capacity->line[broker];

    capacity->orphans += in_flight(line);
    *line = (struct fan_capacity_line){ .live = line->live };
}

void fan_capacity_live(struct fan_capacity *capacity, int broker, bool live)
{
    struct fan_capacity_line *line = &capacity->line[broker];

    line->live = live;
    if (!live)
        line->told = line->came;
}

static uint64_t share(const struct fan_capacity *capacity)
{
    uint32_t live = 0;

    for (int i = 0; i < FAN_BROKERS_MAX; i++)
        live += capacity->line[i].live;
    return live && capacity->frames > live ? capacity->frames / live : 1;
}

/* What the others and the orphans leave of the capacity. */
static uint64_t left_for(const struct fan_capacity *capacity, int broker)
{
    uint64_t taken = capacity->orphans;

    for (int i = 0; i < FAN_BROKERS_MAX; i++) {
        if (i != broker)
            taken += reserved(&capacity->line[i]);
    }
    return capacity->frames > taken ? capacity->frames - taken : 0;
}

static uint64_t due(const struct fan_capacity *capacity, int broker)
{
    const struct fan_capacity_line *line = &capacity->line[broker];
    uint64_t own = share(capacity);
    uint64_t left = left_for(capacity, broker);

    if (!capacity->frames || !line->live)
        return line->told;
    if (own > left)
        own = left ? left : capacity->orphans < capacity->frames;
    return line->finished + own > line->told ? line->finished + own : line->told;
}

uint64_t fan_capacity_grant(struct fan_capacity *capacity, int broker)
{
    return capacity->line[broker].told = due(capacity, broker);
}

bool fan_capacity_is_due(const struct fan_capacity *capacity, int broker)
{
    uint64_t more = due(capacity, broker) - capacity->line[broker].told;

    return more > 0 && more * 2 >= share(capacity);
}
