/* actors/ingester/spool.c, spool_sync.c and spool_reader.c: on a real disk. */
#include "actors/ingester/spool_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    PATH = 256,
    BIG = 100 * 1024,
    SMALL = SPOOL_RECORD_HEAD + 28 + 4 * 4 + 4 + 10, /* a record with ten bytes of body */
};

static char dir[PATH];
static const struct spool_options options = {
    .dir = dir,
    .cap = 1 << 20,
    .segment = 256 * 1024,
    .sync_ms = 1,
};
static struct fan_loop *loop;
static struct spool *spool;
static struct spool_reader *reader;
static int waiting, unsafe; /* appends of which nothing was said yet; said not to be safe */
static bool may_fail;

/* ---- the steps ---- */

static void open_spool(void)
{
    struct fan_why why;

    assert_int_equal(spool_open(loop, &options, &spool, &why), FAN_OK);
    reader = spool_reader_open(spool);
}

static void close_spool(void)
{
    spool_reader_close(&reader);
    spool_close(&spool);
}

static void on_done(void *context, bool safe)
{
    assert_true(safe || may_fail);
    unsafe += !safe;
    if (--waiting == 0)
        fan_loop_stop(loop);
}

static enum fan_err append(fan_id subject, size_t body_len)
{
    static const char body[BIG];
    const struct spool_record record = {
        .sort = SPOOL_HOOK,
        .account = 1,
        .subject = subject,
        .method = FAN_LIT("POST"),
        .body = { body, body_len },
    };
    struct fan_why why;
    enum fan_err err = spool_append(spool, &record, on_done, NULL, &why);

    waiting += !err;
    return err;
}

static void write_some(fan_id from, int count, size_t body_len)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(append(from + i, body_len), FAN_OK);
    fan_loop_run(loop); /* until all are safe */
}

static void assert_reads(fan_id from, int count)
{
    struct spool_record record;

    for (int i = 0; i < count; i++) {
        assert_true(spool_reader_next(reader, &record));
        assert_int_equal(record.subject, from + i);
    }
    assert_false(spool_reader_next(reader, &record));
}

static size_t files(const char *pattern, char first[PATH])
{
    char path[2 * PATH];
    glob_t found;
    size_t count;

    snprintf(path, sizeof path, "%s/%s", dir, pattern);
    if (glob(path, 0, NULL, &found) != 0)
        return 0;
    count = found.gl_pathc;
    if (first)
        snprintf(first, PATH, "%s", found.gl_pathv[0]);
    globfree(&found);
    return count;
}

static int setup(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/fan-spool-XXXXXX");
    assert_non_null(mkdtemp(dir));
    loop = fan_loop_new();
    open_spool();
    return 0;
}

static int teardown(void **state)
{
    char command[2 * PATH];

    close_spool();
    fan_loop_free(&loop);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* ---- the tests ---- */

static void what_is_safe_can_be_read_in_order(void **state)
{
    struct spool_record record;

    assert_false(spool_reader_next(reader, &record));
    write_some(1, 100, 10);
    assert_reads(1, 100);
    write_some(101, 3, 10);
    assert_reads(101, 3);
}

static void what_was_not_applied_is_read_again_by_the_next_process(void **state)
{
    struct spool_place place;
    struct spool_record record;

    write_some(1, 5, 10);
    assert_true(spool_reader_next(reader, &record));
    assert_true(spool_reader_next(reader, &record));
    place = spool_reader_place(reader);
    assert_true(spool_reader_next(reader, &record));
    spool_reader_applied(reader, place);
    close_spool();
    open_spool();
    assert_reads(3, 3);
}

static void segments_that_were_applied_are_deleted(void **state)
{
    write_some(1, 9, BIG);
    assert_int_equal(files("*.seg", NULL), 5);
    assert_reads(1, 9);
    spool_reader_applied(reader, spool_reader_place(reader));
    assert_int_equal(files("*.seg", NULL), 1);
    assert_true(spool_bytes(spool) < 3 * BIG);
    close_spool();
    open_spool();
    assert_reads(10, 0);
    spool_reader_applied(reader, spool_reader_place(reader));
    assert_int_equal(files("*.seg", NULL), 0);
    assert_int_equal(spool_bytes(spool), 0);
}

/* Numbers must not begin again from 1 when all segments are gone: the place would lie behind. */
static void what_comes_after_an_empty_spool_is_read(void **state)
{
    for (int round = 0; round < 3; round++) {
        write_some(1 + 10 * round, 2, 10);
        assert_reads(1 + 10 * round, 2);
        spool_reader_applied(reader, spool_reader_place(reader));
        close_spool();
        open_spool();
        assert_reads(0, 0);
        spool_reader_applied(reader, spool_reader_place(reader));
        close_spool();
        open_spool();
    }
}

static void a_lost_cursor_means_reading_again(void **state)
{
    char path[2 * PATH];

    write_some(1, 3, 10);
    assert_reads(1, 3);
    spool_reader_applied(reader, spool_reader_place(reader));
    close_spool();
    snprintf(path, sizeof path, "%s/cursor", dir);
    assert_int_equal(truncate(path, 7), 0);
    open_spool();
    assert_reads(1, 3);
}

static void a_record_that_was_cut_is_passed_over(void **state)
{
    char path[PATH];

    write_some(1, 3, 10);
    close_spool();
    assert_int_equal(files("*.seg", path), 1);
    for (off_t len = SPOOL_SEGMENT_HEAD + 2 * SMALL + 1; len < SPOOL_SEGMENT_HEAD + 3 * SMALL;
            len++) {
        assert_int_equal(truncate(path, len), 0);
        open_spool();
        assert_reads(1, 2);
        close_spool();
    }
    open_spool();
    write_some(7, 1, 10); /* in a segment of its own */
    assert_true(spool_reader_next(reader, &(struct spool_record){ 0 }));
    assert_true(spool_reader_next(reader, &(struct spool_record){ 0 }));
    assert_reads(7, 1);
}

static void a_damaged_record_is_set_aside_and_the_next_one_read(void **state)
{
    struct spool_record record;
    char path[PATH];
    int fd;

    write_some(1, 3, 10);
    assert_int_equal(files("*.seg", path), 1);
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "\xee", 1, SPOOL_SEGMENT_HEAD + SMALL + 40), 1);
    close(fd);
    assert_true(spool_reader_next(reader, &record));
    assert_true(spool_reader_next(reader, &record));
    assert_int_equal(record.subject, 3);
    assert_int_equal(files("bad/*.rec", NULL), 1);
}

/* Whatever bit of a segment turns, one record is lost at most, and never another. */
static void a_damaged_bit_costs_one_record_at_most(void **state)
{
    enum { SIZE = SPOOL_SEGMENT_HEAD + 4 * SMALL };
    char path[PATH], bytes[SIZE];
    int fd;

    write_some(1, 4, 10);
    close_spool();
    assert_int_equal(files("*.seg", path), 1);
    fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, bytes, SIZE, 0), SIZE);
    for (off_t at = 0; at < SIZE; at++) {
        int hurt = at < SPOOL_SEGMENT_HEAD ? -1 : (int)(at - SPOOL_SEGMENT_HEAD) / SMALL;
        char bad = bytes[at] ^ (char)(1 << at % 8);
        struct spool_record record;

        assert_int_equal(pwrite(fd, &bad, 1, at), 1);
        open_spool();
        for (int i = 0; i < 4; i++) {
            if (i == hurt)
                continue;
            assert_true(spool_reader_next(reader, &record));
            assert_int_equal(record.subject, 1 + i);
        }
        assert_false(spool_reader_next(reader, &record));
        close_spool();
        assert_int_equal(pwrite(fd, bytes + at, 1, at), 1);
    }
    close(fd);
    assert_int_equal(files("bad/*.rec", NULL), 4);
    open_spool();
}

static void what_is_no_segment_of_ours_is_kept(void **state)
{
    char path[2 * PATH];
    int fd;

    close_spool();
    snprintf(path, sizeof path, "%s/0000000000000001.seg", dir);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, 1000), 0);
    close(fd);
    open_spool();
    write_some(5, 2, 10);
    assert_reads(5, 2);
    assert_int_equal(files("bad/*.seg", NULL), 1);
    spool_reader_applied(reader, spool_reader_place(reader));
    assert_int_equal(spool_waiting(spool), 0);
}

static void what_waits_to_be_applied_is_known(void **state)
{
    assert_int_equal(spool_waiting(spool), 0);
    write_some(1, 3, 10);
    assert_int_equal(spool_waiting(spool), SPOOL_SEGMENT_HEAD + 3 * SMALL);
    assert_reads(1, 3);
    spool_reader_applied(reader, spool_reader_place(reader));
    assert_int_equal(spool_waiting(spool), 0);
    write_some(4, 1, 10);
    assert_int_equal(spool_waiting(spool), SMALL);
    close_spool();
    open_spool();
    assert_reads(4, 1);
    spool_reader_applied(reader, spool_reader_place(reader));
    assert_int_equal(spool_waiting(spool), 0);
}

static void a_segment_without_a_head_is_passed_over(void **state)
{
    char path[2 * PATH];
    int fd;

    close_spool();
    snprintf(path, sizeof path, "%s/0000000000000001.seg", dir);
    fd = open(path, O_WRONLY | O_CREAT, 0600); /* its process was killed right here */
    close(fd);
    open_spool();
    write_some(5, 2, 10);
    assert_reads(5, 2);
}

static void a_full_spool_takes_nothing_until_some_was_applied(void **state)
{
    int taken = 0;

    while (append(taken + 1, BIG) == FAN_OK)
        taken++;
    fan_loop_run(loop);
    assert_in_range(taken, 9, 10);
    assert_true(spool_bytes(spool) <= 1 << 20);
    assert_reads(1, taken);
    spool_reader_applied(reader, spool_reader_place(reader));
    assert_int_equal(append(50, BIG), FAN_OK);
    fan_loop_run(loop);
    assert_reads(50, 1);
}

/* The kernel takes a part of the batch, as from a disk that gets full. */
static void what_the_disk_cuts_short_is_refused_and_its_room_given_back(void **state)
{
    struct rlimit old, small = { .rlim_cur = SPOOL_SEGMENT_HEAD + 7 * SMALL + 3 };

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    write_some(1, 5, 10);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    may_fail = true;
    unsafe = 0;
    write_some(6, 5, 10);
    may_fail = false;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(unsafe, 5);
    assert_int_equal(spool_bytes(spool), SPOOL_SEGMENT_HEAD + 5 * SMALL);
    assert_reads(1, 5);
    write_some(11, 3, 10); /* in another segment */
    assert_reads(11, 3);
    spool_reader_applied(reader, spool_reader_place(reader));
    assert_int_equal(spool_bytes(spool), SPOOL_SEGMENT_HEAD + 3 * SMALL);
}

static void a_spool_belongs_to_one_process(void **state)
{
    struct spool *other = NULL;
    struct fan_why why;

    assert_int_equal(spool_open(loop, &options, &other, &why), FAN_CONFLICT);
    assert_null(other);
}

static void going_back_reads_the_same_again(void **state)
{
    struct spool_place place = spool_reader_place(reader);

    write_some(1, 4, BIG);
    assert_reads(1, 4);
    spool_reader_seek(reader, place);
    assert_reads(1, 4);
}

static void a_reader_waits_until_there_is_something(void **state)
{
    struct spool_place end;

    write_some(1, 1, 10);
    end = spool_end(spool);
    spool_wait(spool, (struct spool_place){ end.segment, SPOOL_SEGMENT_HEAD }, 60000);
    spool_wait(spool, end, 20); /* nothing comes: it ends all the same */
    spool_wake(spool);
    spool_wait(spool, end, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_safe_can_be_read_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_applied_is_read_again_by_the_next_process,
                setup, teardown),
        cmocka_unit_test_setup_teardown(segments_that_were_applied_are_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(what_comes_after_an_empty_spool_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_cursor_means_reading_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_that_was_cut_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_record_is_set_aside_and_the_next_one_read, setup,
                teardown),
        cmocka_unit_test_setup_teardown(a_damaged_bit_costs_one_record_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_segment_of_ours_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_to_be_applied_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(a_segment_without_a_head_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_spool_takes_nothing_until_some_was_applied, setup,
                teardown),
        cmocka_unit_test_setup_teardown(what_the_disk_cuts_short_is_refused_and_its_room_given_back,
                setup, teardown),
        cmocka_unit_test_setup_teardown(a_spool_belongs_to_one_process, setup, teardown),
        cmocka_unit_test_setup_teardown(going_back_reads_the_same_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_waits_until_there_is_something, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
