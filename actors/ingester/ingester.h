/*
 * ingester — what its files share.
 *
 *   door.c         HTTP: which request is what, and its answer
 *   unsubscribe.c  the page behind a recipient's link
 *   media.c        pictures and other files behind signed links
 *   channels.c     channels as drivers see them, for the door
 *   spool*.c       what came in, on the disk
 *   forward.c      a thread that brings it from there into the database
 *   words.c        what it says, message by message
 *
 * The door and the spool's writing end live on the loop's thread and never wait: not for the disk,
 * not for the database. Forwarding waits for both, and so has a thread to itself; the two share the
 * spool and a mailbox.
 */
#ifndef FAN_ACTORS_INGESTER_INGESTER_H
#define FAN_ACTORS_INGESTER_INGESTER_H

#include "actors/ingester/spool.h"
#include "actors/lib/seal/seal.h"
#include "actors/lib/seal/token.h"
#include "actors/providers/provider.h"
#include "broker/runtime/actor.h"
#include "broker/runtime/http_server.h"

struct fan_media;

struct ingester_settings {
    const char *listen;
    const char *public_url; /* how the outside world writes our address */
    uint32_t connections;   /* at once */
    uint32_t body_kb;       /* of one request, at most */
    uint32_t bodies_mb;     /* of all requests under way that have large ones */
    uint32_t spool_mb;      /* beyond 95 % of which nothing more is taken */
    uint32_t segment_mb;    /* of the spool's files */
    uint32_t free_percent;  /* of the disk, left to others */
    uint32_t sync_ms;       /* between two waits for the disk */
    uint32_t batch;         /* receipts applied at once */
    uint32_t gather_ms;     /* how long to wait for more of them */
    uint32_t channel_fresh_s;
};

struct ingester {
    struct fan_actor *actor;
    const struct ingester_settings *set;
    struct fan_token_key *tokens;
    struct fan_seal_secret *secret;
    struct spool *spool;
    struct channels *channels;
    struct fan_media *media;
    struct door *door;
    struct forwarder *forwarder;
    struct fan_metric *spool_bytes, *spool_waiting;
};

/* ---- channels.c ---- */

/* A channel as its driver sees it. */
struct channel {
    const struct fan_provider *provider; /* NULL: there is no such channel, or no driver for it */
    struct fan_channel_view view;
};

/** Build one from its row; what it needs is copied to @arena. secrets: unsealed; may be absent */
struct fan_channel_login;
enum fan_err channel_build(fan_id account, fan_id id, const struct fan_channel_login *login,
        struct fan_bytes secrets, const char *public_url, struct fan_arena *arena,
        struct channel *out, struct fan_why *why) FAN_MUST_CHECK;

struct channels *channels_new(struct ingester *self);
void channels_free(struct channels **channels);

/** @channel NULL: it is not known now, because the database is away or too many ask at once. */
typedef void channel_ready(void *context, const struct channel *channel);

/** Call @fn with a channel: at once when it is known, else when it was loaded. */
void channels_get(struct channels *channels, fan_id account, fan_id id, channel_ready *fn,
        void *context);

/** Its row changed. */
void channels_changed(struct channels *channels, fan_id account, fan_id id);

/* ---- door.c ---- */

enum fan_err door_open(struct ingester *self, struct door **out,
        struct fan_why *why) FAN_MUST_CHECK;
/** Accept no more connections. */
void door_quiesce(struct door *door);
/** Whether somebody still waits for an answer. */
bool door_busy(const struct door *door);
void door_close(struct door **door);

/** Spool a record and answer @request when it is safe: with this answer, or with 503. */
void door_take(struct ingester *self, struct fan_http_request *request,
        const struct spool_record *record, const struct fan_hook_answer *answer);

/* ---- unsubscribe.c ---- */

/** Answer GET and POST /u/<token>. */
void unsubscribe_answer(struct ingester *self, struct fan_http_request *request,
        struct fan_bytes token);

/* ---- media.c ---- */

/** Answer /media/<path>. */
void media_serve(struct ingester *self, struct fan_http_request *request, struct fan_bytes path);

/* ---- forward.c ---- */

struct forwarder *forwarder_start(struct ingester *self);
/** Ends its thread, after the batch under way. */
void forwarder_stop(struct forwarder **forwarder);

#endif
