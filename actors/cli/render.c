/*
 * fanfare render — templates tried out: one JSON object a line in, one a line out.
 *
 * For authors' tools and for tests: the same compiler and machine as the renderer's.
 */
#include "actors/cli/command.h"
#include "actors/lib/text/text.h"
#include "broker/runtime/clock.h"
#include "proto/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINE_MAX_BYTES = 8 * 1024 * 1024, RESULT_MAX = 16 * 1024 * 1024 };

struct render_options {
    uint32_t repeat;
};

static const struct render_options defaults = { .repeat = 1 };

static const struct fan_option options[] = {
    FAN_OPTION(NUMBER, struct render_options, repeat, "repeat", "NUMBER",
            "write each so often, and say how long once takes (1)"),
    FAN_OPTIONS_END,
};

/* A line's work: what it asks for, and what became of it. */
struct job {
    struct fan_arena *arena;
    struct fan_liquid_machine *machine;
    const struct fan_json *asked;
    struct fan_value data;
    bool html;
    uint32_t repeat;
    clock_t took; /* all repetitions, of the processor's time */
    struct fan_buffer result;
    uint32_t line;
    struct fan_why why;
};

static enum fan_err run_program(struct job *job, const struct fan_liquid_program *program,
        const struct fan_value *slots)
{
    const struct fan_liquid_input input = {
        .slots = slots,
        .data = job->data.map,
        .escape = job->html ? FAN_LIQUID_HTML : FAN_LIQUID_PLAIN,
        .now = fan_clock_now(),
        .locale = fan_json_get_text(job->asked, "locale"),
        .zone = fan_json_get_text(job->asked, "time_zone"),
    };

    clock_t began = clock();
    enum fan_err err = FAN_OK;

    for (uint32_t i = 0; i < job->repeat && !err; i++) {
        fan_buffer_clear(&job->result);
        err = fan_liquid_run(job->machine, program, &input, &job->result, &job->line, &job->why);
    }
    job->took = clock() - began;
    return err;
}

static enum fan_err render_liquid(struct job *job, struct fan_bytes template)
{
    const struct fan_json *json = fan_json_get(job->asked, "templates");
    struct fan_value partials = fan_value_of_json(json, job->arena);
    const struct fan_liquid_program *program;
    const struct fan_liquid_source source = {
        .text = template,
        .partials = partials.type == FAN_VALUE_MAP ? partials.map : NULL,
    };
    enum fan_err err;

    if (json && partials.type != FAN_VALUE_MAP)
        return fan_fail(&job->why, FAN_INVALID, "templates: must be an object of texts");
    err = fan_liquid_compile(&source, job->arena, &program, &job->line, &job->why);
    return err ? err : run_program(job, program, NULL);
}

/* The fields are whatever the data has. */
static enum fan_err render_fields(struct job *job, struct fan_bytes template)
{
    const struct fan_map *data = job->data.map;
    struct fan_bytes *names = fan_arena_array(job->arena, data->len, sizeof *names);
    const struct fan_text_program *program;
    struct fan_text_fields fields;
    struct fan_value *slots;
    enum fan_err err;

    for (size_t i = 0; i < data->len; i++)
        names[i] = data->entries[i].key;
    fields = fan_text_fields_of((struct fan_texts){ names, data->len }, FAN_NO_BYTES, job->arena);
    err = fan_text_compile(template, FAN_SYNTAX_FIELD, &fields, job->arena, &program, &job->why);
    if (err)
        return err;
    slots = fan_arena_array(job->arena, fields.count, sizeof *slots);
    for (size_t i = 0; i < fields.count; i++) {
        const struct fan_value *value = fan_map_get(data, fields.names[i]);

        slots[i] = value ? *value : fan_value_nil();
    }
    return run_program(job, fan_text_liquid(program), slots);
}

static enum fan_err render(struct job *job)
{
    struct fan_bytes template = fan_json_get_text(job->asked, "template");
    struct fan_bytes syntax = fan_json_get_text(job->asked, "syntax");
    const struct fan_json *data = fan_json_get(job->asked, "data");

    if (fan_json_type(job->asked) != FAN_JSON_OBJECT || !template.at)
        return fan_fail(&job->why, FAN_INVALID, "template: must be a text");
    job->data = data ? fan_value_of_json(data, job->arena) : fan_value_map(NULL, 0, job->arena);
    if (job->data.type != FAN_VALUE_MAP)
        return fan_fail(&job->why, FAN_INVALID, "data: must be an object");
    job->html = fan_json_bool(fan_json_get(job->asked, "html"), false);
    if (!syntax.at || fan_bytes_eq_text(syntax, "liquid"))
        return render_liquid(job, template);
    if (fan_bytes_eq_text(syntax, "field"))
        return render_fields(job, template);
    return fan_fail(&job->why, FAN_INVALID, "syntax: must be liquid or field");
}

static void answer(struct job *job, struct fan_bytes line)
{
    struct fan_json_writer json;
    struct fan_buffer out;
    enum fan_err err = line.len > LINE_MAX_BYTES
            ? fan_fail(&job->why, FAN_TOO_LARGE, "a line longer than %d bytes", LINE_MAX_BYTES)
            : fan_json_parse(line, job->arena, &job->asked, &job->why);

    if (!err)
        err = render(job);
    fan_buffer_init(&out, 4 * (size_t)RESULT_MAX);
    fan_json_begin(&json, &out);
    fan_json_object_open(&json, NULL);
    if (!err) {
        fan_json_add_text(&json, "result",
                job->result.len ? fan_buffer_bytes(&job->result) : FAN_LIT(""));
        if (job->repeat > 1)
            fan_json_add_real(&json, "nanoseconds",
                    1e9 / CLOCKS_PER_SEC * (double)job->took / job->repeat);
    } else {
        fan_json_add_text(&json, "error", fan_bytes_of(job->why.text));
        fan_json_add_i64(&json, "line", job->line ? job->line : 1);
    }
    fan_json_object_close(&json);
    fan_buffer_add_char(&out, '\n');
    fwrite(out.at, 1, out.len, stdout);
    fan_buffer_fini(&out);
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct render_options *asked = call->options;
    struct job job = {
        .arena = fan_arena_new(),
        .machine = fan_liquid_machine_new(),
        .repeat = asked->repeat ? asked->repeat : 1,
    };
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    (void)exit_code;
    fan_buffer_init(&job.result, RESULT_MAX);
    while ((len = getline(&line, &room, stdin)) >= 0) {
        fan_arena_reset(job.arena);
        fan_buffer_clear(&job.result);
        job.line = 0;
        answer(&job, (struct fan_bytes){ line, (size_t)len });
        if (fflush(stdout) != 0)
            break;
    }
    free(line);
    fan_buffer_fini(&job.result);
    fan_liquid_machine_free(&job.machine);
    fan_arena_free(&job.arena);
    if (ferror(stdin) || ferror(stdout))
        return fan_fail(why, FAN_UNAVAILABLE, "cannot read or write: %s", strerror(errno));
    return FAN_OK;
}

const struct fan_command fan_command_render = {
    .name = "render",
    .arguments = "",
    .summary = "try templates: one JSON object a line in, one out",
    .details =
            "In:  {\"template\": \"Hi {{ name }}\", \"data\": {\"name\": \"Ana\"}}, and perhaps\n"
            "     \"templates\" (partials by name), \"syntax\" (liquid or field), \"html\" (true:\n"
            "     values are escaped), \"locale\", \"time_zone\".\n"
            "Out: {\"result\": \"Hi Ana\"}, or {\"error\": \"…\", \"line\": 1}.",
    .table = options,
    .defaults = &defaults,
    .options_size = sizeof(struct render_options),
    .run = run,
};
