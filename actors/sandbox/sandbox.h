/*
 * sandbox — what its files share: settings, state, and how a request is answered.
 */
#ifndef FAN_ACTORS_SANDBOX_SANDBOX_H
#define FAN_ACTORS_SANDBOX_SANDBOX_H

#include "actors/sandbox/faults.h"
#include "actors/sandbox/ids.h"
#include "actors/sandbox/journal.h"
#include "actors/sandbox/keys.h"
#include "actors/sandbox/memory.h"
#include "actors/sandbox/templates.h"
#include "broker/runtime/actor.h"
#include "broker/runtime/http_server.h"

enum fan_sandbox_provider {
    FAN_SANDBOX_TWILIO,
    FAN_SANDBOX_META,
    FAN_SANDBOX_SMTP,
    FAN_SANDBOX_API,
    FAN_SANDBOX_PROVIDERS
};

struct fan_sandbox_settings {
    const char *listen, *smtp_listen, *journal;
    const char *twilio_account_sid, *twilio_auth_token;
    const char *meta_access_token, *meta_app_secret, *meta_phone_number_id, *meta_webhook_url;
    const char *meta_templates;
    const char *api_token;
    uint32_t api_key_ttl_s, api_work_ms;
    const char *smtp_username, *smtp_password;
    uint32_t smtp_size_cap;
    uint32_t deliver_percent, read_percent, fail_percent, delay_ms;
    uint32_t latency_ms, seed, reject_percent, throttle;
    uint32_t remember; /* messages that can be asked for */
    bool fault_patterns;
    uint32_t callback_connections, callback_batch, callback_backlog, callback_tries;
};

/* What became of the messages it was asked to take. */
struct fan_sandbox_tally {
    uint64_t accepted, refused, throttled, failed, known;
};

struct fan_sandbox {
    const struct fan_sandbox_settings *settings;
    struct fan_arena *arena; /* lives as long as the process */
    struct fan_loop *loop;
    struct fan_http_server *server;
    struct fan_sandbox_patience *patience; /* answers that wait for latency_ms */
    struct fan_sandbox_journal journal;
    struct fan_faults faults;
    struct fan_sandbox_templates templates;
    struct fan_callbacks *callbacks;
    struct fan_sandbox_memory *memory; /* of Twilio's messages */
    struct fan_sandbox_keys *keys;     /* of the API's requests */
    struct fan_smtp_sink *smtp;        /* NULL: off */
    struct fan_sandbox_tally tally[FAN_SANDBOX_PROVIDERS];
    uint64_t session; /* in every id, so that ids differ from those of the run before */
    uint64_t serial;  /* of the last message accepted */
};

/* What a provider made of one request. */
struct fan_sandbox_verdict {
    enum fan_sandbox_provider provider;
    struct fan_bytes to, token;
    const char *verdict; /* "accepted", "refused", "throttled", "failed"; of a key that is known
                            "replayed", "busy", "reused" */
    struct fan_bytes id; /* or the error's code */
    int status;
    struct fan_bytes key; /* its idempotency key; absent: it had none */
};

/** Count a verdict and write it to the journal; before the answer leaves. */
void fan_sandbox_note(struct fan_sandbox *sandbox, const struct fan_sandbox_verdict *verdict);

/** Answer, in JSON, after latency_ms. */
void fan_sandbox_answer(struct fan_sandbox *sandbox, struct fan_http_request *request, int status,
        struct fan_bytes body);

/* Requests below the providers' paths; each answers. */
void fan_sandbox_twilio(struct fan_sandbox *sandbox, struct fan_http_request *request);
void fan_sandbox_meta(struct fan_sandbox *sandbox, struct fan_http_request *request);
void fan_sandbox_api(struct fan_sandbox *sandbox, struct fan_http_request *request);

/** Whether a path is the provider's. */
bool fan_sandbox_is_twilio(struct fan_bytes path);
bool fan_sandbox_is_meta(struct fan_bytes path);
bool fan_sandbox_is_api(struct fan_bytes path);

#endif
