#include "actors/lib/cage/cage.h"

#include <seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- limits ---- */

/* Address space that is taken already, in bytes; 0 when it cannot be read. */
static uint64_t address_space(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char text[64] = "";

    if (!file)
        return 0;
    (void)!fgets(text, sizeof text, file);
    fclose(file);
    return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool limit(int what, uint64_t value)
{
    struct rlimit to = { .rlim_cur = value, .rlim_max = value };

    return setrlimit((__rlimit_resource_t)what, &to) == 0;
}

static bool set_limits(const struct fan_cage *cage, uint64_t taken)
{
    return limit(RLIMIT_AS, taken + cage->memory) && limit(RLIMIT_CORE, 0) &&
            (cage->reads || limit(RLIMIT_NPROC, 0)) &&
            limit(RLIMIT_NOFILE, cage->reads ? 128 : 5) &&
            (cage->cpu_s == 0 || limit(RLIMIT_CPU, cage->cpu_s));
}

/* ---- system calls ---- */

static const int always[] = { SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
    SCMP_SYS(poll), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(lseek), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group) };

/* To find and read fonts: Landlock says which files. Pango asks fontconfig in threads. */
static const int reading[] = { SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
    SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(statfs), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(fadvise64), SCMP_SYS(fcntl), SCMP_SYS(set_robust_list), SCMP_SYS(rseq) };

static bool allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) != 0)
            return false;
    }
    return true;
}

/* Threads, but no processes. clone3 keeps its flags where a filter cannot see them: it is said not
 * to exist, and the C library takes clone. */
static bool allow_threads(scmp_filter_ctx filter)
{
    const uint64_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
    const uint64_t news = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
            CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PTRACE;

    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 0) == 0 &&
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                    SCMP_A0(SCMP_CMP_MASKED_EQ, thread | news, thread)) == 0;
}

/* Memory that is never executed, and files that are never written. */
static bool allow_harmless(scmp_filter_ctx filter, bool reads)
{
    const uint64_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_TMPFILE;
    bool ok = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0) == 0 &&
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 0) == 0;

    if (!ok || !reads)
        return ok;
    return allow_threads(filter) && allow(filter, reading, sizeof reading / sizeof *reading) &&
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                    SCMP_A1(SCMP_CMP_MASKED_EQ, writes & ~(uint64_t)O_DIRECTORY, 0)) == 0 &&
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                    SCMP_A2(SCMP_CMP_MASKED_EQ, writes & ~(uint64_t)O_DIRECTORY, 0)) == 0;
}

enum fan_err fan_cage_close(const struct fan_cage *cage, struct fan_why *why)
{
    uint64_t taken = address_space();
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool ok = filter && taken > 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
            prctl(PR_SET_DUMPABLE, 0) == 0 &&
            seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
            allow(filter, always, sizeof always / sizeof *always) &&
            allow_harmless(filter, cage->reads) && set_limits(cage, taken) &&
            seccomp_load(filter) == 0;

    if (filter)
        seccomp_release(filter);
    if (!ok)
        return fan_fail(why, FAN_UNAVAILABLE, "the kernel refused to close the cage: %s",
                strerror(errno));
    return FAN_OK;
}
