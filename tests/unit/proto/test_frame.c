#include "proto/frame.h"
#include "tests/unit/proto/golden.h"
#include "tests/unit/proto/sample.h"

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

/* A frame with every part said. */
static struct fan_frame full_frame(void)
{
    return (struct fan_frame){
        .route = { .account = 7,
                .run = 0x0102030405,
                .lane = FAN_LANE_URGENT,
                .kind = FAN_KIND_EMAIL,
                .not_after = INT64_C(1795156939123456) },
        .incarnation = UINT64_C(0xfedcba9876543210),
        .sequence = 99,
        .sent_at = INT64_C(1795156934123456),
        .trace = { FAN_LIT("0123456789abcdef"), FAN_LIT("ABCDEFGH") },
    };
}

static struct fan_bytes encode(struct fixture *fixture, const struct fan_frame *frame,
        const struct fan_schema *schema)
{
    fan_buffer_clear(&fixture->out);
    fan_frame_encode(frame, schema, sample(schema, fixture->arena), &fixture->out);
    assert_false(fixture->out.overflowed);
    return fan_buffer_bytes(&fixture->out);
}

static void a_frame_comes_back_as_it_went(void **state)
{
    struct fixture *fixture = *state;
    struct fan_frame sent = full_frame(), got;
    struct fan_render_request request;
    struct fan_bytes wire = encode(fixture, &sent, &fan_schema_render_request);

    assert_int_equal(fan_frame_decode(wire, &got, &fixture->why), FAN_OK);
    assert_int_equal(got.number, FAN_MSG_render_request);
    assert_int_equal(got.route.account, sent.route.account);
    assert_int_equal(got.route.run, sent.route.run);
    assert_int_equal(got.route.lane, sent.route.lane);
    assert_int_equal(got.route.kind, sent.route.kind);
    assert_int_equal(got.route.not_after, sent.route.not_after);
    assert_int_equal(got.version, FAN_WIRE_VERSION);
    assert_true(got.incarnation == sent.incarnation);
    assert_int_equal(got.sequence, sent.sequence);
    assert_int_equal(got.sent_at, sent.sent_at);
    assert_true(fan_bytes_eq(got.trace.trace_id, sent.trace.trace_id));
    assert_true(fan_bytes_eq(got.trace.span_id, sent.trace.span_id));
    assert_int_equal(fan_decode(&fan_schema_render_request, got.body, fixture->arena, &request,
                             &fixture->why),
            FAN_OK);
}

static void what_is_not_said_reads_as_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct fan_frame sent = { 0 }, got;
    struct fan_bytes wire = encode(fixture, &sent, &fan_schema_control_changed);

    assert_int_equal(wire.len, FAN_FRAME_HEADER + 2);
    assert_int_equal(fan_frame_decode(wire, &got, &fixture->why), FAN_OK);
    assert_int_equal(got.route.lane, FAN_LANE_NORMAL);
    assert_int_equal(got.route.kind, 0);
    assert_int_equal(got.route.not_after, 0);
    assert_null(got.trace.trace_id.at);
    assert_true(fan_bytes_eq(got.body, FAN_LIT("\x80")));
}

static void an_incarnation_may_stand_for_the_run(void **state)
{
    struct fixture *fixture = *state;
    struct fan_frame sent = { .route = { .run = (fan_id)UINT64_C(0xfedcba9876543210) } }, got;
    struct fan_bytes wire = encode(fixture, &sent, &fan_schema_welcome);

    assert_int_equal(fan_frame_decode(wire, &got, &fixture->why), FAN_OK);
    assert_true((uint64_t)got.route.run == UINT64_C(0xfedcba9876543210));
}

static void an_unknown_number_is_still_a_frame(void **state)
{
    struct fixture *fixture = *state;
    struct fan_frame sent = { 0 }, got;
    struct fan_bytes wire = encode(fixture, &sent, &fan_schema_ping);

    fixture->out.at[0] = 0x7f;
    assert_int_equal(fan_frame_decode(wire, &got, &fixture->why), FAN_OK);
    assert_int_equal(got.number, 0x7f06);
    assert_null(fan_schema_of(got.number));
}

static void a_header_that_cannot_be_is_refused(void **state)
{
    static const struct {
        size_t at;
        unsigned char byte;
        const char *text;
    } rows[] = {
        { 18, 0, "version 0" },
        { 18, 2, "version 2" },
        { 2, 0x80, "account" }, /* negative */
        { 3, 0x20, "account" }, /* 2^53 */
        { 19, FAN_LANE_COUNT, "lane" },
        { 20, FAN_KIND_COUNT, "kind" },
        { 20, 255, "kind 255" },
        { 40, 0xc0, "envelope is not a map" },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fan_frame frame = full_frame(), got;
        struct fan_bytes wire = encode(fixture, &frame, &fan_schema_render_request);

        fixture->out.at[rows[i].at] = (char)rows[i].byte;
        assert_int_equal(fan_frame_decode(wire, &got, &fixture->why), FAN_INVALID);
        assert_non_null(strstr(fixture->why.text, rows[i].text));
    }
}

static void a_trace_of_the_wrong_length_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct fan_frame frame = full_frame(), got;

    frame.trace.trace_id.len = 15;
    assert_int_equal(fan_frame_decode(encode(fixture, &frame, &fan_schema_ping), &got,
                             &fixture->why),
            FAN_INVALID);
    frame = full_frame();
    frame.trace.span_id.len = 7;
    assert_int_equal(fan_frame_decode(encode(fixture, &frame, &fan_schema_ping), &got,
                             &fixture->why),
            FAN_INVALID);
}

static void a_frame_cut_before_its_body_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct fan_frame frame = full_frame(), got;
    struct fan_bytes wire = encode(fixture, &frame, &fan_schema_control_changed);

    for (size_t len = 0; len < wire.len - 1; len++)
        assert_int_equal(fan_frame_decode((struct fan_bytes){ wire.at, len }, &got, &fixture->why),
                FAN_INVALID);
    assert_int_equal(fan_frame_decode(FAN_NO_BYTES, &got, &fixture->why), FAN_INVALID);
}

static void a_frame_over_a_mebibyte_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct fan_frame frame = full_frame(), got;
    char *wire = calloc(1, FAN_FRAME_MAX + 1);
    struct fan_bytes start = encode(fixture, &frame, &fan_schema_ping);

    memcpy(wire, start.at, start.len);
    assert_int_equal(fan_frame_decode((struct fan_bytes){ wire, FAN_FRAME_MAX }, &got,
                             &fixture->why),
            FAN_OK);
    assert_int_equal(fan_frame_decode((struct fan_bytes){ wire, FAN_FRAME_MAX + 1 }, &got,
                             &fixture->why),
            FAN_INVALID);
    free(wire);
}

static void a_subscription_is_a_prefix_of_the_frames_it_wants(void **state)
{
    static const struct {
        fan_id account;
        uint64_t run;
        size_t len;
    } rows[] = {
        { 0, 0, 2 },
        { 7, 0, 10 },
        { 7, 0x0102030405, 18 },
    };
    struct fixture *fixture = *state;
    struct fan_frame frame = full_frame();
    struct fan_bytes wire = encode(fixture, &frame, &fan_schema_run_changed);
    char prefix[18];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = fan_frame_prefix(FAN_MSG_run_changed, rows[i].account, rows[i].run, prefix);
        assert_int_equal(len, rows[i].len);
        assert_memory_equal(prefix, wire.at, len);
    }
    assert_int_equal(fan_frame_prefix(FAN_MSG_welcome, 0, 5, prefix), 18);
}

static void print_hex(struct fan_buffer *out, const char *title, struct fan_bytes bytes)
{
    fan_buffer_printf(out, "# %s, %zu bytes\n", title, bytes.len);
    while (bytes.len) {
        size_t len = bytes.len < 32 ? bytes.len : 32;
        fan_buffer_add_hex(out, (struct fan_bytes){ bytes.at, len });
        fan_buffer_add_char(out, '\n');
        bytes.at += len;
        bytes.len -= len;
    }
}

static void check_golden(struct fixture *fixture, const struct fan_schema *schema)
{
    struct fan_frame sent = full_frame(), got;
    struct fan_bytes wire = encode(fixture, &sent, schema);
    const char *path = fan_arena_printf(fixture->arena, "tests/golden/wire/%s.hex", schema->name);
    const char *envelope = wire.at + FAN_FRAME_HEADER;
    struct fan_buffer text;

    assert_int_equal(fan_frame_decode(wire, &got, &fixture->why), FAN_OK);
    fan_buffer_init(&text, 1 << 20);
    print_hex(&text, "header", (struct fan_bytes){ wire.at, FAN_FRAME_HEADER });
    print_hex(&text, "envelope", (struct fan_bytes){ envelope, (size_t)(got.body.at - envelope) });
    print_hex(&text, schema->name, got.body);
    assert_true(golden_holds(path, fan_buffer_bytes(&text)));
    fan_buffer_fini(&text);
}

static void the_bytes_of_every_message_are_those_on_file(void **state)
{
    for (size_t i = 0; fan_schemas[i]; i++)
        check_golden(*state, fan_schemas[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_frame_comes_back_as_it_went, make, drop),
        cmocka_unit_test_setup_teardown(what_is_not_said_reads_as_nothing, make, drop),
        cmocka_unit_test_setup_teardown(an_incarnation_may_stand_for_the_run, make, drop),
        cmocka_unit_test_setup_teardown(an_unknown_number_is_still_a_frame, make, drop),
        cmocka_unit_test_setup_teardown(a_header_that_cannot_be_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_trace_of_the_wrong_length_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_frame_cut_before_its_body_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_frame_over_a_mebibyte_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_subscription_is_a_prefix_of_the_frames_it_wants, make,
                drop),
        cmocka_unit_test_setup_teardown(the_bytes_of_every_message_are_those_on_file, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
