/*
 * sender — what its files share.
 *
 *   claim.c    a chunk's life here: taken, started, settled
 *   claim_batch.c  its transactions: opened slice by slice, closed, released
 *   flight.c   one message's way to the provider and back
 *   channel.c  channels with their credentials, connections and send slots
 *   health.c   which channels are left alone, and how fast the others may be
 *   journal.c  what must survive this process: a file that others read when it is dead
 *   replay.c   reading it
 *   lookup.c   asking providers what became of messages whose answers were lost
 *
 * Everything happens on the loop's thread. The database is used through one pipelined connection,
 * so that sending never waits for a commit.
 */
#ifndef FAN_ACTORS_SENDER_SENDER_H
#define FAN_ACTORS_SENDER_SENDER_H

#include "actors/lib/decide/retry.h"
#include "actors/lib/seal/seal.h"
#include "actors/lib/seal/token.h"
#include "actors/sender/channel.h"
#include "actors/sender/journal.h"
#include "broker/runtime/actor.h"
#include "broker/runtime/db_watch.h"
#include "sql/store/chunk.h"
#include "sql/store/claim.h"

struct sender_settings {
    const char *kind; /* of channel that this process serves */
    uint32_t chunks;  /* held at once */
    uint32_t slice;   /* messages of one; two at most are opened at once */
    uint32_t lease_ms;
    uint32_t send_ttl_ms; /* the first byte leaves so soon after its slice was opened, or not at all
                           */
    uint32_t request_ms;  /* how long a provider may take */
    const char *public_url; /* where the outside world reaches the ingester */
    const char *ca_file;    /* trusted; "": what the system trusts */
};

struct claim;
struct flight;

/* What a position of a chunk has come to. */
enum position {
    POSITION_WAITING = 0, /* not opened, or opened and not started */
    POSITION_ABSENT,      /* nothing is to be sent there */
    POSITION_STARTED,
    POSITION_SETTLED, /* has its outcome */
};

/* A message as it waits to be sent. */
struct copy {
    fan_id message;
    struct fan_bytes address, body;
    char *owned;          /* where they stand, when the frame did not carry them */
    fan_time start_until; /* elapsed, of one that is opened: its first byte must have left */
    fan_time key_until;   /* elapsed: it was in doubt, and its key allows it so long; 0: it may */
    uint8_t format;
    uint8_t tries;     /* before this one: those that cost one */
    uint8_t free;      /* those that cost none */
    uint8_t position;  /* enum position */
    uint16_t attempts; /* before this one */
};

/* An outcome that is not recorded yet. */
struct result {
    uint16_t position;
    int16_t state, outcome, reason;
    bool suppress, free;
    fan_time delay, at;
    struct fan_bytes code, provider_id; /* in the claim's arena */
};

enum claim_state { CLAIM_TAKING, CLAIM_LOADING, CLAIM_OPEN, CLAIM_ENDING, CLAIM_OVER };

/* A chunk that this sender holds. */
struct claim {
    struct sender *sender;
    struct claim *next;
    struct fan_arena *arena;
    struct fan_claim_taken taken;
    enum claim_state state;
    enum fan_lane lane; /* whose credit it took */
    const struct fan_retry_rules *retry;
    struct channel *channel;
    struct journal_slot *slot;
    struct copy *copies;        /* copies[taken.size], by position */
    struct fan_copy_list frame; /* what the frame carried */
    bool carried;    /* all copies came with the frame; otherwise each slice's come with its open */
    uint32_t opened; /* the watermark, as the database confirmed it */
    uint32_t opening; /* messages that a batch under way would open */
    uint32_t started; /* positions below it are started, absent or settled */
    uint32_t in_flight;
    fan_time renew_at; /* elapsed */
    fan_time retry_at; /* elapsed: the database was away; not before */
    bool busy;         /* a batch is under way: one at a time */
    bool closed_out;   /* nothing more may be opened: it moved on, may not run now, or we stop */
    bool lost;         /* the epoch is over: what we know is evidence */
    bool thorough; /* its end looks for what is left: there is something that is not known here */
    bool halted;   /* paused or cancelled: not even what is started may begin */
    uint32_t refusals;      /* batches that the database refused as wrong */
    struct result *results; /* results[results_len], not yet in a batch */
    size_t results_len;
    struct result *recording; /* in the batch under way */
    size_t recording_len;
    struct fan_messages_settled untold; /* recorded, and not published yet; no chunk: nothing is */
    fan_time told_at;                   /* elapsed */
};

struct sender {
    struct fan_actor *actor;
    const struct sender_settings *set;
    enum fan_kind kind;
    struct fan_db *db;
    struct fan_db_watch *watch;
    struct fan_seal_secret *secret;
    struct fan_token_key *tokens;
    struct journal *journal; /* NULL: it broke, and another one cannot be made yet */
    fan_time mend_at;        /* elapsed: not before */
    struct replay *replay;
    struct channel *channels;
    struct claim *claims;
    uint32_t claims_len;
    struct lookup *lookups;
    struct flight *spare_flights; /* whose memory waits for the next ones */
    uint32_t spare_flights_len;
    struct fan_timer *pump_timer; /* set while a pump is due */
    struct fan_timer *flush_timer;
    uint64_t random;
    struct fan_metric *outcomes[FAN_OUTCOME_CLASS_COUNT];
    struct fan_metric *latency, *held, *found;
    struct fan_metric *paused[FAN_HEALTH_REASON_COUNT];
    struct fan_metric *channels_paused, *channels_slowed, *cuts, *budget_waits, *unwritable;
};

/* ---- claim.c ---- */

/** Take the chunk of a frame; its copies, if it carries them, are kept. The credit comes back when
 * it is over. */
void claim_take(struct sender *self, const struct fan_route *route,
        const struct fan_send_request *request);
/** Do whatever can be done now. The claim may be gone afterwards. */
void claim_pump(struct claim *claim);
/** Give the claim's memory and credit back; the rows know all that matters. */
void claim_forget(struct claim *claim);
/** A position has its outcome. */
void claim_settle(struct claim *claim, const struct result *result);
/** Keep what was read of a message. */
void copy_load(struct copy *copy, const struct fan_claim_copy *read);
/** Pump every claim of a channel (NULL: of all), urgent ones first. */
void claims_pump(struct sender *self, const struct channel *channel);
/** Pump all when this callback has returned. */
void claims_pump_soon(struct sender *self);
/** Every second: leases, and what could not be done before. */
void claims_tick(struct sender *self);
/** A run (0: all of them) may not go on: what is not on its way yet goes back. */
void claims_halt(struct sender *self, fan_id account, fan_id run);
/** Stop opening; give everything back as it ends. */
void claims_drain(struct sender *self);
void claims_free(struct sender *self);

/* ---- claim_batch.c ---- */

/** Record outcomes, open the next slice or end the claim, if there is reason to. @flush: few
 * outcomes are reason enough. */
void claim_batch(struct claim *claim, bool flush);
/** Say what is being recorded as evidence. */
void claim_say(struct claim *claim);
/** Publish what was recorded, if that is due or (@now) anyway. */
void claim_tell(struct claim *claim, bool now);
/** Hold the claim longer. */
void claim_renew(struct claim *claim);

/* ---- main.c ---- */

/** Whether messages may be started: what is done can be written down. */
bool sender_can_write(const struct sender *self);
/** Make another journal in the place of one that broke, once no claim needs that. */
void sender_mend(struct sender *self);

/** 32 random bits, for delays. */
uint32_t sender_draw(struct sender *self);

/* ---- flight.c ---- */

/** Send one position. The journal says that it is started. */
void flight_start(struct claim *claim, uint32_t position);
void flights_free(struct sender *self);

/** The call that transmits a driver's request, and its answer as drivers read it; both borrow. */
struct fan_http_call sender_call(const struct sender *self, const struct fan_request *request);
struct fan_response sender_response(const struct fan_http_reply *reply);

/* ---- lookup.c ---- */

/** Ask for the unknowns of a chunk. The credit comes back when it is over. */
void lookup_begin(struct sender *self, const struct fan_route *route,
        const struct fan_lookup_request *request);
/** After the channels, whose clients hold the calls. */
void lookups_free(struct sender *self);

#endif
