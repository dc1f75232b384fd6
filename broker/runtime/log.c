#include "broker/runtime/log.h"

#include "broker/runtime/actor.h"
#include "broker/runtime/clock.h"
#include "proto/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { TEXT_MAX = 2048, LINE_MAX = 16 * 1024 }; /* bytes; a line longer than that is not written */

static const char *const level_names[] = {
    [FAN_ERROR] = "error",
    [FAN_WARN] = "warn",
    [FAN_INFO] = "info",
    [FAN_DEBUG] = "debug",
};

/* The one thing that is global: whoever fails must be able to say so without being handed a log. */
static struct {
    const char *process;
    enum fan_log_level level;
} logger = { .process = "", .level = FAN_INFO };

void fan_log_open(const char *process, enum fan_log_level level)
{
    logger.process = process;
    logger.level = level;
}

enum fan_log_level fan_log_level_of(const char *name)
{
    for (int level = FAN_ERROR; level <= FAN_DEBUG; level++) {
        if (strcmp(level_names[level], name) == 0)
            return (enum fan_log_level)level;
    }
    return FAN_INFO;
}

static void add_turn(struct fan_json_writer *line, const struct fan_turn *turn)
{
    struct fan_bytes id = turn->trace.trace_id;
    struct fan_buffer hex;

    if (id.at) {
        fan_buffer_init(&hex, 64);
        fan_buffer_add_hex(&hex, id);
        fan_json_add_text(line, "trace", fan_buffer_bytes(&hex));
        fan_buffer_fini(&hex);
    }
    if (turn->route.account)
        fan_json_add_i64(line, "account", turn->route.account);
}

/* One write for the whole line, so that the lines of several threads and processes do not mix. */
static void write_line(struct fan_bytes line)
{
    while (line.len > 0) {
        ssize_t n = write(STDERR_FILENO, line.at, line.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* there is nobody left to tell */
        line.at += n;
        line.len -= (size_t)n;
    }
}

void fan_log(const struct fan_turn *turn, enum fan_log_level level, const char *event,
        const char *format, ...)
{
    char text[TEXT_MAX], at[FAN_TIME_TEXT];
    struct fan_json_writer line;
    struct fan_buffer out;
    va_list args;

    if (level > logger.level)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    fan_buffer_init(&out, LINE_MAX);
    fan_json_begin(&line, &out);
    fan_json_object_open(&line, NULL);
    fan_json_add_text(&line, "at", fan_bytes_of(fan_time_text(fan_clock_now(), at)));
    fan_json_add_text(&line, "level", fan_bytes_of(level_names[level]));
    fan_json_add_text(&line, "process", fan_bytes_of(logger.process));
    fan_json_add_text(&line, "event", fan_bytes_of(event));
    fan_json_add_text(&line, "text", fan_bytes_of(text));
    if (turn)
        add_turn(&line, turn);
    fan_json_object_close(&line);
    fan_buffer_add_char(&out, '\n');
    if (!out.overflowed)
        write_line(fan_buffer_bytes(&out));
    fan_buffer_fini(&out);
}
