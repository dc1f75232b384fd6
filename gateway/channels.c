/* Channels: configured ways of sending. */
#include "gateway/channel_settings.h"

static void write_health(struct fan_json_writer *json, const struct fan_channel *channel)
{
    bool closed = channel->health == FAN_HEALTH_CLOSED;

    fan_json_object_open(json, "health");
    fan_json_add_text(json, "state", fan_bytes_of(fan_health_state_name((int)channel->health)));
    fan_json_add_text(json, "reason",
            closed ? FAN_NO_BYTES
                   : fan_bytes_of(fan_health_reason_name((int)channel->health_reason)));
    fan_json_add_time(json, "until",
            channel->health == FAN_HEALTH_OPEN ? channel->health_until : 0);
    if (channel->interval > 0)
        fan_json_add_real(json, "rate", 1e6 / (double)channel->interval);
    else
        fan_json_add_null(json, "rate");
    fan_json_object_close(json);
}

static void write_channel(struct fan_json_writer *json, const struct fan_channel *channel)
{
    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "id", channel->id);
    fan_json_add_text(json, "kind", fan_bytes_of(fan_kind_name((int)channel->kind)));
    fan_json_add_text(json, "provider", channel->provider);
    fan_json_add_text(json, "name", channel->name);
    fan_json_add_raw(json, "settings", channel->settings);
    fan_json_array_open(json, "secrets_set");
    for (size_t i = 0; i < channel->secret_names.len; i++)
        fan_json_add_text(json, NULL, channel->secret_names.at[i]);
    fan_json_array_close(json);
    fan_json_add_real(json, "rate", channel->rate);
    fan_json_add_i64(json, "connections", channel->connections);
    fan_json_add_bool(json, "enabled", channel->enabled);
    fan_json_add_bool(json, "is_default", channel->is_default);
    fan_json_add_time(json, "created_at", channel->created_at);
    fan_json_add_time(json, "updated_at", channel->updated_at);
    write_health(json, channel);
    fan_json_object_close(json);
}

static enum fan_err answer_with(struct call *call, fan_id id)
{
    struct fan_channel channel;
    enum fan_err err =
            fan_channel_get(call->db, call->caller.account, id, call->arena, &channel, call->why);

    if (!err)
        write_channel(&call->json, &channel);
    return err;
}

enum fan_err get_channel(struct call *call)
{
    return answer_with(call, call->ids[0]);
}

static int read_kind(struct call *call, const char *name)
{
    struct fan_bytes text = fan_http_query(call->request, name);
    int kind = text.len ? fan_kind_of(text) : 0;

    if (kind < 0)
        call_fault(call, name, "sms, whatsapp, email, …", "there is no such kind of channel");
    return kind;
}

enum fan_err list_channels(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    int kind = read_kind(call, "kind");
    struct fan_channel_list list;
    int64_t total;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_channel_count(call->db, call->caller.account, kind, call->arena, &total,
                call->why);
    if (!err)
        err = fan_channel_page(call->db, call->caller.account, kind, part, call->arena, &list,
                call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < list.len; i++)
        write_channel(&call->json, &list.at[i]);
    call_close_list(call, page, total);
    return FAN_OK;
}

/* ---- writing ---- */

static enum fan_err tell_changed(struct call *call, fan_id id)
{
    const struct fan_channel_changed changed = { .channel = id };

    return call_tell(call, 0, &fan_schema_channel_changed, &changed);
}

static const struct fan_provider *read_provider(struct body *body)
{
    struct fan_bytes kind = body_needs_text(body, "kind", 20);
    struct fan_bytes name = body_needs_text(body, "provider", 40);
    const struct fan_provider *found;
    const char *list = "";

    if (kind.at && fan_kind_of(kind) <= 0)
        body_fault(body, "kind", "sms, whatsapp, email, …", "there is no such kind of channel");
    if (!name.at || fan_kind_of(kind) <= 0)
        return NULL;
    found = fan_provider_find((enum fan_kind)fan_kind_of(kind), name);
    for (size_t i = 0; !found && fan_providers[i]; i++)
        list = fan_arena_printf(body->call->arena, "%s%s%s %s", list, i ? ", " : "",
                fan_kind_name((int)fan_providers[i]->kind), fan_providers[i]->name);
    if (!found)
        body_fault(body, "provider", list, "there is no such provider for this kind");
    return found;
}

/* What is not the provider's: name, limits and switches. Defaults come from @channel. */
static void read_common(struct body *body, struct fan_channel *channel)
{
    struct fan_bytes name = body_text(body, "name", 200);

    if (name.at)
        channel->name = name;
    channel->rate = body_real(body, "rate", 0, 100000, channel->rate);
    channel->connections = body_i64(body, "connections", 0, 1000, channel->connections);
    channel->enabled = body_bool(body, "enabled", channel->enabled);
    channel->is_default = body_bool(body, "is_default", channel->is_default);
}

static enum fan_err put_secrets(struct call *call, const struct channel_settings *settings,
        fan_id id)
{
    struct fan_channel_secrets secrets;
    enum fan_err err;

    if (!settings->has_new_secrets)
        return FAN_OK;
    err = channel_settings_seal(settings, call, id, &secrets);
    if (err)
        return err;
    return fan_channel_seal(call->db, call->caller.account, id, &secrets, call->arena, call->why);
}

enum fan_err create_channel(struct call *call)
{
    struct channel_settings settings;
    struct fan_channel channel = { .enabled = true };
    const struct fan_provider *provider;
    struct body body;
    enum fan_err err;
    fan_id id;

    body_begin(&body, call, call->body, "");
    provider = read_provider(&body);
    channel.rate = provider ? provider->limits.rate : 0;
    body_needs_text(&body, "name", 200);
    read_common(&body, &channel);
    if (provider)
        channel_settings_read(&body, provider, NULL, &settings);
    else
        body_value(&body, "settings");
    body_end(&body);
    err = call_check(call);
    if (err || !provider)
        return err;
    channel.kind = provider->kind;
    channel.provider = fan_bytes_of(provider->name);
    channel.settings = channel_settings_plain(&settings, call->arena);
    err = fan_channel_insert(call->db, call->caller.account, &channel, call->arena, &id, call->why);
    if (!err)
        err = put_secrets(call, &settings, id);
    if (!err)
        err = tell_changed(call, id);
    call->status = 201;
    call_locate(call, "channels", id);
    return err ? err : answer_with(call, id);
}

enum fan_err update_channel(struct call *call)
{
    struct channel_settings settings;
    struct fan_channel channel;
    const struct fan_provider *provider;
    struct body body;
    enum fan_err err = fan_channel_get(call->db, call->caller.account, call->ids[0], call->arena,
            &channel, call->why);

    if (err)
        return err;
    provider = fan_provider_find(channel.kind, channel.provider);
    if (!provider)
        return call_refuse(call, 409, "this build has no driver for the channel's provider");
    body_begin(&body, call, call->body, "");
    read_common(&body, &channel);
    channel_settings_read(&body, provider, &channel, &settings);
    body_end(&body);
    err = call_check(call);
    if (err)
        return err;
    channel.settings = channel_settings_plain(&settings, call->arena);
    err = fan_channel_update(call->db, call->caller.account, &channel, call->arena, call->why);
    if (!err)
        err = put_secrets(call, &settings, channel.id);
    if (!err)
        err = tell_changed(call, channel.id);
    return err ? err : answer_with(call, channel.id);
}
