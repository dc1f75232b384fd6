#include "actors/audience/audience.h"

#include "actors/lib/text/variant.h"
#include "proto/fault.h"
#include "sql/store/chunk.h"
#include "sql/store/event.h"
#include "sql/store/run.h"

enum { WORTH_S = 5 }; /* seconds for which asking ourselves for more pages is worth anything */

/* A page's people, parted into those who are planned and those who are skipped. */
struct parted {
    fan_id *planned, *skipped;
    int16_t *reasons;
    size_t planned_len, skipped_len;
};

static struct parted part(const struct fan_run_page *page, struct fan_arena *arena)
{
    struct parted out = {
        .planned = fan_arena_array(arena, page->count, sizeof *out.planned),
        .skipped = fan_arena_array(arena, page->count, sizeof *out.skipped),
        .reasons = fan_arena_array(arena, page->count, sizeof *out.reasons),
    };

    for (size_t i = 0; i < page->count; i++) {
        if (page->skips[i] == 0) {
            out.planned[out.planned_len++] = page->contacts[i];
            continue;
        }
        out.skipped[out.skipped_len] = page->contacts[i];
        out.reasons[out.skipped_len++] = page->skips[i];
    }
    return out;
}

static enum fan_err write_skips(struct fan_turn *turn, fan_id run, fan_id channel,
        const struct parted *people)
{
    enum fan_err err = FAN_OK;

    for (size_t i = 0; i < people->skipped_len && !err; i += FAN_CHUNK_MAX) {
        size_t left = people->skipped_len - i;
        err = fan_chunk_skips(turn->db, turn->route.account, run, channel, people->skipped + i,
                people->reasons + i, left < FAN_CHUNK_MAX ? left : FAN_CHUNK_MAX, turn->arena,
                &turn->why);
    }
    return err;
}

static enum fan_err announce(struct fan_turn *turn, const struct fan_run_audience *audience,
        size_t chunks, const struct parted *people, bool complete)
{
    const struct fan_chunks_planned planned = {
        .chunks = (uint32_t)chunks,
        .recipients = (uint32_t)people->planned_len,
        .skipped = (uint32_t)people->skipped_len,
    };
    const struct fan_run_changed resolved = { .campaign = audience->campaign,
        .state = FAN_RUN_RUNNING + 1 };
    fan_id account = turn->route.account, run = turn->route.run;
    enum fan_err err = fan_event_insert(turn->db, account, run, 0, &fan_schema_chunks_planned,
            &planned, turn->arena, &turn->why);

    if (!err)
        err = fan_emit_chunks_planned(turn, &turn->route, &planned);
    if (err || !complete)
        return err;
    err = fan_event_insert(turn->db, account, run, 0, &fan_schema_run_changed, &resolved,
            turn->arena, &turn->why);
    return err ? err : fan_emit_run_changed(turn, &turn->route, &resolved);
}

/* The people of one variant of the run, of those who are planned. */
static struct fan_ids people_of(const struct fan_run_audience *audience,
        const struct parted *people, uint32_t variant, fan_id *room)
{
    size_t count = 0;

    for (size_t i = 0; i < people->planned_len; i++)
        if (fan_variant_of(audience->campaign, people->planned[i], audience->weights) == variant)
            room[count++] = people->planned[i];
    return (struct fan_ids){ room, count };
}

/* Chunks of a run with variants hold people of one each. @chunks: out */
static enum fan_err write_chunks(struct fan_turn *turn, const struct fan_run_audience *audience,
        const struct parted *people, size_t *chunks)
{
    struct fan_chunk_plan plan = { turn->route.run, audience->channel, audience->lane,
        audience->due_at, audience->chunk_size, { people->planned, people->planned_len }, 0 };
    enum fan_err err = FAN_OK;
    size_t written = 0;

    *chunks = 0;
    if (people->planned_len == 0)
        return FAN_OK;
    if (audience->weights.len == 0)
        return fan_chunks_plan(turn->db, turn->route.account, &plan, turn->arena, chunks,
                &turn->why);
    for (uint32_t variant = 1; variant <= audience->weights.len && !err; variant++) {
        fan_id *room = fan_arena_array(turn->arena, people->planned_len, sizeof *room);

        plan.variant = variant;
        plan.contacts = people_of(audience, people, variant, room);
        if (plan.contacts.len)
            err = fan_chunks_plan(turn->db, turn->route.account, &plan, turn->arena, &written,
                    &turn->why);
        *chunks += plan.contacts.len ? written : 0;
    }
    return err;
}

/* One page, its skips and its cursor, in one transaction. */
static enum fan_err write_page(struct fan_turn *turn, uint32_t limit, bool *complete)
{
    fan_id account = turn->route.account, run = turn->route.run;
    struct fan_run_audience audience;
    struct fan_run_page page;
    struct parted people;
    size_t chunks = 0;

    enum fan_err err = fan_run_hold(turn->db, account, run, turn->arena, &audience, &turn->why);
    if (!err)
        err = fan_run_page(turn->db, account, &audience, limit, turn->arena, &page, &turn->why);
    if (err)
        return err;
    *complete = page.last;
    people = part(&page, turn->arena);
    err = write_chunks(turn, &audience, &people, &chunks);
    if (!err)
        err = write_skips(turn, run, audience.channel, &people);
    FAN_FAULT("audience.page_written");
    if (!err)
        err = fan_run_advance(turn->db, account, run, page.end, *complete, turn->arena, &turn->why);
    if (!err)
        err = announce(turn, &audience, chunks, &people, *complete);
    FAN_FAULT("audience.before_commit");
    if (!err)
        err = fan_turn_commit(turn);
    FAN_FAULT("audience.page_committed");
    return err;
}

/* Those who wait come first: a large audience asks for its next pages at the end of the queue. */
enum fan_err on_resolve_request(struct fan_turn *turn, const struct fan_resolve_request *req)
{
    const struct audience_settings *set = fan_actor_settings(turn->actor);
    fan_time until = fan_clock_elapsed() + set->turn_ms * FAN_MS;
    struct fan_route route = turn->route;
    uint32_t pages = 0;
    bool complete = false;

    while (!complete) {
        enum fan_err err = write_page(turn, set->page, &complete);
        if (err == FAN_NOT_FOUND)
            return FAN_OK; /* complete, ended, or another resolver is at it */
        if (err)
            return err;
        if (++pages == req->pages || fan_clock_elapsed() > until)
            break;
    }
    route.not_after = fan_clock_now() + WORTH_S * FAN_SECOND;
    return complete ? FAN_OK : fan_emit_resolve_request(turn, &route, req);
}
