#include "actors/cli/demo.h"

#include "actors/cli/fleet.h"
#include "actors/cli/screen.h"
#include "broker/runtime/clock.h"
#include "proto/words.h"

enum { LOOK_MS = 200 };

#define QUIET (3 * FAN_SECOND) /* without a receipt, once the sandbox has none left to send */
#define QUIET_AT_LAST (20 * FAN_SECOND) /* without a receipt, whatever the sandbox says */
#define STUCK (120 * FAN_SECOND)        /* without any change before the end */

/* What was seen last, and when it last changed. */
struct watch {
    struct fan_demo *demo;
    struct fan_screen screen;
    struct fan_counts last;
    fan_time changed;
    fan_time started, settled; /* settled 0: not yet */
};

struct fan_counts fan_demo_total(const struct fan_demo *demo)
{
    struct fan_counts sum = { 0 };

    for (int i = 0; i < FAN_DEMO_CAMPAIGNS; i++)
        fan_counts_add(&sum, &demo->campaigns[i].counts);
    return sum;
}

static enum fan_err look_at(struct fan_demo *demo, struct fan_demo_campaign *campaign,
        struct fan_arena *arena, struct fan_why *why)
{
    const struct fan_json *answer;
    const char *path = fan_arena_printf(arena, "/api/v1/campaigns/%lld", (long long)campaign->id);
    enum fan_err err = fan_api_get(demo->api, path, arena, &answer, why);

    if (err)
        return err;
    campaign->counts = fan_counts_read(fan_json_get(answer, "stats"));
    campaign->status =
            fan_campaign_state_name(fan_campaign_state_of(fan_json_get_text(answer, "status")));
    fan_pace_look(&campaign->pace, fan_clock_elapsed(), fan_counts_settled(&campaign->counts));
    return FAN_OK;
}

static void draw(struct watch *watch, bool last)
{
    struct fan_buffer text;

    fan_buffer_init(&text, 16 * 1024);
    for (int i = 0; i < FAN_DEMO_CAMPAIGNS; i++) {
        const struct fan_demo_campaign *campaign = &watch->demo->campaigns[i];
        const struct fan_progress_line line = { .name = campaign->name,
            .status = campaign->status,
            .counts = &campaign->counts,
            .pace = last ? NULL : &campaign->pace };

        fan_progress_add(&text, &line);
        fan_buffer_add_char(&text, '\n');
    }
    if (last)
        fan_screen_end(&watch->screen, fan_buffer_bytes(&text));
    else
        fan_screen_draw(&watch->screen, fan_buffer_bytes(&text));
    fan_buffer_fini(&text);
}

static bool has_ended(const struct fan_demo_campaign *campaign)
{
    static const char *const ends[] = { "completed", "failed", "cancelled" };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (strcmp(campaign->status, ends[i]) == 0)
            return fan_counts_settled(&campaign->counts) == campaign->counts.total;
    }
    return false;
}

static bool all_ended(const struct fan_demo *demo)
{
    for (int i = 0; i < FAN_DEMO_CAMPAIGNS; i++) {
        if (!has_ended(&demo->campaigns[i]))
            return false;
    }
    return true;
}

/* How many messages the sandbox still has something to say about. */
static int64_t receipts_waiting(struct fan_demo *demo, struct fan_arena *arena)
{
    const char *url =
            fan_arena_printf(arena, "http://127.0.0.1:%u/stats", demo->port + FAN_PORT_SANDBOX);
    const struct fan_json *answer;
    struct fan_why why;

    if (fan_api_get(demo->api, url, arena, &answer, &why))
        return 1;
    return fan_json_i64(fan_json_get(fan_json_get(answer, "callbacks"), "waiting"), 0);
}

static bool is_over(struct watch *watch, struct fan_arena *arena)
{
    fan_time quiet = fan_clock_elapsed() - watch->changed;

    if (!all_ended(watch->demo))
        return false;
    if (!watch->settled)
        watch->settled = fan_clock_elapsed();
    return quiet >= QUIET_AT_LAST || (quiet >= QUIET && receipts_waiting(watch->demo, arena) == 0);
}

static enum fan_err look(struct watch *watch, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_counts now;
    enum fan_err err = FAN_OK;

    for (int i = 0; !err && i < FAN_DEMO_CAMPAIGNS; i++)
        err = look_at(watch->demo, &watch->demo->campaigns[i], arena, why);
    if (err)
        return err;
    now = fan_demo_total(watch->demo);
    if (memcmp(&now, &watch->last, sizeof(now)) != 0)
        watch->changed = fan_clock_elapsed();
    watch->last = now;
    if (fan_clock_elapsed() - watch->changed > STUCK)
        return fan_fail(why, FAN_INVALID, "nothing has moved for %d s; see %s/log",
                (int)(STUCK / FAN_SECOND), watch->demo->home.path);
    return FAN_OK;
}

enum fan_err fan_demo_watch(struct fan_demo *demo, struct fan_why *why)
{
    struct watch watch = { .demo = demo, .started = fan_clock_elapsed() };
    struct fan_arena *arena = fan_arena_new();
    enum fan_err err;
    bool over = false;

    fan_screen_init(&watch.screen, stdout);
    watch.changed = watch.started;
    do {
        fan_arena_reset(arena);
        err = look(&watch, arena, why);
        if (!err) {
            over = is_over(&watch, arena);
            draw(&watch, over);
        }
        if (!over && (!err || err == FAN_UNAVAILABLE) && fan_demo_pause(demo, LOOK_MS))
            err = fan_fail(why, FAN_DENIED, "stopped before the campaigns had ended");
    } while (!over && (!err || err == FAN_UNAVAILABLE));
    fan_arena_free(&arena);
    demo->seconds = (double)(watch.settled - watch.started) / FAN_SECOND;
    return err;
}
