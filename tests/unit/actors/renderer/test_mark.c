/* What a renderer that died was writing. */
#include "actors/renderer/mark.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { OWNER = 0xabc, BOOT_AT = 8 /* in the file, behind the magic */ };

static char folder[64];

static int make(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/fan-mark-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    return remove(path);
}

static int drop(void **state)
{
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct mark *create(uint64_t owner)
{
    struct fan_why why = { 0 };
    struct mark *mark = NULL;

    assert_int_equal(mark_create(folder, owner, &mark, &why), FAN_OK);
    return mark;
}

static void die_writing(void)
{
    struct mark *mark = create(OWNER);

    mark_chunk(mark, 7, 42);
    mark_writing(mark, 0);
    mark_writing(mark, 17);
    _exit(0); /* nothing is unlocked on purpose */
}

static void die_later(void)
{
    struct mark *mark = create(OWNER);

    mark_chunk(mark, 7, 42);
    mark_writing(mark, 17);
    mark_written(mark);
    _exit(0);
}

/* Let @life happen in another process, to its end. */
static void in_a_child(void (*life)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        life();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void overwrite(off_t at, const char *text)
{
    char path[160];
    int fd;

    snprintf(path, sizeof path, "%s/renderer-%016x.mark", folder, OWNER);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
    close(fd);
}

static void a_dead_renderers_mark_says_what_it_was_writing(void **state)
{
    struct mark *ours = create(1);
    struct mark_left left;

    in_a_child(die_writing);
    assert_true(mark_find_left(folder, ours, &left));
    assert_int_equal(left.owner, OWNER);
    assert_int_equal(left.account, 7);
    assert_int_equal(left.chunk, 42);
    assert_int_equal(left.position, 17);
    mark_left_close(&left, false);
    assert_true(mark_find_left(folder, ours, &left)); /* for another try */
    mark_left_close(&left, true);
    assert_false(mark_find_left(folder, ours, &left));
    mark_remove(&ours);
}

static void one_that_died_of_something_else_accuses_nobody(void **state)
{
    struct mark_left left;

    in_a_child(die_later);
    assert_true(mark_find_left(folder, NULL, &left));
    assert_int_equal(left.position, -1);
    mark_left_close(&left, true);
    assert_false(mark_find_left(folder, NULL, &left));
}

static void a_page_of_another_boot_or_of_strangers_is_not_believed(void **state)
{
    static const struct {
        off_t at;
        const char *text;
    } wrongs[] = { { BOOT_AT, "another" }, { 0, "FANMARK0" } };

    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        struct mark_left left;

        in_a_child(die_writing);
        overwrite(wrongs[i].at, wrongs[i].text);
        assert_true(mark_find_left(folder, NULL, &left));
        assert_int_equal(left.position, -1);
        mark_left_close(&left, true);
    }
}

static void the_living_are_not_asked(void **state)
{
    int ready[2], end[2];
    struct mark_left left;
    char word;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    pid = fork();
    if (pid == 0) {
        struct mark *mark = create(OWNER);

        mark_writing(mark, 1);
        if (write(ready[1], "r", 1) == 1 && read(end[0], &word, 1) == 1)
            mark_remove(&mark);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &word, 1), 1);
    assert_false(mark_find_left(folder, NULL, &left));
    assert_int_equal(write(end[1], "e", 1), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(mark_find_left(folder, NULL, &left)); /* it left in good order */
}

static void without_a_mark_nothing_is_written_down(void **state)
{
    struct fan_why why = { 0 };
    struct mark *mark = NULL;

    assert_int_equal(mark_create("/proc/nowhere", OWNER, &mark, &why), FAN_UNAVAILABLE);
    assert_null(mark);
    assert_non_null(strstr(why.text, "/proc/nowhere"));
    mark_chunk(mark, 1, 1);
    mark_writing(mark, 1);
    mark_written(mark);
    mark_remove(&mark);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dead_renderers_mark_says_what_it_was_writing),
        TEST(one_that_died_of_something_else_accuses_nobody),
        TEST(a_page_of_another_boot_or_of_strangers_is_not_believed),
        TEST(the_living_are_not_asked),
        TEST(without_a_mark_nothing_is_written_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
