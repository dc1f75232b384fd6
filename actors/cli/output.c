#include "actors/cli/output.h"

#include "proto/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void fan_output_init(struct fan_output *output, const char *folder, const char *name)
{
    *output = (struct fan_output){ .fd = -1 };
    if (folder)
        snprintf(output->path, sizeof(output->path), "%s/%s.log", folder, name);
}

void fan_output_fini(struct fan_output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    output->fd = -1;
}

static void open_file(struct fan_output *output)
{
    struct stat there;

    output->fd = open(output->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    output->size = output->fd >= 0 && fstat(output->fd, &there) == 0 ? (size_t)there.st_size : 0;
}

static void rotate(struct fan_output *output)
{
    char from[sizeof(output->path) + 16], to[sizeof(output->path) + 16];

    fan_output_fini(output);
    for (int i = FAN_OUTPUT_FILES - 1; i >= 1; i--) {
        snprintf(from, sizeof(from), i > 1 ? "%s.%d" : "%s", output->path, i - 1);
        snprintf(to, sizeof(to), "%s.%d", output->path, i);
        rename(from, to);
    }
    open_file(output);
}

/* The text of an error as our processes log it. */
static struct fan_bytes error_text(struct fan_bytes line, struct fan_arena *arena)
{
    const struct fan_json *entry;

    if (!memmem(line.at, line.len, "\"error\"", strlen("\"error\"")) ||
            fan_json_parse(line, arena, &entry, NULL) ||
            !fan_bytes_eq_text(fan_json_get_text(entry, "level"), "error"))
        return FAN_NO_BYTES;
    return fan_json_get_text(entry, "text");
}

/* Of our processes' logs only errors are complaints; what others say in plain words, and ours when
 * they die, is one. */
static void judge(struct fan_output *output)
{
    struct fan_bytes line = { output->line, output->line_len };
    struct fan_arena *arena = fan_arena_new();

    if (line.len && line.at[0] == '{')
        line = error_text(line, arena);
    if (line.len)
        snprintf(output->complaint, sizeof(output->complaint), "%.*s", FAN_BYTES_ARG(line));
    fan_arena_free(&arena);
}

static void look(struct fan_output *output, struct fan_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\n') {
            judge(output);
            output->line_len = 0;
        } else if (output->line_len < FAN_OUTPUT_LINE) {
            output->line[output->line_len++] = text.at[i];
        }
    }
}

void fan_output_add(struct fan_output *output, struct fan_bytes text)
{
    look(output, text);
    if (!*output->path) {
        (void)!write(STDERR_FILENO, text.at, text.len);
        return;
    }
    if (output->fd < 0)
        open_file(output);
    if (output->size >= FAN_OUTPUT_FILE)
        rotate(output);
    if (output->fd >= 0 && write(output->fd, text.at, text.len) == (ssize_t)text.len)
        output->size += text.len;
}
