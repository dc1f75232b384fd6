#include "actors/cli/screen.h"

#include "broker/runtime/clock.h"

#include <unistd.h>

#define PLAIN_EVERY (2 * FAN_SECOND)

void fan_screen_init(struct fan_screen *screen, FILE *out)
{
    *screen = (struct fan_screen){ .out = out, .terminal = isatty(fileno(out)) };
}

static uint32_t lines_in(struct fan_bytes text)
{
    uint32_t lines = 0;

    for (size_t i = 0; i < text.len; i++)
        lines += text.at[i] == '\n';
    return lines;
}

static void write_over(struct fan_screen *screen, struct fan_bytes text)
{
    if (screen->lines)
        fprintf(screen->out, "\x1b[%uA\x1b[J", screen->lines); /* up, and clear from there */
    fwrite(text.at, 1, text.len, screen->out);
    fflush(screen->out);
    screen->lines = lines_in(text);
}

static uint64_t hash_of(struct fan_bytes text)
{
    uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */

    for (size_t i = 0; i < text.len; i++)
        sum = (sum ^ (unsigned char)text.at[i]) * UINT64_C(1099511628211);
    return sum;
}

static void append(struct fan_screen *screen, struct fan_bytes text)
{
    uint64_t hash = hash_of(text);

    if (hash == screen->hash)
        return;
    fwrite(text.at, 1, text.len, screen->out);
    fflush(screen->out);
    screen->hash = hash;
    screen->shown = fan_clock_elapsed();
}

void fan_screen_draw(struct fan_screen *screen, struct fan_bytes text)
{
    if (screen->terminal)
        write_over(screen, text);
    else if (!screen->shown || fan_clock_elapsed() - screen->shown >= PLAIN_EVERY)
        append(screen, text);
}

void fan_screen_end(struct fan_screen *screen, struct fan_bytes text)
{
    if (screen->terminal)
        write_over(screen, text);
    else
        append(screen, text);
    screen->lines = 0;
}
