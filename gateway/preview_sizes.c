/* How long a written message is in its provider's eyes, and what should make its author think. */
#include "gateway/preview.h"

#include "actors/lib/text/segments.h"
#include <stdio.h>

/* Gmail shows no more of a mail's html; WhatsApp refuses a body of an approved template, variables
 * and all, that is longer. */
enum { HTML_CLIPPED = 102 * 1024, BODY_MAX = 1024 };

static size_t characters(struct fan_bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return count;
}

static void add_character(struct fan_json_writer *json, uint32_t c)
{
    char text[5], code[12];
    size_t len = 0;

    if (c < 0x80) {
        text[len++] = (char)c;
    } else if (c < 0x800) {
        text[len++] = (char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        text[len++] = (char)(0xe0 | c >> 12);
        text[len++] = (char)(0x80 | (c >> 6 & 0x3f));
    } else {
        text[len++] = (char)(0xf0 | c >> 18);
        text[len++] = (char)(0x80 | (c >> 12 & 0x3f));
        text[len++] = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80)
        text[len++] = (char)(0x80 | (c & 0x3f));
    snprintf(code, sizeof code, "U+%04X", c);
    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "character", (struct fan_bytes){ .at = text, .len = len });
    fan_json_add_text(json, "code_point", fan_bytes_of(code));
    fan_json_object_close(json);
}

static void write_sms(struct fan_json_writer *json, struct fan_bytes text)
{
    struct fan_sms_size size;

    fan_sms_measure(text, &size);
    fan_json_object_open(json, "sms");
    fan_json_add_text(json, "encoding", size.ucs2 ? FAN_LIT("UCS-2") : FAN_LIT("GSM-7"));
    fan_json_add_i64(json, "units", (int64_t)size.units);
    fan_json_add_i64(json, "segments", (int64_t)size.segments);
    fan_json_add_i64(json, "left", (int64_t)size.left);
    fan_json_array_open(json, "forcing");
    for (size_t i = 0; i < size.forcing_len; i++)
        add_character(json, size.forcing[i]);
    fan_json_array_close(json);
    fan_json_object_close(json);
}

/* ---- warnings ---- */

static void warn(struct fan_json_writer *json, const char *field, const char *text)
{
    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "field", fan_bytes_of(field));
    fan_json_add_text(json, "text", fan_bytes_of(text));
    fan_json_object_close(json);
}

static void warn_of_sms(struct call *call, const struct fan_content *content)
{
    struct fan_sms_size size;

    fan_sms_measure(content->text, &size);
    if (size.segments > 1)
        warn(&call->json, "message",
                fan_arena_printf(call->arena, "goes out, and is paid for, in %zu parts",
                        size.segments));
    if (size.ucs2)
        warn(&call->json, "message",
                "characters that GSM-7 does not have make a part hold 70 instead of 160");
}

static void warn_of_whatsapp(struct call *call, const struct fan_content *content)
{
    size_t total = 0;

    if (!content->template_name.len)
        warn(&call->json, "message",
                "a free text reaches those who wrote within 24 hours; others need an approved "
                "template");
    for (size_t i = 0; i < content->variables.len; i++) {
        struct fan_bytes value = content->variables.at[i];

        total += characters(value);
        if (memmem(value.at, value.len, "     ", 5))
            warn(&call->json, "template.variables",
                    fan_arena_printf(call->arena,
                            "{{%zu}} has more than four spaces in a row: WhatsApp refuses that",
                            i + 1));
    }
    if (total > BODY_MAX)
        warn(&call->json, "template.variables",
                "together longer than the 1024 characters that a template's body may have");
}

static void warn_of_mail(struct call *call, const struct fan_content *content)
{
    if (content->html.len > HTML_CLIPPED)
        warn(&call->json, "html", "longer than 102 KB: Gmail does not show the rest");
    if (!content->text.at)
        warn(&call->json, "message", "there is no text part for those who read no html");
}

void preview_write_sizes(struct call *call, enum fan_kind kind, const struct fan_content *content,
        uint32_t text_cap)
{
    struct fan_json_writer *json = &call->json;

    if (content->text.at) {
        fan_json_add_i64(json, "characters", (int64_t)characters(content->text));
        if (text_cap)
            fan_json_add_i64(json, "characters_max", text_cap);
    }
    if (kind == FAN_KIND_SMS && content->text.at)
        write_sms(json, content->text);
    fan_json_array_open(json, "warnings");
    if (kind == FAN_KIND_SMS && content->text.at)
        warn_of_sms(call, content);
    if (kind == FAN_KIND_WHATSAPP)
        warn_of_whatsapp(call, content);
    if (kind == FAN_KIND_EMAIL)
        warn_of_mail(call, content);
    fan_json_array_close(json);
}
