#include "proto/content.h"

#include "proto/json.h"

static bool only_text(const struct fan_content *content)
{
    return content->text.at && !content->subject.at && !content->html.at &&
            !content->template_name.at && !content->language.at && !content->media_url.at &&
            content->variables.len == 0;
}

static void add_if_there(struct fan_json_writer *json, const char *name, struct fan_bytes text)
{
    if (text.at)
        fan_json_add_text(json, name, text);
}

enum fan_body_format fan_content_write(const struct fan_content *content, struct fan_buffer *out)
{
    struct fan_json_writer json;

    if (only_text(content)) {
        fan_buffer_add_bytes(out, content->text);
        return FAN_BODY_TEXT;
    }
    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    add_if_there(&json, "text", content->text);
    add_if_there(&json, "subject", content->subject);
    add_if_there(&json, "html", content->html);
    add_if_there(&json, "template_name", content->template_name);
    add_if_there(&json, "language", content->language);
    add_if_there(&json, "media_url", content->media_url);
    if (content->variables.len > 0) {
        fan_json_array_open(&json, "variables");
        for (size_t i = 0; i < content->variables.len; i++)
            fan_json_add_text(&json, NULL, content->variables.at[i]);
        fan_json_array_close(&json);
    }
    fan_json_object_close(&json);
    return FAN_BODY_PARTS;
}

static struct fan_texts read_texts(const struct fan_json *array, struct fan_arena *arena)
{
    size_t count = fan_json_type(array) == FAN_JSON_ARRAY ? fan_json_size(array) : 0;
    struct fan_bytes *items = fan_arena_array(arena, count, sizeof *items);

    for (size_t i = 0; i < count; i++)
        items[i] = fan_json_text(fan_json_at(array, i));
    return (struct fan_texts){ items, count };
}

enum fan_err fan_content_read(enum fan_body_format format, struct fan_bytes body,
        struct fan_arena *arena, struct fan_content *out, struct fan_why *why)
{
    const struct fan_json *parts;
    enum fan_err err;

    *out = (struct fan_content){ 0 };
    if (format == FAN_BODY_TEXT) {
        out->text = body;
        return FAN_OK;
    }
    if (format != FAN_BODY_PARTS)
        return fan_fail_field(why, FAN_INVALID, "format",
                "body format %d is neither 1 (text) nor 2 (parts)", format);
    err = fan_json_parse(body, arena, &parts, why);
    if (err)
        return err;
    out->text = fan_json_get_text(parts, "text");
    out->subject = fan_json_get_text(parts, "subject");
    out->html = fan_json_get_text(parts, "html");
    out->template_name = fan_json_get_text(parts, "template_name");
    out->language = fan_json_get_text(parts, "language");
    out->media_url = fan_json_get_text(parts, "media_url");
    out->variables = read_texts(fan_json_get(parts, "variables"), arena);
    return FAN_OK;
}
