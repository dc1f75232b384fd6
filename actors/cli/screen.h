/*
 * screen — lines that are drawn again and again in one place; where that cannot be, because the
 * output is no terminal, a few of them.
 */
#ifndef FAN_CLI_SCREEN_H
#define FAN_CLI_SCREEN_H

#include "proto/buffer.h"
#include "proto/time.h"

#include <stdio.h>

struct fan_screen {
    FILE *out;
    bool terminal;
    uint32_t lines; /* drawn and to be drawn over */
    fan_time shown; /* not a terminal: when it last wrote, */
    uint64_t hash;  /* and what: the same is not written twice */
};

void fan_screen_init(struct fan_screen *screen, FILE *out);

/** Draw @text, whole lines, over what was drawn before. Not a terminal: every two seconds, when
 * something changed. */
void fan_screen_draw(struct fan_screen *screen, struct fan_bytes text);

/** Draw for the last time: @text stays. */
void fan_screen_end(struct fan_screen *screen, struct fan_bytes text);

#endif
