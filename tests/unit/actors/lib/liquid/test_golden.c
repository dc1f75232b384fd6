/*
 * The language, case by case: tests/golden/liquid/golden.json is half of the Golden Liquid suite
 * (MIT, its licence beside it). A case is a template, its data and perhaps partials, and what comes
 * out, or that it is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "actors/lib/liquid/liquid.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_CAP = 4 * 1024 * 1024, LEAST_CASES = 500 };

static struct fan_bytes read_cases(struct fan_arena *arena)
{
    const char *root = getenv("FAN_SOURCE");
    char *text = fan_arena_alloc(arena, FILE_CAP);
    FILE *in =
            fopen(fan_arena_printf(arena, "%s/tests/golden/liquid/golden.json", root ? root : "."),
                    "rb");
    size_t len;

    assert_non_null(in);
    len = fread(text, 1, FILE_CAP, in);
    fclose(in);
    return (struct fan_bytes){ text, len };
}

static enum fan_err run_case(const struct fan_json *item, struct fan_arena *arena,
        struct fan_liquid_machine *machine, struct fan_buffer *out, struct fan_why *why)
{
    struct fan_value data = fan_value_of_json(fan_json_get(item, "data"), arena);
    struct fan_value partials = fan_value_of_json(fan_json_get(item, "templates"), arena);
    const struct fan_liquid_source source = {
        .text = fan_json_get_text(item, "template"),
        .partials = partials.type == FAN_VALUE_MAP ? partials.map : NULL,
    };
    const struct fan_liquid_input input = {
        .data = data.type == FAN_VALUE_MAP ? data.map : NULL,
        .now = 1795000000 * FAN_SECOND,
    };
    const struct fan_liquid_program *program;
    enum fan_err err = fan_liquid_compile(&source, arena, &program, NULL, why);

    return err ? err : fan_liquid_run(machine, program, &input, out, NULL, why);
}

static bool is_wanted(const struct fan_json *item, struct fan_bytes got)
{
    const struct fan_json *results = fan_json_get(item, "results");

    for (size_t i = 0; i < fan_json_size(results); i++)
        if (fan_bytes_eq(fan_json_text(fan_json_at(results, i)), got))
            return true;
    return !results && fan_bytes_eq(fan_json_get_text(item, "result"), got);
}

static bool passes(const struct fan_json *item, struct fan_liquid_machine *machine)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes name = fan_json_get_text(item, "name");
    struct fan_why why = { 0 };
    struct fan_buffer out;
    struct fan_bytes got;
    bool right;

    fan_buffer_init(&out, 1024 * 1024);
    enum fan_err err = run_case(item, arena, machine, &out, &why);
    got = out.len ? fan_buffer_bytes(&out) : FAN_LIT("");
    right = fan_json_bool(fan_json_get(item, "invalid"), false) ? err != FAN_OK
                                                                : !err && is_wanted(item, got);
    if (!right)
        print_error("%.*s: gives \"%.*s\" %s\n", FAN_BYTES_ARG(name), FAN_BYTES_ARG(got), why.text);
    fan_buffer_fini(&out);
    fan_arena_free(&arena);
    return right;
}

static void every_case_gives_what_it_should(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_liquid_machine *machine = fan_liquid_machine_new();
    const struct fan_json *suite = NULL, *cases;
    unsigned wrong = 0;

    assert_int_equal(fan_json_parse(read_cases(arena), arena, &suite, NULL), FAN_OK);
    cases = fan_json_get(suite, "tests");
    assert_true(fan_json_size(cases) > LEAST_CASES);
    for (size_t i = 0; i < fan_json_size(cases); i++)
        wrong += !passes(fan_json_at(cases, i), machine);
    fan_liquid_machine_free(&machine);
    fan_arena_free(&arena);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_case_gives_what_it_should) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
