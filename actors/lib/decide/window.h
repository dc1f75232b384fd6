/*
 * decide/window — which of a run's chunks to move next.
 *
 * Pure: it is shown what the rows say and what time it is, remembers what was asked for lately, and
 * answers with a list of things to do. Frames get lost: what was asked and has not moved after a
 * while is asked again. A window bounds how many chunks of a run are on their way at once.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_WINDOW_H
#define FAN_ACTORS_LIB_DECIDE_WINDOW_H

#include "proto/arena.h"
#include "proto/time.h"
#include "proto/words.h"

/* A chunk as its row says. */
struct fan_window_chunk {
    fan_id chunk;
    uint32_t epoch;
    enum fan_chunk_state state;
    bool expired; /* claimed, and the lease is over */
};

enum fan_window_act {
    FAN_WINDOW_RENDER = 1, /* ask for rendering */
    FAN_WINDOW_SEND,       /* ask for sending, by the bare frame */
    FAN_WINDOW_TAKE_BACK,  /* its owner's lease is over */
};

struct fan_window_todo {
    enum fan_window_act act;
    size_t index; /* of the chunk it is about */
};

struct fan_window_rules {
    uint32_t chunks;       /* at most so many on their way */
    fan_time ask_again_us; /* after so long without a move */
    fan_time grace_us;     /* a rendered chunk is its renderer's to announce for so long */
};

struct fan_window; /* what one run remembers */

struct fan_window *fan_window_new(void);
void fan_window_free(struct fan_window **window);

/**
 * Decide.
 *
 * seen  the run's chunks: claimed and rendered ones first, then planned ones in the order in which
 *       they shall go
 * now   any clock that does not jump
 * todo  todo[count], as long as @seen
 * idle  out: nothing is on its way and nothing is planned
 *
 * Returns how many things are to be done. What is returned counts as done: it is remembered.
 */
size_t fan_window_decide(struct fan_window *window, const struct fan_window_rules *rules,
        const struct fan_window_chunk *seen, size_t count, fan_time now,
        struct fan_window_todo *todo, bool *idle);

/** A worker is gone, and with it what it had been asked for and not begun: whatever has been asked
 * for and has not moved is asked for again at the next look. Whoever is at it all the same is
 * first. */
void fan_window_doubt(struct fan_window *window);

/**
 * Share a window among runs.
 *
 * Who wants less than the others leaves the rest to them, so that many small runs do not slow a
 * large one down.
 *
 * wants  wants[count], chunks that each run could have on its way
 * all    chunks of all runs together
 *
 * Returns how many each may have at most: the largest number with which the sum of what they have
 * stays within @all; @all when they want no more together.
 */
uint32_t fan_window_share(const uint32_t *wants, size_t count, uint32_t all);

#endif
