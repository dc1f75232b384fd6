#include "gateway/variants.h"

#include "gateway/content.h"
#include "gateway/stats.h"

#include "actors/lib/text/variant.h"
#include "sql/store/template.h"

static const struct fan_json *list_of(struct call *call, struct fan_bytes content)
{
    const struct fan_json *object = NULL;

    if (!content.at || fan_json_parse(content, call->arena, &object, NULL))
        return NULL;
    return fan_json_get(object, "variants");
}

bool variants_stored(struct call *call, struct fan_bytes content)
{
    return list_of(call, content) != NULL;
}

/* ---- reading ---- */

/* The content of a template's version, with what it was, instead of one in the body. */
static enum fan_err take_template(struct body *body, const struct fan_campaign *campaign,
        struct fan_json_writer *json)
{
    struct call *call = body->call;
    fan_id id = body_i64(body, "template_id", 1, FAN_ID_MAX, 0);
    int64_t version = body_i64(body, "template_version", 1, INT32_MAX, 0);
    struct fan_template_row row;
    enum fan_err err;

    if (!id)
        return FAN_OK;
    err = fan_template_get(call->db, call->caller.account, id, version, call->arena, &row,
            call->why);
    if (err == FAN_NOT_FOUND) {
        body_fault(body, version ? "template_version" : "template_id",
                "what a template of yours has", call->why->text);
        return FAN_OK;
    }
    if (err)
        return err;
    if (campaign->kind && row.kind != campaign->kind)
        body_fault(body, "template_id", fan_kind_name((int)campaign->kind),
                "the template is of another kind");
    fan_json_add_i64(json, "template_id", id);
    fan_json_add_i64(json, "template_version", row.version.number);
    fan_json_add_raw(json, "content", row.version.content);
    return FAN_OK;
}

static enum fan_err read_variant(struct call *call, const struct fan_campaign *campaign,
        const struct fan_json *value, size_t place, struct fan_json_writer *json)
{
    struct fan_bytes name, content;
    struct body body;
    bool given;
    enum fan_err err = FAN_OK;

    body_begin(&body, call, value, fan_arena_printf(call->arena, "variants[%zu].", place));
    name = body_text(&body, "name", 100);
    if (!name.at)
        name = fan_bytes_of(fan_arena_printf(call->arena, "%c", (char)('A' + place)));
    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "name", fan_bytes_trim(name));
    fan_json_add_i64(json, "weight", body_i64(&body, "weight", 1, FAN_WEIGHT_MOST, 1));
    given = content_given(&body);
    if (body_value(&body, "template_id") && given)
        body_fault(&body, "template_id", "a template or a content here", "not both");
    content = content_read(&body, FAN_NO_BYTES);
    if (!body_value(&body, "template_id"))
        fan_json_add_raw(json, "content", content);
    err = take_template(&body, campaign, json);
    fan_json_object_close(json);
    body_end(&body);
    return err;
}

enum fan_err variants_read(struct body *body, struct fan_campaign *campaign)
{
    const struct fan_json *list = body_value(body, "variants");
    struct fan_json_writer json;
    struct fan_buffer *text = content_begin(body->call, &json);
    size_t count = fan_json_size(list);
    enum fan_err err = FAN_OK;

    if (fan_json_type(list) != FAN_JSON_ARRAY || count < FAN_VARIANTS_LEAST ||
            count > FAN_VARIANTS_MOST) {
        body_fault(body, "variants", "2 to 5 variants", "not a list of so many");
        return FAN_OK;
    }
    fan_json_array_open(&json, "variants");
    for (size_t i = 0; i < count && !err; i++) {
        const struct fan_json *value = fan_json_at(list, i);

        if (fan_json_type(value) == FAN_JSON_OBJECT)
            err = read_variant(body->call, campaign, value, i, &json);
        else
            body_fault(body, fan_arena_printf(body->call->arena, "variants[%zu]", i),
                    "{\"weight\": 1, \"message\": \"…\"}", "not an object");
    }
    fan_json_array_close(&json);
    fan_json_object_close(&json);
    campaign->content = fan_buffer_bytes(text);
    return err;
}

/* ---- writing ---- */

static struct fan_bytes dumped(struct call *call, const struct fan_json *value)
{
    struct fan_buffer *text = fan_arena_alloc(call->arena, sizeof *text);

    fan_buffer_init(text, 4 * 1024 * 1024);
    fan_arena_defer(call->arena, (void (*)(void *))fan_buffer_fini, text);
    fan_json_dump(value, text);
    return fan_buffer_bytes(text);
}

void variants_write(struct call *call, struct fan_bytes content)
{
    const struct fan_json *list = list_of(call, content);
    struct fan_json_writer *json = &call->json;

    if (!list)
        return;
    fan_json_array_open(json, "variants");
    for (size_t i = 0; i < fan_json_size(list); i++) {
        const struct fan_json *variant = fan_json_at(list, i);

        fan_json_object_open(json, NULL);
        content_add(json, "name", fan_json_get(variant, "name"));
        content_add(json, "weight", fan_json_get(variant, "weight"));
        content_add(json, "template_id", fan_json_get(variant, "template_id"));
        content_add(json, "template_version", fan_json_get(variant, "template_version"));
        if (!fan_json_get(variant, "template_id"))
            content_write(call, dumped(call, fan_json_get(variant, "content")));
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
}

enum fan_err variants_write_stats(struct call *call, const struct fan_campaign *campaign)
{
    const struct fan_json *list = list_of(call, campaign->content);
    struct fan_run_stats stats[FAN_VARIANTS_MOST];
    size_t count = fan_json_size(list);
    enum fan_err err;

    if (!list || count > FAN_VARIANTS_MOST)
        return FAN_OK;
    err = fan_run_variant_stats(call->db, call->caller.account, campaign->id, call->arena, stats,
            count, call->why);
    if (err)
        return err;
    fan_json_array_open(&call->json, "variant_stats");
    for (size_t i = 0; i < count; i++) {
        fan_json_object_open(&call->json, NULL);
        content_add(&call->json, "name", fan_json_get(fan_json_at(list, i), "name"));
        stats_write(&call->json, &stats[i]);
        fan_json_object_close(&call->json);
    }
    fan_json_array_close(&call->json);
    return FAN_OK;
}
