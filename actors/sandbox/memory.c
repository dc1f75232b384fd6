#include "actors/sandbox/memory.h"

#include "proto/err.h"

#include <stdlib.h>

struct entry {
    char *text; /* the recipient, then the JSON */
    size_t to_len, json_len;
};

struct fan_sandbox_memory {
    size_t room, count; /* ever added */
    struct entry ring[];
};

struct fan_sandbox_memory *fan_sandbox_memory_new(size_t room)
{
    struct fan_sandbox_memory *memory =
            calloc(1, sizeof *memory + (room ? room : 1) * sizeof *memory->ring);

    if (!memory)
        fan_die("out of memory: the last %zu messages", room);
    memory->room = room;
    return memory;
}

void fan_sandbox_memory_free(struct fan_sandbox_memory **memory)
{
    struct fan_sandbox_memory *old = *memory;

    if (!old)
        return;
    for (size_t i = 0; i < old->room; i++)
        free(old->ring[i].text);
    free(old);
    *memory = NULL;
}

void fan_sandbox_memory_add(struct fan_sandbox_memory *memory, struct fan_bytes to,
        struct fan_bytes json)
{
    struct entry *entry;

    if (memory->room == 0)
        return;
    entry = &memory->ring[memory->count++ % memory->room];
    free(entry->text);
    *entry = (struct entry){ malloc(to.len + json.len + 1), to.len, json.len };
    if (!entry->text)
        fan_die("out of memory: a message to remember");
    memcpy(entry->text, to.at, to.len);
    memcpy(entry->text + to.len, json.at, json.len);
}

bool fan_sandbox_memory_next(const struct fan_sandbox_memory *memory, struct fan_bytes to,
        size_t *cursor, struct fan_bytes *json)
{
    size_t held = memory->count < memory->room ? memory->count : memory->room;

    while (*cursor < held) {
        const struct entry *entry = &memory->ring[(memory->count - ++*cursor) % memory->room];

        if (fan_bytes_eq((struct fan_bytes){ entry->text, entry->to_len }, to)) {
            *json = (struct fan_bytes){ entry->text + entry->to_len, entry->json_len };
            return true;
        }
    }
    return false;
}
