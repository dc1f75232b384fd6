/* What a provider, or whoever stands in its place, may answer, shown to every driver's judge:
 * always one of the classes, accepted only for a whole 2xx. Input: one byte for the provider, one
 * of flags, two for the status, the headers up to an empty line, the body. */
#include "actors/providers/provider.h"

#include <stdint.h>
#include <stdlib.h>

static const struct fan_provider *pick(uint8_t which)
{
    size_t count = 0;

    while (fan_providers[count])
        count++;
    return fan_providers[which % count];
}

static void split_body(struct fan_bytes text, struct fan_response *out)
{
    const char *gap = text.len ? memmem(text.at, text.len, "\n\n", 2) : NULL;

    out->headers = gap ? (struct fan_bytes){ text.at, (size_t)(gap - text.at) + 1 } : FAN_LIT("");
    out->body = gap ? (struct fan_bytes){ gap + 2, (size_t)(text.at + text.len - gap) - 2 } : text;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static const struct fan_channel_view channel = { .account = 1, .channel = 7 };
    struct fan_sending sending = { .channel = &channel,
        .token = FAN_LIT("1.x"),
        .address = FAN_LIT("+14155552671") };
    struct fan_response response;
    struct fan_outcome outcome;
    struct fan_arena *arena;

    if (len < 4)
        return 0;
    arena = fan_arena_new();
    response = (struct fan_response){
        .status = (at[2] << 8 | at[3]) % 1000,
        .began = at[1] & 1,
        .complete = at[1] & 2,
        .timed_out = at[1] & 4,
        .retry_after_ms = at[1] & 8 ? 1000 : -1,
    };
    split_body((struct fan_bytes){ (const char *)at + 4, len - 4 }, &response);
    pick(at[0])->judge(&sending, &response, arena, &outcome);
    if (outcome.outcome < FAN_ACCEPTED || outcome.outcome >= FAN_OUTCOME_CLASS_COUNT)
        abort();
    if (outcome.outcome == FAN_ACCEPTED &&
            (!response.complete || response.status < 200 || response.status > 299))
        abort();
    if (response.status == 0 && response.began && outcome.outcome != FAN_AMBIGUOUS)
        abort();
    fan_arena_free(&arena);
    return 0;
}
