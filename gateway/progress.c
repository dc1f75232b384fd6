#include "gateway/progress.h"

#include "gateway/import_json.h"
#include "gateway/stats.h"
#include "sql/store/report.h"

#include <math.h>
#include <stdlib.h>

enum {
    TEXT_MAX = 64 * 1024,
    STAYS = 60,   /* seconds that something is shown after its end */
    SMOOTHING = 5 /* seconds over which the rate is averaged */
};

/* ---- items ---- */

static struct progress_item *item_for(struct progress *progress, bool is_import, fan_id id)
{
    struct progress_item *item = progress->items;

    while (item && (item->is_import != is_import || item->id != id))
        item = item->next;
    if (item)
        return item;
    item = calloc(1, sizeof *item);
    if (!item)
        fan_die("out of memory: live updates");
    item->is_import = is_import;
    item->id = id;
    fan_buffer_init(&item->text, TEXT_MAX);
    item->next = progress->items;
    progress->items = item;
    return item;
}

static void drop(struct progress_item **at)
{
    struct progress_item *item = *at;

    *at = item->next;
    fan_buffer_fini(&item->text);
    free(item);
}

static void drop_unseen(struct progress *progress)
{
    struct progress_item **at = &progress->items;

    while (*at) {
        if ((*at)->seen)
            at = &(*at)->next;
        else
            drop(at);
    }
}

void progress_fini(struct progress *progress)
{
    while (progress->items)
        drop(&progress->items);
}

/* Take over a text if it says anything new. */
static void set_text(struct progress_item *item, struct fan_buffer *text)
{
    item->seen = true;
    item->changed = !fan_bytes_eq(fan_buffer_bytes(&item->text), fan_buffer_bytes(text));
    if (!item->changed)
        return;
    fan_buffer_clear(&item->text);
    fan_buffer_add_bytes(&item->text, fan_buffer_bytes(text));
}

static void begin_event(struct fan_buffer *text, const char *name, struct fan_json_writer *json)
{
    fan_buffer_clear(text);
    fan_buffer_printf(text, "event: %s\ndata: ", name);
    fan_json_begin(json, text);
}

/* ---- campaigns ---- */

double progress_rate(double rate, int64_t count, fan_time took)
{
    double seconds = (double)took / FAN_SECOND, now, weight;

    if (seconds <= 0)
        return rate;
    now = count > 0 ? (double)count / seconds : 0;
    weight = 1 - exp(-seconds / SMOOTHING);
    return rate + (now - rate) * weight;
}

static void reckon_rate(struct progress_item *item, int64_t settled)
{
    fan_time now = fan_clock_elapsed();

    if (!item->settled_at) {
        item->settled = settled;
        item->settled_at = now;
        return;
    }
    if (now - item->settled_at < FAN_SECOND / 5)
        return;
    item->rate = progress_rate(item->rate, settled - item->settled, now - item->settled_at);
    item->settled = settled;
    item->settled_at = now;
}

/* A rate that only fades must not look like news. */
static int64_t shown_rate(const struct progress_item *item)
{
    return (int64_t)(item->rate + 0.5);
}

static fan_time finish_at(const struct progress_item *item, const struct fan_run_stats *stats)
{
    int64_t left = stats->total - stats_settled(stats);

    if (left <= 0 || shown_rate(item) < 1)
        return 0;
    return (fan_clock_now() / FAN_SECOND + left / shown_rate(item) + 1) * FAN_SECOND;
}

static void write_campaign(struct progress_item *item, const struct fan_report_moving *moving,
        const struct fan_run_stats *stats, struct fan_buffer *text)
{
    bool ended = moving->state >= FAN_CAMPAIGN_COMPLETED;
    struct fan_json_writer json;

    begin_event(text, "campaign.progress", &json);
    fan_json_object_open(&json, NULL);
    fan_json_add_i64(&json, "campaign_id", moving->campaign);
    fan_json_add_i64(&json, "run_id", moving->run);
    fan_json_add_text(&json, "status", fan_bytes_of(fan_campaign_state_name((int)moving->state)));
    stats_write(&json, stats);
    fan_json_add_i64(&json, "rate_per_second", ended ? 0 : shown_rate(item));
    fan_json_add_time(&json, "finish_at", ended ? 0 : finish_at(item, stats));
    fan_json_object_close(&json);
    fan_buffer_add_text(text, "\n\n");
}

static enum fan_err look_at_campaigns(struct progress *progress, struct fan_turn *turn,
        fan_id account, struct fan_buffer *text)
{
    struct fan_report_movings list;
    enum fan_err err = fan_report_moving(turn->db, account, STAYS * FAN_SECOND, turn->arena, &list,
            &turn->why);

    for (size_t i = 0; !err && i < list.len; i++) {
        struct progress_item *item = item_for(progress, false, list.at[i].campaign);
        struct fan_run_stats stats;

        err = fan_run_stats(turn->db, account, list.at[i].campaign, turn->arena, &stats,
                &turn->why);
        if (err)
            break;
        reckon_rate(item, stats_settled(&stats));
        write_campaign(item, &list.at[i], &stats, text);
        set_text(item, text);
    }
    return err;
}

/* ---- imports ---- */

static enum fan_err look_at_imports(struct progress *progress, struct fan_turn *turn,
        fan_id account, struct fan_buffer *text)
{
    struct fan_json_writer json;
    struct fan_ids list;
    enum fan_err err = fan_report_importing(turn->db, account, STAYS * FAN_SECOND, turn->arena,
            &list, &turn->why);

    for (size_t i = 0; !err && i < list.len; i++) {
        struct fan_import import;

        err = fan_import_get(turn->db, account, list.at[i], turn->arena, &import, &turn->why);
        if (err)
            break;
        begin_event(text, "import.progress", &json);
        import_write(&json, &import);
        fan_buffer_add_text(text, "\n\n");
        set_text(item_for(progress, true, import.id), text);
    }
    return err;
}

enum fan_err progress_look(struct progress *progress, struct fan_turn *turn, fan_id account)
{
    struct fan_buffer text;
    enum fan_err err;

    for (struct progress_item *item = progress->items; item; item = item->next)
        item->seen = item->changed = false;
    fan_buffer_init(&text, TEXT_MAX);
    err = look_at_campaigns(progress, turn, account, &text);
    if (!err)
        err = look_at_imports(progress, turn, account, &text);
    fan_buffer_fini(&text);
    if (!err)
        drop_unseen(progress);
    return err;
}
