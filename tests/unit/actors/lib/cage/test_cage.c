/*
 * The cage, from inside: this program starts itself as an inmate, which goes into the cage and then
 * tries to get out, to run for ever, or to take all memory.
 */
#include "actors/lib/cage/cage.h"
#include "actors/lib/cage/inmate.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MEMORY = 4096, DEADLINE_MS = 20000 };

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0"; /* a leak checker traces its process, which the cage forbids */
}

/* ---- inside ---- */

static void *nothing(void *argument)
{
    return argument;
}

static bool starts_thread(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static bool opens(const char *path)
{
    return syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) >= 0;
}

static bool takes(size_t bytes)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
            MAP_FAILED;
}

/* Returns whether it was done; many of these are never answered. */
static bool try(const char *what)
{
    static char *const argv[] = { (char *)"true", NULL };

    if (strcmp(what, "nothing") == 0)
        return true;
    if (strcmp(what, "open") == 0 || strcmp(what, "open-outside") == 0)
        return opens("/etc/passwd");
    if (strcmp(what, "open-inside") == 0)
        return opens("/usr/share/fonts");
    if (strcmp(what, "open-to-write") == 0)
        return syscall(SYS_openat, AT_FDCWD, "/tmp/fanfare-cage", O_WRONLY | O_CREAT, 0600) >= 0;
    if (strcmp(what, "socket") == 0)
        return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0;
    if (strcmp(what, "fork") == 0)
        return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0;
    if (strcmp(what, "thread") == 0)
        return starts_thread();
    if (strcmp(what, "exec") == 0)
        return syscall(SYS_execve, "/bin/true", argv, argv + 1) == 0;
    if (strcmp(what, "ptrace") == 0)
        return syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0) == 0;
    if (strcmp(what, "kill") == 0)
        return syscall(SYS_kill, getppid(), SIGCONT) == 0;
    if (strcmp(what, "code") == 0)
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                MAP_FAILED;
    if (strcmp(what, "10-gb") == 0)
        return takes((size_t)10 << 30);
    if (strcmp(what, "100-mb") == 0)
        return takes((size_t)100 << 20);
    for (volatile unsigned long i = 0;; i = i + 1) { /* "spin" */
    }
}

static int be_inmate(const char *what, bool reads)
{
    static const char *const readable[] = { "/usr/share", "/proc/self/statm" };
    const struct fan_cage cage = { .reads = reads, .memory = 512 << 20, .cpu_s = reads ? 0 : 1 };
    char question[8], answer;
    unsigned char *memory;
    size_t size;
    bool locked = false;
    struct fan_why why = { 0 };

    if (fan_inmate_arrive(&memory, &size, &why) ||
            (reads && fan_cage_files(readable, 2, &locked, &why)) || fan_cage_close(&cage, &why)) {
        fprintf(stderr, "%s\n", why.text);
        _exit(3);
    }
    if (recv(FAN_INMATE_SOCKET, question, sizeof question, 0) <= 0)
        _exit(4);
    memory[0]++;
    answer = try(what) ? 'y' : 'n';
    send(FAN_INMATE_SOCKET, &answer, 1, 0);
    _exit(0);
}

/* ---- outside ---- */

/* What an inmate says of @what: 'y' or 'n', or '-' when it did not answer. */
static char asked(const char *cage, const char *what, int deadline_ms, struct fan_why *why)
{
    const char *argv[] = { "/proc/self/exe", cage, what, NULL };
    struct fan_inmate inmate;
    bool taken;
    char answer = '?';
    enum fan_err err;

    assert_int_equal(fan_inmate_start(argv, MEMORY, &inmate, why), FAN_OK);
    err = fan_inmate_ask(&inmate, FAN_LIT("go"), &answer, 1, deadline_ms, &taken, why);
    if (err) {
        assert_int_equal(err, FAN_UNAVAILABLE);
        assert_int_equal(inmate.pid, 0);
        answer = '-';
    } else {
        assert_int_equal(inmate.memory[0], 1);
    }
    fan_inmate_stop(&inmate);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left to be reaped */
    return answer;
}

static void an_inmate_can_compute_and_answer(void **state)
{
    struct fan_why why = { 0 };

    assert_int_equal(asked("closed", "nothing", DEADLINE_MS, &why), 'y');
    assert_int_equal(asked("closed", "100-mb", DEADLINE_MS, &why), 'y');
    assert_int_equal(asked("reads", "nothing", DEADLINE_MS, &why), 'y');
    assert_int_equal(asked("reads", "thread", DEADLINE_MS, &why), 'y');
    assert_int_equal(asked("reads", "open-inside", DEADLINE_MS, &why), 'y');
}

static void whoever_tries_to_get_out_is_killed_by_the_filter(void **state)
{
    static const struct {
        const char *cage, *what;
    } attempts[] = { { "closed", "open" }, { "closed", "socket" }, { "closed", "fork" },
        { "closed", "thread" }, { "closed", "exec" }, { "closed", "ptrace" }, { "closed", "kill" },
        { "closed", "code" }, { "closed", "open-to-write" }, { "reads", "open-to-write" },
        { "reads", "socket" }, { "reads", "fork" }, { "reads", "exec" }, { "reads", "ptrace" },
        { "reads", "kill" }, { "reads", "code" } };

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        struct fan_why why = { 0 };

        if (asked(attempts[i].cage, attempts[i].what, DEADLINE_MS, &why) != '-' ||
                !strstr(why.text, "signal 31"))
            fail_msg("%s, %s: %s", attempts[i].cage, attempts[i].what, why.text);
    }
}

static void files_elsewhere_cannot_be_read(void **state)
{
    struct fan_why why = { 0 };
    bool locked = false;

    if (fork() == 0) { /* for good: not in this process */
        (void)!fan_cage_files(NULL, 0, &locked, &why);
        _exit(locked);
    } else {
        int status = 0;

        wait(&status);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
            skip(); /* a kernel without Landlock */
    }
    assert_int_equal(asked("reads", "open-outside", DEADLINE_MS, &why), 'n');
}

static void ten_gigabytes_are_refused(void **state)
{
    struct fan_why why = { 0 };

    assert_int_equal(asked("closed", "10-gb", DEADLINE_MS, &why), 'n');
    assert_int_equal(asked("reads", "10-gb", DEADLINE_MS, &why), 'n');
}

static void whoever_runs_for_ever_is_killed_at_the_deadline(void **state)
{
    struct fan_why why = { 0 };

    assert_int_equal(asked("reads", "spin", 200, &why), '-');
    assert_non_null(strstr(why.text, "in time"));
}

static void whoever_uses_up_its_processor_time_is_killed_by_the_kernel(void **state)
{
    struct fan_why why = { 0 };

    assert_int_equal(asked("closed", "spin", DEADLINE_MS, &why), '-');
    assert_non_null(strstr(why.text, "was killed by signal"));
}

static void a_program_that_cannot_be_started_is_an_error(void **state)
{
    const char *argv[] = { "/nonexistent/program", NULL };
    struct fan_inmate inmate;
    struct fan_why why = { 0 };

    assert_int_equal(fan_inmate_start(argv, MEMORY, &inmate, &why), FAN_UNAVAILABLE);
    assert_int_equal(inmate.pid, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inmate_can_compute_and_answer),
        cmocka_unit_test(whoever_tries_to_get_out_is_killed_by_the_filter),
        cmocka_unit_test(files_elsewhere_cannot_be_read),
        cmocka_unit_test(ten_gigabytes_are_refused),
        cmocka_unit_test(whoever_runs_for_ever_is_killed_at_the_deadline),
        cmocka_unit_test(whoever_uses_up_its_processor_time_is_killed_by_the_kernel),
        cmocka_unit_test(a_program_that_cannot_be_started_is_an_error),
    };

    if (argc == 3)
        return be_inmate(argv[2], strcmp(argv[1], "reads") == 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
