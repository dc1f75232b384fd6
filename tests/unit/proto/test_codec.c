#include "proto/message.h"
#include "tests/unit/proto/sample.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct fixture {
    struct fan_arena *arena;
    struct fan_buffer out;
    struct fan_why why;
};

static int make(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .arena = fan_arena_new() };
    fan_buffer_init(&fixture.out, 1 << 20);
    *state = &fixture;
    return 0;
}

static int drop(void **state)
{
    struct fixture *fixture = *state;

    fan_buffer_fini(&fixture->out);
    fan_arena_free(&fixture->arena);
    return 0;
}

static void assert_written(const struct fixture *fixture, struct fan_bytes wire)
{
    struct fan_bytes out = fan_buffer_bytes(&fixture->out);

    assert_false(fixture->out.overflowed);
    assert_int_equal(out.len, wire.len);
    assert_memory_equal(out.at, wire.at, wire.len);
}

static void a_message_is_a_map_with_small_keys(void **state)
{
    struct fixture *fixture = *state;
    struct fan_render_request request = { .chunk = 42, .epoch = 300 };

    fan_encode(&fan_schema_render_request, &request, &fixture->out);
    assert_written(fixture,
            FAN_LIT("\x82"
                    "\x01\x2a"            /* 1: chunk 42 */
                    "\x02\xcd\x01\x2c")); /* 2: epoch 300 */
}

static void what_says_nothing_is_left_out_unless_it_is_required(void **state)
{
    struct fixture *fixture = *state;
    struct fan_send_request request = { .chunk = 0 };

    fan_encode(&fan_schema_send_request, &request, &fixture->out);
    assert_written(fixture, FAN_LIT("\x83\x01\x00\x02\x00\x03\x00"));
}

static void a_required_text_that_is_absent_is_written_empty(void **state)
{
    struct fixture *fixture = *state;
    struct fan_welcome welcome = { .broker = 1, .worker = 2 };

    fan_encode(&fan_schema_welcome, &welcome, &fixture->out);
    assert_written(fixture, FAN_LIT("\x83\x01\x01\x02\x02\x03\xa0"));
}

static void a_message_without_fields_is_an_empty_map(void **state)
{
    struct fixture *fixture = *state;
    struct fan_control_changed changed = {};

    fan_encode(&fan_schema_control_changed, &changed, &fixture->out);
    assert_written(fixture, FAN_LIT("\x80"));
}

static void records_and_ids_are_arrays(void **state)
{
    static const int64_t takes[] = { 0x0201, 1 };
    struct fixture *fixture = *state;
    struct fan_hello hello = { .takes = { takes, 2 } };
    struct fan_copy copy = { .message = 512, .contact = 7, .format = 1 };
    struct fan_send_request request = { .copies = { &copy, 1 } };

    copy.address = FAN_LIT("+1");
    copy.body = FAN_LIT("hi");
    fan_encode(&fan_schema_hello, &hello, &fixture->out);
    fan_encode(&fan_schema_send_request, &request, &fixture->out);
    assert_written(fixture,
            FAN_LIT("\x86\x01\x00\x02\xa0\x04\x92\xcd\x02\x01\x01\x05\xa0\x06\x00\x07\x00"
                    "\x84\x01\x00\x02\x00\x03\x00\x04\x91\x85\x01\xcd\x02\x00\x02\x07"
                    "\x03\xa2+1\x04\x01\x05\xa2hi"));
}

/* What no reader of ours would take is not written: the caller's one check at the end sees it. */
static void what_would_be_refused_is_not_written(void **state)
{
    static const char long_role[33] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    static const int64_t takes[33] = { 0 }, negative[] = { -1 }, large[] = { FAN_ID_MAX + 1 };
    const struct fan_hello hellos[] = {
        { .role = { long_role, 33 } },
        { .role = { "\xff", 1 } },
        { .takes = { takes, 33 } },
        { .takes = { negative, 1 } },
        { .takes = { large, 1 } },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof hellos / sizeof *hellos; i++) {
        fan_buffer_clear(&fixture->out);
        fan_encode(&fan_schema_hello, &hellos[i], &fixture->out);
        assert_true(fixture->out.overflowed);
    }
}

static void more_copies_than_a_chunk_has_are_not_written(void **state)
{
    struct fixture *fixture = *state;
    struct fan_copy *copies = fan_arena_array(fixture->arena, 501, sizeof *copies);
    struct fan_send_request request = { .copies = { copies, 500 } };

    fan_encode(&fan_schema_send_request, &request, &fixture->out);
    assert_false(fixture->out.overflowed);
    request.copies.len = 501;
    fan_encode(&fan_schema_send_request, &request, &fixture->out);
    assert_true(fixture->out.overflowed);
}

static void a_message_past_the_buffers_cap_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    struct fan_buffer small;

    fan_buffer_init(&small, 64);
    fan_encode(&fan_schema_send_request, sample(&fan_schema_send_request, fixture->arena), &small);
    assert_true(small.overflowed);
    fan_buffer_fini(&small);
}

static void every_message_comes_back_as_it_went(void **state)
{
    struct fixture *fixture = *state;
    struct fan_buffer again;

    fan_buffer_init(&again, 1 << 20);
    for (size_t i = 0; fan_schemas[i]; i++) {
        const struct fan_schema *schema = fan_schemas[i];
        void *back = fan_arena_alloc(fixture->arena, schema->size);

        fan_buffer_clear(&fixture->out);
        fan_buffer_clear(&again);
        fan_encode(schema, sample(schema, fixture->arena), &fixture->out);
        assert_false(fixture->out.overflowed);
        assert_int_equal(fan_decode(schema, fan_buffer_bytes(&fixture->out), fixture->arena, back,
                                 &fixture->why),
                FAN_OK);
        fan_encode(schema, back, &again);
        assert_written(fixture, fan_buffer_bytes(&again));
    }
    fan_buffer_fini(&again);
}

static void a_limit_is_the_cap_or_that_of_the_type(void **state)
{
    assert_int_equal(fan_field_limit(&(struct fan_field){ .type = FAN_TYPE_text, .cap = 9 }), 9);
    assert_int_equal(fan_field_limit(&(struct fan_field){ .type = FAN_TYPE_text }), UINT32_MAX);
    assert_int_equal(fan_field_limit(&(struct fan_field){ .type = FAN_TYPE_ids }), FAN_ITEMS_MAX);
    assert_int_equal(fan_field_limit(&(struct fan_field){ .type = FAN_TYPE_list }), FAN_ITEMS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_a_map_with_small_keys, make, drop),
        cmocka_unit_test_setup_teardown(what_says_nothing_is_left_out_unless_it_is_required, make,
                drop),
        cmocka_unit_test_setup_teardown(a_required_text_that_is_absent_is_written_empty, make,
                drop),
        cmocka_unit_test_setup_teardown(a_message_without_fields_is_an_empty_map, make, drop),
        cmocka_unit_test_setup_teardown(records_and_ids_are_arrays, make, drop),
        cmocka_unit_test_setup_teardown(what_would_be_refused_is_not_written, make, drop),
        cmocka_unit_test_setup_teardown(more_copies_than_a_chunk_has_are_not_written, make, drop),
        cmocka_unit_test_setup_teardown(a_message_past_the_buffers_cap_is_noticed, make, drop),
        cmocka_unit_test_setup_teardown(every_message_comes_back_as_it_went, make, drop),
        cmocka_unit_test_setup_teardown(a_limit_is_the_cap_or_that_of_the_type, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
