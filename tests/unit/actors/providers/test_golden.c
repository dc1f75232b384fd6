/*
 * Every driver against the files in tests/golden/providers/<kind>_<provider>/:
 *
 *   channel.json   the channel: hook_url and fields
 *   sends.json     messages; what they must become is in requests/<name>.txt, or "refused" says why
 * not answers.json   what came back, and the outcome it must have hooks.json     what came in, and
 * whether and as what it must be taken
 *
 * A case may override fields of the channel; null takes one away. FAN_REGENERATE=1 writes requests/
 * anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/providers/provider.h"
#include "proto/json.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_CAP = 4 * 1024 * 1024, FIELDS_CAP = 64 };

/* One provider's folder while its cases run. */
struct golden {
    const struct fan_provider *provider;
    struct fan_arena *arena;
    const struct fan_json *channel;
    unsigned failures;
};

static char *path_of(struct golden *golden, const char *file)
{
    const char *root = getenv("FAN_SOURCE");

    return fan_arena_printf(golden->arena, "%s/tests/golden/providers/%s_%s/%s", root ? root : ".",
            fan_kind_name((int)golden->provider->kind), golden->provider->name, file);
}

static struct fan_bytes read_text(struct golden *golden, const char *file)
{
    char *text = fan_arena_alloc(golden->arena, FILE_CAP);
    FILE *in = fopen(path_of(golden, file), "rb");
    size_t len;

    if (!in)
        return FAN_NO_BYTES;
    len = fread(text, 1, FILE_CAP, in);
    fclose(in);
    return (struct fan_bytes){ text, len };
}

static const struct fan_json *read_json(struct golden *golden, const char *file)
{
    struct fan_bytes text = read_text(golden, file);
    const struct fan_json *value = NULL;
    struct fan_why why = { 0 };

    if (text.at && fan_json_parse(text, golden->arena, &value, &why))
        fail_msg("%s: %s", path_of(golden, file), why.text);
    return value;
}

static bool needs(const struct fan_provider *provider, const char *file)
{
    return strcmp(file, "lookups.json") == 0 ? provider->look_up != NULL
                                             : provider->hook_read != NULL;
}

/* Call @fn for every case of @file in every provider's folder. */
static void for_each_case(const char *file,
        void (*fn)(struct golden *golden, const char *name, const struct fan_json *input))
{
    unsigned failures = 0;

    for (size_t i = 0; fan_providers[i]; i++) {
        struct golden golden = { .provider = fan_providers[i], .arena = fan_arena_new() };
        const struct fan_json *cases = read_json(&golden, file);

        golden.channel = read_json(&golden, "channel.json");
        if (fan_json_size(cases) == 0 && needs(golden.provider, file))
            fail_msg("%s has no cases", path_of(&golden, file));
        for (size_t j = 0; j < fan_json_size(cases); j++) {
            const struct fan_json *input = fan_json_at(cases, j);

            fn(&golden, fan_bytes_cstr(fan_json_get_text(input, "name"), golden.arena), input);
        }
        failures += golden.failures;
        fan_arena_free(&golden.arena);
    }
    assert_int_equal(failures, 0);
}

static void expect_same(struct golden *golden, const char *name, struct fan_bytes want,
        struct fan_bytes got)
{
    if (fan_bytes_eq(want, got))
        return;
    golden->failures++;
    print_error("%s %s:\n  expected %.*s\n  but got  %.*s\n", golden->provider->name, name,
            FAN_BYTES_ARG(want), FAN_BYTES_ARG(got));
}

static void fini_buffer(void *buffer)
{
    fan_buffer_fini(buffer);
}

static struct fan_buffer *new_buffer(struct golden *golden)
{
    struct fan_buffer *buffer = fan_arena_alloc(golden->arena, sizeof *buffer);

    fan_buffer_init(buffer, FILE_CAP);
    fan_arena_defer(golden->arena, fini_buffer, buffer);
    return buffer;
}

static struct fan_bytes dump(struct golden *golden, const struct fan_json *value)
{
    struct fan_buffer *out = new_buffer(golden);

    fan_json_dump(value, out);
    return fan_buffer_bytes(out);
}

/* The channel's fields, then the case's, which hold because later ones are looked at first. */
static struct fan_channel_view make_channel(struct golden *golden, const struct fan_json *input)
{
    const struct fan_json *sources[] = { fan_json_get(input, "fields"),
        fan_json_get(golden->channel, "fields") };
    struct fan_bytes *names = fan_arena_array(golden->arena, FIELDS_CAP, sizeof *names);
    struct fan_bytes *values = fan_arena_array(golden->arena, FIELDS_CAP, sizeof *values);
    struct fan_channel_view view = { .account = 1, .channel = 7, .names = names, .values = values };
    const struct fan_json *value;
    struct fan_bytes name;

    for (size_t i = 0; i < 2; i++) {
        for (size_t cursor = 0; fan_json_next(sources[i], &cursor, &name, &value);) {
            bool taken_away =
                    i == 1 && fan_json_get(sources[0], fan_bytes_cstr(name, golden->arena));

            if (taken_away || fan_json_type(value) == FAN_JSON_NULL)
                continue;
            names[view.count] = name;
            values[view.count++] = fan_json_text(value);
            assert_true(view.count < FIELDS_CAP);
        }
    }
    view.hook_url = fan_json_get_text(golden->channel, "hook_url");
    return view;
}

static struct fan_bytes get_or(const struct fan_json *object, const char *key,
        const char *otherwise)
{
    struct fan_bytes text = fan_json_get_text(object, key);

    return text.at ? text : fan_bytes_of(otherwise);
}

static struct fan_sending make_sending(struct golden *golden, const struct fan_json *input,
        const struct fan_channel_view *channel)
{
    const struct fan_json *message = fan_json_get(input, "message");
    struct fan_sending sending = {
        .channel = channel,
        .message = 1234567,
        .token = get_or(message, "token", "1234567.k5Zq0w"),
        .address = get_or(message, "address", "+14155552671"),
        .contact_name = fan_json_get_text(message, "contact_name"),
        .unsubscribe_url = fan_json_get_text(message, "unsubscribe_url"),
        .attempt = (uint32_t)fan_json_i64(fan_json_get(message, "attempt"), 0),
    };
    const struct fan_json *content = fan_json_get(message, "content");
    struct fan_why why = { 0 };

    assert_true(fan_time_parse(FAN_LIT("2026-11-20T06:42:14Z"), &sending.now));
    if (content &&
            fan_content_read(FAN_BODY_PARTS, dump(golden, content), golden->arena, &sending.content,
                    &why))
        fail_msg("content: %s", why.text);
    return sending;
}

/* ---- requests ---- */

static void add_line(struct fan_buffer *out, const char *name, struct fan_bytes value)
{
    if (value.at)
        fan_buffer_printf(out, "%s: %.*s\n", name, FAN_BYTES_ARG(value));
}

static struct fan_bytes show_request(struct golden *golden, const struct fan_request *request)
{
    struct fan_buffer *out = new_buffer(golden);

    add_line(out, "method", request->method);
    add_line(out, "url", request->url);
    add_line(out, "username", request->username);
    add_line(out, "password", request->password);
    add_line(out, "ehlo", request->ehlo);
    add_line(out, "mail_from", request->mail_from);
    add_line(out, "mail_to", request->mail_to);
    if (request->starttls)
        fan_buffer_add_text(out, "starttls\n");
    for (size_t i = 0; i < request->headers_len; i++)
        fan_buffer_printf(out, "%.*s\n", FAN_BYTES_ARG(request->headers[i]));
    fan_buffer_add_char(out, '\n');
    fan_buffer_add_bytes(out, request->body);
    return fan_buffer_bytes(out);
}

static void write_file(struct golden *golden, const char *file, struct fan_bytes text)
{
    FILE *out = fopen(path_of(golden, file), "wb");

    if (!out || fwrite(text.at, 1, text.len, out) != text.len || fclose(out))
        fail_msg("%s cannot be written", file);
}

static void try_send(struct golden *golden, const char *name, const struct fan_json *input)
{
    struct fan_channel_view channel = make_channel(golden, input);
    struct fan_sending sending = make_sending(golden, input, &channel);
    const char *file = fan_arena_printf(golden->arena, "requests/%s.txt", name);
    struct fan_request request = { 0 };
    struct fan_why why = { 0 };

    if (golden->provider->send(&sending, golden->arena, &request, &why)) {
        expect_same(golden, name, fan_json_get_text(input, "refused"), fan_bytes_of(why.text));
        return;
    }
    expect_same(golden, name, fan_json_get_text(input, "refused"), FAN_NO_BYTES);
    if (getenv("FAN_REGENERATE"))
        write_file(golden, file, show_request(golden, &request));
    expect_same(golden, name, read_text(golden, file), show_request(golden, &request));
}

static void messages_become_the_expected_requests(void **state)
{
    for_each_case("sends.json", try_send);
}

/* ---- answers ---- */

static void add_text(struct fan_json_writer *json, const char *name, struct fan_bytes text)
{
    if (text.at)
        fan_json_add_text(json, name, text);
}

static void add_true(struct fan_json_writer *json, const char *name, bool value)
{
    if (value)
        fan_json_add_bool(json, name, true);
}

static struct fan_bytes show_outcome(struct golden *golden, const struct fan_outcome *outcome)
{
    struct fan_buffer *out = new_buffer(golden);
    struct fan_json_writer json;

    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "outcome",
            fan_bytes_of(fan_outcome_class_name((int)outcome->outcome)));
    add_text(&json, "provider_id", outcome->provider_id);
    add_text(&json, "code", outcome->code);
    if (outcome->delay_ms >= 0)
        fan_json_add_i64(&json, "delay_ms", outcome->delay_ms);
    add_true(&json, "suppress", outcome->suppress);
    add_true(&json, "throttled", outcome->throttled);
    add_true(&json, "busy", outcome->busy);
    fan_json_object_close(&json);
    return fan_buffer_bytes(out);
}

/* A body as text, or as any other JSON value, which is then its text. */
static struct fan_bytes body_of(struct golden *golden, const struct fan_json *value)
{
    if (fan_json_type(value) == FAN_JSON_ABSENT || fan_json_type(value) == FAN_JSON_STRING)
        return fan_json_text(value);
    return dump(golden, value);
}

static void try_answer(struct golden *golden, const char *name, const struct fan_json *input)
{
    struct fan_channel_view channel = make_channel(golden, input);
    struct fan_sending sending = make_sending(golden, input, &channel);
    int64_t status = fan_json_i64(fan_json_get(input, "status"), 0);
    struct fan_response response = {
        .status = (int)status,
        .began = fan_json_bool(fan_json_get(input, "began"), true),
        .complete = fan_json_bool(fan_json_get(input, "complete"), status != 0),
        .timed_out = fan_json_bool(fan_json_get(input, "timed_out"), false),
        .headers = fan_json_get_text(input, "headers"),
        .body = body_of(golden, fan_json_get(input, "body")),
        .retry_after_ms = fan_json_i64(fan_json_get(input, "retry_after_ms"), -1),
    };
    struct fan_outcome outcome;

    golden->provider->judge(&sending, &response, golden->arena, &outcome);
    expect_same(golden, name, dump(golden, fan_json_get(input, "expect")),
            show_outcome(golden, &outcome));
}

static void answers_have_the_expected_outcomes(void **state)
{
    for_each_case("answers.json", try_answer);
}

/* ---- look-ups ---- */

static void try_lookup(struct golden *golden, const char *name, const struct fan_json *input)
{
    struct fan_channel_view channel = make_channel(golden, input);
    struct fan_sending sending = make_sending(golden, input, &channel);
    struct fan_bytes other = fan_json_get_text(input, "other");
    struct fan_lost lost = { .sending = &sending, .others = { &other, other.at ? 1 : 0 } };
    struct fan_response response = {
        .status = (int)fan_json_i64(fan_json_get(input, "status"), 200),
        .complete = fan_json_bool(fan_json_get(input, "complete"), true),
        .body = body_of(golden, fan_json_get(input, "body")),
    };
    struct fan_request request = { 0 };
    struct fan_bytes provider_id = FAN_NO_BYTES;
    struct fan_why why = { 0 };

    lost.since = sending.now;
    if (golden->provider->look_up(&lost, golden->arena, &request, &why))
        fail_msg("%s: %s", name, why.text);
    if (fan_json_get(input, "asks"))
        expect_same(golden, name, fan_json_get_text(input, "asks"),
                fan_bytes_of(fan_arena_printf(golden->arena, "%.*s %.*s",
                        FAN_BYTES_ARG(request.method), FAN_BYTES_ARG(request.url))));
    if (!golden->provider->found(&lost, &response, golden->arena, &provider_id))
        provider_id = FAN_NO_BYTES;
    expect_same(golden, name, fan_json_get_text(input, "found"), provider_id);
}

static void lookups_find_what_was_taken_and_nothing_else(void **state)
{
    (void)state;
    for_each_case("lookups.json", try_lookup);
}

/* ---- hooks ---- */

static void show_receipt(struct fan_json_writer *json, const struct fan_receipt *receipt)
{
    fan_json_object_open(json, NULL);
    add_text(json, "token", receipt->token);
    add_text(json, "provider_id", receipt->provider_id);
    fan_json_add_text(json, "progress", fan_bytes_of(fan_progress_name((int)receipt->progress)));
    add_text(json, "code", receipt->code);
    add_true(json, "suppress", receipt->suppress);
    if (receipt->at)
        fan_json_add_time(json, "at", receipt->at);
    add_text(json, "key", receipt->key);
    fan_json_object_close(json);
}

static struct fan_bytes show_receipts(struct golden *golden, const struct fan_receipt_list *list)
{
    struct fan_buffer *out = new_buffer(golden);
    struct fan_json_writer json;

    fan_json_begin(&json, out);
    fan_json_array_open(&json, NULL);
    for (size_t i = 0; i < list->len; i++)
        show_receipt(&json, &list->at[i]);
    fan_json_array_close(&json);
    return fan_buffer_bytes(out);
}

/* "url" of a case is what follows the channel's hook_url, or a whole URL. */
static struct fan_hook make_hook(struct golden *golden, const struct fan_json *input)
{
    struct fan_bytes url = fan_json_get_text(input, "url"), path;
    struct fan_bytes base = fan_json_get_text(golden->channel, "hook_url");
    struct fan_hook hook = {
        .method = get_or(input, "method", "POST"),
        .body = body_of(golden, fan_json_get(input, "body")),
        .headers = fan_json_get_text(input, "headers"),
    };

    if (!fan_bytes_starts(url, FAN_LIT("http")))
        url = fan_bytes_of(fan_arena_printf(golden->arena, "%.*s%.*s", FAN_BYTES_ARG(base),
                FAN_BYTES_ARG(url)));
    hook.url = url;
    hook.query = fan_bytes_split(url, '?', &path);
    return hook;
}

static void try_greeting(struct golden *golden, const char *name, const struct fan_json *input,
        const struct fan_channel_view *channel, const struct fan_hook *hook)
{
    struct fan_hook_answer answer = { 0 };
    const struct fan_json *greeting = fan_json_get(input, "greeting");

    if (!golden->provider->hook_greet ||
            !golden->provider->hook_greet(channel, hook, golden->arena, &answer))
        fail_msg("%s: no greeting", name);
    assert_int_equal(answer.status, fan_json_i64(fan_json_get(greeting, "status"), 0));
    expect_same(golden, name, fan_json_get_text(greeting, "body"), answer.body);
}

static void try_hook(struct golden *golden, const char *name, const struct fan_json *input)
{
    struct fan_channel_view channel = make_channel(golden, input);
    struct fan_hook hook = make_hook(golden, input);
    struct fan_receipt_list receipts;
    struct fan_why why = { 0 };
    struct fan_bytes unread = fan_json_get_text(input, "unreadable");

    if (fan_json_get(input, "greeting")) {
        try_greeting(golden, name, input, &channel, &hook);
        return;
    }
    if (golden->provider->hook_check(&channel, &hook, golden->arena, &why)) {
        expect_same(golden, name, fan_json_get_text(input, "denied"), fan_bytes_of(why.text));
        return;
    }
    expect_same(golden, name, fan_json_get_text(input, "denied"), FAN_NO_BYTES);
    if (fan_json_get(input, "only_signature"))
        return;
    if (golden->provider->hook_read(&channel, &hook, golden->arena, &receipts, &why))
        expect_same(golden, name, unread, fan_bytes_of(why.text));
    else
        expect_same(golden, name, dump(golden, fan_json_get(input, "receipts")),
                show_receipts(golden, &receipts));
}

static void hooks_are_taken_or_denied_as_expected(void **state)
{
    for_each_case("hooks.json", try_hook);
}

/* ---- the tables ---- */

static void expect_match(const struct fan_provider_field *field, const char *value)
{
    regex_t pattern;
    int status;

    if (!field->pattern || !value)
        return;
    if (regcomp(&pattern, field->pattern, REG_EXTENDED | REG_NOSUB))
        fail_msg("%s: the pattern %s is none", field->name, field->pattern);
    status = regexec(&pattern, value, 0, NULL, 0);
    regfree(&pattern);
    if (status)
        fail_msg("%s: %s does not match %s", field->name, value, field->pattern);
}

static void defaults_and_examples_match_their_patterns(void **state)
{
    for (size_t i = 0; fan_providers[i]; i++) {
        const struct fan_provider *provider = fan_providers[i];

        assert_ptr_equal(fan_provider_find(provider->kind, fan_bytes_of(provider->name)), provider);
        assert_true(provider->send && provider->judge && provider->summary);
        assert_true(!provider->hook_read == !provider->hook_check);
        for (const struct fan_provider_field *field = provider->fields; field->name; field++) {
            expect_match(field, field->otherwise);
            expect_match(field, field->example);
        }
    }
    assert_null(fan_provider_find(FAN_KIND_SMS, FAN_LIT("nobody")));
}

static void a_channel_without_a_sender_is_refused(void **state)
{
    const struct fan_provider *twilio = fan_provider_find(FAN_KIND_SMS, FAN_LIT("twilio"));
    struct fan_bytes name = FAN_LIT("from"), value = FAN_LIT("+15005550006");
    struct fan_channel_view view = { .names = &name, .values = &value };
    struct fan_why why = { 0 };

    assert_int_equal(twilio->check(&view, &why), FAN_INVALID);
    assert_string_equal(why.field, "from");
    view.count = 1;
    assert_int_equal(twilio->check(&view, &why), FAN_OK);
    view.hook_url = FAN_LIT("https://my_host.example/hooks/7");
    assert_int_equal(twilio->check(&view, &why), FAN_INVALID);
    assert_string_equal(why.field, "hook_url");
    view.hook_url = FAN_LIT("https://host.example/my_hooks/7");
    assert_int_equal(twilio->check(&view, &why), FAN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_become_the_expected_requests),
        cmocka_unit_test(answers_have_the_expected_outcomes),
        cmocka_unit_test(lookups_find_what_was_taken_and_nothing_else),
        cmocka_unit_test(hooks_are_taken_or_denied_as_expected),
        cmocka_unit_test(defaults_and_examples_match_their_patterns),
        cmocka_unit_test(a_channel_without_a_sender_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
