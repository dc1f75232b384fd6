/* actors/ingester/spool_format.c; tests/fuzz/fuzz_spool.c reads anything else. */
#include "actors/ingester/spool_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

static const uint64_t salt = 0x0123456789abcdef;

static const struct spool_record sample = {
    .arrived = 1795156934123456,
    .sort = SPOOL_HOOK,
    .account = 7,
    .subject = (INT64_C(1) << 53) - 1,
    .method = FAN_LIT("POST"),
    .url = FAN_LIT("https://in.example/hooks/7/3?m=a"),
    .headers = FAN_LIT("Content-Type: text/plain\r\n"),
    .body = { "a\0b", 3 },
};

static void assert_same(const struct spool_record *a, const struct spool_record *b)
{
    assert_int_equal(a->arrived, b->arrived);
    assert_int_equal(a->sort, b->sort);
    assert_int_equal(a->account, b->account);
    assert_int_equal(a->subject, b->subject);
    assert_true(fan_bytes_eq(a->method, b->method));
    assert_true(fan_bytes_eq(a->url, b->url));
    assert_true(fan_bytes_eq(a->headers, b->headers));
    assert_true(fan_bytes_eq(a->body, b->body));
}

static void write_sample(struct fan_buffer *out)
{
    fan_buffer_init(out, SPOOL_RECORD_MAX + SPOOL_RECORD_HEAD);
    spool_record_write(&sample, salt, out);
    assert_int_equal(out->len, spool_record_size(&sample));
}

static void a_record_reads_back_as_it_was_written(void **state)
{
    struct spool_record record;
    struct fan_buffer out;
    size_t size;

    write_sample(&out);
    spool_record_write(&sample, salt, &out);
    assert_int_equal(spool_record_read(fan_buffer_bytes(&out), salt, &record, &size), SPOOL_WHOLE);
    assert_int_equal(size, out.len / 2);
    assert_same(&record, &sample);
    fan_buffer_fini(&out);
}

static void a_record_that_is_cut_anywhere_is_a_part(void **state)
{
    struct spool_record record;
    struct fan_buffer out;
    size_t size;

    write_sample(&out);
    for (size_t len = 0; len < out.len; len++) {
        assert_int_equal(spool_record_read((struct fan_bytes){ out.at, len }, salt, &record, &size),
                SPOOL_PART);
        assert_int_equal(size, len < SPOOL_RECORD_HEAD ? SPOOL_RECORD_HEAD : out.len);
    }
    fan_buffer_fini(&out);
}

static void a_bit_that_turned_is_found_and_what_follows_can_be_reached(void **state)
{
    struct spool_record record;
    struct fan_buffer out;
    size_t size;

    write_sample(&out);
    for (size_t i = 0; i < out.len; i++) {
        out.at[i] ^= 0x10;
        assert_int_equal(spool_record_read(fan_buffer_bytes(&out), salt, &record, &size),
                SPOOL_BROKEN);
        assert_int_equal(size, i < SPOOL_RECORD_HEAD ? 0 : out.len);
        out.at[i] ^= 0x10;
    }
    fan_buffer_fini(&out);
}

static void a_record_of_another_segment_is_none(void **state)
{
    struct spool_record record;
    struct fan_buffer out;
    size_t size;

    write_sample(&out);
    assert_int_equal(spool_record_read(fan_buffer_bytes(&out), salt + 1, &record, &size),
            SPOOL_BROKEN);
    assert_int_equal(size, 0);
    fan_buffer_fini(&out);
}

static void the_next_record_is_found_wherever_it_begins(void **state)
{
    struct fan_buffer out;
    struct fan_bytes bytes;

    fan_buffer_init(&out, 4096);
    fan_buffer_add_text(&out, "rec2 rrec rec1 r");
    spool_record_write(&sample, salt, &out);
    bytes = fan_buffer_bytes(&out);
    assert_int_equal(spool_record_find(bytes), 16);
    for (size_t len = 17; len < 20; len++) /* the last bytes may be its first */
        assert_int_equal(spool_record_find((struct fan_bytes){ bytes.at, len }), 16);
    assert_int_equal(spool_record_find((struct fan_bytes){ bytes.at + 1, 15 }), 14);
    assert_int_equal(spool_record_find((struct fan_bytes){ bytes.at + 1, 14 }), 14);
    assert_int_equal(spool_record_find(FAN_NO_BYTES), 0);
    fan_buffer_fini(&out);
}

static void a_head_is_known_as_long_as_one_of_the_two_is_whole(void **state)
{
    char head[SPOOL_SEGMENT_HEAD];
    struct fan_bytes bytes = { head, sizeof head };
    uint64_t found = 0;

    spool_head_write(salt, head);
    for (size_t i = 0; i < sizeof head; i++) {
        head[i] ^= 0x01;
        assert_true(spool_head_read(bytes, &found));
        assert_true(found == salt);
        head[i] ^= 0x01;
    }
    head[8]++;
    head[8 + sizeof head / 2]++;
    assert_false(spool_head_read(bytes, &found));
    assert_false(spool_head_read((struct fan_bytes){ head, 7 }, &found));
}

/* RFC 3720, B.4 */
static void checksums_are_those_of_the_rfc(void **state)
{
    char bytes[32];

    assert_int_equal(spool_crc32c(FAN_LIT("123456789")), 0xe3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(spool_crc32c((struct fan_bytes){ bytes, sizeof bytes }), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(spool_crc32c((struct fan_bytes){ bytes, sizeof bytes }), 0x62a8ab43);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_reads_back_as_it_was_written),
        cmocka_unit_test(a_record_that_is_cut_anywhere_is_a_part),
        cmocka_unit_test(a_bit_that_turned_is_found_and_what_follows_can_be_reached),
        cmocka_unit_test(a_record_of_another_segment_is_none),
        cmocka_unit_test(the_next_record_is_found_wherever_it_begins),
        cmocka_unit_test(a_head_is_known_as_long_as_one_of_the_two_is_whole),
        cmocka_unit_test(checksums_are_those_of_the_rfc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
