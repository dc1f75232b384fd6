/*
 * call — one request on its way to its answer.
 *
 * A call is routed, its caller recognised, its body parsed, and its handler run, all in one turn:
 * the answer leaves only after the commit. A handler writes JSON with call->json, or refuses.
 */
#ifndef FAN_GATEWAY_CALL_H
#define FAN_GATEWAY_CALL_H

#include "gateway/gateway.h"
#include "gateway/keys.h"
#include "gateway/problem.h"
#include "gateway/route.h"
#include "proto/json.h"

struct fan_media_row;

struct call {
    struct gateway *gateway;
    struct fan_http_request *request;
    const struct route *route;
    fan_id ids[ROUTE_IDS]; /* from the path */
    struct caller caller;
    struct fan_turn *turn;       /* in a handler */
    struct fan_arena *lasting;   /* the request's: holds what the answer says */
    struct fan_arena *arena;     /* the turn's */
    struct fan_db *db;           /* the turn's */
    struct fan_why *why;         /* the turn's */
    const struct fan_json *body; /* a parsed object; NULL: the request had no body */
    struct problem problem;

    /* the answer */
    struct fan_buffer reply;
    struct fan_json_writer json; /* writes into reply */
    int status;                  /* 200 unless the handler says otherwise */
    const char *type;
    char location[96];                /* "": none */
    bool opens_stream;                /* the handler wants live_open to answer */
    void (*later)(struct call *call); /* the handler wants this to answer, after the commit */
    struct fan_media_row *media;      /* that is being removed */
    uint64_t picture;                 /* that was asked for */
    char id[40];                      /* of the request, for the client and the log */
};

/** The HTTP server's handler; the context is the gateway. */
void call_serve(void *context, struct fan_http_request *request);

/**
 * Begin a call and find its route.
 *
 * Returns NULL when the request was answered at once: no such route.
 */
struct call *call_begin(struct gateway *gateway, struct fan_http_request *request);

/** Recognise the caller, in a turn of his account. fails FAN_DENIED, with the problem set */
enum fan_err call_recognise(struct call *call);

/** The account that the caller's key names; 0: there is no usable key. */
fan_id call_account(const struct call *call);

/** Let a turn's state into the call; at the beginning of each attempt. */
void call_enter(struct call *call, struct fan_turn *turn);

/** Answer with what the handler wrote or with the problem. The call is gone afterwards. */
void call_answer(struct call *call);

/** Set the problem from what a turn returned, unless the handler set it. */
void call_failed(struct call *call, enum fan_err err, const struct fan_why *why);

/** Refuse: `return call_refuse(call, 409, "…");`. Undoes what the turn did. */
enum fan_err call_refuse(struct call *call, int status, const char *format, ...) FAN_PRINTF(3, 4);

/** Note what is wrong with a field and go on; printed into the arena. expected may be "". */
void call_fault(struct call *call, const char *field, const char *expected, const char *format, ...)
        FAN_PRINTF(4, 5);

/** FAN_OK, or the refusal that tells all faults noted so far. */
enum fan_err call_check(struct call *call);

/** Set the Location of what was made: "/api/v1/imports/7". */
void call_locate(struct call *call, const char *collection, fan_id id);

/* ---- lists ---- */

struct call_page {
    int64_t page; /* from 1 */
    int64_t page_size;
};

/** Read page and page_size; notes faults. */
struct call_page call_read_page(struct call *call);

/** Close the list: {data:[…], pagination{page, page_size, total_count, total_pages}}. */
void call_open_list(struct call *call);
void call_close_list(struct call *call, struct call_page page, int64_t total);

/** A query parameter as a number; notes a fault when it is none or out of bounds. */
int64_t call_query_i64(struct call *call, const char *name, int64_t least, int64_t most,
        int64_t otherwise);

/** Write a news message into the event log and emit it when the turn has committed. */
enum fan_err call_tell(struct call *call, fan_id run, const struct fan_schema *schema,
        const void *message);

/** Emit work for some actor when the turn has committed. */
enum fan_err call_ask(struct call *call, fan_id run, const struct fan_schema *schema,
        const void *message);

#endif
