#include "actors/sandbox/patience.h"

#include "broker/runtime/clock.h"

#include <stdlib.h>

/* In the arena of its request. */
struct answer {
    struct answer *next;
    struct fan_http_request *request;
    int status;
    struct fan_bytes body;
    fan_time due;
};

struct fan_sandbox_patience {
    struct fan_loop *loop;
    uint32_t delay_ms;
    struct fan_timer *timer;
    struct answer *first, *last;
};

struct fan_sandbox_patience *fan_sandbox_patience_new(struct fan_loop *loop, uint32_t delay_ms)
{
    struct fan_sandbox_patience *patience = calloc(1, sizeof(*patience));

    if (!patience)
        fan_die("out of memory: delayed answers");
    patience->loop = loop;
    patience->delay_ms = delay_ms;
    return patience;
}

void fan_sandbox_patience_free(struct fan_sandbox_patience **patience)
{
    if (!*patience)
        return;
    fan_loop_cancel(&(*patience)->timer);
    free(*patience);
    *patience = NULL;
}

static void on_due(void *context)
{
    struct fan_sandbox_patience *patience = context;
    fan_time now = fan_clock_elapsed();

    patience->timer = NULL;
    while (patience->first && patience->first->due <= now) {
        struct answer *answer = patience->first;

        patience->first = answer->next;
        fan_http_answer(answer->request, answer->status, "application/json", answer->body);
    }
    if (patience->first)
        patience->timer = fan_loop_after(patience->loop,
                (uint32_t)((patience->first->due - now + FAN_MS - 1) / FAN_MS), on_due, patience);
}

void fan_sandbox_patience_answer(struct fan_sandbox_patience *patience,
        struct fan_http_request *request, int status, struct fan_bytes body)
{
    struct answer *answer = fan_arena_alloc(fan_http_arena(request), sizeof(*answer));

    *answer = (struct answer){
        .request = request,
        .status = status,
        .body = fan_bytes_dup(body, fan_http_arena(request)),
        .due = fan_clock_elapsed() + patience->delay_ms * FAN_MS,
    };
    if (patience->first)
        patience->last->next = answer;
    else
        patience->first = answer;
    patience->last = answer;
    if (!patience->timer)
        patience->timer = fan_loop_after(patience->loop, patience->delay_ms, on_due, patience);
}
