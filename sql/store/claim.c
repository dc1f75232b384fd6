#include "sql/store/claim.h"

#include "sql/queries.h"
#include "sql/store/chunk.h"
#include "sql/store/dead.h"

#include <stdlib.h>

enum { BODY_CAP = 1024 /* bytes of an event */ };

static void begin(struct fan_args *args, struct fan_batch *batch, fan_id account)
{
    fan_args_for(args, fan_batch_arena(batch), account);
}

/* Account, chunk, epoch, owner: what every statement of an owner begins with. */
static void begin_owned(struct fan_args *args, struct fan_batch *batch,
        const struct fan_claim *claim)
{
    begin(args, batch, claim->account);
    fan_arg_i64(args, claim->chunk);
    fan_arg_i32(args, (int32_t)claim->epoch);
    fan_arg_i64(args, (int64_t)claim->owner);
}

int fan_claim_add_take(struct fan_batch *batch, const struct fan_claim *claim, int64_t lease_us)
{
    struct fan_args args;

    begin_owned(&args, batch, claim);
    fan_arg_i64(&args, lease_us);
    return fan_batch_add(batch, &fan_q_chunk_claim, &args);
}

bool fan_claim_read_take(const struct fan_rows *rows, const struct fan_claim *asked,
        struct fan_arena *arena, struct fan_claim_taken *out)
{
    if (rows->count == 0)
        return false;
    *out = (struct fan_claim_taken){
        .claim = *asked,
        .watermark = (uint32_t)fan_row_i64(rows, 0, 1),
        .size = (uint32_t)fan_row_i64(rows, 0, 2),
        .run = fan_row_i64(rows, 0, 5),
        .channel = fan_row_i64(rows, 0, 6),
        .lane = (enum fan_lane)fan_row_i64(rows, 0, 7),
        .kind = (enum fan_kind)fan_row_i64(rows, 0, 8),
        .at_least_once = fan_row_bool(rows, 0, 9),
        .retry = (enum fan_retry_preset)fan_row_i64(rows, 0, 10),
    };
    out->claim.epoch = (uint32_t)fan_row_i64(rows, 0, 0);
    out->claim.is_retry = fan_row_bool(rows, 0, 3);
    if (out->claim.is_retry)
        out->items = fan_row_i64s(rows, 0, 4, arena);
    return true;
}

static void add_lock(struct fan_batch *batch, const struct fan_claim *claim,
        const struct fan_query *query)
{
    struct fan_args args;

    begin(&args, batch, claim->account);
    fan_arg_i64(&args, claim->chunk);
    fan_batch_add(batch, query, &args);
}

/* First id and one past the last of the positions @from up to @to in a chunk that is home to its
 * messages. */
static void add_range(struct fan_args *args, fan_id chunk, uint32_t from, uint32_t to)
{
    fan_arg_i64(args, fan_message_id(chunk, from));
    fan_arg_i64(args, fan_message_id(chunk, to));
}

int fan_claim_add_open(struct fan_batch *batch, const struct fan_claim *claim, bool locked,
        uint32_t watermark, uint32_t count, struct fan_ids items, enum fan_kind kind)
{
    struct fan_args args;
    int answer;

    if (!locked)
        add_lock(batch, claim, &fan_q_chunk_lock);
    begin_owned(&args, batch, claim);
    fan_arg_i16(&args, (int32_t)watermark);
    fan_arg_i32(&args, (int32_t)count);
    answer = fan_batch_add(batch, &fan_q_chunk_open, &args);

    begin(&args, batch, claim->account);
    if (claim->is_retry) {
        FAN_ASSERT(watermark + count <= items.len);
        fan_arg_i64(&args, claim->chunk);
        fan_arg_i64s(&args, items.at + watermark, count);
    } else {
        add_range(&args, claim->chunk, watermark, watermark + count);
    }
    fan_arg_i16(&args, kind);
    fan_batch_add(batch, claim->is_retry ? &fan_q_chunk_unsendable_retry : &fan_q_chunk_unsendable,
            &args);
    return answer;
}

int fan_claim_read_open(const struct fan_rows *rows, struct fan_arena *arena,
        struct fan_ids *unsendable)
{
    fan_id *ids;

    if (rows[0].count == 0)
        return -1;
    ids = fan_arena_array(arena, (size_t)rows[1].count, sizeof *ids);
    for (int i = 0; i < rows[1].count; i++)
        ids[i] = fan_row_i64(&rows[1], i, 0);
    *unsendable = (struct fan_ids){ ids, (size_t)rows[1].count };
    return (int)fan_row_i64(&rows[0], 0, 0);
}

int fan_claim_add_copies(struct fan_batch *batch, const struct fan_claim *claim, uint32_t from,
        uint32_t to, struct fan_ids items)
{
    struct fan_args args;

    begin(&args, batch, claim->account);
    if (claim->is_retry) {
        FAN_ASSERT(to <= items.len);
        fan_arg_i64s(&args, items.at + from, to - from);
        fan_arg_i64(&args, claim->chunk);
        return fan_batch_add(batch, &fan_q_chunk_copies_retry, &args);
    }
    add_range(&args, claim->chunk, from, to);
    return fan_batch_add(batch, &fan_q_chunk_copies, &args);
}

void fan_claim_read_copy(const struct fan_rows *rows, int row, struct fan_claim_copy *out)
{
    *out = (struct fan_claim_copy){
        .message = fan_row_i64(rows, row, 0),
        .contact = fan_row_i64(rows, row, 1),
        .address = fan_row_text(rows, row, 2),
        .format = (int)fan_row_i64(rows, row, 3),
        .body = fan_row_text(rows, row, 4),
        .tries = (uint32_t)fan_row_i64(rows, row, 5),
        .free_tries = (uint32_t)fan_row_i64(rows, row, 6),
        .attempts = (uint32_t)fan_row_i64(rows, row, 7),
        .key_left = -1,
    };
    if (!fan_row_null(rows, row, 8))
        out->key_left = fan_row_i64(rows, row, 8) > 0 ? fan_row_i64(rows, row, 8) : 0;
}

/* Attempts from the second on have rows of their own. */
static void add_attempts(struct fan_batch *batch, const struct fan_claim *claim,
        const struct fan_claim_outcomes *all)
{
    struct fan_arena *arena = fan_batch_arena(batch);
    fan_id *ids = fan_arena_array(arena, all->count, sizeof *ids);
    int16_t *numbers = fan_arena_array(arena, all->count, sizeof *numbers);
    int16_t *outcomes = fan_arena_array(arena, all->count, sizeof *outcomes);
    struct fan_bytes *codes = fan_arena_array(arena, all->count, sizeof *codes);
    struct fan_bytes *provider_ids = fan_arena_array(arena, all->count, sizeof *provider_ids);
    struct fan_args args;
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        if (all->attempts[i] < 2 || all->outcomes[i] == 0)
            continue;
        ids[count] = all->messages[i];
        numbers[count] = all->attempts[i];
        outcomes[count] = all->outcomes[i];
        codes[count] = all->codes[i];
        provider_ids[count++] = all->provider_ids[i];
    }
    if (count == 0)
        return;
    begin(&args, batch, claim->account);
    fan_arg_i64s(&args, ids, count);
    fan_arg_i16s(&args, numbers, count);
    fan_arg_i16s(&args, outcomes, count);
    fan_arg_texts(&args, codes, count);
    fan_arg_texts(&args, provider_ids, count);
    fan_batch_add(batch, &fan_q_chunk_attempts, &args);
}

static void add_suppressions(struct fan_batch *batch, const struct fan_claim *claim,
        const struct fan_claim_outcomes *all, enum fan_kind kind)
{
    fan_id *ids = fan_arena_array(fan_batch_arena(batch), all->count, sizeof *ids);
    struct fan_args args;
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        if (all->suppress[i])
            ids[count++] = all->messages[i];
    }
    if (count == 0)
        return;
    begin(&args, batch, claim->account);
    fan_arg_i64s(&args, ids, count);
    fan_arg_i16(&args, kind);
    fan_arg_text(&args, FAN_LIT("provider"));
    fan_batch_add(batch, &fan_q_suppression_add, &args);
}

/* Those whose tries are used up; the statement knows which of them count. */
static void add_deaths(struct fan_batch *batch, const struct fan_claim *claim,
        const struct fan_claim_outcomes *all)
{
    fan_id *ids = fan_arena_array(fan_batch_arena(batch), all->count, sizeof *ids);
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        if (all->states[i] == FAN_MESSAGE_FAILED && all->reasons[i] == FAN_REASON_TRIES_USED_UP)
            ids[count++] = all->messages[i];
    }
    if (count > 0)
        fan_dead_add_note(batch, claim->account, (struct fan_ids){ ids, count });
}

struct fan_claim_outcomes fan_claim_outcomes_room(size_t room, struct fan_arena *arena)
{
    return (struct fan_claim_outcomes){
        .messages = fan_arena_array(arena, room, sizeof(fan_id)),
        .states = fan_arena_array(arena, room, sizeof(int16_t)),
        .outcomes = fan_arena_array(arena, room, sizeof(int16_t)),
        .reasons = fan_arena_array(arena, room, sizeof(int16_t)),
        .attempts = fan_arena_array(arena, room, sizeof(int16_t)),
        .free = fan_arena_array(arena, room, sizeof(int16_t)),
        .codes = fan_arena_array(arena, room, sizeof(struct fan_bytes)),
        .provider_ids = fan_arena_array(arena, room, sizeof(struct fan_bytes)),
        .delays = fan_arena_array(arena, room, sizeof(fan_time)),
        .instants = fan_arena_array(arena, room, sizeof(fan_time)),
        .suppress = fan_arena_array(arena, room, sizeof(bool)),
    };
}

/* A retry chunk's messages stand anywhere: they are looked up by a binary search. */
struct place {
    fan_id message;
    size_t at;
};

static int by_message(const void *a, const void *b)
{
    const struct place *one = a, *other = b;

    return (one->message > other->message) - (one->message < other->message);
}

static void copy_outcome(struct fan_claim_outcomes *to, size_t place,
        const struct fan_claim_outcomes *from, size_t i)
{
    to->messages[place] = from->messages[i];
    to->states[place] = from->states[i];
    to->outcomes[place] = from->outcomes[i];
    to->reasons[place] = from->reasons[i];
    to->free[place] = from->free[i];
    to->codes[place] = from->codes[i];
    to->provider_ids[place] = from->provider_ids[i];
    to->delays[place] = from->delays[i];
    to->instants[place] = from->instants[i];
}

static struct fan_claim_outcomes ascending(const struct fan_claim_outcomes *all,
        struct fan_arena *arena)
{
    struct place *places = fan_arena_array(arena, all->count, sizeof *places);
    struct fan_claim_outcomes out = fan_claim_outcomes_room(all->count, arena);

    out.count = all->count;
    for (size_t i = 0; i < all->count; i++)
        places[i] = (struct place){ all->messages[i], i };
    qsort(places, all->count, sizeof *places, by_message);
    for (size_t i = 0; i < all->count; i++)
        copy_outcome(&out, i, all, places[i].at);
    return out;
}

/* A home chunk's messages stand side by side: from the first that is spoken of to the last, each
 * has its place, and a gap says nothing. Who is at home elsewhere is not this claim's to close. */
static struct fan_claim_outcomes side_by_side(const struct fan_claim_outcomes *all, fan_id chunk,
        struct fan_arena *arena)
{
    struct fan_claim_outcomes out;
    fan_id first = fan_message_id(chunk + 1, 0) - 1, last = fan_message_id(chunk, 0);

    for (size_t i = 0; i < all->count; i++) {
        fan_id message = all->messages[i];

        first = message < first && message >> 9 == chunk ? message : first;
        last = message > last && message >> 9 == chunk ? message : last;
    }
    if (first > last)
        first = last;
    out = fan_claim_outcomes_room((size_t)(last - first) + 1, arena);
    out.count = (size_t)(last - first) + 1;
    out.messages[0] = first;
    for (size_t i = 0; i < all->count; i++) {
        if (all->messages[i] >> 9 == chunk)
            copy_outcome(&out, (size_t)(all->messages[i] - first), all, i);
    }
    return out;
}

static void add_event(struct fan_args *args, const struct fan_claim_outcomes *outcomes)
{
    struct fan_buffer body;

    fan_buffer_init(&body, BODY_CAP);
    if (outcomes->event)
        fan_encode(&fan_schema_messages_settled, outcomes->event, &body);
    FAN_ASSERT(!body.overflowed);
    fan_arg_i64_or_null(args, outcomes->run);
    fan_arg_i32(args, (int32_t)fan_schema_messages_settled.number);
    fan_arg_bytea(args,
            outcomes->event ? fan_bytes_dup(fan_buffer_bytes(&body), args->arena) : FAN_NO_BYTES);
    fan_buffer_fini(&body);
}

/* Whether the provider simply accepted all of them. */
static bool all_sent(const struct fan_claim_outcomes *all)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->states[i] != FAN_MESSAGE_SENT || all->outcomes[i] != FAN_ACCEPTED ||
                all->reasons[i] || all->free[i] || all->codes[i].at || all->instants[i] <= 0)
            return false;
    }
    return true;
}

static int add_sent(struct fan_batch *batch, struct fan_args *args,
        const struct fan_claim_outcomes *outcomes, const struct fan_claim_outcomes *placed)
{
    fan_arg_i64(args, placed->messages[0]);
    fan_arg_texts(args, placed->provider_ids, placed->count);
    fan_arg_i64s(args, placed->instants, placed->count);
    add_event(args, outcomes);
    return fan_batch_add(batch, &fan_q_chunk_sent, args);
}

static int add_mixed(struct fan_batch *batch, struct fan_args *args, bool is_retry,
        const struct fan_claim_outcomes *outcomes, const struct fan_claim_outcomes *placed)
{
    if (is_retry)
        fan_arg_i64s(args, placed->messages, placed->count);
    else
        fan_arg_i64(args, placed->messages[0]);
    fan_arg_i16s(args, placed->states, placed->count);
    fan_arg_i16s(args, placed->outcomes, placed->count);
    fan_arg_i16s(args, placed->reasons, placed->count);
    fan_arg_texts(args, placed->codes, placed->count);
    fan_arg_texts(args, placed->provider_ids, placed->count);
    fan_arg_i64s(args, placed->delays, placed->count);
    fan_arg_i64s(args, placed->instants, placed->count);
    fan_arg_i16s(args, placed->free, placed->count);
    add_event(args, outcomes);
    return fan_batch_add(batch, is_retry ? &fan_q_chunk_close_retry : &fan_q_chunk_close, args);
}

int fan_claim_add_close(struct fan_batch *batch, const struct fan_claim *claim,
        const struct fan_claim_outcomes *outcomes, enum fan_kind kind)
{
    struct fan_arena *arena = fan_batch_arena(batch);
    const struct fan_claim_outcomes placed = claim->is_retry
            ? ascending(outcomes, arena)
            : side_by_side(outcomes, claim->chunk, arena);
    struct fan_args args;
    int answer;

    begin_owned(&args, batch, claim);
    answer = !claim->is_retry && all_sent(outcomes)
            ? add_sent(batch, &args, outcomes, &placed)
            : add_mixed(batch, &args, claim->is_retry, outcomes, &placed);
    add_attempts(batch, claim, outcomes);
    add_deaths(batch, claim, outcomes);
    add_suppressions(batch, claim, outcomes, kind);
    return answer;
}

size_t fan_claim_read_closed(const struct fan_rows *rows)
{
    size_t sum = 0;

    for (int i = 0; i < rows->count; i++)
        sum += (size_t)fan_row_i64(rows, i, 0);
    return sum;
}

int fan_claim_add_evidence(struct fan_batch *batch, const struct fan_claim *claim,
        const struct fan_claim_outcomes *outcomes)
{
    struct fan_args args;

    begin(&args, batch, claim->account);
    fan_arg_i64s(&args, outcomes->messages, outcomes->count);
    fan_batch_add(batch, &fan_q_chunk_lock_homes, &args);
    if (outcomes->crashed)
        fan_claim_add_crashed(batch, claim, outcomes->crashed);

    begin(&args, batch, claim->account);
    fan_arg_i64(&args, claim->chunk);
    fan_arg_i32(&args, (int32_t)claim->epoch);
    fan_arg_i64s(&args, outcomes->messages, outcomes->count);
    fan_arg_i16s(&args, outcomes->states, outcomes->count);
    fan_arg_texts(&args, outcomes->provider_ids, outcomes->count);
    fan_arg_i64s(&args, outcomes->delays, outcomes->count);
    fan_arg_i64s(&args, outcomes->instants, outcomes->count);
    fan_arg_i16s(&args, outcomes->free, outcomes->count);
    return fan_batch_add(batch, &fan_q_chunk_evidence, &args);
}

void fan_claim_add_crashed(struct fan_batch *batch, const struct fan_claim *claim, fan_id message)
{
    struct fan_args args;

    begin_owned(&args, batch, claim);
    fan_arg_i64(&args, message);
    fan_arg_i32(&args, FAN_CRASHES_MOST);
    fan_batch_add(batch, &fan_q_chunk_crashed, &args);
    fan_dead_add_note(batch, claim->account, (struct fan_ids){ &message, 1 });
}

int fan_claim_add_renew(struct fan_batch *batch, const struct fan_claim *claim, int64_t lease_us)
{
    struct fan_args args;

    begin_owned(&args, batch, claim);
    fan_arg_i64(&args, lease_us);
    return fan_batch_add(batch, &fan_q_chunk_renew, &args);
}

void fan_claim_add_lock(struct fan_batch *batch, const struct fan_claim *claim)
{
    add_lock(batch, claim, &fan_q_chunk_lock_work);
}

int fan_claim_add_done(struct fan_batch *batch, const struct fan_claim *claim)
{
    struct fan_args args;

    begin_owned(&args, batch, claim);
    return fan_batch_add(batch, &fan_q_chunk_done, &args);
}

int fan_claim_add_release(struct fan_batch *batch, const struct fan_claim *claim, int watermark)
{
    struct fan_args args;

    begin_owned(&args, batch, claim);
    if (watermark < 0)
        fan_arg_null(&args);
    else
        fan_arg_i16(&args, watermark);
    fan_arg_bool(&args, false);
    return fan_batch_add(batch, &fan_q_chunk_release, &args);
}

int fan_claim_add_slots(struct fan_batch *batch, fan_id account, fan_id channel, uint32_t wanted)
{
    struct fan_args args;

    begin(&args, batch, account);
    fan_arg_i64(&args, channel);
    fan_batch_add(batch, &fan_q_pace_lock, &args);
    fan_arg_i64(&args, wanted);
    return fan_batch_add(batch, &fan_q_pace_take, &args);
}

bool fan_claim_read_slots(const struct fan_rows *rows, struct fan_claim_slots *out)
{
    if (rows->count == 0)
        return false;
    *out = (struct fan_claim_slots){
        .granted = (uint32_t)fan_row_i64(rows, 0, 0),
        .wait_us = fan_row_i64(rows, 0, 1),
        .interval_us = fan_row_i64(rows, 0, 2),
    };
    return true;
}
