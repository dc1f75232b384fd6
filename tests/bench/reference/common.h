/* What the reference and the limits share: clocks, binary parameters for PostgreSQL. */
#ifndef FAN_BENCH_COMMON_H
#define FAN_BENCH_COMMON_H

#include <arpa/inet.h>
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static inline double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* CPU that this process has used. */
static inline double cpu_used(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

/* The one line that a limit prints. */
static inline void print_result(long count, double took, double cpu)
{
    printf("{\"rate\": %.1f, \"cpu_us\": %.3f}\n", (double)count / took, cpu / (double)count * 1e6);
    fflush(stdout);
}

static inline void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        abort();
    return memory;
}

/* ---- PostgreSQL's binary format ---- */

enum { OID_INT8 = 20, OID_TEXT = 25 };

static inline char *put16(char *at, int value)
{
    uint16_t wire = htons((uint16_t)value);

    return (char *)memcpy(at, &wire, sizeof wire) + sizeof wire;
}

static inline char *put32(char *at, int value)
{
    uint32_t wire = htonl((uint32_t)value);

    return (char *)memcpy(at, &wire, sizeof wire) + sizeof wire;
}

static inline char *put64(char *at, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    return (char *)memcpy(at, &wire, sizeof wire) + sizeof wire;
}

/* A value behind its length. */
static inline char *put_bytes(char *at, const char *value, int len)
{
    at = put32(at, len);
    return (char *)memcpy(at, value, (size_t)len) + len;
}

static inline char *put_int8(char *at, int64_t value)
{
    return put64(put32(at, 8), value);
}

/* An array of one dimension, no NULLs; its elements follow. */
static inline char *put_array(char *at, int oid, int count)
{
    at = put32(at, 1);
    at = put32(at, 0);
    at = put32(at, oid);
    at = put32(at, count);
    return put32(at, 1);
}

#endif
