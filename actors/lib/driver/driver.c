#include "actors/lib/driver/driver.h"

#include <stdarg.h>
#include <stdio.h>

struct fan_bytes fan_channel_field(const struct fan_channel_view *channel,
        const struct fan_provider_field *fields, const char *name)
{
    const struct fan_bytes wanted = fan_bytes_of(name);

    for (size_t i = 0; i < channel->count; i++)
        if (channel->values[i].at && fan_bytes_eq(channel->names[i], wanted))
            return channel->values[i];
    for (; fields && fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return fan_bytes_of(fields->otherwise);
    return FAN_NO_BYTES;
}

struct fan_bytes fan_header_find(struct fan_bytes lines, const char *name)
{
    while (lines.len > 0) {
        struct fan_bytes line, key, value;

        lines = fan_bytes_split(lines, '\n', &line);
        value = fan_bytes_split(line, ':', &key);
        if (value.at && fan_bytes_eq_nocase(key, fan_bytes_of(name)))
            return fan_bytes_trim(value);
    }
    return FAN_NO_BYTES;
}

struct fan_bytes fan_hook_header(const struct fan_hook *hook, const char *name)
{
    return fan_header_find(hook->headers, name);
}

const struct fan_code_rule *fan_code_find(const struct fan_code_rule *rules, int64_t code)
{
    for (; rules->outcome; rules++)
        if (code == rules->first || (code > rules->first && code <= rules->last))
            return rules;
    return NULL;
}

static enum fan_outcome_class class_of_status(int status)
{
    switch (status) {
    case 408:
    case 429:
        return FAN_RETRY_LATER;
    case 401:
    case 402:
    case 403:
        return FAN_CHANNEL_PAUSE;
    case 404:
    case 405:
    case 410: /* the address of the API is wrong, for everybody */
        return FAN_CHANNEL_PAUSE;
    case 413:
    case 415:
        return FAN_CONTENT_PERMANENT;
    default:
        break;
    }
    if (status >= 300 && status < 400) /* we never follow: nothing was done there */
        return FAN_CHANNEL_PAUSE;
    if (status >= 400 && status < 500) /* unknown reason: fail no more than this one */
        return FAN_RECIPIENT_PERMANENT;
    return FAN_AMBIGUOUS; /* 5xx: who knows how far it came. 2xx: reaches us only when nobody could
                             read it */
}

void fan_outcome_by_status(const struct fan_response *response, struct fan_outcome *out)
{
    *out = (struct fan_outcome){ .delay_ms = -1 };
    if (response->status == 0) {
        out->outcome = response->began ? FAN_AMBIGUOUS : FAN_RETRY_LATER;
        return;
    }
    out->outcome = class_of_status(response->status);
    out->throttled = response->status == 429;
    if (out->outcome == FAN_RETRY_LATER)
        out->delay_ms = response->retry_after_ms;
}

void fan_outcome_by_code(const struct fan_code_rule *rules, int64_t code,
        const struct fan_response *response, struct fan_arena *arena, struct fan_outcome *out)
{
    const struct fan_code_rule *rule = fan_code_find(rules, code);

    fan_outcome_by_status(response, out);
    out->code = fan_bytes_of(fan_arena_printf(arena, "%lld", (long long)code));
    if (!rule)
        return;
    out->outcome = rule->outcome;
    out->suppress = rule->what & FAN_CODE_SUPPRESS;
    out->throttled = rule->what & FAN_CODE_THROTTLED;
    if (rule->outcome == FAN_RETRY_LATER && response->status >= 500 &&
            !(rule->what & FAN_CODE_UNPROCESSED))
        out->outcome = FAN_AMBIGUOUS;
    out->delay_ms = out->outcome == FAN_RETRY_LATER ? response->retry_after_ms : -1;
    if (out->delay_ms < 0 && rule->delay_s > 0)
        out->delay_ms = (int64_t)rule->delay_s * 1000;
}

static void fini_buffer(void *buffer)
{
    fan_buffer_fini(buffer);
}

struct fan_buffer *fan_arena_buffer(struct fan_arena *arena, size_t cap)
{
    struct fan_buffer *buffer = fan_arena_alloc(arena, sizeof *buffer);

    fan_buffer_init(buffer, cap);
    fan_arena_defer(arena, fini_buffer, buffer);
    return buffer;
}

void fan_request_header(struct fan_request *request, struct fan_arena *arena, const char *format,
        ...)
{
    va_list args;

    FAN_ASSERT(request->headers_len < FAN_REQUEST_HEADERS);
    va_start(args, format);
    request->headers[request->headers_len++] = fan_arena_vprintf(arena, format, args);
    va_end(args);
}

size_t fan_text_points(struct fan_bytes text)
{
    size_t points = 0;

    for (size_t i = 0; i < text.len; i++)
        points += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return points;
}

struct fan_bytes fan_url_base(struct fan_bytes url)
{
    while (url.len > 0 && url.at[url.len - 1] == '/')
        url.len--;
    return url;
}

/* The list carries no room of its own: it is full whenever its length is 0 or a power of two. */
struct fan_receipt *fan_receipt_add(struct fan_receipt_list *list, struct fan_arena *arena)
{
    if ((list->len & (list->len - 1)) == 0) {
        size_t room = list->len ? list->len * 2 : 1;
        struct fan_receipt *more = fan_arena_array(arena, room, sizeof *more);

        if (list->len)
            memcpy(more, list->at, list->len * sizeof *more);
        list->at = more;
    }
    return &list->at[list->len++];
}
