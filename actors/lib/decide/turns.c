#include "actors/lib/decide/turns.h"

#include "actors/lib/decide/window.h"

/* The runs of one lane, by account. */
struct group {
    size_t *runs; /* runs[len], indices */
    size_t len;
};

struct groups {
    struct group *at; /* at[len] */
    size_t len;
};

static struct groups group(const struct fan_turns_run *runs, size_t count, enum fan_lane lane,
        struct fan_arena *arena)
{
    struct groups out = { fan_arena_array(arena, count, sizeof *out.at), 0 };
    size_t *indices = fan_arena_array(arena, count, sizeof *indices), used = 0;

    for (size_t i = 0; i < count; i++) {
        struct group *last = out.len ? &out.at[out.len - 1] : NULL;

        if (runs[i].lane != lane)
            continue;
        if (!last || runs[last->runs[0]].account != runs[i].account) {
            last = &out.at[out.len++];
            *last = (struct group){ &indices[used], 0 };
        }
        indices[used++] = i;
        last->len++;
    }
    return out;
}

/* Part @all among the runs of an account. */
static void share_within(struct fan_turns_run *runs, const struct group *account, uint32_t all,
        struct fan_arena *arena)
{
    uint32_t *wants = fan_arena_array(arena, account->len, sizeof *wants), share;

    for (size_t i = 0; i < account->len; i++)
        wants[i] = runs[account->runs[i]].wants;
    share = fan_window_share(wants, account->len, all);
    for (size_t i = 0; i < account->len; i++)
        runs[account->runs[i]].share = share;
}

static void share(struct fan_turns_run *runs, struct groups accounts, uint32_t all,
        struct fan_arena *arena)
{
    uint32_t *wants = fan_arena_array(arena, accounts.len, sizeof *wants), most;

    for (size_t a = 0; a < accounts.len; a++)
        for (size_t i = 0; i < accounts.at[a].len; i++)
            wants[a] += runs[accounts.at[a].runs[i]].wants;
    most = fan_window_share(wants, accounts.len, all);
    for (size_t a = 0; a < accounts.len; a++)
        share_within(runs, &accounts.at[a], most, arena);
}

/* One run of each account, then a second one of each that has it, and so on. */
static size_t put_in_order(struct fan_turns_run *runs, struct groups accounts, uint64_t sweep,
        size_t place)
{
    bool more = accounts.len > 0;

    for (size_t round = 0; more; round++) {
        more = false;
        for (size_t a = 0; a < accounts.len; a++) {
            const struct group *account = &accounts.at[(a + sweep) % accounts.len];

            if (round < account->len)
                runs[place++].next = account->runs[(round + sweep / accounts.len) % account->len];
            more = more || round + 1 < account->len;
        }
    }
    return place;
}

void fan_turns_decide(struct fan_turns_run *runs, size_t count, uint64_t sweep, uint32_t all,
        struct fan_arena *arena)
{
    size_t place = 0;

    for (int lane = FAN_LANE_URGENT; lane < FAN_LANE_COUNT; lane++) {
        struct groups accounts = group(runs, count, (enum fan_lane)lane, arena);

        share(runs, accounts, all, arena);
        place = put_in_order(runs, accounts, sweep, place);
    }
}
