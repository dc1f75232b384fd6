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

void fan_screen_draw(struct fan_screen *screen, struct fan_bytes text)
{
    fan_time now = fan_clock_elapsed();

    if (screen->terminal) {
        write_over(screen, text);
    } else if (!screen->shown || now - screen->shown >= PLAIN_EVERY) {
        fwrite(text.at, 1, text.len, screen->out);
        fflush(screen->out);
        screen->shown = now;
    }
}

void fan_screen_end(struct fan_screen *screen, struct fan_bytes text)
{
    write_over(screen, text);
    screen->lines = 0;
}
