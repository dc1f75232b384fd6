#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "proto/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static char dir[] = "/tmp/fan-fault-XXXXXX";

/* As the runner does: the version first, odd while it writes. */
static void plan(uint32_t version, const char *text)
{
    char page[PAGE] = "", path[64];
    int fd;

    memcpy(page, &version, sizeof version);
    strcpy(page + sizeof version, text);
    snprintf(path, sizeof path, "%s/plan", dir);
    fd = open(path, O_RDWR | O_CREAT, 0644);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, page, PAGE, 0), PAGE);
    close(fd);
}

static bool has_mark(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static void a_fault_happens_at_its_pass_and_once(void **state)
{
    plan(2, "a:here:3:fail");
    for (int pass = 1; pass < 10; pass++)
        assert_int_equal(FAN_FAULTY("here"), pass == 3);
    assert_true(has_mark("a.1"));
    assert_false(has_mark("a.2"));
    plan(4, "a:here:3:fail");
    for (int pass = 1; pass < 10; pass++)
        assert_false(FAN_FAULTY("here")); /* the mark is there */
}

static void a_fault_happens_so_many_times_or_without_end(void **state)
{
    int twice = 0, always = 0;

    plan(6, "b:here:1:fail:0:2,c:there:1:fail:0:0");
    for (int pass = 0; pass < 10; pass++) {
        twice += FAN_FAULTY("here");
        always += FAN_FAULTY("there");
    }
    assert_int_equal(twice, 2);
    assert_int_equal(always, 10);
}

static void a_place_may_be_many_and_a_process_one(void **state)
{
    plan(8, "d:part.*:2:fail,e:other@nobody:1:fail,f:other2@test-unit:1:fail");
    assert_false(FAN_FAULTY("part.one"));
    assert_true(FAN_FAULTY("part.two"));
    assert_false(FAN_FAULTY("other"));
    assert_true(FAN_FAULTY("other2"));
}

static void of_several_at_one_place_the_latest_happens(void **state)
{
    int failed = 0;

    plan(20, "m:here:1:sleep:0:0,n:here:3:fail");
    for (int pass = 1; pass < 10; pass++)
        failed += FAN_FAULTY("here") ? pass : 0;
    assert_int_equal(failed, 3);
}

static void a_moment_may_be_about_somebody(void **state)
{
    plan(22, "o:here/ann:1:fail");
    FAN_FAULT_ABOUT("here", FAN_LIT("bob"));
    FAN_FAULT("here");
    assert_false(has_mark("o.1"));
    FAN_FAULT_ABOUT("here", FAN_LIT("ann"));
    assert_true(has_mark("o.1"));
}

static void a_plan_that_is_being_written_is_not_read(void **state)
{
    plan(9, "g:here:1:fail");
    assert_false(FAN_FAULTY("here"));
    plan(10, "g:here:1:fail");
    assert_true(FAN_FAULTY("here"));
}

static void what_is_no_rule_is_passed_over(void **state)
{
    plan(12, ",:::,nothing,h:here:0:fail,i:here:x:fail,seed=,j:there:1:fail,");
    assert_false(FAN_FAULTY("here"));
    assert_true(FAN_FAULTY("there"));
}

static void at_random_it_is_the_same_for_the_same_seed_and_start(void **state)
{
    int fired = 0;

    plan(14, "seed=7,k:here:1/10:fail:0:10000");
    for (int pass = 0; pass < 1000; pass++)
        fired += FAN_FAULTY("here");
    assert_in_range(fired, 50, 150);
    assert_true(has_mark("start.test-unit-proto-fault.1"));
}

static void a_process_can_be_killed(void **state)
{
    int status;
    pid_t pid;

    plan(16, "l:here:2:kill");
    pid = fork();
    if (pid == 0) {
        FAN_FAULT("here");
        FAN_FAULT("here");
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_true(has_mark("l.1"));
}

static int make_folder(void **state)
{
    if (!mkdtemp(dir))
        return -1;
    plan(0, "");
    return setenv("FAN_FAULT_DIR", dir, 1);
}

static int drop_folder(void **state)
{
    char command[64];

    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_happens_at_its_pass_and_once),
        cmocka_unit_test(a_fault_happens_so_many_times_or_without_end),
        cmocka_unit_test(a_place_may_be_many_and_a_process_one),
        cmocka_unit_test(of_several_at_one_place_the_latest_happens),
        cmocka_unit_test(a_moment_may_be_about_somebody),
        cmocka_unit_test(a_plan_that_is_being_written_is_not_read),
        cmocka_unit_test(what_is_no_rule_is_passed_over),
        cmocka_unit_test(at_random_it_is_the_same_for_the_same_seed_and_start),
        cmocka_unit_test(a_process_can_be_killed),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
