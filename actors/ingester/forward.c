/*
 * Bringing what came in from the spool into the database: read a batch in order, merge what it says
 * by message, and only then move the spool's place. Killed anywhere in between, the batch is
 * applied again, and changes nothing.
 *
 * A batch that the database refuses is applied again record by record, so that only the one at
 * fault is set aside.
 */
#include "actors/ingester/mailbox.h"
#include "actors/ingester/spool_reader.h"
#include "actors/ingester/words.h"
#include "actors/lib/driver/view.h"
#include "proto/fault.h"
#include "sql/store/channel.h"
#include "sql/store/event.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    CHANNELS_MOST = 64, /* whose settings are remembered */
    IDLE_MS = 1000,     /* how long to wait for records at once */
    PAUSE_MS = 500,     /* before the database is tried again */
    SLICE_MS = 10,      /* of a pause: so soon a stop is noticed */
    RECORDS_MOST = 4096,
};

/* A channel's plain settings: its secrets were needed at the door, and nobody opens them here. */
struct known {
    fan_id account, id;
    struct fan_arena *arena; /* NULL: free */
    struct channel channel;
    fan_time loaded;
};

struct forwarder {
    struct ingester *ingester;
    struct spool_reader *reader;
    struct mailbox *mailbox;
    struct fan_db *db;
    struct fan_arena *scratch; /* for one record, or one try to apply a batch */
    pthread_t thread;
    atomic_bool stopping;
    struct known channels[CHANNELS_MOST];
    size_t next_channel; /* to be forgotten */
    bool one_by_one;     /* until @careful: a batch was refused */
    struct spool_place careful;
};

/* One batch. */
struct batch {
    struct forwarder *forwarder;
    struct words words;
    struct spool_place from;
    size_t records;
    fan_time oldest; /* arrival of its last record */
    struct letter letter;
};

/* ---- what a record says ---- */

static struct known *find(struct forwarder *self, fan_id account, fan_id id)
{
    for (size_t i = 0; i < CHANNELS_MOST; i++) {
        struct known *known = &self->channels[i];

        if (known->arena && known->id == id && known->account == account)
            return known;
    }
    return NULL;
}

static struct known *make_place(struct forwarder *self)
{
    struct known *known = &self->channels[self->next_channel++ % CHANNELS_MOST];

    fan_arena_free(&known->arena);
    return known;
}

/* Whatever the database says but that there is none is no record's fault. */
static enum fan_err load(struct forwarder *self, struct known *known, struct fan_why *why)
{
    struct fan_channel_login login;
    enum fan_err err;

    fan_db_account(self->db, known->account);
    err = fan_channel_for_ingester(self->db, known->account, known->id, self->scratch, &login, why);
    if (!err)
        err = fan_db_commit(self->db, why);
    if (err) {
        fan_db_abort(self->db);
        return err == FAN_NOT_FOUND ? err : FAN_UNAVAILABLE;
    }
    known->loaded = fan_clock_elapsed();
    err = channel_build(known->account, known->id, &login, FAN_NO_BYTES,
            self->ingester->set->public_url, known->arena, &known->channel, why);
    return !err && !known->channel.provider ? FAN_NOT_FOUND : err;
}

/* fails FAN_NOT_FOUND: it was deleted, or its driver was */
static enum fan_err get_channel(struct forwarder *self, fan_id account, fan_id id,
        const struct channel **out, struct fan_why *why)
{
    fan_time fresh = self->ingester->set->channel_fresh_s * FAN_SECOND;
    struct known *known = find(self, account, id);
    enum fan_err err = FAN_OK;

    if (!known || fan_clock_elapsed() - known->loaded > fresh) {
        known = known ? known : make_place(self);
        fan_arena_free(&known->arena);
        *known = (struct known){ .account = account, .id = id, .arena = fan_arena_new() };
        err = load(self, known, why);
    }
    if (err)
        fan_arena_free(&known->arena);
    *out = &known->channel;
    return err;
}

static void hear(struct batch *batch, const struct spool_record *record,
        const struct fan_receipt *receipt)
{
    fan_id account, message;

    /* A token of another account was copied from there: the channel that signed it has no say. */
    if (fan_token_read(batch->forwarder->ingester->tokens, receipt->token, &account, &message) &&
            account == record->account)
        words_add_receipt(&batch->words, record, message, receipt);
    else
        batch->letter.unmatched++;
}

static enum fan_err read_hook(struct batch *batch, const struct spool_record *record,
        struct fan_why *why)
{
    const struct channel *channel;
    struct fan_receipt_list receipts = { 0 };
    struct fan_bytes before;
    const struct fan_hook hook = {
        .method = record->method,
        .url = record->url,
        .query = fan_bytes_split(record->url, '?', &before),
        .body = record->body,
        .headers = record->headers,
    };
    struct forwarder *self = batch->forwarder;
    enum fan_err err = get_channel(self, record->account, record->subject, &channel, why);

    if (!err && channel->provider->hook_read)
        err = channel->provider->hook_read(&channel->view, &hook, self->scratch, &receipts, why);
    for (size_t i = 0; i < receipts.len && !err; i++)
        hear(batch, record, &receipts.at[i]);
    return err;
}

static enum fan_err read_record(struct batch *batch, const struct spool_record *record,
        struct fan_why *why)
{
    if (record->sort == SPOOL_HOOK)
        return read_hook(batch, record, why);
    words_add_unsubscribe(&batch->words, record);
    return FAN_OK;
}

/* PostgreSQL's class 42 says that our statement does not fit its schema: somebody is upgrading, and
 * the record is as good as any. */
static bool is_fault_of_record(enum fan_err err, const struct fan_why *why)
{
    return (err == FAN_INVALID || err == FAN_TOO_LARGE || err == FAN_DENIED) &&
            !strstr(why->text, "(42");
}

static void refuse(struct batch *batch, const struct fan_why *why)
{
    fan_log(NULL, FAN_ERROR, "hook.unread", "%s", why->text);
    spool_reader_set_aside(batch->forwarder->reader);
    batch->letter.refused++;
}

/* Read the next record. fails FAN_NOT_FOUND: there is none; others: the database is away */
static enum fan_err collect_one(struct batch *batch)
{
    struct forwarder *self = batch->forwarder;
    struct spool_place before = spool_reader_place(self->reader);
    struct spool_record record;
    struct fan_why why = { 0 };
    enum fan_err err;

    fan_arena_reset(self->scratch);
    if (!spool_reader_next(self->reader, &record))
        return FAN_NOT_FOUND;
    err = read_record(batch, &record, &why);
    if (err == FAN_NOT_FOUND)
        batch->letter.unmatched++; /* its channel is gone, and nobody asks any more */
    else if (is_fault_of_record(err, &why))
        refuse(batch, &why);
    else if (err) {
        fan_log(NULL, FAN_WARN, "receipts.waiting", "%s", why.text);
        spool_reader_seek(self->reader, before);
        return err;
    }
    batch->records++;
    batch->oldest = record.arrived;
    return FAN_OK;
}

/* Read records until the batch is full or there are no more. */
static enum fan_err collect(struct batch *batch)
{
    struct forwarder *self = batch->forwarder;
    size_t records = self->one_by_one ? 1 : RECORDS_MOST;
    enum fan_err err = FAN_OK;

    while (!err && batch->words.len < self->ingester->set->batch && batch->records < records)
        err = collect_one(batch);
    return err == FAN_NOT_FOUND ? FAN_OK : err;
}

/* ---- applying ---- */

static enum fan_err note_run(struct forwarder *self, fan_id account,
        const struct fan_receipts_run *run, struct fan_arena *arena, struct fan_why *why)
{
    const struct fan_receipts_applied fact = {
        .delivered = run->delivered,
        .read = run->read,
        .undelivered = run->undelivered,
        .flagged = run->flagged,
    };

    return fan_event_insert(self->db, account, run->run, 0, &fan_schema_receipts_applied, &fact,
            arena, why);
}

/* Suppress those of whom this is said for the first time. */
static enum fan_err suppress(struct forwarder *self, const struct word *words, size_t count,
        struct fan_why *why)
{
    fan_id account = words[0].account;
    struct word_suppressions list;
    bool *fresh;
    enum fan_err err;

    words_suppressions(words, count, self->scratch, &list);
    if (list.count == 0)
        return FAN_OK;
    fresh = fan_arena_array(self->scratch, list.count, sizeof *fresh);
    err = fan_receipts_note(self->db, account, list.keys, list.count, self->scratch, fresh, why);
    if (err)
        return err;
    words_keep_fresh(&list, fresh);
    return list.count == 0 ? FAN_OK
                           : fan_receipts_suppress(self->db, account, list.messages, list.reasons,
                                     list.count, self->scratch, why);
}

static enum fan_err merge(struct forwarder *self, const struct word *words, size_t count,
        struct fan_receipts_runs *runs, struct fan_why *why)
{
    fan_id account = words[0].account;
    struct fan_receipt_rows rows;
    enum fan_err err;

    words_merge(words, count, self->scratch, &rows);
    err = fan_receipts_apply(self->db, account, &rows, self->scratch, runs, why);
    for (size_t i = 0; i < runs->len && !err; i++)
        err = note_run(self, account, &runs->at[i], self->scratch, why);
    return err;
}

/* Apply what was said about one account's messages, in one transaction. */
static enum fan_err apply_account(struct batch *batch, const struct word *words, size_t count,
        struct fan_why *why)
{
    struct forwarder *self = batch->forwarder;
    struct fan_receipts_runs runs = { 0 };
    enum fan_err err;

    fan_db_account(self->db, words[0].account);
    err = merge(self, words, count, &runs, why);
    if (!err)
        err = suppress(self, words, count, why);
    FAN_FAULT("forwarder.before_commit");
    if (!err)
        err = fan_db_commit(self->db, why);
    if (err) {
        fan_db_abort(self->db);
        return err;
    }
    FAN_FAULT("forwarder.committed");
    batch->letter.words += (uint32_t)count;
    batch->letter.messages += (uint32_t)runs.messages;
    for (size_t i = 0; i < runs.len; i++)
        mailbox_put_news(self->mailbox, words[0].account, &runs.at[i]);
    return FAN_OK;
}

static enum fan_err apply(struct batch *batch, struct fan_why *why)
{
    enum fan_err err = FAN_OK;

    fan_arena_reset(batch->forwarder->scratch);
    for (size_t i = 0, count; i < batch->words.len && !err; i += count) {
        count = words_of_account(&batch->words, i);
        err = apply_account(batch, batch->words.at + i, count, why);
    }
    return err;
}

/* ---- the thread ---- */

static void pause_ms(struct forwarder *self, uint32_t ms)
{
    struct timespec slice = { .tv_nsec = SLICE_MS * 1000000L };

    for (uint32_t waited = 0; waited < ms && !self->stopping; waited += SLICE_MS)
        nanosleep(&slice, NULL);
}

/* Try until it is applied or refused. Accounts that were done before one failed are done again, to
 * no effect. */
static enum fan_err apply_whenever(struct batch *batch, struct fan_why *why)
{
    struct forwarder *self = batch->forwarder;
    enum fan_err err = apply(batch, why);

    while (err && !is_fault_of_record(err, why) && !self->stopping) {
        bool soon = err == FAN_CONFLICT;

        fan_log(NULL, soon ? FAN_DEBUG : FAN_WARN, "receipts.waiting", "%s", why->text);
        pause_ms(self, soon ? SLICE_MS : PAUSE_MS);
        err = apply(batch, why);
    }
    return err;
}

/* Somebody in the batch is refused: go through it again, record by record. */
static void be_careful(struct batch *batch, const struct fan_why *why)
{
    struct forwarder *self = batch->forwarder;

    if (batch->records > 1) {
        self->one_by_one = true;
        self->careful = spool_reader_place(self->reader);
        spool_reader_seek(self->reader, batch->from);
        return;
    }
    refuse(batch, why);
    spool_reader_applied(self->reader, spool_reader_place(self->reader));
}

static void settle(struct batch *batch)
{
    struct forwarder *self = batch->forwarder;
    fan_time began = fan_clock_elapsed();
    struct fan_why why = { 0 };
    enum fan_err err;

    words_sort(&batch->words);
    FAN_FAULT("forwarder.collected");
    err = apply_whenever(batch, &why);
    if (!err) {
        spool_reader_applied(self->reader, spool_reader_place(self->reader));
        FAN_FAULT("forwarder.noted");
        batch->letter.seconds = (double)(fan_clock_elapsed() - began) / FAN_SECOND;
        batch->letter.oldest = batch->oldest;
    } else if (is_fault_of_record(err, &why)) {
        be_careful(batch, &why);
    }
}

/* Whether the refused batch is behind us. */
static bool is_careful(const struct forwarder *self)
{
    struct spool_place place = spool_reader_place(self->reader);

    return self->one_by_one &&
            (place.segment < self->careful.segment ||
                    (place.segment == self->careful.segment &&
                            place.offset < self->careful.offset));
}

/* One batch, if there is anything; false: there was nothing. */
static bool forward(struct forwarder *self, struct fan_arena *arena)
{
    struct batch batch = { .forwarder = self, .words.arena = arena };
    enum fan_err err;

    batch.from = spool_reader_place(self->reader);
    self->one_by_one = is_careful(self);
    err = collect(&batch);
    if (!err && batch.records && batch.words.len < self->ingester->set->batch &&
            !self->one_by_one) {
        pause_ms(self, self->ingester->set->gather_ms);
        err = collect(&batch);
    }
    if (batch.records)
        settle(&batch);
    mailbox_put(self->mailbox, &batch.letter);
    if (err)
        pause_ms(self, PAUSE_MS);
    return batch.records > 0;
}

static void *work(void *context)
{
    struct forwarder *self = context;
    struct fan_arena *arena = fan_arena_new();

    while (!self->stopping) {
        if (!forward(self, arena)) {
            spool_reader_applied(self->reader, spool_reader_place(self->reader));
            spool_wait(self->ingester->spool, spool_reader_place(self->reader), IDLE_MS);
        }
        fan_arena_reset(arena);
    }
    fan_arena_free(&arena);
    return NULL;
}

struct forwarder *forwarder_start(struct ingester *ingester)
{
    struct forwarder *self = calloc(1, sizeof *self);

    if (!self)
        fan_die("out of memory: the forwarder");
    self->ingester = ingester;
    self->db = fan_actor_new_db(ingester->actor, FAN_DB_HOT);
    self->scratch = fan_arena_new();
    self->reader = spool_reader_open(ingester->spool);
    self->mailbox = mailbox_new(ingester);
    if (pthread_create(&self->thread, NULL, work, self) != 0)
        fan_die("the forwarder's thread cannot be started");
    return self;
}

void forwarder_stop(struct forwarder **forwarder)
{
    struct forwarder *self = *forwarder;

    if (!self)
        return;
    self->stopping = true;
    spool_wake(self->ingester->spool);
    pthread_join(self->thread, NULL);
    mailbox_free(&self->mailbox);
    spool_reader_close(&self->reader);
    fan_db_free(&self->db);
    fan_arena_free(&self->scratch);
    for (size_t i = 0; i < CHANNELS_MOST; i++)
        fan_arena_free(&self->channels[i].arena);
    free(self);
    *forwarder = NULL;
}
