#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/cli/options.h"

struct made {
    bool flag;
    uint32_t number;
    const char *text;
    struct fan_texts texts;
};

static const struct fan_option table[] = {
    FAN_OPTION(FLAG, struct made, flag, "flag", NULL, ""),
    FAN_OPTION(NUMBER, struct made, number, "number", "N", ""),
    FAN_OPTION(TEXT, struct made, text, "a-text", "T", ""),
    FAN_OPTION(TEXTS, struct made, texts, "tag", "T", ""),
    FAN_OPTIONS_END,
};

struct fixture {
    struct fan_arena *arena;
    struct made made;
    struct fan_texts arguments;
    struct fan_why why;
};

static int begin(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .arena = fan_arena_new(), .made = { .number = 7 } };
    *state = &fixture;
    return 0;
}

static int end(void **state)
{
    fan_arena_free(&((struct fixture *)*state)->arena);
    return 0;
}

static enum fan_err parse(struct fixture *self, int count, const char *const *words)
{
    return fan_options_read(table, &self->made, count, (char **)words, &self->arguments,
            self->arena, &self->why);
}

#define PARSE(self, ...) \
    parse(self, (int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)), \
            (const char *[]){ __VA_ARGS__ })

static void options_and_arguments_may_be_mixed(void **state)
{
    struct fixture *self = *state;

    assert_int_equal(PARSE(self, "one", "--number", "12", "--a-text=b=c", "two", "--flag", "--tag",
                             "x", "--tag=y", "--", "--flag"),
            FAN_OK);
    assert_true(self->made.flag);
    assert_int_equal(self->made.number, 12);
    assert_string_equal(self->made.text, "b=c");
    assert_int_equal(self->made.texts.len, 2);
    assert_true(fan_bytes_eq_text(self->made.texts.at[0], "x"));
    assert_true(fan_bytes_eq_text(self->made.texts.at[1], "y"));
    assert_int_equal(self->arguments.len, 3);
    assert_true(fan_bytes_eq_text(self->arguments.at[2], "--flag"));
}

static void what_is_not_given_keeps_its_default(void **state)
{
    struct fixture *self = *state;

    assert_int_equal(PARSE(self, "one"), FAN_OK);
    assert_int_equal(self->made.number, 7);
    assert_null(self->made.text);
    assert_false(self->made.flag);
}

static void a_lone_dash_is_an_argument(void **state)
{
    struct fixture *self = *state;

    assert_int_equal(PARSE(self, "-"), FAN_OK);
    assert_int_equal(self->arguments.len, 1);
}

static void mistakes_are_refused_and_named(void **state)
{
    static const struct {
        const char *words[2];
        const char *said;
    } cases[] = {
        { { "--nope", "x" }, "there is no option --nope" },
        { { "--flag=yes", "x" }, "--flag takes no value" },
        { { "x", "--number" }, "--number wants a value: N" },
        { { "--number", "many" }, "--number is \"many\", but must be a whole number" },
        { { "--number", "-1" }, "--number is \"-1\", but must be a whole number" },
        { { "--number", "4294967296" }, "--number is \"4294967296\", but must be a whole number" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture *self = *state;

        assert_int_equal(parse(self, 2, cases[i].words), FAN_INVALID);
        assert_string_equal(self->why.text, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(options_and_arguments_may_be_mixed, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_given_keeps_its_default, begin, end),
        cmocka_unit_test_setup_teardown(a_lone_dash_is_an_argument, begin, end),
        cmocka_unit_test_setup_teardown(mistakes_are_refused_and_named, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
