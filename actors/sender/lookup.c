/*
 * Asking a provider what became of messages whose answers were lost: the second of three ways in
 * which an unknown ends, between a callback and the campaign's policy.
 *
 * One message after the other, so that a provider in trouble is asked gently. An answer that proves
 * that the message was taken is evidence; any other proves nothing. Nothing is kept: what could not
 * be asked is asked for again.
 */
#include "actors/sender/sender.h"

#include "sql/store/lost.h"

#include <stdlib.h>

enum { AT_ONCE = 64 }; /* messages of one request */

/* A message may have left so long before it became unknown: its slice's time, and the call's. */
#define EARLIER (120 * FAN_SECOND)

struct lookup {
    struct sender *sender;
    struct lookup *next;
    struct fan_arena *arena;
    struct fan_route route;
    fan_id home, channel_id;
    struct channel *channel;             /* NULL: not had yet */
    const struct fan_lost_message *lost; /* lost[count] */
    size_t count, at;
    struct fan_sending sending; /* the one that is asked for */
    struct fan_lost sought;
    char token[FAN_TOKEN_TEXT];
};

static void finish(struct lookup *lookup)
{
    struct sender *self = lookup->sender;
    struct lookup **link = &self->lookups;

    while (*link != lookup)
        link = &(*link)->next;
    *link = lookup->next;
    fan_actor_done(self->actor, lookup->route.lane);
    fan_arena_free(&lookup->arena);
    free(lookup);
}

static void ask_next(struct lookup *lookup);

/* ---- what it said ---- */

static void on_evidence(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    (void)context;
    (void)rows;
    (void)count;
    if (err)
        fan_log(NULL, FAN_WARN, "lookup.lost", "it is asked for again: %s", why->text);
}

static void say_found(struct lookup *lookup, struct fan_bytes provider_id)
{
    const struct fan_lost_message *lost = &lookup->lost[lookup->at];
    struct sender *self = lookup->sender;
    struct fan_claim claim = { lookup->route.account, lost->chunk, lost->epoch, 0,
        lost->chunk != lookup->home };
    struct fan_batch *batch = fan_batch_new(claim.account);
    struct fan_claim_outcomes known = fan_claim_outcomes_room(1, fan_batch_arena(batch));

    known.count = 1;
    known.messages[0] = lost->message;
    known.states[0] = FAN_MESSAGE_SENT;
    known.outcomes[0] = FAN_ACCEPTED;
    known.provider_ids[0] = fan_bytes_dup(provider_id, fan_batch_arena(batch));
    known.instants[0] = fan_clock_now();
    fan_claim_add_evidence(batch, &claim, &known);
    fan_db_submit(self->db, &batch, on_evidence, NULL);
    fan_db_watch_kick(self->watch);
    fan_metric_add(self->found, 1);
    fan_log(NULL, FAN_INFO, "message.found", "message %lld: its provider had taken it",
            (long long)lost->message);
}

/* What the provider found, and whose it is. */
struct finding {
    fan_id message;
    struct fan_bytes provider_id;
    bool is_its;
};

static enum fan_err check(struct fan_turn *turn, void *context)
{
    struct finding *finding = context;

    return fan_lost_is_its(turn->db, turn->route.account, finding->message, finding->provider_id,
            turn->arena, &finding->is_its, &turn->why);
}

/* What looks like the lost one may be another message with its text, whose answer is just coming
 * in: who else could be meant is asked for only now. */
static void believe(struct lookup *lookup, struct fan_bytes provider_id)
{
    struct finding finding = { .message = lookup->lost[lookup->at].message,
        .provider_id = provider_id };
    struct fan_why why = { 0 };

    if (!fan_actor_turn(lookup->sender->actor, &lookup->route, check, &finding, &why) &&
            finding.is_its)
        say_found(lookup, provider_id);
}

static void on_reply(void *context, const struct fan_http_reply *reply)
{
    struct lookup *lookup = context;
    const struct fan_response response = sender_response(reply);
    struct fan_bytes provider_id = FAN_NO_BYTES;

    lookup->channel->in_flight--;
    if (lookup->channel->provider->found(&lookup->sought, &response, lookup->arena, &provider_id))
        believe(lookup, provider_id);
    lookup->at = reply->complete && reply->status == 200 ? lookup->at + 1 : lookup->count;
    ask_next(lookup);
}

/* ---- asking ---- */

static enum fan_err write_question(struct lookup *lookup, struct fan_request *request,
        struct fan_why *why)
{
    const struct fan_lost_message *lost = &lookup->lost[lookup->at];
    struct sender *self = lookup->sender;
    enum fan_err err;

    lookup->sending = (struct fan_sending){
        .channel = &lookup->channel->view,
        .message = lost->message,
        .token = fan_token_write(self->tokens, lookup->route.account, lost->message, lookup->token),
        .address = lost->address,
        .now = fan_clock_now(),
    };
    lookup->sought = (struct fan_lost){ .sending = &lookup->sending,
        .since = lost->unknown_since - EARLIER,
        .others = lost->others };
    err = fan_content_read(lost->format, lost->body, lookup->arena, &lookup->sending.content, why);
    return err ? err
               : lookup->channel->provider->look_up(&lookup->sought, lookup->arena, request, why);
}

static void ask_next(struct lookup *lookup)
{
    struct fan_request request;
    struct fan_http_call call;
    struct fan_why why = { 0 };

    if (lookup->at >= lookup->count || fan_actor_draining(lookup->sender->actor)) {
        finish(lookup);
        return;
    }
    if (write_question(lookup, &request, &why)) {
        fan_log(NULL, FAN_WARN, "lookup.failed", "message %lld cannot be asked for: %s",
                (long long)lookup->lost[lookup->at].message, why.text);
        finish(lookup);
        return;
    }
    call = sender_call(lookup->sender, &request);
    lookup->channel->in_flight++;
    fan_http_send(lookup->channel->client, &call, NULL, on_reply, lookup);
}

static enum fan_err read_lost(struct fan_turn *turn, void *context)
{
    struct lookup *lookup = context;

    return fan_lost_messages(turn->db, lookup->route.account, lookup->home, AT_ONCE, lookup->arena,
            &lookup->lost, &lookup->count, &turn->why);
}

static void begin(void *context)
{
    struct lookup *lookup = context;
    struct sender *self = lookup->sender;
    struct fan_why why = { 0 };

    if (channel_get(self, lookup->route.account, lookup->channel_id, &lookup->channel, &why) ||
            !lookup->channel->provider->look_up ||
            fan_actor_turn(self->actor, &lookup->route, read_lost, lookup, &why)) {
        finish(lookup);
        return;
    }
    ask_next(lookup);
}

void lookup_begin(struct sender *self, const struct fan_route *route,
        const struct fan_lookup_request *request)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);

    if (!lookup)
        fan_die("out of memory: a look-up");
    lookup->sender = self;
    lookup->arena = fan_arena_new();
    lookup->route = *route;
    lookup->home = request->chunk;
    lookup->channel_id = request->channel;
    lookup->next = self->lookups;
    self->lookups = lookup;
    fan_loop_soon(fan_actor_loop(self->actor), begin, lookup); /* turns of its own */
}

/* The calls under way end with their clients. */
void lookups_free(struct sender *self)
{
    while (self->lookups) {
        struct lookup *first = self->lookups;
        self->lookups = first->next;
        fan_arena_free(&first->arena);
        free(first);
    }
}
