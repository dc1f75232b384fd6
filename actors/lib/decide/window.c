#include "actors/lib/decide/window.h"

#include "proto/err.h"

#include <stdlib.h>

/* A chunk that was asked for, or seen rendered, and has not moved since. */
struct asked {
    fan_id chunk;
    uint32_t epoch;
    enum fan_chunk_state state;
    fan_time at;
    bool by_us; /* asked for; otherwise only seen */
    bool lost;  /* perhaps: whoever was asked may be gone */
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

static const struct asked *find_asked(const struct fan_window *window,
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

/* What to do about one chunk; 0: nothing. @before: how it stood when it was seen last, or NULL. */
static enum fan_window_act decide_one(const struct fan_window_rules *rules,
        const struct fan_window_chunk *chunk, const struct asked *before, bool room, fan_time now)
{
    fan_time patience = before && before->by_us ? rules->ask_again_us : rules->grace_us;
    bool over = before && (before->lost || now - before->at >= patience);

    switch (chunk->state) {
    case FAN_CHUNK_CLAIMED:
        return chunk->expired ? FAN_WINDOW_TAKE_BACK : 0;
    case FAN_CHUNK_RENDERED:
        return over ? FAN_WINDOW_SEND : 0;
    case FAN_CHUNK_PLANNED:
        return over || (!before && room) ? FAN_WINDOW_RENDER : 0;
    case FAN_CHUNK_DONE:
        break;
    }
    return 0;
}

/* Chunks that are on their way already. They are counted ahead of everything: a more urgent one may
 * have come in front of them since they were asked for. */
static size_t count_on_way(const struct fan_window *window, const struct fan_window_chunk *seen,
        size_t count)
{
    size_t on_way = 0;

    for (size_t i = 0; i < count; i++)
        on_way += seen[i].state != FAN_CHUNK_PLANNED || find_asked(window, &seen[i]);
    return on_way;
}

size_t fan_window_decide(struct fan_window *window, const struct fan_window_rules *rules,
        const struct fan_window_chunk *seen, size_t count, fan_time now,
        struct fan_window_todo *todo, bool *idle)
{
    struct asked *next = NULL;
    size_t next_room = 0, kept = 0, todos = 0, on_way = count_on_way(window, seen, count);

    make_room(&next, &next_room, count + 1);
    *idle = count == 0;
    for (size_t i = 0; i < count; i++) {
        const struct fan_window_chunk *chunk = &seen[i];
        const struct asked *before = find_asked(window, chunk);
        enum fan_window_act act = decide_one(rules, chunk, before, on_way < rules->chunks, now);

        if (act)
            todo[todos++] = (struct fan_window_todo){ act, i };
        else if (chunk->state == FAN_CHUNK_PLANNED && !before)
            continue; /* waits its turn: nothing to remember */
        on_way += chunk->state == FAN_CHUNK_PLANNED && !before;
        next[kept++] = (struct asked){ chunk->chunk, chunk->epoch, chunk->state,
            act || !before ? now : before->at, act || (before && before->by_us), false };
    }
    free(window->asked);
    window->asked = next;
    window->count = kept;
    window->room = next_room;
    return todos;
}

void fan_window_doubt(struct fan_window *window)
{
    for (size_t i = 0; i < window->count; i++)
        window->asked[i].lost = true;
}

uint32_t fan_window_share(const uint32_t *wants, size_t count, uint32_t all)
{
    uint32_t share = 0;

    /* Each round settles those who want no more than an even part of what is left; it grows, so
     * further ones may be settled in the next. */
    for (;;) {
        uint32_t left = all, others = 0, even;

        for (size_t i = 0; i < count; i++) {
            if (wants[i] > share)
                others++;
            else
                left -= wants[i];
        }
        if (!others)
            return all;
        even = left / others;
        if (even <= share)
            return share;
        share = even;
    }
}
