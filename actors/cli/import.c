#include "actors/cli/import.h"

#include "actors/cli/progress.h"
#include "actors/cli/screen.h"
#include "broker/runtime/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOOK_MS = 200,
    TRIES = 5,
    PAUSE_MS = 900,
    UPLOAD_MS = 6 * 3600 * 1000,
    BAR_WIDTH = 24,
    QUERY = 64 * 1024,
};

/* ---- the request ---- */

static void add_parameter(struct fan_buffer *out, const char *name, struct fan_bytes value)
{
    fan_buffer_printf(out, "&%s=", name);
    fan_buffer_add_percent(out, value);
}

static void add_tags(struct fan_buffer *out, struct fan_texts tags)
{
    for (size_t i = 0; i < tags.len; i++) {
        fan_buffer_add_text(out, i ? "%2C" : "&tags=");
        fan_buffer_add_percent(out, tags.at[i]);
    }
}

static enum fan_err add_map(struct fan_buffer *out, struct fan_texts map, struct fan_why *why)
{
    struct fan_json_writer json;
    struct fan_buffer text;
    enum fan_err err = FAN_OK;

    fan_buffer_init(&text, QUERY);
    fan_json_begin(&json, &text);
    fan_json_object_open(&json, NULL);
    for (size_t i = 0; !err && i < map.len; i++) {
        struct fan_bytes header, field = fan_bytes_split(map.at[i], '=', &header);
        char name[256];

        snprintf(name, sizeof(name), "%.*s", FAN_BYTES_ARG(header));
        if (!field.at)
            err = fan_fail(why, FAN_INVALID, "--map is \"%.*s\", but must be HEADER=FIELD",
                    FAN_BYTES_ARG(map.at[i]));
        else
            fan_json_add_text(&json, name, field);
    }
    fan_json_object_close(&json);
    if (!err && map.len)
        add_parameter(out, "mapping", fan_buffer_bytes(&text));
    fan_buffer_fini(&text);
    return err;
}

static enum fan_err make_path(const struct fan_import_request *request, struct fan_arena *arena,
        const char **path, struct fan_why *why)
{
    const char *slash = strrchr(request->file, '/');
    struct fan_buffer out;
    enum fan_err err;

    fan_buffer_init(&out, QUERY);
    fan_buffer_add_text(&out, "/api/v1/contacts/import?filename=");
    fan_buffer_add_percent(&out, fan_bytes_of(slash ? slash + 1 : request->file));
    add_tags(&out, request->tags);
    if (request->country)
        add_parameter(&out, "default_country", fan_bytes_of(request->country));
    if (request->campaign)
        fan_buffer_printf(&out, "&campaign_id=%u", request->campaign);
    err = add_map(&out, request->map, why);
    *path = fan_bytes_cstr(fan_buffer_bytes(&out), arena);
    fan_buffer_fini(&out);
    return err;
}

/* The kernel reads ahead of us and forgets behind us: memory does not grow with the file. */
static enum fan_err map_file(const char *path, struct fan_bytes *out, struct fan_why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat there = { 0 };
    void *at = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &there) == 0 && there.st_size > 0)
        at = mmap(NULL, (size_t)there.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED && fd >= 0 && !S_ISREG(there.st_mode))
        fan_fail(why, FAN_INVALID, "%s is not a file", path);
    else if (at == MAP_FAILED && fd >= 0 && there.st_size == 0)
        fan_fail(why, FAN_INVALID, "%s is empty", path);
    else if (at == MAP_FAILED)
        fan_fail(why, FAN_INVALID, "cannot read %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (at == MAP_FAILED)
        return FAN_INVALID;
    madvise(at, (size_t)there.st_size, MADV_SEQUENTIAL);
    *out = (struct fan_bytes){ at, (size_t)there.st_size };
    return FAN_OK;
}

static enum fan_err upload(struct fan_api *api, const struct fan_import_request *request,
        struct fan_arena *arena, int64_t *id, struct fan_why *why)
{
    struct fan_api_call call = { .method = "POST", .type = "text/csv", .total_ms = UPLOAD_MS };
    const struct fan_json *answer = NULL;
    enum fan_err err;

    err = map_file(request->file, &call.body, why);
    if (err)
        return err;
    err = make_path(request, arena, &call.path, why);
    if (!err)
        err = fan_api_send(api, &call, arena, &answer, why);
    munmap((void *)call.body.at, call.body.len);
    *id = fan_json_i64(fan_json_get(answer, "id"), 0);
    return err;
}

/* ---- following it ---- */

struct job {
    struct fan_api *api;
    const char *path;
    struct fan_screen screen;
    struct fan_pace pace;
    struct fan_import_result *result;
};

static int64_t number(const struct fan_json *import, const char *name)
{
    return fan_json_i64(fan_json_get(import, name), 0);
}

static void take_counts(const struct fan_json *import, struct fan_import_result *out)
{
    out->rows = number(import, "rows");
    out->created = number(import, "created");
    out->updated = number(import, "updated");
    out->rejected = number(import, "rejected");
    out->warnings = number(import, "warnings");
}

static void show(struct job *job, const struct fan_json *import, bool last)
{
    struct fan_buffer line;
    double rate;

    fan_pace_look(&job->pace, fan_clock_elapsed(), job->result->rows);
    rate = fan_pace_rate(&job->pace);
    fan_buffer_init(&line, 4096);
    fan_buffer_add_text(&line, "import  ▕");
    fan_bar_add(&line, number(import, "blocks_done"), number(import, "blocks"), BAR_WIDTH);
    fan_buffer_add_text(&line, "▏ ");
    fan_number_add(&line, job->result->rows);
    fan_buffer_add_text(&line, " rows");
    if (!last && rate >= 1) {
        fan_buffer_add_text(&line, "  ");
        fan_number_add(&line, (int64_t)rate);
        fan_buffer_add_text(&line, "/s");
    }
    fan_buffer_add_char(&line, '\n');
    if (last)
        fan_screen_end(&job->screen, fan_buffer_bytes(&line));
    else
        fan_screen_draw(&job->screen, fan_buffer_bytes(&line));
    fan_buffer_fini(&line);
}

/* ended: out, whether nothing more will happen. */
static enum fan_err look(struct job *job, struct fan_arena *arena, bool *ended, struct fan_why *why)
{
    const struct fan_json *import;
    struct fan_bytes status;
    enum fan_err err = fan_api_get(job->api, job->path, arena, &import, why);

    if (err)
        return err;
    status = fan_json_get_text(import, "status");
    take_counts(import, job->result);
    *ended = fan_bytes_eq_text(status, "completed") || fan_bytes_eq_text(status, "failed");
    show(job, import, *ended);
    if (fan_bytes_eq_text(status, "failed"))
        return fan_fail(why, FAN_INVALID, "import %lld failed: %.*s", (long long)job->result->id,
                FAN_BYTES_ARG(fan_json_get_text(import, "reason")));
    return FAN_OK;
}

/* It goes on without us: a gateway that is away for a moment is no reason to give up. */
static enum fan_err follow(struct job *job, struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    bool ended = false;
    int missed = 0;
    enum fan_err err;

    do {
        err = look(job, arena, &ended, why);
        missed = err == FAN_UNAVAILABLE ? missed + 1 : 0;
        if (!ended && (!err || err == FAN_UNAVAILABLE))
            usleep(LOOK_MS * 1000);
        fan_arena_reset(arena);
    } while (!ended && (!err || (err == FAN_UNAVAILABLE && missed < 60000 / LOOK_MS)));
    fan_arena_free(&arena);
    return err;
}

enum fan_err fan_import_file(struct fan_api *api, const struct fan_import_request *request,
        struct fan_import_result *out, struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    struct job job = { .api = api, .result = out };
    enum fan_err err = upload(api, request, arena, &out->id, why);

    /* Rows that came through meet themselves: sending a list again does no harm. */
    for (int tries = 1; err == FAN_UNAVAILABLE && tries < TRIES; tries++) {
        usleep(PAUSE_MS * 1000);
        err = upload(api, request, arena, &out->id, why);
    }
    if (!err) {
        fan_screen_init(&job.screen, stdout);
        job.path = fan_arena_printf(arena, "/api/v1/imports/%lld", (long long)out->id);
        err = follow(&job, why);
    }
    fan_arena_free(&arena);
    return err;
}
