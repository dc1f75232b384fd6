/*
 * Whether this is the database that people know, before anything is launched or asked for: a copy
 * would send again what was sent since.
 *
 * All frames of a cold start originate here, so that a copy sends nothing before it was looked at.
 * What this host saw of the database is noted in its state folder: one that was set back is older.
 */
#include "actors/scheduler/scheduler.h"

#include "actors/lib/decide/site.h"
#include "sql/store/site.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { NOTE_MAX = 256 };

#define TELL_AGAIN (60 * FAN_SECOND)

/* ---- what this host has noted ---- */

static struct fan_bytes read_line(const char *path, struct fan_arena *arena)
{
    FILE *file = fopen(path, "re");
    char text[NOTE_MAX] = "";

    if (!file)
        return FAN_NO_BYTES;
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    fclose(file);
    return fan_bytes_dup(fan_bytes_trim(fan_bytes_of(text)), arena);
}

static const char *note_path(const struct scheduler *self, struct fan_arena *arena)
{
    return fan_arena_printf(arena, "%s/site", fan_actor_common(self->actor)->state_dir);
}

/* "id timeline position" */
static struct fan_site_seen read_note(const struct scheduler *self, struct fan_arena *arena)
{
    struct fan_site_seen seen = { .timeline = 0 };
    struct fan_bytes rest = read_line(note_path(self, arena), arena), timeline;

    rest = fan_bytes_split(rest, ' ', &seen.id);
    rest = fan_bytes_split(rest, ' ', &timeline);
    if (!fan_bytes_i64(timeline, &seen.timeline) || !fan_bytes_i64(rest, &seen.position))
        return (struct fan_site_seen){ .timeline = 0 };
    return seen;
}

/* A crash leaves the old or the new one. That it cannot be written costs one sort of check. */
static void write_note(const struct scheduler *self, struct fan_bytes id,
        const struct fan_site *now, struct fan_arena *arena)
{
    const char *path = note_path(self, arena), *fresh = fan_arena_printf(arena, "%s.new", path);
    FILE *file = fopen(fresh, "we");
    bool written = file &&
            fprintf(file, "%.*s %" PRId64 " %" PRId64 "\n", FAN_BYTES_ARG(id), now->timeline,
                    now->position) > 0;

    if (file)
        written = fclose(file) == 0 && written;
    if (!written || rename(fresh, path) != 0)
        fan_log(NULL, FAN_WARN, "site.not_noted", "%s cannot be written", path);
}

/* ---- judging ---- */

static enum fan_err take(struct scheduler *self, struct fan_site_look *look,
        struct fan_arena *arena, struct fan_why *why)
{
    enum fan_err err = fan_site_bind(self->control, &look->now, arena, &look->now.id, why);

    if (!err)
        fan_log(NULL, FAN_INFO, "site.confirmed", "this database is taken for the right one");
    return err;
}

static enum fan_err hold(struct scheduler *self, const char *differs, struct fan_arena *arena,
        struct fan_why *why)
{
    const char *reason = fan_arena_printf(arena,
            "this database must be confirmed (fanfare control confirm): %s", differs);
    bool held;
    enum fan_err err = fan_site_hold(self->control, fan_bytes_of(reason), arena, &held, why);

    if (!err && held)
        fan_log(NULL, FAN_ERROR, "site.held", "%s", reason);
    return err;
}

static enum fan_err check(struct scheduler *self, struct fan_arena *arena, struct fan_why *why)
{
    const struct scheduler_settings *set = fan_actor_settings(self->actor);
    struct fan_site_seen seen = read_note(self, arena);
    struct fan_site_look look;
    const char *differs;
    enum fan_err err = fan_site_look(self->control, arena, &look, why);

    if (err)
        return err;
    if (look.is_local)
        look.now.machine = read_line("/etc/machine-id", arena);
    differs = look.bound.id.at
            ? fan_site_differs(&look.bound, &look.now, &seen, set->trust_failover)
            : NULL;
    if (!look.bound.id.at || look.confirmed)
        err = take(self, &look, arena, why);
    else if (differs)
        return hold(self, differs, arena, why);
    else if (look.bound.timeline != look.now.timeline) /* a failover: copies of this one are told */
        err = take(self, &look, arena, why);
    if (!err)
        write_note(self, look.now.id, &look.now, arena);
    return err;
}

void scheduler_check_site(struct scheduler *self)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_why why = { 0 };
    fan_time now = fan_clock_elapsed();
    enum fan_err err = check(self, arena, &why);

    if (err && (!self->site_told || now - self->site_told > TELL_AGAIN)) {
        fan_log(NULL, FAN_WARN, "site.unknown", "nothing is asked for: %s", why.text);
        self->site_told = now;
    }
    self->site_known = !err;
    fan_arena_free(&arena);
}
