/*
 * Machines, and how a run begins and ends.
 */
#include "actors/lib/liquid/exec.h"

#include "actors/lib/liquid/locale.h"
#include "proto/err.h"

#include <stdlib.h>

struct fan_liquid_machine *fan_liquid_machine_new(void)
{
    struct fan_liquid_machine *machine = calloc(1, sizeof *machine);

    if (!machine)
        fan_die("out of memory: a machine for templates");
    machine->arena = fan_arena_new();
    fan_buffer_init(&machine->scratch, FAN_LIQUID_TEXT_MAX);
    return machine;
}

void fan_liquid_machine_free(struct fan_liquid_machine **machine)
{
    if (!*machine)
        return;
    fan_locale_cache_free(&(*machine)->locale);
    fan_arena_free(&(*machine)->arena);
    fan_buffer_fini(&(*machine)->scratch);
    free(*machine);
    *machine = NULL;
}

/* The data's values by slot, where there is no schema. */
static const struct fan_value *slots_of(struct fan_exec *exec)
{
    const struct fan_map *data = exec->input->data;
    size_t len = exec->program->globals_len;
    struct fan_value *slots;

    if (!data || !len)
        return exec->input->slots;
    slots = fan_arena_array(exec->arena, len, sizeof *slots);
    for (size_t i = 0; i < len; i++) {
        const struct fan_value *value = fan_map_get(data, exec->program->globals[i]);

        slots[i] = value ? *value : fan_value_nil();
    }
    return slots;
}

enum fan_err fan_liquid_run(struct fan_liquid_machine *machine,
        const struct fan_liquid_program *program, const struct fan_liquid_input *input,
        struct fan_buffer *out, uint32_t *line, struct fan_why *why)
{
    struct fan_exec exec = {
        .program = program,
        .input = input,
        .machine = machine,
        .arena = machine->arena,
        .out = out,
        .steps = FAN_LIQUID_STEPS_MAX,
        .why = why,
    };
    struct fan_scope scope = { .data = input->data };

    fan_arena_reset(machine->arena);
    scope.slots = slots_of(&exec);
    if (program->names_len) {
        scope.local = fan_exec_unset(&exec);
        scope.assigned = fan_exec_unset(&exec);
    }
    exec.scope = &scope;
    if (fan_exec_code(&exec, 0) && out->overflowed) {
        exec.err = fan_fail(why, FAN_TOO_LARGE, "longer than %zu bytes", out->cap);
        exec.line = 1;
    }
    if (line)
        *line = exec.line;
    return exec.err;
}
