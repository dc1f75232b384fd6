#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/lib/driver/form.h"

static struct fan_bytes get(const char *text, const char *name, struct fan_arena *arena)
{
    struct fan_form form;

    assert_true(fan_form_read(fan_bytes_of(text), arena, &form));
    return fan_form_get(&form, name);
}

static void what_is_written_is_read_again(void **state)
{
    static const char *const values[] = { "", "a b", "a+b", "Gr\u00fc\u00dfe \u00a9 & co = 100%",
        "line\nend", "%41", "~-._*'()" };
    struct fan_arena *arena = fan_arena_new();
    struct fan_form form;
    struct fan_buffer text;

    fan_buffer_init(&text, 4096);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        fan_form_add(&text, "na me", fan_bytes_of(values[i]));
    fan_form_add(&text, "gone", FAN_NO_BYTES);
    assert_true(fan_form_read(fan_buffer_bytes(&text), arena, &form));
    assert_int_equal(form.len, sizeof(values) / sizeof(values[0]));
    for (size_t i = 0; i < form.len; i++) {
        assert_true(fan_bytes_eq_text(form.at[i].name, "na me"));
        assert_true(fan_bytes_eq_text(form.at[i].value, values[i]));
    }
    fan_buffer_fini(&text);
    fan_arena_free(&arena);
}

static void odd_texts_are_read_as_browsers_write_them(void **state)
{
    struct fan_arena *arena = fan_arena_new();

    assert_true(fan_bytes_eq_text(get("a=1&a=2", "a", arena), "1"));
    assert_true(fan_bytes_eq_text(get("&&a=b=c&", "a", arena), "b=c"));
    assert_true(fan_bytes_eq_text(get("a", "a", arena), ""));
    assert_true(fan_bytes_eq_text(get("a=%zz%4", "a", arena), "%zz%4"));
    assert_true(fan_bytes_eq_text(get("a=%4a%4A+", "a", arena), "JJ "));
    assert_null(get("a=1", "b", arena).at);
    assert_null(get("", "b", arena).at);
    fan_arena_free(&arena);
}

static void a_form_of_too_many_fields_is_refused(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_form form;
    char text[FAN_FORM_FIELDS + 1];

    memset(text, '&', sizeof(text));
    assert_true(fan_form_read((struct fan_bytes){ text, FAN_FORM_FIELDS - 1 }, arena, &form));
    assert_int_equal(form.len, 0);
    assert_false(fan_form_read((struct fan_bytes){ text, FAN_FORM_FIELDS }, arena, &form));
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(odd_texts_are_read_as_browsers_write_them),
        cmocka_unit_test(a_form_of_too_many_fields_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
