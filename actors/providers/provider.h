/*
 * provider — what a driver is: one pure file that knows one provider's wire.
 *
 * A driver never sends, waits, or reads files and clocks. The sender asks it for a request and
 * shows it the answer; the ingester shows it what came in. Everything is borrowed for the call;
 * what is made goes into the given arena. Dropping actors/providers/<kind>_<provider>.c with a
 * `const struct fan_provider fan_provider_<kind>_<provider>` in the folder is enough: the build
 * finds it.
 */
#ifndef FAN_ACTORS_PROVIDERS_PROVIDER_H
#define FAN_ACTORS_PROVIDERS_PROVIDER_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/content.h"
#include "proto/err.h"
#include "proto/time.h"
#include "proto/words.h"

/* Who may read a secret field: it is sealed once for each. */
enum fan_reader { FAN_READER_SENDER = 1, FAN_READER_INGESTER = 2 };

/* A field of a channel's settings or credentials. */
struct fan_provider_field {
    const char *name;      /* snake_case; NULL ends the table */
    const char *doc;       /* for forms and the manual */
    const char *otherwise; /* default; NULL: none */
    bool required;
    int readers; /* secret: who may read it, bits of enum fan_reader; 0: a plain setting that all
                    may read */
    const char *pattern; /* POSIX extended regular expression that the whole value must match; NULL:
                            any text */
    const char *example; /* what would be right, for error messages */
};

/* What a driver knows of a channel: plain settings, and the secrets that its caller may read. */
struct fan_channel_view {
    fan_id account;
    fan_id channel;
    const struct fan_bytes *names; /* names[count], values[count] */
    const struct fan_bytes *values;
    size_t count;
    struct fan_bytes hook_url; /* public URL of this channel's callbacks, without query */
};

/** A channel's field, its default when it is not set, or absent bytes. */
struct fan_bytes fan_channel_field(const struct fan_channel_view *channel,
        const struct fan_provider_field *fields, const char *name);

/* One message about to leave. */
struct fan_sending {
    const struct fan_channel_view *channel;
    fan_id message;
    struct fan_bytes token; /* the message's id with a MAC; safe in URLs, headers and JSON; at most
                               64 bytes */
    struct fan_bytes address;      /* E.164, an e-mail address, … */
    struct fan_bytes contact_name; /* for a mail's To; may be absent */
    struct fan_content content;
    struct fan_bytes
            unsubscribe_url; /* one click, this recipient and campaign; absent: none wanted */
    fan_time now;
    uint32_t attempt; /* tries before this one */
};

enum { FAN_REQUEST_HEADERS = 16 };

/* One transmission: HTTP, or a mail when method is absent (see http_client.h, whose call it
 * becomes). */
struct fan_request {
    struct fan_bytes method, url;
    struct fan_bytes headers[FAN_REQUEST_HEADERS];
    size_t headers_len;
    struct fan_bytes body;
    struct fan_bytes username, password;
    struct fan_bytes ehlo, mail_from, mail_to;
    bool starttls;
    uint32_t total_ms; /* 0: the sender's default */
};

/* What came back (see http_client.h). */
struct fan_response {
    int status; /* 0: no answer */
    bool began; /* a byte of the request may have left */
    bool complete;
    bool timed_out;
    struct fan_bytes headers;
    struct fan_bytes body;
    int64_t retry_after_ms; /* -1: none */
};

/* A message whose answer was lost. */
struct fan_lost {
    const struct fan_sending *sending; /* as it was sent */
    fan_time since;                    /* it was not sent before */
    struct fan_texts others;           /* provider's ids of the recipient's other messages */
};

struct fan_outcome {
    enum fan_outcome_class outcome;
    struct fan_bytes provider_id; /* accepted: the provider's id; may be absent */
    struct fan_bytes
            code;     /* the provider's own code ("21211", "131026", "550 5.1.1"); absent: none */
    int64_t delay_ms; /* retry: not before; -1: the retry policy decides */
    bool suppress;    /* this recipient must not be written to again on this kind of channel */
    bool throttled;   /* the provider says we are too fast: slow the channel */
    bool busy; /* retry_later of a keyed channel: an earlier request of this message is under way,
                  so it is in doubt */
};

/* What came in on a channel's hook URL. */
struct fan_hook {
    struct fan_bytes method;
    struct fan_bytes url; /* public: hook_url of the channel, what follows it, and the query, as the
                             caller must have written it */
    struct fan_bytes query;   /* raw, without '?'; absent: none */
    struct fan_bytes body;    /* raw */
    struct fan_bytes headers; /* "Name: value" lines, CRLF or LF */
};

/** A hook's header, or absent. */
struct fan_bytes fan_hook_header(const struct fan_hook *hook, const char *name);

/* A provider's word about one message. */
struct fan_receipt {
    struct fan_bytes token;       /* ours, where the provider echoes it; else absent */
    struct fan_bytes provider_id; /* may be absent when the token is there */
    enum fan_progress progress;   /* NONE: accepted and no more */
    int flags;                    /* bits of enum fan_flag */
    struct fan_bytes code;        /* of a failure */
    bool suppress;
    fan_time at; /* the provider's time of the event; 0: it gave none */
    struct fan_bytes
            key; /* equal for every repetition of this one event, different from any other's */
};

struct fan_receipt_list {
    struct fan_receipt *at; /* at[len] */
    size_t len;
};

/* How a hook is answered once its content is safe on disk, or at once. */
struct fan_hook_answer {
    int status;
    const char *type;
    struct fan_bytes body;
};

struct fan_provider_limits {
    double rate;          /* messages a second, unless the channel says otherwise */
    uint32_t connections; /* calls at once */
    uint32_t text_cap;    /* code points of content.text; 0: no limit */
};

struct fan_provider {
    const char *name; /* "twilio" */
    enum fan_kind kind;
    const char *summary; /* "SMS and MMS through Twilio's Messages API" */
    const struct fan_provider_field *fields;
    struct fan_provider_limits limits;

    /** Check settings together, beyond what the table says. NULL: nothing more. fails FAN_INVALID,
     * why->field */
    enum fan_err (*check)(const struct fan_channel_view *channel, struct fan_why *why);

    /** Write the one request that sends this message. fails FAN_INVALID: it can never be sent like
     * this (the text says why) */
    enum fan_err (*send)(const struct fan_sending *sending, struct fan_arena *arena,
            struct fan_request *out, struct fan_why *why);

    /** Say what became of it. Every answer has exactly one class; what cannot be read after a byte
     * left is FAN_AMBIGUOUS. */
    void (*judge)(const struct fan_sending *sending, const struct fan_response *response,
            struct fan_arena *arena, struct fan_outcome *out);

    /** Whether a request carries a key by which this channel's provider drops its repetition. NULL:
     * never. For how long is the channel's setting idempotency_ttl_s, which run_insert reads. Each
     * request of a message must have the same key and body */
    bool (*keyed)(const struct fan_channel_view *channel);

    /** Write the request that asks what became of a message whose answer was lost; it changes
     * nothing. NULL: this provider cannot be asked. fails FAN_INVALID */
    enum fan_err (*look_up)(const struct fan_lost *lost, struct fan_arena *arena,
            struct fan_request *out, struct fan_why *why);

    /** Whether the answer proves that the provider took it. false: it proves nothing. */
    bool (*found)(const struct fan_lost *lost, const struct fan_response *response,
            struct fan_arena *arena, struct fan_bytes *provider_id);

    /** A question that is answered at once and changes nothing (Meta's GET challenge). false: it is
     * none. NULL: there are none. */
    bool (*hook_greet)(const struct fan_channel_view *channel, const struct fan_hook *hook,
            struct fan_arena *arena, struct fan_hook_answer *out);

    /** Whether the provider, and nobody else, wrote this hook: over the raw bytes, in constant
     * time. fails FAN_DENIED */
    enum fan_err (*hook_check)(const struct fan_channel_view *channel, const struct fan_hook *hook,
            struct fan_arena *arena, struct fan_why *why);

    /** Read what it says. Unknown events and fields are passed over. fails FAN_INVALID: not this
     * provider's shape */
    enum fan_err (*hook_read)(const struct fan_channel_view *channel, const struct fan_hook *hook,
            struct fan_arena *arena, struct fan_receipt_list *out, struct fan_why *why);

    struct fan_hook_answer
            hook_answer; /* to a hook that was taken; status 0: 200 with an empty body */
};

/** Every driver in this folder, NULL at the end (generated). */
extern const struct fan_provider *const fan_providers[];

/** Find one by kind and name, or NULL. */
const struct fan_provider *fan_provider_find(enum fan_kind kind, struct fan_bytes name);

#endif
