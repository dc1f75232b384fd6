#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/sandbox/meta_check.h"

#define APPROVED "hello:en:0, offer:en_US:2 ,poster:hi:1:image"

static int code_of(const char *body, struct fan_meta_message *message)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_sandbox_templates templates;
    struct fan_meta_error error = { 0 };
    struct fan_why why;

    assert_int_equal(fan_sandbox_templates_read(FAN_LIT(APPROVED), arena, &templates, &why),
            FAN_OK);
    if (fan_meta_check(fan_bytes_of(body), &templates, arena, message, &error))
        error.code = 0;
    else
        assert_true(error.text && error.status >= 400);
    fan_arena_free(&arena);
    return error.code;
}

#define SEND(rest) "{\"messaging_product\":\"whatsapp\",\"to\":\"14155552671\"," rest "}"
#define TEMPLATE(rest) SEND("\"type\":\"template\",\"template\":{" rest "}")
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define IMAGE "{\"type\":\"image\",\"image\":{\"link\":\"https://m.example/1.png\"}}"

static void each_message_gets_metas_code(void **state)
{
    static const struct {
        const char *body;
        int code; /* 0: taken */
    } cases[] = {
        { "", 100 },
        { "[]", 100 },
        { "{}", 100 },
        { SEND("\"text\":{\"body\":\"Hi\"}"), 0 },
        { SEND("\"type\":\"text\",\"text\":{\"body\":7}"), 100 },
        { SEND("\"type\":\"text\",\"image\":{\"id\":\"1\"}"), 100 },
        { SEND("\"type\":\"image\",\"image\":{\"id\":\"1\"}"), 0 },
        { SEND("\"type\":\"sticker\",\"sticker\":{\"id\":\"1\",\"caption\":\"x\"}"), 100 },
        { TEMPLATE("\"name\":\"hello\",\"language\":{\"code\":\"en\"}"), 0 },
        { TEMPLATE("\"name\":\"hello\",\"language\":\"en\""), 100 },
        { TEMPLATE("\"name\":\"hello\",\"language\":{\"code\":\"hi\"}"), 132001 },
        { TEMPLATE("\"language\":{\"code\":\"en\"}"), 100 },
        { TEMPLATE("\"name\":\"offer\",\"language\":{\"code\":\"en_US\"},\"components\":["
                   "{\"type\":\"body\",\"parameters\":[" TEXT("a") "," TEXT("b") "]}]"),
                0 },
        { TEMPLATE("\"name\":\"offer\",\"language\":{\"code\":\"en_US\"},\"components\":["
                   "{\"type\":\"body\",\"parameters\":[" TEXT("a") "]}]"),
                132000 },
        { TEMPLATE("\"name\":\"offer\",\"language\":{\"code\":\"en_US\"},\"components\":["
                   "{\"type\":\"body\",\"parameters\":[" TEXT("a") "," IMAGE "]}]"),
                132012 },
        { TEMPLATE("\"name\":\"poster\",\"language\":{\"code\":\"hi\"},\"components\":["
                   "{\"type\":\"header\",\"parameters\":[" IMAGE "]},"
                   "{\"type\":\"body\",\"parameters\":[" TEXT("a") "]}]"),
                0 },
        { TEMPLATE("\"name\":\"poster\",\"language\":{\"code\":\"hi\"},\"components\":["
                   "{\"type\":\"body\",\"parameters\":[" TEXT("a") "]}]"),
                132012 },
        { TEMPLATE("\"name\":\"hello\",\"language\":{\"code\":\"en\"},\"components\":["
                   "{\"type\":\"footer\"}]"),
                100 },
    };
    struct fan_meta_message message;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (code_of(cases[i].body, &message) != cases[i].code)
            fail_msg("%s: %d, not %d", cases[i].body, code_of(cases[i].body, &message),
                    cases[i].code);
}

static void a_refused_message_is_still_named(void **state)
{
    struct fan_meta_message message;

    assert_int_equal(code_of(SEND("\"type\":\"smell\",\"biz_opaque_callback_data\":\"7.x\""),
                             &message),
            100);
    assert_int_equal(message.number, 14155552671);
    assert_int_equal(message.token.len, 3);
}

static void a_malformed_list_of_templates_is_refused(void **state)
{
    static const char *const lists[] = { "offer", "offer:en", "offer:en:", "offer:en:two", ":en:1",
        "offer::1", "hello:en:0,offer:en:-1" };
    struct fan_arena *arena = fan_arena_new();
    struct fan_sandbox_templates templates;
    struct fan_why why;

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        assert_int_equal(fan_sandbox_templates_read(fan_bytes_of(lists[i]), arena, &templates,
                                 &why),
                FAN_INVALID);
        assert_string_equal(why.field, "meta_templates");
    }
    assert_int_equal(fan_sandbox_templates_read(FAN_LIT(""), arena, &templates, &why), FAN_OK);
    assert_int_equal(templates.len, 0);
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_gets_metas_code),
        cmocka_unit_test(a_refused_message_is_still_named),
        cmocka_unit_test(a_malformed_list_of_templates_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
