/* actors/ingester/spool_format.c; tests/fuzz/fuzz_spool.c reads anything else. */
#include "actors/ingester/spool_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka wants the headers above
#include <cmocka.h>

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
    spool_record_write(&sample, out);
    assert_false(out->overflowed);
}

static void a_record_reads_back_as_it_was_written(void **state)
{
    struct spool_record record;
    struct fan_buffer out;
    size_t size;

    write_sample(&out);
    spool_record_write(&sample, &out);
    assert_int_equal(spool_record_read(fan_buffer_bytes(&out), &record, &size), SPOOL_WHOLE);
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
        assert_int_equal(spool_record_read((struct fan_bytes){ out.at, len }, &record, &size),
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
    for (size_t i = 8; i < out.len; i++) {
        out.at[i] ^= 0x10;
        assert_int_equal(spool_record_read(fan_buffer_bytes(&out), &record, &size), SPOOL_BROKEN);
        assert_int_equal(size, out.len);
        out.at[i] ^= 0x10;
    }
    fan_buffer_fini(&out);
}

static void without_its_beginning_nothing_behind_a_record_can_be_reached(void **state)
{
    struct spool_record record;
    struct fan_buffer out;
    size_t size;

    write_sample(&out);
    out.at[0] = 'R';
    assert_int_equal(spool_record_read(fan_buffer_bytes(&out), &record, &size), SPOOL_BROKEN);
    assert_int_equal(size, 0);
    out.at[0] = 'r';
    out.at[7] = 0x7f; /* two gigabytes */
    assert_int_equal(spool_record_read(fan_buffer_bytes(&out), &record, &size), SPOOL_BROKEN);
    assert_int_equal(size, 0);
    fan_buffer_fini(&out);
}

static void a_record_beyond_the_cap_is_refused(void **state)
{
    struct spool_record large = sample;
    struct fan_buffer out;
    char *body = calloc(1, SPOOL_RECORD_MAX);

    large.body = (struct fan_bytes){ body, SPOOL_RECORD_MAX };
    fan_buffer_init(&out, 2 * SPOOL_RECORD_MAX);
    spool_record_write(&large, &out);
    assert_true(out.overflowed);
    fan_buffer_fini(&out);
    free(body);
}

static void a_head_is_known_by_its_words_and_version(void **state)
{
    char head[SPOOL_SEGMENT_HEAD];

    spool_head_write(head);
    assert_true(spool_head_ok((struct fan_bytes){ head, sizeof head }));
    assert_false(spool_head_ok((struct fan_bytes){ head, sizeof head - 1 }));
    head[8]++;
    assert_false(spool_head_ok((struct fan_bytes){ head, sizeof head }));
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
        cmocka_unit_test(without_its_beginning_nothing_behind_a_record_can_be_reached),
        cmocka_unit_test(a_record_beyond_the_cap_is_refused),
        cmocka_unit_test(a_head_is_known_by_its_words_and_version),
        cmocka_unit_test(checksums_are_those_of_the_rfc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
