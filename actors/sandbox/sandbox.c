#include "actors/sandbox/sandbox.h"

#include "actors/sandbox/patience.h"

static const char *const names[FAN_SANDBOX_PROVIDERS] = { "twilio", "meta", "smtp", "api" };

static void count(struct fan_sandbox_tally *tally, const char *verdict)
{
    if (strcmp(verdict, "accepted") == 0)
        tally->accepted++;
    else if (strcmp(verdict, "refused") == 0)
        tally->refused++;
    else if (strcmp(verdict, "throttled") == 0)
        tally->throttled++;
    else if (strcmp(verdict, "failed") == 0)
        tally->failed++;
    else
        tally->known++;
}

void fan_sandbox_note(struct fan_sandbox *sandbox, const struct fan_sandbox_verdict *verdict)
{
    const struct fan_sandbox_line line = {
        .provider = names[verdict->provider],
        .to = verdict->to,
        .token = verdict->token,
        .verdict = verdict->verdict,
        .id = verdict->id,
        .status = verdict->status,
        .key = verdict->key,
    };

    count(&sandbox->tally[verdict->provider], verdict->verdict);
    fan_sandbox_journal_write(&sandbox->journal, fan_clock_now(), &line);
}

void fan_sandbox_answer(struct fan_sandbox *sandbox, struct fan_http_request *request, int status,
        struct fan_bytes body)
{
    if (sandbox->patience)
        fan_sandbox_patience_answer(sandbox->patience, request, status, body);
    else
        fan_http_answer(request, status, "application/json", body);
}
