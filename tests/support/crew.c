#include "tests/support/crew.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int report_to = -1; /* within an actor: the pipe */

void crew_init(struct crew *crew, int brokers, int port)
{
    char folder[] = "/tmp/fan-crew-XXXXXX";

    *crew = (struct crew){ 0 };
    FAN_ASSERT(mkdtemp(folder) && pipe(crew->pipe) == 0);
    strcpy(crew->folder, folder);
    for (int i = 0; i < brokers; i++) {
        if (port)
            snprintf(crew->base[i], sizeof crew->base[i], "tcp://127.0.0.1:%d", port + 100 * i);
        else
            snprintf(crew->base[i], sizeof crew->base[i], "ipc://%s/b%d", folder, i + 1);
        strcat(crew->brokers, i ? "," : "");
        strcat(crew->brokers, crew->base[i]);
    }
}

void crew_fini(struct crew *crew)
{
    char command[128];

    for (size_t i = 0; i < crew->len; i++) {
        if (crew->pids[i])
            crew_signal(crew, crew->pids[i], SIGKILL);
    }
    close(crew->pipe[0]);
    close(crew->pipe[1]);
    snprintf(command, sizeof command, "rm -rf %s", crew->folder);
    FAN_ASSERT(system(command) == 0);
}

static pid_t add(struct crew *crew, pid_t pid)
{
    FAN_ASSERT(pid > 0 && crew->len < CREW_MAX);
    return crew->pids[crew->len++] = pid;
}

static pid_t fork_child(void)
{
    pid_t pid = fork();

    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static const char *log_level(void)
{
    return getenv("FAN_TEST_LOG") ? getenv("FAN_TEST_LOG") : "error";
}

pid_t crew_start_broker(struct crew *crew, int which)
{
    char program[512];
    pid_t pid = fork_child();

    if (pid)
        return add(crew, pid);
    snprintf(program, sizeof program, "%s/bin/fanfare-broker", getenv("FAN_BUILD"));
    execl(program, program, "--listen", crew->base[which], "--ports", "50", "--log_level",
            log_level(), (char *)NULL);
    perror(program);
    _exit(127);
}

pid_t crew_start(struct crew *crew, const struct fan_role *role, const char *option,
        const char *value)
{
    char *argv[] = { "test", "--brokers", crew->brokers, "--log_level", (char *)log_level(),
        (char *)option, (char *)value, NULL };
    pid_t pid = fork_child();

    if (pid)
        return add(crew, pid);
    report_to = crew->pipe[1];
    close(crew->pipe[0]);
    _exit(fan_actor_main(role, option ? 7 : 5, argv));
}

void crew_signal(struct crew *crew, pid_t pid, int signal)
{
    kill(pid, signal);
    if (signal == SIGKILL)
        crew_wait(crew, pid, 5000);
}

int crew_wait(struct crew *crew, pid_t pid, int wait_ms)
{
    int status;

    for (int waited = 0; waitpid(pid, &status, WNOHANG) != pid; waited += 5) {
        if (waited >= wait_ms)
            return -1000;
        usleep(5000);
    }
    for (size_t i = 0; i < crew->len; i++) {
        if (crew->pids[i] == pid)
            crew->pids[i] = 0;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool crew_read(struct crew *crew, struct crew_report *out, int wait_ms)
{
    struct pollfd item = { .fd = crew->pipe[0], .events = POLLIN };

    return poll(&item, 1, wait_ms) == 1 && read(crew->pipe[0], out, sizeof *out) == sizeof *out;
}

bool crew_await(struct crew *crew, int what, int64_t number, struct crew_report *out, int wait_ms)
{
    fan_time until = fan_clock_elapsed() + wait_ms * FAN_MS;
    struct crew_report report;

    for (fan_time left = wait_ms * FAN_MS; left > 0; left = until - fan_clock_elapsed()) {
        if (!crew_read(crew, &report, (int)(left / FAN_MS) + 1))
            continue;
        if (report.what != what || (number != -1 && report.number != number))
            continue;
        if (out)
            *out = report;
        return true;
    }
    return false;
}

void crew_tell(int what, int64_t number)
{
    const struct crew_report report = { getpid(), what, number, fan_clock_elapsed() };

    FAN_ASSERT(write(report_to, &report, sizeof report) == sizeof report);
}
