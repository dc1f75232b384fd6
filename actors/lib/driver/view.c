#include "actors/lib/driver/view.h"

#include "actors/lib/driver/driver.h"
#include "proto/json.h"

/* Numbers and truth values are shown as JSON writes them. */
static struct fan_bytes as_text(const struct fan_json *value, struct fan_arena *arena)
{
    struct fan_buffer *out;

    if (fan_json_type(value) == FAN_JSON_STRING)
        return fan_bytes_dup(fan_json_text(value), arena);
    out = fan_arena_buffer(arena, 4096);
    fan_json_dump(value, out);
    return fan_buffer_bytes(out);
}

static enum fan_err parse(struct fan_bytes text, const char *what, struct fan_arena *arena,
        const struct fan_json **out, struct fan_why *why)
{
    enum fan_err err;

    *out = NULL;
    if (!text.at)
        return FAN_OK;
    err = fan_json_parse(text, arena, out, why);
    if (!err && fan_json_type(*out) != FAN_JSON_OBJECT)
        err = fan_fail_field(why, FAN_INVALID, what, "the channel's %s are not a JSON object",
                what);
    return err;
}

enum fan_err fan_channel_view_build(fan_id account, fan_id channel, struct fan_bytes settings,
        struct fan_bytes secrets, struct fan_bytes hook_url, struct fan_arena *arena,
        struct fan_channel_view *out, struct fan_why *why)
{
    const struct fan_json *parts[2];
    struct fan_bytes *names, *values;
    size_t room;
    enum fan_err err = parse(settings, "settings", arena, &parts[0], why);

    if (!err)
        err = parse(secrets, "secrets", arena, &parts[1], why);
    if (err)
        return err;
    room = fan_json_size(parts[0]) + fan_json_size(parts[1]);
    names = fan_arena_array(arena, room, sizeof *names);
    values = fan_arena_array(arena, room, sizeof *values);
    *out = (struct fan_channel_view){ account, channel, names, values, 0,
        fan_bytes_dup(hook_url, arena) };
    for (size_t i = 0; i < 2; i++) {
        const struct fan_json *value;
        struct fan_bytes name;
        size_t cursor = 0;

        while (parts[i] && fan_json_next(parts[i], &cursor, &name, &value)) {
            names[out->count] = fan_bytes_dup(name, arena);
            values[out->count++] = as_text(value, arena);
        }
    }
    return FAN_OK;
}

struct fan_bytes fan_channel_hook_url(const char *public_url, fan_id account, fan_id channel,
        struct fan_arena *arena)
{
    struct fan_bytes base = fan_url_base(fan_bytes_of(public_url));

    return fan_bytes_of(fan_arena_printf(arena, "%.*s/hooks/%lld/%lld", FAN_BYTES_ARG(base),
            (long long)account, (long long)channel));
}
