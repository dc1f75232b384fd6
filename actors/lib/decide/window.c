#include "actors/lib/decide/window.h"

#include "proto/err.h"

#include <stdlib.h>

/* A chunk that was asked for, or seen rendered, and has not moved since. */
struct asked {
    fan_id chunk;
    uint32_t epoch;
    enum fan_chunk_state state;
    fan_time at;
};

/* As many as chunks were seen last: the window bounds them, so a list does. */
struct fan_window {
    struct asked *asked;
    size_t count, room;
};

struct fan_window *fan_window_new(void)
{
    struct fan_window *window = calloc(1, sizeof *window);

    if (!window)
        fan_die("out of memory: a window");
    return window;
}

void fan_window_free(struct fan_window **window)
{
    if (!*window)
        return;
    free((*window)->asked);
    free(*window);
    *window = NULL;
}

static const struct asked *find(const struct fan_window *window,
        const struct fan_window_chunk *chunk)
{
    for (size_t i = 0; i < window->count; i++) {
        const struct asked *one = &window->asked[i];
        if (one->chunk == chunk->chunk && one->epoch == chunk->epoch && one->state == chunk->state)
            return one;
    }
    return NULL;
}

static void make_room(struct asked **list, size_t *room, size_t need)
{
    if (*room >= need)
        return;
    *list = realloc(*list, need * sizeof **list);
    if (!*list)
        fan_die("out of memory: %zu chunks of a window", need);
    *room = need;
}

/* What to do about one chunk, and since when it has stood like this; 0: nothing. */
static enum fan_window_act decide_one(const struct fan_window *window,
        const struct fan_window_rules *rules, const struct fan_window_chunk *chunk, bool room,
        fan_time now, fan_time *since)
{
    const struct asked *before = find(window, chunk);

    *since = before ? before->at : now;
    switch (chunk->state) {
    case FAN_CHUNK_CLAIMED:
        return chunk->expired ? FAN_WINDOW_TAKE_BACK : 0;
    case FAN_CHUNK_RENDERED:
        if (!before || now - before->at < rules->grace_us)
            return 0;
        *since = now;
        return FAN_WINDOW_SEND;
    case FAN_CHUNK_PLANNED:
        if (!room || (before && now - before->at < rules->ask_again_us))
            return 0;
        *since = now;
        return FAN_WINDOW_RENDER;
    case FAN_CHUNK_DONE:
        break;
    }
    return 0;
}

size_t fan_window_decide(struct fan_window *window, const struct fan_window_rules *rules,
        const struct fan_window_chunk *seen, size_t count, fan_time now,
        struct fan_window_todo *todo, bool *idle)
{
    struct asked *next = NULL;
    size_t next_room = 0, kept = 0, on_way = 0, todos = 0;

    make_room(&next, &next_room, count + 1);
    *idle = count == 0;
    for (size_t i = 0; i < count; i++) {
        const struct fan_window_chunk *chunk = &seen[i];
        bool planned = chunk->state == FAN_CHUNK_PLANNED;
        bool asked_already = planned && find(window, chunk);
        fan_time since;
        enum fan_window_act act = decide_one(window, rules, chunk,
                asked_already || on_way < rules->chunks, now, &since);

        if (act)
            todo[todos++] = (struct fan_window_todo){ act, i };
        if (planned && !act && !asked_already)
            continue; /* waits its turn: nothing to remember */
        next[kept++] = (struct asked){ chunk->chunk, chunk->epoch, chunk->state, since };
        on_way++;
    }
    free(window->asked);
    window->asked = next;
    window->count = kept;
    window->room = next_room;
    return todos;
}
