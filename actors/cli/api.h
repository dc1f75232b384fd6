/*
 * api — the gateway's REST API as the commands call it: one request after the other, each waited
 * for.
 */
#ifndef FAN_CLI_API_H
#define FAN_CLI_API_H

#include "actors/cli/home.h"
#include "actors/cli/options.h"
#include "proto/json.h"

#define FAN_API_URL "http://127.0.0.1:8080" /* where it is unless something else is said */

struct fan_api;

/* What each command that speaks to the API may be told. */
struct fan_api_options {
    const char *url; /* else FANFARE_URL, else FAN_API_URL */
    const char *key; /* else FANFARE_API_KEY, else the home's api-key file */
    const char *home;
};

#define FAN_API_OPTIONS(type, member) \
    FAN_OPTION(TEXT, type, member.url, "url", "URL", \
            "of the gateway (FANFARE_URL; else " FAN_API_URL ")"), \
            FAN_OPTION(TEXT, type, member.key, "key", "KEY", \
                    "API key (FANFARE_API_KEY; else from DIR/api-key)"), \
            FAN_OPTION(TEXT, type, member.home, "home", "DIR", "as of `fanfare up`")

/** fails FAN_NOT_FOUND: no key was given, and none can be read */
enum fan_err fan_api_open(const struct fan_api_options *options, struct fan_api **out,
        struct fan_why *why) FAN_MUST_CHECK;
void fan_api_close(struct fan_api **api);

struct fan_api_call {
    const char *method; /* "GET" */
    const char *path;   /* "/api/v1/campaigns?page=2", or a whole URL of another process */
    const char *type;   /* of the body; NULL: application/json */
    struct fan_bytes body;
    uint32_t total_ms; /* 0: 30,000 */
};

/**
 * Send a request and wait for its answer.
 *
 * out    the answer's JSON, in @arena; NULL when it is none
 * fails  FAN_UNAVAILABLE  there was no answer, or it said to come again later
 *        otherwise        as the answer's status says; the text is the problem's, with its faults
 */
enum fan_err fan_api_send(struct fan_api *api, const struct fan_api_call *call,
        struct fan_arena *arena, const struct fan_json **out, struct fan_why *why) FAN_MUST_CHECK;

/** GET @path. */
enum fan_err fan_api_get(struct fan_api *api, const char *path, struct fan_arena *arena,
        const struct fan_json **out, struct fan_why *why) FAN_MUST_CHECK;

/** POST @body, which is JSON; NULL: none. */
enum fan_err fan_api_post(struct fan_api *api, const char *path, const char *body,
        struct fan_arena *arena, const struct fan_json **out, struct fan_why *why) FAN_MUST_CHECK;

/** The URL that it speaks to. */
const char *fan_api_url(const struct fan_api *api);

/** The text of an answer's problem, its faults behind it. */
const char *fan_api_problem(const struct fan_json *problem, struct fan_arena *arena);

#endif
