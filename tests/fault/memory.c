/*
 * memory — lets one allocation of one process fail: loaded before the C library (LD_PRELOAD).
 *
 * The page FAN_FAULT_DIR/memory says of which process and at its how manyeth allocation from then
 * on; faults_limits.py writes it while the processes run. A file "memory.<version>" says that it
 * happened.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct plan {
    _Atomic uint32_t version;
    uint32_t nth;
    char process[56];
};

static const struct plan *plan;
static char process[56];
static _Atomic uint32_t seen;
static _Atomic int64_t left;

static void *(*next_malloc)(size_t size);
static void *(*next_calloc)(size_t count, size_t size);
static void *(*next_realloc)(void *old, size_t size);

/* What dlsym itself asks for before it has answered; nobody gives it back. */
static _Alignas(16) char early[8192];
static size_t early_used;

static void *give_early(size_t size)
{
    char *at = early + early_used;

    early_used += (size + 15) / 16 * 16;
    return early_used <= sizeof early ? at : NULL;
}

/* What follows --name among the program's words. */
static void find_name(void)
{
    char words[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, words, sizeof words - 1);

    if (fd >= 0)
        close(fd);
    words[len > 0 ? len : 0] = '\0';
    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(words + at) + 1) {
        if (strcmp(words + at, "--name") == 0)
            snprintf(process, sizeof process, "%s", words + at + sizeof "--name");
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *dir = getenv("FAN_FAULT_DIR");
    char path[512];
    void *page;
    int fd;

    find_name();
    snprintf(path, sizeof path, "%s/memory", dir ? dir : "");
    fd = *process ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    page = mmap(NULL, sizeof *plan, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED)
        return;
    seen = ((const struct plan *)page)->version; /* what was asked for before is another's */
    plan = page;
}

static void tell(uint32_t version)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/memory.%u", getenv("FAN_FAULT_DIR"), version);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
}

static int fails(void)
{
    uint32_t version = plan ? plan->version : 0, before = seen;

    if (!plan)
        return 0;
    if (version != before && atomic_compare_exchange_strong(&seen, &before, version))
        left = strcmp(plan->process, process) == 0 ? plan->nth : 0;
    if (left <= 0 || atomic_fetch_sub(&left, 1) != 1)
        return 0;
    tell(version);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    static int asking;

    if (!next_malloc) {
        if (asking)
            return give_early(size);
        asking = 1;
        next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
        asking = 0;
    }
    return fails() ? NULL : next_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    static int asking;

    if (!next_calloc) {
        if (asking)
            return give_early(count * size);
        asking = 1;
        next_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
        asking = 0;
    }
    return fails() ? NULL : next_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (!next_realloc)
        next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    return fails() ? NULL : next_realloc(old, size);
}
