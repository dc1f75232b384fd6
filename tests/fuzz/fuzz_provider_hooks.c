/* What anybody may write to a hook URL, shown to every driver's hook functions: never a crash, and
 * nothing is taken that carries no signature. Input: one byte for the provider, one for the method,
 * the query up to a line end, the body. */
#include "actors/providers/provider.h"

#include <stdint.h>
#include <stdlib.h>

static const struct fan_bytes names[] = { FAN_LIT("auth_token"), FAN_LIT("app_secret"),
    FAN_LIT("verify_token") };
static const struct fan_bytes values[] = { FAN_LIT("12345"), FAN_LIT("secret"), FAN_LIT("open") };

static const struct fan_channel_view channel = { .account = 1,
    .channel = 7,
    .names = names,
    .values = values,
    .count = 3,
    .hook_url = FAN_LIT("https://fanfare.example/hooks/7") };

static const struct fan_provider *pick(uint8_t which)
{
    size_t count = 0;

    while (fan_providers[count])
        count++;
    return fan_providers[which % count];
}

static void look_at(const struct fan_receipt_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        const struct fan_receipt *receipt = &list->at[i];

        if (!receipt->key.len || (!receipt->token.len && !receipt->provider_id.len))
            abort();
    }
}

static void show(const struct fan_provider *provider, const struct fan_hook *hook,
        struct fan_arena *arena)
{
    struct fan_hook_answer answer;
    struct fan_receipt_list receipts;
    struct fan_why why;

    if (provider->hook_greet)
        (void)provider->hook_greet(&channel, hook, arena, &answer);
    if (provider->hook_check && provider->hook_check(&channel, hook, arena, &why) == FAN_OK)
        abort(); /* the signature below is right for nothing */
    if (provider->hook_read &&
            provider->hook_read(&channel, hook, arena, &receipts, &why) == FAN_OK)
        look_at(&receipts);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_bytes text = { (const char *)at, len };
    struct fan_arena *arena;
    struct fan_hook hook = {
        .headers = FAN_LIT("X-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
                           "X-Hub-Signature-256: sha256=00\r\n"),
    };

    if (len < 2)
        return 0;
    arena = fan_arena_new();
    hook.method = at[1] & 1 ? FAN_LIT("GET") : FAN_LIT("POST");
    text.at += 2, text.len -= 2;
    hook.body = fan_bytes_split(text, '\n', &hook.query);
    hook.url = fan_bytes_of(fan_arena_printf(arena, "%.*s?%.*s", FAN_BYTES_ARG(channel.hook_url),
            FAN_BYTES_ARG(hook.query)));
    show(pick(at[0]), &hook, arena);
    fan_arena_free(&arena);
    return 0;
}
