#include "proto/buffer.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static int make(void **state)
{
    static struct fan_buffer buffer;

    fan_buffer_init(&buffer, 1000);
    *state = &buffer;
    return 0;
}

static int drop(void **state)
{
    fan_buffer_fini(*state);
    return 0;
}

static void assert_holds(const struct fan_buffer *buffer, const char *text)
{
    assert_true(fan_bytes_eq_text(fan_buffer_bytes(buffer), text));
}

static void bytes_are_added_at_the_end(void **state)
{
    struct fan_buffer *buffer = *state;

    fan_buffer_add(buffer, "ab", 2);
    fan_buffer_add_bytes(buffer, FAN_LIT("cd"));
    fan_buffer_add_bytes(buffer, FAN_NO_BYTES);
    fan_buffer_add_text(buffer, "ef");
    fan_buffer_add_char(buffer, 'g');
    fan_buffer_printf(buffer, "-%03d", 7);
    assert_holds(buffer, "abcdefg-007");
    assert_false(buffer->overflowed);
}

static void nothing_is_allocated_before_the_first_write(void **state)
{
    struct fan_buffer *buffer = *state;

    assert_null(buffer->at);
    assert_int_equal(fan_buffer_bytes(buffer).len, 0);
}

static void it_grows_up_to_its_cap_to_the_byte(void **state)
{
    struct fan_buffer *buffer = *state;

    for (int i = 0; i < 1000; i++)
        fan_buffer_add_char(buffer, 'x');
    assert_int_equal(buffer->len, 1000);
    assert_false(buffer->overflowed);
    fan_buffer_add_char(buffer, 'y');
    assert_int_equal(buffer->len, 1000);
    assert_true(buffer->overflowed);
}

static void a_write_past_the_cap_is_refused_whole_and_remembered(void **state)
{
    struct fan_buffer *buffer = *state;

    fan_buffer_add_text(buffer, "kept");
    assert_null(fan_buffer_reserve(buffer, 997));
    fan_buffer_add_text(buffer, "it would fit, but the text would have a hole");
    assert_holds(buffer, "kept");
    assert_true(buffer->overflowed);
    fan_buffer_clear(buffer);
    assert_false(buffer->overflowed);
    fan_buffer_add_text(buffer, "new");
    assert_holds(buffer, "new");
}

static void a_length_near_the_end_of_size_t_is_refused(void **state)
{
    struct fan_buffer *buffer = *state;

    fan_buffer_add_text(buffer, "x");
    assert_null(fan_buffer_reserve(buffer, SIZE_MAX));
    assert_true(buffer->overflowed);
}

static void the_caller_may_write_into_reserved_room(void **state)
{
    struct fan_buffer *buffer = *state;
    char *room;

    fan_buffer_add_text(buffer, "a");
    room = fan_buffer_reserve(buffer, 500);
    assert_non_null(room);
    memcpy(room, "bc", 2);
    fan_buffer_grew(buffer, 2);
    assert_holds(buffer, "abc");
}

static void bytes_at_the_front_can_be_dropped(void **state)
{
    struct fan_buffer *buffer = *state;

    fan_buffer_add_text(buffer, "abcdef");
    fan_buffer_drop(buffer, 0);
    assert_holds(buffer, "abcdef");
    fan_buffer_drop(buffer, 4);
    assert_holds(buffer, "ef");
    fan_buffer_drop(buffer, 2);
    assert_holds(buffer, "");
}

static void percent_encoding_keeps_what_is_unreserved(void **state)
{
    fan_buffer_add_percent(*state, FAN_LIT("azAZ09-._~ /?&=+%\xc3\xa9"));
    assert_holds(*state, "azAZ09-._~%20%2F%3F%26%3D%2B%25%C3%A9");
}

/* source  RFC 4648, section 10 */
static void base64_is_that_of_the_rfc(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xff\xef\xbe", "/+++" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fan_buffer_clear(*state);
        fan_buffer_add_base64(*state, fan_bytes_of(rows[i][0]));
        assert_holds(*state, rows[i][1]);
    }
}

static void hexadecimal_is_lower_case(void **state)
{
    fan_buffer_add_hex(*state, FAN_LIT("\x00\x0f\xa0\xff"));
    assert_holds(*state, "000fa0ff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_are_added_at_the_end, make, drop),
        cmocka_unit_test_setup_teardown(nothing_is_allocated_before_the_first_write, make, drop),
        cmocka_unit_test_setup_teardown(it_grows_up_to_its_cap_to_the_byte, make, drop),
        cmocka_unit_test_setup_teardown(a_write_past_the_cap_is_refused_whole_and_remembered, make,
                drop),
        cmocka_unit_test_setup_teardown(a_length_near_the_end_of_size_t_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(the_caller_may_write_into_reserved_room, make, drop),
        cmocka_unit_test_setup_teardown(bytes_at_the_front_can_be_dropped, make, drop),
        cmocka_unit_test_setup_teardown(percent_encoding_keeps_what_is_unreserved, make, drop),
        cmocka_unit_test_setup_teardown(base64_is_that_of_the_rfc, make, drop),
        cmocka_unit_test_setup_teardown(hexadecimal_is_lower_case, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
