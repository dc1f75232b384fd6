#include "proto/message.h"
#include "tests/unit/proto/sample.h"

#include <stdlib.h>
#include <string.h>

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

#define SIZE(rows) (sizeof rows / sizeof *rows)

/* Wire bytes in a table. */
#define WIRE(literal) \
    { \
        literal, sizeof literal - 1 \
    }

static enum fan_err decode(struct fixture *fixture, const struct fan_schema *schema,
        struct fan_bytes wire, void *message)
{
    /* A copy of exactly its size lets the sanitizer see a read past the end. */
    char *exact = malloc(wire.len + !wire.len);
    enum fan_err err;

    memcpy(exact, wire.at, wire.len);
    err = fan_decode(schema, (struct fan_bytes){ exact, wire.len }, fixture->arena, message,
            &fixture->why);
    free(exact);
    return err;
}

static void a_request_is_read(void **state)
{
    struct fan_render_request request;

    assert_int_equal(decode(*state, &fan_schema_render_request,
                             FAN_LIT("\x82\x01\x2a\x02\xcd\x01\x2c"), &request),
            FAN_OK);
    assert_int_equal(request.chunk, 42);
    assert_int_equal(request.epoch, 300);
}

static void an_integer_may_come_in_any_form_that_holds_it(void **state)
{
    static const struct fan_bytes rows[] = {
        WIRE("\x82\x02\x00\x01\x2a"),
        WIRE("\x82\x02\x00\x01\xcc\x2a"),
        WIRE("\x82\x02\x00\x01\xcd\x00\x2a"),
        WIRE("\x82\x02\x00\x01\xce\x00\x00\x00\x2a"),
        WIRE("\x82\x02\x00\x01\xcf\x00\x00\x00\x00\x00\x00\x00\x2a"),
        WIRE("\x82\x02\x00\x01\xd0\x2a"),
        WIRE("\x82\x02\x00\x01\xd1\x00\x2a"),
        WIRE("\x82\x02\x00\x01\xd2\x00\x00\x00\x2a"),
        WIRE("\x82\x02\x00\x01\xd3\x00\x00\x00\x00\x00\x00\x00\x2a"),
        WIRE("\x82\xd1\x00\x02\x00\xcc\x01\x2a"), /* so may a key */
        WIRE("\xde\x00\x02\x02\x00\x01\x2a"),     /* and a map's length */
        WIRE("\xdf\x00\x00\x00\x02\x02\x00\x01\x2a"),
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct fan_render_request request;
        assert_int_equal(decode(*state, &fan_schema_render_request, rows[i], &request), FAN_OK);
        assert_int_equal(request.chunk, 42);
    }
}

static void instants_before_1970_are_negative(void **state)
{
    static const struct {
        struct fan_bytes wire;
        int64_t at;
    } rows[] = {
        { WIRE("\x81\x01\xff"), -1 },
        { WIRE("\x81\x01\xe0"), -32 },
        { WIRE("\x81\x01\xd0\x80"), -128 },
        { WIRE("\x81\x01\xd1\x80\x00"), -32768 },
        { WIRE("\x81\x01\xd2\x80\x00\x00\x00"), INT32_MIN },
        { WIRE("\x81\x01\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN },
        { WIRE("\x81\x01\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX },
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct fan_envelope envelope;
        assert_int_equal(decode(*state, &fan_schema_envelope, rows[i].wire, &envelope), FAN_OK);
        assert_int_equal(envelope.sent_at, rows[i].at);
    }
}

static void the_largest_numbers_fit(void **state)
{
    struct fan_render_request request;
    struct fan_ping ping;

    assert_int_equal(decode(*state, &fan_schema_render_request,
                             FAN_LIT("\x82\x01\xcf\x00\x1f\xff\xff\xff\xff\xff\xff"
                                     "\x02\xce\xff\xff\xff\xff"),
                             &request),
            FAN_OK);
    assert_int_equal(request.chunk, FAN_ID_MAX);
    assert_int_equal(request.epoch, UINT32_MAX);
    assert_int_equal(decode(*state, &fan_schema_ping,
                             FAN_LIT("\x81\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), &ping),
            FAN_OK);
    assert_true(ping.broker == UINT64_MAX);
}

static void a_field_from_the_future_is_skipped(void **state)
{
    static const struct fan_bytes rows[] = {
        WIRE("\x83\x01\x2a\x02\x07\x63\xa3new"), WIRE("\x83\x63\xc0\x01\x2a\x02\x07"),
        WIRE("\x83\x63\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18\x01\x2a\x02\x07"), /* a float */
        WIRE("\x83\x63\xca\x40\x49\x0f\xdb\x01\x2a\x02\x07"),
        WIRE("\x83\x63\xd4\x05\x01\x01\x2a\x02\x07"), /* extensions */
        WIRE("\x83\x63\xd6\xff\x01\x02\x03\x04\x01\x2a\x02\x07"),
        WIRE("\x83\x63\xc7\x00\x05\x01\x2a\x02\x07"),
        WIRE("\x83\x63\xc4\x02\xff\xfe\x01\x2a\x02\x07"), /* binary */
        WIRE("\x83\x63\x93\x01\xa1x\x81\xa1k\x90\x01\x2a\x02\x07"),
        WIRE("\x83\x63\x91\x91\x91\x91\x91\x91\x90\x01\x2a\x02\x07"), /* 8 deep, with the body */
        WIRE("\x84\x63\x01\x63\x02\x01\x2a\x02\x07"),                 /* twice, but not ours */
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct fan_render_request request;
        assert_int_equal(decode(*state, &fan_schema_render_request, rows[i], &request), FAN_OK);
        assert_int_equal(request.chunk, 42);
        assert_int_equal(request.epoch, 7);
    }
}

static void what_is_wrong_is_refused_and_named(void **state)
{
    static const struct {
        struct fan_bytes wire;
        const char *field;
        const char *text;
    } rows[] = {
        { WIRE(""), "", "ends early" },
        { WIRE("\xc1"), "", "ends early" },
        { WIRE("\xc0"), "", "is not a map" },
        { WIRE("\x92\x2a\x07"), "", "is not a map" },
        { WIRE("\x81\x01\x2a"), "", "epoch is missing" },
        { WIRE("\x80"), "chunk", "is missing" },
        { WIRE("\x82\x01\x2a\x02\x07\x00"), "", "1 bytes behind its end" },
        { WIRE("\x83\x01\x2a\x02\x07\x01\x2a"), "chunk", "twice" },
        { WIRE("\x82\x01\xa2"
               "42\x02\x07"),
                "chunk", "is not an integer" },
        { WIRE("\x82\x01\xc0\x02\x07"), "chunk", "is not an integer" },
        { WIRE("\x82\x01\xc3\x02\x07"), "chunk", "is not an integer" },
        { WIRE("\x82\x01\xca\x42\x28\x00\x00\x02\x07"), "chunk", "is not an integer" },
        { WIRE("\x82\x01\xd4\x00\x2a\x02\x07"), "chunk", "is not an integer" },
        { WIRE("\x82\x01\xff\x02\x07"), "chunk", "out of range" },
        { WIRE("\x82\x01\xcf\x00\x20\x00\x00\x00\x00\x00\x00\x02\x07"), "chunk", "out of range" },
        { WIRE("\x82\x01\x2a\x02\xcf\x00\x00\x00\x01\x00\x00\x00\x00"), "epoch", "out of range" },
        { WIRE("\x82\x01\x2a\x02\xd0\xff"), "epoch", "out of range" },
        { WIRE("\x82\xa1k\x2a\x02\x07"), "", "not a small number" },
        { WIRE("\x82\x00\x2a\x02\x07"), "", "not a small number" },
        { WIRE("\x82\xff\x2a\x02\x07"), "", "not a small number" },
        { WIRE("\x82\xcc\x80\x2a\x02\x07"), "", "not a small number" },
        { WIRE("\x82\xc0\x2a\x02\x07"), "", "not a small number" },
        { WIRE("\x82\xca\x00\x00\x00\x00\x2a\x02\x07"), "", "not a small number" },
        { WIRE("\x83\x01\x2a\x02\x07\x63"), "", "ends early" },
        { WIRE("\x83\x01\x2a\x02\x07\x63\xa5x"), "", "ends early" },
        { WIRE("\x83\x01\x2a\x02\x07\x63\xc1"), "", "ends early" },
        { WIRE("\x83\x01\x2a\x02\x07\x63\x91\x91\x91\x91\x91\x91\x91\x90"), "", "deeper than 8" },
        { WIRE("\x83\x01\x2a\x02\x07\x63\x81\x01\x81\x01\x81\x01\x81\x01\x81\x01\x81\x01\x81\x01"
               "\x80"),
                "", "deeper than 8" },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct fan_render_request request;

        assert_int_equal(decode(fixture, &fan_schema_render_request, rows[i].wire, &request),
                FAN_INVALID);
        assert_non_null(strstr(fixture->why.text, "render_request"));
        assert_non_null(strstr(fixture->why.text, rows[i].text));
        if (*rows[i].field)
            assert_string_equal(fixture->why.field, rows[i].field);
    }
}

static void what_is_wrong_in_texts_and_lists_is_refused(void **state)
{
    static const struct {
        struct fan_bytes wire;
        const char *text;
    } rows[] = {
        { WIRE("\x81\x02\x01"), "hello.role is not text" },
        { WIRE("\x81\x02\xc4\x01x"), "hello.role is not text" },
        { WIRE("\x81\x02\xa1\xff"), "hello.role is not UTF-8" },
        { WIRE("\x81\x02\xa2\xc3"), "hello.role ends early" },
        { WIRE("\x81\x02\xd9\x21xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
                "hello.role has 33 bytes, at most 32" },
        { WIRE("\x81\x04\x80"), "hello.takes is not a list" },
        { WIRE("\x81\x04\x91\xa1x"), "hello.takes is not an integer" },
        { WIRE("\x81\x04\x91\xff"), "hello.takes is out of range" },
        { WIRE("\x81\x04\x92\x01"), "hello.takes ends early" },
        { WIRE("\x81\x04\xdc\x00\x21\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
               "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
                "hello.takes has 33 items, at most 32" },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct fan_hello hello;
        assert_int_equal(decode(fixture, &fan_schema_hello, rows[i].wire, &hello), FAN_INVALID);
        assert_non_null(strstr(fixture->why.text, rows[i].text));
    }
}

static void what_is_wrong_in_a_record_is_refused(void **state)
{
    static const struct {
        struct fan_bytes wire;
        const char *text;
    } rows[] = {
        { WIRE("\x81\x04\x91\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"), "copy is not a map" },
        { WIRE("\x81\x04\x91\x80\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"),
                "copy.message is missing" },
        { WIRE("\x81\x04\x91\x80"), "send_request.copies ends early" },
        { WIRE("\x81\x04\x91\x85\x01\x01\x02\x02\x03\x03\x04\x04\x05\xa0"),
                "copy.address is not text" },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct fan_send_request request;
        assert_int_equal(decode(fixture, &fan_schema_send_request, rows[i].wire, &request),
                FAN_INVALID);
        assert_non_null(strstr(fixture->why.text, rows[i].text));
    }
}

/* Frames of a few bytes that announce gigabytes: nothing is allocated for them. */
static void an_announced_length_is_not_believed(void **state)
{
    static const struct fan_bytes rows[] = {
        WIRE("\xdf\x10\x00\x00\x00"), /* a map of 268 million entries */
        WIRE("\xdf\xff\xff\xff\xff"),
        WIRE("\xdd\x10\x00\x00\x00"),         /* an array, where a map should be */
        WIRE("\x81\x04\xdd\x10\x00\x00\x00"), /* 268 million copies, or ids */
        WIRE("\x81\x04\xdd\xff\xff\xff\xff"),
        WIRE("\x81\x04\xdc\x01\xf4\x80"),     /* 500 copies, one byte */
        WIRE("\x81\x63\xdd\x10\x00\x00\x00"), /* the same in what we skip */
        WIRE("\x81\x63\xdf\x7f\xff\xff\xff"),
        WIRE("\x81\x63\xdb\xff\xff\xff\xff"),
        WIRE("\x81\x63\xc6\xff\xff\xff\xff"),
        WIRE("\x81\x63\xc9\xff\xff\xff\xff\x00"),
        WIRE("\x81\x02\xdb\xff\xff\xff\xff"),
    };
    static const struct fan_schema *const schemas[] = {
        &fan_schema_send_request,
        &fan_schema_hello,
        &fan_schema_envelope,
    };
    struct fixture *fixture = *state;
    struct fan_send_request message; /* the largest of them */

    for (size_t i = 0; i < SIZE(rows); i++) {
        for (size_t k = 0; k < SIZE(schemas); k++) {
            char *room = fan_arena_alloc(fixture->arena, schemas[k]->size + sizeof message);
            size_t before = fan_arena_used(fixture->arena);
            assert_int_equal(decode(fixture, schemas[k], rows[i], room), FAN_INVALID);
            assert_int_equal(fan_arena_used(fixture->arena), before);
        }
    }
}

static void deep_nesting_does_not_recurse(void **state)
{
    struct fixture *fixture = *state;
    struct fan_render_request request;

    fan_buffer_add_text(&fixture->out, "\x81\x63");
    for (int i = 0; i < 1000000; i++)
        fan_buffer_add_char(&fixture->out, '\x91');
    assert_int_equal(decode(fixture, &fan_schema_render_request, fan_buffer_bytes(&fixture->out),
                             &request),
            FAN_INVALID);
}

static void a_body_cut_anywhere_is_refused(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; fan_schemas[i]; i++) {
        const struct fan_schema *schema = fan_schemas[i];
        void *back = fan_arena_alloc(fixture->arena, schema->size);

        fan_buffer_clear(&fixture->out);
        fan_encode(schema, sample(schema, fixture->arena), &fixture->out);
        for (size_t len = 0; len < fixture->out.len; len++)
            assert_int_equal(decode(fixture, schema, (struct fan_bytes){ fixture->out.at, len },
                                     back),
                    FAN_INVALID);
    }
}

/* Whatever a changed byte makes of a body, it is read or refused, never worse. */
static void a_body_with_any_byte_changed_does_no_harm(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; fan_schemas[i]; i++) {
        const struct fan_schema *schema = fan_schemas[i];
        void *back = fan_arena_alloc(fixture->arena, schema->size);

        fan_buffer_clear(&fixture->out);
        fan_encode(schema, sample(schema, fixture->arena), &fixture->out);
        for (size_t at = 0; at < fixture->out.len; at++) {
            char kept = fixture->out.at[at];
            for (int byte = 0; byte < 256; byte++) {
                fixture->out.at[at] = (char)byte;
                (void)!decode(fixture, schema, fan_buffer_bytes(&fixture->out), back);
            }
            fixture->out.at[at] = kept;
        }
    }
}

static void text_points_into_the_wire(void **state)
{
    static const char wire[] = "\x83\x01\x01\x02\x02\x03\xa5ipc:/";
    struct fixture *fixture = *state;
    struct fan_welcome welcome;

    assert_int_equal(fan_decode(&fan_schema_welcome, (struct fan_bytes){ wire, sizeof wire - 1 },
                             fixture->arena, &welcome, NULL),
            FAN_OK);
    assert_ptr_equal(welcome.endpoint.at, wire + 7);
    assert_int_equal(welcome.endpoint.len, 5);
}

static void the_first_of_two_bodies_can_be_read_alone(void **state)
{
    static const char wire[] = "\x82\x01\x2a\x02\x07\x80";
    struct fixture *fixture = *state;
    struct fan_render_request request;
    struct fan_bytes rest;

    assert_int_equal(fan_decode_first(&fan_schema_render_request,
                             (struct fan_bytes){ wire, sizeof wire - 1 }, &rest, fixture->arena,
                             &request, &fixture->why),
            FAN_OK);
    assert_ptr_equal(rest.at, wire + 5);
    assert_int_equal(rest.len, 1);
}

/* A record that holds itself could nest for ever. */
struct nest {
    struct fan_list inside;
};

extern const struct fan_schema nest;

static const struct fan_field *nest_fields(void)
{
    static const struct fan_field fields[] = {
        { .key = 1, .type = FAN_TYPE_list, .name = "inside", .record = &nest },
    };

    return fields;
}

const struct fan_schema nest = {
    .name = "nest",
    .way = FAN_RECORD,
    .size = sizeof(struct nest),
    .fields = nest_fields,
    .count = 1,
};

static void records_nest_no_deeper_than_anything_else(void **state)
{
    struct nest message;

    assert_int_equal(decode(*state, &nest, FAN_LIT("\x81\x01\x91\x81\x01\x91\x81\x01\x91\x80"),
                             &message),
            FAN_OK);
    assert_int_equal(decode(*state, &nest,
                             FAN_LIT("\x81\x01\x91\x81\x01\x91\x81\x01\x91\x81\x01\x91\x80"),
                             &message),
            FAN_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_read, make, drop),
        cmocka_unit_test_setup_teardown(an_integer_may_come_in_any_form_that_holds_it, make, drop),
        cmocka_unit_test_setup_teardown(instants_before_1970_are_negative, make, drop),
        cmocka_unit_test_setup_teardown(the_largest_numbers_fit, make, drop),
        cmocka_unit_test_setup_teardown(a_field_from_the_future_is_skipped, make, drop),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_refused_and_named, make, drop),
        cmocka_unit_test_setup_teardown(what_is_wrong_in_texts_and_lists_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(what_is_wrong_in_a_record_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(an_announced_length_is_not_believed, make, drop),
        cmocka_unit_test_setup_teardown(deep_nesting_does_not_recurse, make, drop),
        cmocka_unit_test_setup_teardown(a_body_cut_anywhere_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_body_with_any_byte_changed_does_no_harm, make, drop),
        cmocka_unit_test_setup_teardown(text_points_into_the_wire, make, drop),
        cmocka_unit_test_setup_teardown(the_first_of_two_bodies_can_be_read_alone, make, drop),
        cmocka_unit_test_setup_teardown(records_nest_no_deeper_than_anything_else, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
