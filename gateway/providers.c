/* What providers there are, and the fields of their channels. */
#include "gateway/call.h"

#include "actors/providers/provider.h"

static void write_field(struct fan_json_writer *json, const struct fan_provider_field *field)
{
    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "name", fan_bytes_of(field->name));
    fan_json_add_text(json, "doc", fan_bytes_of(field->doc));
    fan_json_add_bool(json, "required", field->required);
    fan_json_add_bool(json, "secret", field->readers != 0);
    fan_json_add_text(json, "default", fan_bytes_of(field->otherwise));
    fan_json_add_text(json, "pattern", fan_bytes_of(field->pattern));
    fan_json_add_text(json, "example", fan_bytes_of(field->example));
    fan_json_object_close(json);
}

static void write_provider(struct fan_json_writer *json, const struct fan_provider *provider)
{
    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "kind", fan_bytes_of(fan_kind_name((int)provider->kind)));
    fan_json_add_text(json, "provider", fan_bytes_of(provider->name));
    fan_json_add_text(json, "summary", fan_bytes_of(provider->summary));
    fan_json_add_real(json, "rate", provider->limits.rate);
    fan_json_add_i64(json, "connections", provider->limits.connections);
    fan_json_add_i64(json, "text_cap", provider->limits.text_cap);
    fan_json_array_open(json, "fields");
    for (const struct fan_provider_field *field = provider->fields; field->name; field++)
        write_field(json, field);
    fan_json_array_close(json);
    fan_json_object_close(json);
}

enum fan_err list_providers(struct call *call)
{
    fan_json_object_open(&call->json, NULL);
    fan_json_array_open(&call->json, "data");
    for (size_t i = 0; fan_providers[i]; i++)
        write_provider(&call->json, fan_providers[i]);
    fan_json_array_close(&call->json);
    fan_json_object_close(&call->json);
    return FAN_OK;
}
