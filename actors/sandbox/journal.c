#include "actors/sandbox/journal.h"

#include "proto/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LINE_CAP = 16 * 1024, TEXT_CAP = 320 };

enum fan_err fan_sandbox_journal_open(struct fan_sandbox_journal *journal, const char *path,
        struct fan_why *why)
{
    *journal = (struct fan_sandbox_journal){ .fd = -1 };
    fan_buffer_init(&journal->line, LINE_CAP);
    if (!*path)
        return FAN_OK;
    journal->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (journal->fd < 0)
        return fan_fail_field(why, FAN_UNAVAILABLE, "journal", "%s cannot be written: %s", path,
                strerror(errno));
    return FAN_OK;
}

void fan_sandbox_journal_close(struct fan_sandbox_journal *journal)
{
    if (journal->fd >= 0)
        close(journal->fd);
    fan_buffer_fini(&journal->line);
    journal->fd = -1;
}

static void add(struct fan_json_writer *json, const char *name, struct fan_bytes text)
{
    if (text.len > TEXT_CAP)
        text.len = TEXT_CAP;
    fan_json_add_text(json, name, text);
}

void fan_sandbox_journal_write(struct fan_sandbox_journal *journal, fan_time now,
        const struct fan_sandbox_line *line)
{
    struct fan_json_writer json;

    if (journal->fd < 0)
        return;
    fan_buffer_clear(&journal->line);
    fan_json_begin(&json, &journal->line);
    fan_json_object_open(&json, NULL);
    fan_json_add_time(&json, "at", now);
    fan_json_add_text(&json, "provider", fan_bytes_of(line->provider));
    add(&json, "to", line->to);
    add(&json, "token", line->token);
    fan_json_add_text(&json, "verdict", fan_bytes_of(line->verdict));
    add(&json, "id", line->id);
    fan_json_add_i64(&json, "status", line->status);
    if (line->key.len > 0)
        add(&json, "key", line->key);
    fan_json_object_close(&json);
    fan_buffer_add_char(&journal->line, '\n');
    if (write(journal->fd, journal->line.at, journal->line.len) != (ssize_t)journal->line.len)
        fan_die("the journal cannot be written: %s", strerror(errno));
}
