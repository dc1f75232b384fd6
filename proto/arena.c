#include "proto/arena.h"

#include "proto/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 16 * 1024, LARGEST_BLOCK = 1024 * 1024 };

struct block {
    struct block *next; /* the one before it */
    size_t size;
    size_t used;
    _Alignas(max_align_t) char bytes[];
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *thing);
    void *thing;
};

struct fan_arena {
    struct block *block; /* the one being filled */
    struct deferred *deferred;
    size_t used;
};

static struct block *block_new(size_t size, struct block *next)
{
    struct block *block = malloc(sizeof *block + size);

    if (!block)
        fan_die("out of memory: %zu bytes for an arena", size);
    block->next = next;
    block->size = size;
    block->used = 0;
    return block;
}

struct fan_arena *fan_arena_new(void)
{
    struct fan_arena *arena = calloc(1, sizeof *arena);

    if (!arena)
        fan_die("out of memory: an arena");
    arena->block = block_new(FIRST_BLOCK, NULL);
    return arena;
}

static void run_deferred(struct fan_arena *arena)
{
    while (arena->deferred) {
        struct deferred *first = arena->deferred;
        arena->deferred = first->next;
        first->fn(first->thing);
    }
}

void fan_arena_reset(struct fan_arena *arena)
{
    run_deferred(arena);
    while (arena->block->next) {
        struct block *newest = arena->block;
        arena->block = newest->next;
        free(newest);
    }
    arena->block->used = 0;
    arena->used = 0;
}

void fan_arena_free(struct fan_arena **arena)
{
    if (!*arena)
        return;
    fan_arena_reset(*arena);
    free((*arena)->block);
    free(*arena);
    *arena = NULL;
}

static void *take(struct fan_arena *arena, size_t size)
{
    size_t align = _Alignof(max_align_t);
    size_t whole = (size + align - 1) / align * align;
    struct block *block = arena->block;
    void *at;

    FAN_ASSERT(whole >= size);
    if (block->size - block->used < whole) {
        size_t next = block->size * 2 < LARGEST_BLOCK ? block->size * 2 : LARGEST_BLOCK;
        block = arena->block = block_new(whole > next ? whole : next, block);
    }
    at = block->bytes + block->used;
    block->used += whole;
    arena->used += whole;
    return at;
}

void *fan_arena_alloc(struct fan_arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

void *fan_arena_array(struct fan_arena *arena, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        fan_die("out of memory: %zu items of %zu bytes", count, size);
    return fan_arena_alloc(arena, bytes);
}

char *fan_arena_printf(struct fan_arena *arena, const char *format, ...)
{
    struct fan_bytes text;
    va_list args;

    FAN_ASSERT(format);
    va_start(args, format);
    text = fan_arena_vprintf(arena, format, args);
    va_end(args);
    return (char *)(uintptr_t)text.at;
}

/* Mostly there is room in the block, and it is printed once. */
struct fan_bytes fan_arena_vprintf(struct fan_arena *arena, const char *format, va_list args)
{
    struct block *block = arena->block;
    size_t room = block->size - block->used;
    char *text = block->bytes + block->used;
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(text, room, format, args);
    FAN_ASSERT(len >= 0);
    if ((size_t)len < room) {
        FAN_ASSERT(take(arena, (size_t)len + 1) == text);
    } else {
        text = take(arena, (size_t)len + 1);
        vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    return (struct fan_bytes){ text, (size_t)len };
}

void fan_arena_defer(struct fan_arena *arena, void (*fn)(void *thing), void *thing)
{
    struct deferred *call = fan_arena_alloc(arena, sizeof *call);

    call->fn = fn;
    call->thing = thing;
    call->next = arena->deferred;
    arena->deferred = call;
}

size_t fan_arena_used(const struct fan_arena *arena)
{
    return arena->used;
}
