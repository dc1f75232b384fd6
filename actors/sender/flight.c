/* One message's way to the provider and back. */
#include "actors/sender/sender.h"

#include "proto/fault.h"

#include <stdlib.h>

enum {
    TEXT_MOST = 512, /* bytes of a provider's id or code */
    SPARE_MOST = 256,
};

struct flight {
    struct flight *next; /* spare */
    struct claim *claim;
    uint32_t position;
    struct fan_arena *arena; /* request and answer die with the flight */
    struct fan_sending sending;
    struct fan_request request;
    char token[FAN_TOKEN_TEXT];
};

struct fan_response sender_response(const struct fan_http_reply *reply)
{
    return (struct fan_response){
        .status = reply->status,
        .began = reply->began,
        .complete = reply->complete,
        .timed_out = reply->timed_out,
        .headers = reply->headers,
        .body = reply->body,
        .retry_after_ms = reply->retry_after_ms,
    };
}

/* Most flights take the memory of one that has just ended, which is still in the cache. */
static struct flight *flight_new(struct claim *claim, uint32_t position)
{
    struct sender *self = claim->sender;
    struct flight *flight = self->spare_flights;
    struct fan_arena *arena;

    if (flight) {
        self->spare_flights = flight->next;
        self->spare_flights_len--;
        arena = flight->arena;
    } else {
        flight = malloc(sizeof *flight);
        if (!flight)
            fan_die("out of memory: a message under way");
        arena = fan_arena_new();
    }
    *flight = (struct flight){ .claim = claim, .position = position, .arena = arena };
    return flight;
}

static void flight_free(struct sender *self, struct flight *flight)
{
    fan_arena_reset(flight->arena);
    if (self->spare_flights_len == SPARE_MOST) {
        fan_arena_free(&flight->arena);
        free(flight);
        return;
    }
    flight->next = self->spare_flights;
    self->spare_flights = flight;
    self->spare_flights_len++;
}

void flights_free(struct sender *self)
{
    for (struct flight *flight = self->spare_flights, *next; flight; flight = next) {
        next = flight->next;
        fan_arena_free(&flight->arena);
        free(flight);
    }
    self->spare_flights = NULL;
}

static struct result result_of(const struct flight *flight, enum fan_message_state state)
{
    return (struct result){ .position = (uint16_t)flight->position,
        .state = (int16_t)state,
        .at = fan_clock_now() };
}

/* The flight is over: tell the journal, then the claim. */
static void land(struct flight *flight, const struct result *result)
{
    struct claim *claim = flight->claim;

    FAN_FAULT("sender.judged");
    journal_answered(claim->slot, flight->position,
            &(struct journal_answer){ result->state, result->outcome, result->reason, result->free,
                    result->provider_id });
    FAN_FAULT("sender.journalled");
    health_ended(claim->channel, flight->sending.message);
    claim->channel->in_flight--;
    claim->in_flight--;
    claim_settle(claim, result);
    flight_free(claim->sender, flight);
}

/* What came from outside must be text, and short, before it can be a column. */
static struct fan_bytes as_text(struct fan_bytes text, struct fan_arena *arena)
{
    if (!text.len || text.len > TEXT_MOST || !fan_bytes_utf8(text) ||
            memchr(text.at, '\0', text.len))
        return FAN_NO_BYTES;
    return fan_bytes_dup(text, arena);
}

/* Nobody was there: whoever is next need not find out for himself. */
static void rest_channel(const struct flight *flight)
{
    struct channel *channel = flight->claim->channel;

    if (channel->held_until <= fan_clock_elapsed())
        fan_log(NULL, FAN_WARN, "provider.away", "channel %lld rests: its provider is not reached",
                (long long)channel->id);
    channel_hold(channel, FAN_SECOND);
}

/* What the end of the call says of the channel. Of one that we gave up ourselves, too late to be
 * begun, it says nothing. */
static void judge_channel(struct flight *flight, const struct fan_outcome *outcome, bool reached,
        int status)
{
    struct claim *claim = flight->claim;
    struct channel *channel = claim->channel;
    enum fan_channel_sign sign =
            fan_breaker_sign(outcome->outcome, outcome->throttled, reached, status);

    if (outcome->throttled)
        health_throttled(channel, outcome->delay_ms > 0 ? outcome->delay_ms * FAN_MS : FAN_SECOND);
    if (!reached &&
            (claim->halted || fan_clock_elapsed() > claim->copies[flight->position].start_until))
        return;
    if (!reached)
        rest_channel(flight);
    if (outcome->outcome == FAN_ACCEPTED && claim->copies[flight->position].tries > 0)
        fan_budget_return(&channel->budget);
    health_landed(channel, flight->sending.message, sign, reached);
}

static void decide(struct flight *flight, const struct fan_outcome *outcome, bool reached,
        int status)
{
    struct claim *claim = flight->claim;
    struct sender *self = claim->sender;
    fan_time asked = outcome->delay_ms < 0 ? -1 : outcome->delay_ms * FAN_MS;
    const struct copy *copy = &claim->copies[flight->position];
    const struct fan_attempt attempt = {
        .outcome = outcome->outcome,
        .tries = copy->tries,
        .free = copy->free,
        .unserved = outcome->throttled || !reached,
        .busy = outcome->busy,
        .in_doubt = copy->key_until > 0,
        .asked_us = asked,
        .random = sender_draw(self),
    };
    struct fan_retry_decision next = fan_retry_decide(claim->retry, &attempt);
    struct result result = result_of(flight, next.state);

    result.outcome = (int16_t)outcome->outcome;
    result.reason = (int16_t)next.reason;
    result.delay = next.delay_us;
    result.free = next.free;
    result.suppress = outcome->suppress;
    result.code = as_text(outcome->code, claim->arena);
    result.provider_id = as_text(outcome->provider_id, claim->arena);
    fan_metric_add(self->outcomes[outcome->outcome], 1);
    judge_channel(flight, outcome, reached, status);
    land(flight, &result);
}

static void on_reply(void *context, const struct fan_http_reply *reply)
{
    struct flight *flight = context;
    const struct fan_response response = sender_response(reply);
    struct fan_outcome outcome = { .delay_ms = -1 };
    const struct channel *channel = flight->claim->channel;

    FAN_FAULT("sender.answered");
    fan_metric_observe(flight->claim->sender->latency, (double)reply->took_us * 1e-6);
    channel->provider->judge(&flight->sending, &response, flight->arena, &outcome);
    if (outcome.outcome == FAN_AMBIGUOUS)
        fan_log(NULL, FAN_DEBUG, "attempt.unclear", "message %lld: status %d after %lld ms%s%s",
                (long long)flight->sending.message, reply->status,
                (long long)(reply->took_us / FAN_MS), reply->complete ? "" : ": ",
                reply->complete ? "" : reply->error);
    FAN_ASSERT(outcome.outcome >= FAN_ACCEPTED && outcome.outcome < FAN_OUTCOME_CLASS_COUNT);
    decide(flight, &outcome, reply->began || reply->status != 0, reply->status);
}

/* It cannot be written as a request at all: its content or its address is at fault, not the
 * provider. */
static void refuse(struct flight *flight, const struct fan_why *why)
{
    struct result result = result_of(flight, FAN_MESSAGE_FAILED);

    result.outcome = FAN_CONTENT_PERMANENT;
    result.reason = FAN_REASON_TEMPLATE;
    fan_log(NULL, FAN_INFO, "message.refused", "message %lld cannot be sent: %s",
            (long long)flight->sending.message, why->text);
    fan_metric_add(flight->claim->sender->outcomes[FAN_CONTENT_PERMANENT], 1);
    land(flight, &result);
}

/* That it is started cannot be written down, so it is not. */
static void give_back(struct flight *flight)
{
    struct result result = result_of(flight, FAN_MESSAGE_RETRY);

    result.outcome = FAN_RETRY_LATER;
    result.free = true;
    land(flight, &result);
}

/* It was in doubt, and only its key allows to send it again: that is over, or the channel has none
 * any more. */
static bool has_no_key(const struct claim *claim, const struct copy *copy)
{
    const struct channel *channel = claim->channel;

    return copy->key_until > 0 &&
            (fan_clock_elapsed() >= copy->key_until || !channel->provider->keyed ||
                    !channel->provider->keyed(&channel->view));
}

/* So it stays in doubt, and the campaign's policy decides. */
static void leave_in_doubt(struct flight *flight)
{
    struct result result = result_of(flight, FAN_MESSAGE_UNKNOWN);

    result.outcome = FAN_RETRY_LATER;
    result.free = true;
    land(flight, &result);
}

static struct fan_bytes unsubscribe_url(const struct sender *self, struct fan_bytes token,
        struct fan_arena *arena)
{
    if (self->kind != FAN_KIND_EMAIL || !self->set->public_url[0])
        return FAN_NO_BYTES;
    return fan_bytes_of(fan_arena_printf(arena, "%s/u/%.*s", self->set->public_url,
            FAN_BYTES_ARG(token)));
}

static enum fan_err write_request(struct flight *flight, const struct copy *copy,
        struct fan_why *why)
{
    struct claim *claim = flight->claim;
    struct sender *self = claim->sender;
    struct fan_sending *sending = &flight->sending;
    enum fan_err err;

    *sending = (struct fan_sending){
        .channel = &claim->channel->view,
        .message = copy->message,
        .token = fan_token_write(self->tokens, claim->taken.claim.account, copy->message,
                flight->token),
        .address = copy->address,
        .now = fan_clock_now(),
        .attempt = (uint32_t)copy->tries + copy->free,
    };
    sending->unsubscribe_url = unsubscribe_url(self, sending->token, flight->arena);
    err = fan_content_read(copy->format, copy->body, flight->arena, &sending->content, why);
    return err ? err
               : claim->channel->provider->send(sending, flight->arena, &flight->request, why);
}

struct fan_http_call sender_call(const struct sender *self, const struct fan_request *request)
{
    return (struct fan_http_call){
        .method = request->method,
        .url = request->url,
        .headers = request->headers,
        .headers_len = request->headers_len,
        .body = request->body,
        .username = request->username,
        .password = request->password,
        .ehlo = request->ehlo,
        .mail_from = request->mail_from,
        .mail_to = request->mail_to,
        .starttls = request->starttls,
        .total_ms = request->total_ms ? request->total_ms : self->set->request_ms,
    };
}

/* Connecting takes time, in which the run may have been paused. */
static bool may_begin(void *context)
{
    const struct flight *flight = context;

    return !flight->claim->halted;
}

void flight_start(struct claim *claim, uint32_t position)
{
    struct flight *flight = flight_new(claim, position);
    struct copy *copy = &claim->copies[position];
    struct fan_http_call call;
    struct fan_why why = { 0 };

    copy->position = POSITION_STARTED;
    claim->in_flight++;
    if (has_no_key(claim, copy)) {
        leave_in_doubt(flight);
        return;
    }
    journal_writing(claim->slot, position);
    FAN_FAULT("sender.writing");
    FAN_FAULT_ABOUT("sender.writing", copy->address);
    if (write_request(flight, copy, &why)) {
        refuse(flight, &why);
        return;
    }
    FAN_FAULT("sender.before_start");
    journal_started(claim->slot, position);
    if (!sender_can_write(claim->sender)) {
        give_back(flight);
        return;
    }
    FAN_FAULT("sender.started");
    call = sender_call(claim->sender, &flight->request);
    call.stop_after = copy->start_until;
    fan_http_send(claim->channel->client, &call, may_begin, on_reply, flight);
    FAN_FAULT("sender.handed_over"); /* this one, or others before it, are on the wire */
}
