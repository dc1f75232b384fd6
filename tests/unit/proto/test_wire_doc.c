/*
 * docs/wire.md says what the tables say. With FAN_REGENERATE=1 this test writes the parts between
 * its marks anew.
 */
#include "proto/frame.h"
#include "tests/unit/proto/golden.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static const char path[] = "docs/wire.md";

static const char *type_name(const struct fan_field *field, struct fan_arena *arena)
{
    static const char *const names[] = {
        [FAN_TYPE_id] = "`id`",
        [FAN_TYPE_u32] = "`u32`",
        [FAN_TYPE_u64] = "`u64`",
        [FAN_TYPE_i64] = "`i64`",
        [FAN_TYPE_bool] = "`bool`",
        [FAN_TYPE_time] = "`time`",
        [FAN_TYPE_text] = "`text`",
        [FAN_TYPE_ids] = "`ids`",
        [FAN_TYPE_bin] = "`bin`",
    };

    if (field->type == FAN_TYPE_list)
        return fan_arena_printf(arena, "list of *%s*, ≤ %u", field->record->name, field->cap);
    if (field->cap)
        return fan_arena_printf(arena, "%s, ≤ %u", names[field->type], field->cap);
    return names[field->type];
}

static void add_fields(struct fan_buffer *out, const struct fan_schema *schema,
        struct fan_arena *arena)
{
    const struct fan_field *fields = schema->fields();

    if (!schema->count) {
        fan_buffer_add_text(out, "No fields: the body is an empty map.\n");
        return;
    }
    fan_buffer_add_text(out,
            "| key | field | type | required | |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < schema->count; i++)
        fan_buffer_printf(out, "| %d | %s | %s | %s | %s |\n", fields[i].key, fields[i].name,
                type_name(&fields[i], arena), fields[i].need == FAN_REQUIRED ? "yes" : "",
                fields[i].doc);
}

static void add_envelope(struct fan_buffer *out, struct fan_arena *arena)
{
    add_fields(out, &fan_schema_envelope, arena);
}

static void add_records(struct fan_buffer *out, const struct fan_schema *schema,
        struct fan_arena *arena)
{
    const struct fan_field *fields = schema->fields();

    for (size_t i = 0; i < schema->count; i++) {
        if (!fields[i].record)
            continue;
        fan_buffer_printf(out, "\nThe record *%s* is %s.\n\n", fields[i].record->name,
                fields[i].record->doc);
        add_fields(out, fields[i].record, arena);
    }
}

static void add_message(struct fan_buffer *out, const struct fan_schema *schema,
        struct fan_arena *arena)
{
    fan_buffer_printf(out, "### `%s` – 0x%04x, %s\n\n%s\n\n", schema->name, schema->number,
            schema->way == FAN_PIPE ? "PIPE" : "NEWS", schema->doc);
    add_fields(out, schema, arena);
    add_records(out, schema, arena);
}

static void add_messages(struct fan_buffer *out, struct fan_arena *arena)
{
    for (size_t i = 0; fan_schemas[i]; i++) {
        if (i)
            fan_buffer_add_char(out, '\n');
        add_message(out, fan_schemas[i], arena);
    }
}

static void add_words(struct fan_buffer *out, struct fan_arena *arena)
{
    static const struct {
        const char *what;
        const char *(*name)(int number);
        int first;
        int end;
    } rows[] = {
        { "lane", fan_lane_name, 1, FAN_LANE_COUNT },
        { "kind of channel", fan_kind_name, 1, FAN_KIND_COUNT },
        { "run's state", fan_run_state_name, 0, FAN_RUN_STATE_COUNT },
        { "campaign's state", fan_campaign_state_name, 0, FAN_CAMPAIGN_STATE_COUNT },
        { "import's state", fan_import_state_name, 0, FAN_IMPORT_STATE_COUNT },
        { "channel_health's state", fan_health_state_name, 0, FAN_HEALTH_STATE_COUNT },
        { "why a channel was opened", fan_health_reason_name, 1, FAN_HEALTH_REASON_COUNT },
    };

    fan_buffer_add_text(out, "| | |\n| --- | --- |\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fan_buffer_printf(out, "| %s |", rows[i].what);
        for (int n = rows[i].first; n < rows[i].end; n++)
            fan_buffer_printf(out, "%s %d %s", n > rows[i].first ? "," : "", n, rows[i].name(n));
        fan_buffer_add_text(out, " |\n");
    }
}

static void add_hex_line(struct fan_buffer *out, const char *at, size_t len, const char *meaning)
{
    for (size_t i = 0; i < len; i++)
        fan_buffer_printf(out, "%02x ", (unsigned char)at[i]);
    fan_buffer_printf(out, "%*s %s\n", (int)(len < 10 ? 30 - 3 * len : 0), "", meaning);
}

/* One frame, taken apart by hand; that it is cut at the right places, the lengths say. */
static void add_example(struct fan_buffer *out, struct fan_arena *arena)
{
    static const struct {
        size_t len;
        const char *meaning;
    } parts[] = {
        { 2, "messages_settled" },
        { 8, "account 7" },
        { 8, "run 1000" },
        { 4, "version 1, lane 2 normal, kind 3 email, zero" },
        { 2, "zero" },
        { 8, "incarnation" },
        { 8, "sequence 5" },
        { 1, "the envelope: a map of one entry" },
        { 10, "1 sent_at: 2026-11-20T06:42:14.123456Z" },
        { 1, "the body: a map of three entries" },
        { 4, "1 chunk: 4242" },
        { 2, "2 sent: 63" },
        { 2, "3 failed: 1" },
    };
    const struct fan_frame frame = {
        .route = { .account = 7, .run = 1000, .kind = FAN_KIND_EMAIL },
        .incarnation = UINT64_C(0xa1b2c3d4e5f60718),
        .sequence = 5,
        .sent_at = INT64_C(1795156934123456),
    };
    const struct fan_messages_settled settled = { .chunk = 4242, .sent = 63, .failed = 1 };
    struct fan_buffer wire;
    size_t at = 0;

    fan_buffer_init(&wire, FAN_FRAME_MAX);
    fan_frame_encode(&frame, &fan_schema_messages_settled, &settled, &wire);
    fan_buffer_add_text(out, "```\n");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; at += parts[i++].len)
        add_hex_line(out, wire.at + at, parts[i].len, parts[i].meaning);
    fan_buffer_add_text(out, "```\n");
    assert_int_equal(at, wire.len);
    fan_buffer_fini(&wire);
}

static const struct part {
    const char *name;
    void (*add)(struct fan_buffer *out, struct fan_arena *arena);
} parts[] = {
    { "envelope", add_envelope },
    { "example", add_example },
    { "words", add_words },
    { "messages", add_messages },
};

/* Copy @page up to the part's mark and write the part anew; what follows it is returned. */
static struct fan_bytes renew(struct fan_buffer *out, struct fan_bytes page,
        const struct part *part, struct fan_arena *arena)
{
    const char *mark = fan_arena_printf(arena, "<!-- generated: %s -->\n", part->name);
    const char *begin = memmem(page.at, page.len, mark, strlen(mark));
    const char *end = begin ? strstr(begin, "<!-- end -->") : NULL;

    assert_non_null(end);
    begin += strlen(mark);
    fan_buffer_add(out, page.at, (size_t)(begin - page.at));
    part->add(out, arena);
    return (struct fan_bytes){ end, page.len - (size_t)(end - page.at) };
}

static void the_page_about_the_wire_says_what_the_tables_say(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_buffer now, renewed;
    struct fan_bytes rest;

    fan_buffer_init(&now, 1 << 20);
    fan_buffer_init(&renewed, 1 << 20);
    assert_true(golden_read(path, &now));
    fan_buffer_add_char(&now, '\0'); /* for strstr */
    rest = (struct fan_bytes){ now.at, now.len - 1 };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        rest = renew(&renewed, rest, &parts[i], arena);
    fan_buffer_add_bytes(&renewed, rest);
    assert_true(golden_holds(path, fan_buffer_bytes(&renewed)));
    fan_buffer_fini(&now);
    fan_buffer_fini(&renewed);
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_about_the_wire_says_what_the_tables_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
