#include "tests/sim/rows.h"

#include <string.h>

void rows_init(struct rows *rows, fan_id first, int homes, int size)
{
    *rows = (struct rows){ .first = first, .homes = homes, .chunks = homes, .tries = 3 };
    for (int h = 0; h < homes; h++) {
        rows->chunk[h] = (struct row_chunk){ .id = first + h, .size = (uint32_t)size };
        rows->chunk[h].count[FAN_MESSAGE_PENDING] = 0; /* written when it is rendered */
        for (int p = 0; p < size; p++)
            rows->message[h][p] = (struct row_message){ .id = (first + h) * 512 + p };
    }
}

struct row_chunk *rows_chunk(struct rows *rows, fan_id chunk)
{
    fan_id index = chunk - rows->first;

    FAN_ASSERT(index >= 0 && index < rows->chunks);
    return &rows->chunk[index];
}

struct row_message *rows_message(struct rows *rows, fan_id message)
{
    fan_id home = (message >> 9) - rows->first;

    FAN_ASSERT(home >= 0 && home < rows->homes && (message & 511) < ROWS_SIZE);
    return &rows->message[home][message & 511];
}

fan_id rows_item(const struct row_chunk *chunk, uint32_t position)
{
    FAN_ASSERT(position < chunk->size);
    return chunk->is_retry ? chunk->items[position] : chunk->id * 512 + position;
}

static struct row_chunk *home_of(struct rows *rows, const struct row_message *message)
{
    return rows_chunk(rows, message->id >> 9);
}

/* A message's state and its home's counters move together. */
static void move(struct rows *rows, struct row_message *message, enum fan_message_state state)
{
    struct row_chunk *home = home_of(rows, message);

    home->count[message->state]--;
    home->count[state]++;
    message->state = state;
}

static fan_time sooner(fan_time a, fan_time b)
{
    return !a || (b && b < a) ? b : a;
}

static bool works_for(const struct row_message *message, const struct row_chunk *chunk)
{
    return chunk->is_retry ? message->work == chunk->id
                           : !message->work && message->id >> 9 == chunk->id;
}

static bool is_held(const struct row_chunk *chunk, const struct fan_claim *claim)
{
    return chunk->state == FAN_CHUNK_CLAIMED && chunk->epoch == claim->epoch &&
            chunk->owner == claim->owner;
}

static void make_unknown(struct rows *rows, fan_time now, struct row_message *message,
        uint32_t epoch)
{
    struct row_chunk *home = home_of(rows, message);

    move(rows, message, FAN_MESSAGE_UNKNOWN);
    message->lost_epoch = epoch;
    message->due = now;
    home->unknown_since = sooner(home->unknown_since, now);
}

static void make_retry(struct rows *rows, struct row_message *message, fan_time due)
{
    struct row_chunk *home = home_of(rows, message);

    move(rows, message, FAN_MESSAGE_RETRY);
    message->due = due;
    home->retry_due = sooner(home->retry_due, due);
}

/* ---- renderer ---- */

bool rows_render(struct rows *rows, fan_id id, uint32_t epoch)
{
    struct row_chunk *chunk = rows_chunk(rows, id);

    if (chunk->state != FAN_CHUNK_PLANNED || chunk->epoch != epoch)
        return false;
    chunk->state = FAN_CHUNK_RENDERED;
    chunk->count[FAN_MESSAGE_PENDING] = (int)chunk->size;
    return true;
}

/* ---- sender ---- */

bool rows_claim(struct rows *rows, fan_time now, struct fan_claim *claim, fan_time lease)
{
    struct row_chunk *chunk = rows_chunk(rows, claim->chunk);

    if (chunk->state != FAN_CHUNK_RENDERED || chunk->epoch != claim->epoch || rows->cancelled)
        return false;
    chunk->state = FAN_CHUNK_CLAIMED;
    claim->epoch = ++chunk->epoch;
    claim->is_retry = chunk->is_retry;
    chunk->owner = claim->owner;
    chunk->lease_until = now + lease;
    return true;
}

bool rows_renew(struct rows *rows, fan_time now, const struct fan_claim *claim, fan_time lease)
{
    struct row_chunk *chunk = rows_chunk(rows, claim->chunk);

    if (!is_held(chunk, claim))
        return false;
    chunk->lease_until = now + lease;
    return true;
}

int rows_open(struct rows *rows, fan_time now, const struct fan_claim *claim, uint32_t watermark,
        uint32_t count, bool *unsendable)
{
    struct row_chunk *chunk = rows_chunk(rows, claim->chunk);

    if (!is_held(chunk, claim) || chunk->watermark != watermark || watermark >= chunk->size ||
            chunk->lease_until <= now || rows->cancelled)
        return -1;
    chunk->watermark = watermark + count < chunk->size ? watermark + count : chunk->size;
    if (!chunk->opened_at)
        chunk->opened_at = now;
    for (uint32_t p = watermark; p < chunk->watermark; p++) {
        const struct row_message *message = rows_message(rows, rows_item(chunk, p));

        unsendable[p - watermark] = message->state != FAN_MESSAGE_PENDING ||
                !works_for(message, chunk) || message->suppressed;
    }
    return (int)chunk->watermark;
}

int rows_close(struct rows *rows, fan_time now, const struct fan_claim *claim,
        const struct row_word *words, size_t count)
{
    struct row_chunk *chunk = rows_chunk(rows, claim->chunk);
    int closed = 0;

    if (!is_held(chunk, claim))
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct row_message *message = rows_message(rows, words[i].message);

        if (message->state != FAN_MESSAGE_PENDING || !works_for(message, chunk))
            continue;
        if (words[i].state == FAN_MESSAGE_UNKNOWN)
            make_unknown(rows, now, message, claim->epoch);
        else if (words[i].state == FAN_MESSAGE_RETRY)
            make_retry(rows, message, now + words[i].delay);
        else
            move(rows, message, words[i].state);
        if (words[i].state != FAN_MESSAGE_UNKNOWN)
            message->lost_epoch = 0;
        message->free_tries += words[i].free;
        message->named = words[i].state == FAN_MESSAGE_SENT;
        closed++;
    }
    return closed || !chunk->is_retry ? closed : -1;
}

int rows_release(struct rows *rows, fan_time now, fan_id id, uint32_t epoch, uint64_t owner,
        int watermark, bool force)
{
    struct row_chunk *chunk = rows_chunk(rows, id);
    uint32_t to = chunk->watermark;

    if (chunk->state != FAN_CHUNK_CLAIMED || chunk->epoch != epoch)
        return -1;
    if (owner ? chunk->owner != owner : watermark >= 0 || !(chunk->lease_until < now || force))
        return -1;
    if (watermark >= 0 && (uint32_t)watermark < to)
        to = (uint32_t)watermark;
    for (uint32_t p = 0; p < to; p++) {
        struct row_message *message = rows_message(rows, rows_item(chunk, p));

        if (message->state == FAN_MESSAGE_PENDING && works_for(message, chunk))
            make_unknown(rows, now, message, epoch);
    }
    chunk->watermark = to;
    chunk->state = to < chunk->size ? FAN_CHUNK_RENDERED : FAN_CHUNK_DONE;
    chunk->epoch++;
    chunk->owner = 0;
    chunk->lease_until = 0;
    return chunk->state;
}

static bool is_settled_by_proof(enum fan_message_state state)
{
    return state != FAN_MESSAGE_SENT && state != FAN_MESSAGE_SKIPPED &&
            state != FAN_MESSAGE_EXPIRED;
}

void rows_evidence(struct rows *rows, fan_time now, const struct fan_claim *claim,
        const struct row_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct row_message *message = rows_message(rows, words[i].message);
        fan_id work = message->work ? message->work : message->id >> 9;
        bool of_this_claim = message->state == FAN_MESSAGE_UNKNOWN && work == claim->chunk &&
                message->lost_epoch == claim->epoch;

        bool proves = is_settled_by_proof(message->state) ||
                (message->state == FAN_MESSAGE_SENT && !message->named);

        if (words[i].state == FAN_MESSAGE_SENT ? !proves : !of_this_claim)
            continue;
        if (words[i].state == FAN_MESSAGE_RETRY)
            make_retry(rows, message, now + words[i].delay);
        else
            move(rows, message, words[i].state);
        message->named |= words[i].state == FAN_MESSAGE_SENT;
        message->lost_epoch = 0;
        message->free_tries += words[i].free;
    }
}

/* ---- scheduler ---- */

static bool is_unbegun(struct rows *rows, const struct row_chunk *chunk)
{
    if (chunk->watermark == 0)
        return true;
    for (uint32_t p = 0; !chunk->is_retry && p < chunk->watermark; p++) {
        const struct row_message *message = rows_message(rows, rows_item(chunk, p));
        if (message->state == FAN_MESSAGE_PENDING && !message->work)
            return false;
    }
    return !chunk->is_retry;
}

bool rows_take_back(struct rows *rows, fan_time now, fan_id id, uint32_t epoch, bool unbegun)
{
    return rows_release(rows, now, id, epoch, 0, -1,
                   unbegun && is_unbegun(rows, rows_chunk(rows, id))) >= 0;
}

/* What is still due of a home's messages in @state; 0: nothing. */
static fan_time soonest(struct rows *rows, int home, enum fan_message_state state)
{
    fan_time due = 0;

    for (uint32_t p = 0; p < rows->chunk[home].size; p++) {
        const struct row_message *message = &rows->message[home][p];
        if (message->state == state)
            due = sooner(due, message->due);
    }
    return due;
}

static struct row_chunk *add_chunk(struct rows *rows)
{
    struct row_chunk *chunk = &rows->chunk[rows->chunks];

    FAN_ASSERT(rows->chunks < ROWS_CHUNKS);
    *chunk = (struct row_chunk){ .id = rows->first + rows->chunks++,
        .is_retry = true,
        .state = FAN_CHUNK_RENDERED };
    return chunk;
}

int rows_promote(struct rows *rows, fan_time now, int size)
{
    struct row_chunk *chunk = NULL;
    int promoted = 0;

    for (int h = 0; h < rows->homes; h++) {
        if (!rows->chunk[h].retry_due || rows->chunk[h].retry_due > now)
            continue;
        for (uint32_t p = 0; p < rows->chunk[h].size; p++) {
            struct row_message *message = &rows->message[h][p];

            if (message->state != FAN_MESSAGE_RETRY || message->due > now)
                continue;
            if (!chunk || chunk->size == (uint32_t)size)
                chunk = add_chunk(rows);
            chunk->items[chunk->size++] = message->id;
            move(rows, message, FAN_MESSAGE_PENDING);
            message->work = chunk->id;
            message->attempt++;
            message->due = 0;
            promoted++;
        }
        rows->chunk[h].retry_due = soonest(rows, h, FAN_MESSAGE_RETRY);
    }
    return promoted;
}

/* Whether its provider drops what is sent again, and tries are left. */
static bool is_keyed(const struct rows *rows, const struct row_chunk *home,
        const struct row_message *message, fan_time now)
{
    return home->opened_at > 0 && home->opened_at + rows->key_life > now &&
            message->attempt - message->free_tries + 1 < rows->tries && message->free_tries < 50;
}

int rows_settle(struct rows *rows, fan_time now)
{
    fan_time over = now - rows->unknown_wait;
    int settled = 0;

    for (int h = 0; h < rows->homes; h++) {
        struct row_chunk *home = &rows->chunk[h];

        if (!home->unknown_since)
            continue;
        for (uint32_t p = 0; p < home->size; p++) {
            struct row_message *message = &rows->message[h][p];

            bool again = is_keyed(rows, home, message, now);

            if (message->state != FAN_MESSAGE_UNKNOWN || (message->due > over && !again))
                continue;
            message->flags |= 64;
            if (again ||
                    (rows->at_least_once &&
                            message->attempt - message->free_tries + 1 < rows->tries))
                make_retry(rows, message, now);
            else
                move(rows, message, FAN_MESSAGE_UNKNOWN_FINAL);
            settled++;
        }
        home->unknown_since = soonest(rows, h, FAN_MESSAGE_UNKNOWN);
    }
    return settled;
}

int rows_cancel(struct rows *rows)
{
    int cancelled = 0;

    for (int c = 0; c < rows->chunks; c++) {
        struct row_chunk *chunk = &rows->chunk[c];
        bool held = chunk->state >= FAN_CHUNK_CLAIMED;

        for (uint32_t p = 0; p < chunk->size; p++) {
            struct row_message *message = rows_message(rows, rows_item(chunk, p));

            if (chunk->state == FAN_CHUNK_PLANNED) /* its message is written now */
                chunk->count[FAN_MESSAGE_PENDING]++;
            else if (!(message->state == FAN_MESSAGE_RETRY && !chunk->is_retry) &&
                    !(message->state == FAN_MESSAGE_PENDING && works_for(message, chunk) && !held))
                continue;
            move(rows, message, FAN_MESSAGE_CANCELLED);
            cancelled++;
        }
        if (!chunk->is_retry)
            chunk->retry_due = 0;
        if (held)
            continue;
        chunk->state = FAN_CHUNK_DONE;
        chunk->epoch++;
    }
    return cancelled;
}

/* ---- ingester ---- */

void rows_receipts(struct rows *rows, const struct fan_receipt_rows *said)
{
    for (size_t i = 0; i < said->count; i++) {
        struct row_message *message = rows_message(rows, said->messages[i]);
        struct row_chunk *home = home_of(rows, message);
        int before = message->progress, progress = said->words[i] & ((1 << FAN_WORD_FLAGS) - 1);
        int added = said->words[i] >> FAN_WORD_FLAGS & ~message->flags;

        if (message->state == FAN_MESSAGE_SKIPPED || message->state == FAN_MESSAGE_EXPIRED)
            continue;
        if (is_settled_by_proof(message->state))
            move(rows, message, FAN_MESSAGE_SENT);
        message->progress = progress > before ? progress : before;
        message->flags |= added;
        home->undelivered += (message->progress == 1) - (before == 1);
        home->delivered += before < 2 && message->progress >= 2;
        home->read += before < 3 && message->progress >= 3;
        for (int bit = 0; bit < 5; bit++)
            home->flags[bit] += added >> bit & 1;
    }
}

/* ---- what must hold ---- */

static const char *home_wrong(const struct rows *rows, int home)
{
    const struct row_chunk *chunk = &rows->chunk[home];
    struct row_chunk recount = { 0 };

    for (uint32_t p = 0; p < chunk->size && chunk->state != FAN_CHUNK_PLANNED; p++) {
        const struct row_message *message = &rows->message[home][p];

        recount.count[message->state]++;
        recount.undelivered += message->progress == 1;
        recount.delivered += message->progress >= 2;
        recount.read += message->progress >= 3;
        for (int bit = 0; bit < 5; bit++)
            recount.flags[bit] += message->flags >> bit & 1;
    }
    if (memcmp(chunk->count, recount.count, sizeof recount.count) != 0)
        return "a chunk's counts of states";
    if (chunk->undelivered != recount.undelivered || chunk->delivered != recount.delivered ||
            chunk->read != recount.read ||
            memcmp(chunk->flags, recount.flags, sizeof recount.flags))
        return "a chunk's counts of progress and flags";
    if (!chunk->retry_due != !recount.count[FAN_MESSAGE_RETRY] && !chunk->retry_due)
        return "a chunk's retry_due: somebody would be forgotten";
    if (!chunk->unknown_since && recount.count[FAN_MESSAGE_UNKNOWN])
        return "a chunk's unknown_since: somebody would be forgotten";
    return NULL;
}

const char *rows_wrong(const struct rows *rows)
{
    const char *wrong = NULL;

    for (int h = 0; h < rows->homes && !wrong; h++)
        wrong = home_wrong(rows, h);
    return wrong;
}

bool rows_final(const struct rows *rows)
{
    for (int c = 0; c < rows->chunks; c++) {
        const struct row_chunk *chunk = &rows->chunk[c];

        if (chunk->state != FAN_CHUNK_DONE || chunk->count[FAN_MESSAGE_PENDING] ||
                chunk->count[FAN_MESSAGE_RETRY] || chunk->count[FAN_MESSAGE_UNKNOWN])
            return false;
    }
    return true;
}
