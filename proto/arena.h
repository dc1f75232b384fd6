/*
 * arena — memory that dies with the work it was taken for.
 *
 * Nothing is freed one by one. Allocation never returns NULL: when memory runs out the process says
 * so and exits. One thread at a time.
 */
#ifndef FAN_PROTO_ARENA_H
#define FAN_PROTO_ARENA_H

#include "proto/bytes.h"

#include <stdarg.h>
#include <stddef.h>

struct fan_arena;

struct fan_arena *fan_arena_new(void);
void fan_arena_free(struct fan_arena **arena);

/** Run the deferred calls, last deferred first, and forget everything but a block for reuse. */
void fan_arena_reset(struct fan_arena *arena);

/** @size bytes, zeroed, aligned for any type. */
void *fan_arena_alloc(struct fan_arena *arena, size_t size);

/** @count items of @size bytes, zeroed; an overflowing product ends the process. */
void *fan_arena_array(struct fan_arena *arena, size_t count, size_t size);

/** Print into the arena. */
char *fan_arena_printf(struct fan_arena *arena, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
struct fan_bytes fan_arena_vprintf(struct fan_arena *arena, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));

/** Call @fn(@thing) when the arena is reset or freed. */
void fan_arena_defer(struct fan_arena *arena, void (*fn)(void *thing), void *thing);

/** Bytes handed out since the last reset. */
size_t fan_arena_used(const struct fan_arena *arena);

#endif
