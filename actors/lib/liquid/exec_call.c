#include "actors/lib/liquid/exec.h"

#include "actors/lib/liquid/compiler.h"

static int32_t code_named(const struct fan_exec *exec, struct fan_bytes name)
{
    for (size_t i = 1; i < exec->program->codes_len; i++)
        if (fan_bytes_eq(exec->program->codes[i].name, name))
            return (int32_t)i;
    return -1;
}

/* Which partial it is; its computed name stands below all else. */
static bool resolve(struct fan_exec *exec, const struct fan_call_site *site, struct fan_value name,
        int32_t *out)
{
    *out = site->code;
    if (*out >= 0)
        return true;
    if (name.type != FAN_VALUE_TEXT)
        return fan_exec_fail(exec, FAN_INVALID, "include wants the name of a partial");
    *out = code_named(exec, fan_value_bytes(name));
    if (*out < 0)
        return fan_exec_fail(exec, FAN_INVALID, "there is no partial \"%.*s\"",
                (int)(name.len < 40 ? name.len : 40), name.text);
    return true;
}

/* ---- render: a scope of its own ---- */

static bool render_once(struct fan_exec *exec, const struct fan_call_site *site, int32_t code,
        struct fan_value value, const struct fan_value *args, const struct fan_loop *loop)
{
    const struct fan_liquid_program *program = exec->program;
    struct fan_scope *outer = exec->scope;
    int32_t name = site->alias >= 0
            ? site->alias
            : fan_exec_find_name(exec, fan_partial_variable(program->codes[code].name));
    bool ok;

    exec->scope = fan_exec_scope(exec, true);
    if (loop && program->forloop >= 0)
        exec->scope->assigned[program->forloop] =
                (struct fan_value){ .type = FAN_VALUE_LOOP, .loop = loop };
    for (uint32_t i = 0; i < site->args_len; i++)
        exec->scope->assigned[site->args[i]] = args[i];
    if (value.type != FAN_VALUE_NIL && name >= 0)
        exec->scope->assigned[name] = value;
    exec->isolated++;
    ok = fan_exec_code(exec, (size_t)code);
    exec->isolated--;
    exec->interrupt = FAN_CALM;
    exec->scope = outer;
    return ok;
}

static bool render(struct fan_exec *exec, const struct fan_call_site *site, int32_t code,
        struct fan_value value, const struct fan_value *args)
{
    size_t count = fan_value_count(value);
    struct fan_loop *loop;

    if (!site->each ||
            (value.type != FAN_VALUE_LIST && value.type != FAN_VALUE_MAP &&
                    value.type != FAN_VALUE_RANGE))
        return render_once(exec, site, code, value, args, NULL);
    if (count > FAN_LIQUID_LOOP_MAX)
        return fan_exec_fail(exec, FAN_TOO_LARGE, "a loop of %zu items; at most %d", count,
                FAN_LIQUID_LOOP_MAX);
    loop = fan_arena_alloc(exec->arena, sizeof *loop);
    loop->name = exec->program->codes[code].name;
    loop->length = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        loop->index = (int64_t)i;
        if (!render_once(exec, site, code, fan_value_item(value, i, exec->arena), args, loop))
            return false;
    }
    return true;
}

/* ---- include: the names around it, and its own on top ---- */

static bool include_bound(struct fan_exec *exec, const struct fan_call_site *site, int32_t code,
        struct fan_value value, int32_t name)
{
    struct fan_value *local = exec->scope->local;
    size_t count = value.type == FAN_VALUE_LIST ? value.list->len : 1;

    (void)site;
    for (size_t i = 0; i < count && !exec->interrupt; i++) {
        if (name >= 0)
            local[name] = value.type == FAN_VALUE_LIST ? value.list->items[i] : value;
        if (!fan_exec_spend(exec, 1) || !fan_exec_code(exec, (size_t)code))
            return false;
    }
    return true;
}

static bool include(struct fan_exec *exec, const struct fan_call_site *site, int32_t code,
        struct fan_value value, const struct fan_value *args)
{
    struct fan_bytes own = exec->program->codes[code].name;
    int32_t name =
            site->alias >= 0 ? site->alias : fan_exec_find_name(exec, fan_partial_variable(own));
    struct fan_value *local = exec->scope->local, saved = fan_value_nil(),
                     *kept = fan_arena_array(exec->arena, site->args_len, sizeof *kept);
    bool ok;

    if (exec->isolated)
        return fan_exec_fail(exec, FAN_INVALID, "include is not allowed in what render calls");
    if (!site->value)
        value = fan_exec_lookup(exec, own);
    if (name >= 0)
        saved = local[name];
    for (uint32_t i = 0; i < site->args_len; i++) {
        kept[i] = local[site->args[i]];
        local[site->args[i]] = args[i];
    }
    ok = include_bound(exec, site, code, value, name);
    for (uint32_t i = site->args_len; i-- > 0;)
        local[site->args[i]] = kept[i];
    if (name >= 0)
        local[name] = saved;
    return ok;
}

bool fan_exec_call(struct fan_exec *exec, const struct fan_call_site *site,
        struct fan_value **stack)
{
    struct fan_value *args = *stack - site->args_len, value = fan_value_nil();
    struct fan_value name = fan_value_nil();
    int32_t code;
    bool ok;

    *stack = args;
    if (site->value)
        value = *--*stack;
    if (site->code < 0)
        name = *--*stack;
    if (!resolve(exec, site, name, &code))
        return false;
    if (++exec->calls > FAN_LIQUID_CALLS_MAX)
        return fan_exec_fail(exec, FAN_TOO_LARGE, "partials within partials deeper than %d",
                FAN_LIQUID_CALLS_MAX);
    ok = site->render ? render(exec, site, code, value, args)
                      : include(exec, site, code, value, args);
    exec->calls--;
    return ok;
}
