/*
 * world — an account with people, a channel, a campaign and its run in a database of its own, and
 * one connection for each process that works on it, logged in as that process's own role.
 *
 * The steps of the chunk protocol as one call each, through the store's functions. What goes wrong
 * with the database itself ends the test program; refusals are answers.
 */
#ifndef FAN_TESTS_SUPPORT_WORLD_H
#define FAN_TESTS_SUPPORT_WORLD_H

#include "sql/store/chunk.h"
#include "sql/store/claim.h"
#include "sql/store/run.h"
#include "tests/support/pg.h"

enum { WORLD_ACCOUNT = 1, WORLD_CHANNEL = 1, WORLD_CAMPAIGN = 1, WORLD_OWNER = 77 };
enum { WORLD_LEASE_US = 60 * 1000 * 1000 };

struct world {
    char url[PG_URL];   /* the superuser's */
    struct fan_db *eye; /* the superuser's: sees everything */
    struct fan_db *audience, *renderer, *sender, *scheduler, *ingester;
    struct fan_arena *arena; /* what the calls below return lives here */
    struct fan_arena *queries;
    struct fan_why why;
    fan_id account, run;
    fan_time unknown_wait; /* of world_settle; 15 minutes */
};

/** Make it: account 1 with channel 1 (SMS), campaign 1 and a run that is running; nobody in it. */
void world_open(struct world *w);
void world_close(struct world *w);

/** Do or ask something as the superuser, in printf's words. */
void world_exec(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t world_number(struct world *w, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/** Make contacts from..from+count-1 of the account, each with a phone number and an address. */
void world_people(struct world *w, fan_id from, int count);
/** Plan a chunk for these contacts; returns its id. */
fan_id world_plan(struct world *w, fan_id from, int count);
/** Write its messages; returns what fan_chunk_render does. */
enum fan_err world_render(struct world *w, fan_id chunk, uint32_t epoch);
/** People, planned and rendered. */
fan_id world_chunk(struct world *w, fan_id from, int count);

/** Count the messages of every chunk of every account and compare all counters: how many chunks are
 * wrong. They are printed. */
int64_t world_wrong_counters(struct world *w);

/* ---- a sender's steps, each a transaction of its own ---- */

/** false: refused */
bool world_take(struct world *w, fan_id chunk, uint32_t epoch, uint64_t owner,
        struct fan_claim_taken *out);
/** The new watermark or -1; @unsendable may be NULL. */
int world_open_slice(struct world *w, const struct fan_claim_taken *taken, uint32_t watermark,
        uint32_t count, struct fan_ids *unsendable);
/** How many were recorded, or -1: no row, so the claim is over (or, of retries, nothing was new).
 * All get @state; @ids by position of the chunk. */
int world_record(struct world *w, const struct fan_claim_taken *taken, uint32_t from, uint32_t to,
        enum fan_message_state state);
/** The same for any outcomes. */
int world_record_all(struct world *w, const struct fan_claim *claim,
        const struct fan_claim_outcomes *outcomes);
int world_evidence(struct world *w, const struct fan_claim *claim,
        const struct fan_claim_outcomes *outcomes);
/** The state that the chunk is in now, or -1: the claim was over. */
int world_release(struct world *w, const struct fan_claim *claim, int watermark);
bool world_renew(struct world *w, const struct fan_claim *claim);

/** Room for @count outcomes. */
struct fan_claim_outcomes world_outcomes(struct world *w, size_t room);
void world_add_outcome(struct fan_claim_outcomes *list, fan_id message,
        enum fan_message_state state);

/* ---- others' steps ---- */

/** Take a chunk back as the scheduler does; @unbegun: its worker is gone. */
bool world_take_back(struct world *w, fan_id chunk, uint32_t epoch, bool unbegun);
int64_t world_promote(struct world *w, uint32_t size);
int64_t world_settle(struct world *w);
/** A provider's word about one message: how many home chunks changed. */
int world_receipt(struct world *w, fan_id message, int progress, int flags);

/** Wait until everything submitted on @db is answered. */
void world_await(struct fan_db *db);

#endif
