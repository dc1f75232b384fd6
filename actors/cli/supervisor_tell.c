#include "actors/cli/supervisor_inside.h"

#include "actors/cli/file.h"
#include "broker/runtime/clock.h"
#include "proto/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void fan_supervisor_say(const struct fan_supervisor *self, enum fan_log_level level,
        const char *event, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (self->options.foreground_logs)
        fan_log(NULL, level, event, "%s", text);
    else if (level <= FAN_WARN)
        fprintf(stderr, "fanfare: %s\n", text);
}

static void add_member(struct fan_json_writer *json, const struct fan_member *member)
{
    const struct fan_slot *slot = member->slot;

    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "name", fan_bytes_of(member->process->name));
    fan_json_add_text(json, "state", fan_bytes_of(fan_slot_state_name(slot->state)));
    fan_json_add_i64(json, "pid", slot->pid);
    fan_json_add_i64(json, "restarts", slot->restarts);
    fan_json_add_bool(json, "failing", fan_slot_storm(slot));
    fan_json_add_time(json, "since", fan_clock_now() - (fan_clock_elapsed() - slot->since));
    fan_json_add_text(json, "status", fan_bytes_of(member->process->status));
    fan_json_add_text(json, "said", fan_bytes_of(slot->failures ? member->output.complaint : ""));
    fan_json_object_close(json);
}

void fan_supervisor_write_down(struct fan_supervisor *self)
{
    struct fan_buffer page;
    struct fan_json_writer json;
    struct fan_arena *arena = fan_arena_new();
    struct fan_why why;

    fan_buffer_init(&page, 256 * 1024);
    fan_json_begin(&json, &page);
    fan_json_object_open(&json, NULL);
    fan_json_add_i64(&json, "pid", getpid());
    fan_json_array_open(&json, "processes");
    for (size_t i = 0; i < self->count; i++)
        add_member(&json, &self->members[i]);
    fan_json_array_close(&json);
    fan_json_object_close(&json);
    if (fan_file_replace(fan_arena_printf(arena, "%s/fleet.json", self->options.home->path),
                fan_bytes_cstr(fan_buffer_bytes(&page), arena), 0600, &why))
        fan_supervisor_say(self, FAN_WARN, "fleet.unwritten", "%s", why.text);
    fan_buffer_fini(&page);
    fan_arena_free(&arena);
    self->changed = false;
}
