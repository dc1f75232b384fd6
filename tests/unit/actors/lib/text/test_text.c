/* actors/lib/text/text.c: fields in a text. */
#include "actors/lib/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct fan_bytes attributes[] = { FAN_LIT("location"), FAN_LIT("preferred_product") };

enum { SLOTS = FAN_SLOT_ATTRIBUTES + 2 + FAN_EXTRAS };

struct world {
    struct fan_arena *arena;
    struct fan_liquid_machine *machine;
    struct fan_text_fields fields;
    struct fan_buffer out;
};

static int set_up(void **state)
{
    static struct world world;

    world.arena = fan_arena_new();
    world.machine = fan_liquid_machine_new();
    world.fields = fan_text_fields_of((struct fan_texts){ .at = attributes, .len = 2 },
            FAN_LIT("{\"first_name\":\"Customer\"}"), world.arena);
    fan_buffer_init(&world.out, 4096);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    fan_buffer_fini(&world->out);
    fan_liquid_machine_free(&world->machine);
    fan_arena_free(&world->arena);
    return 0;
}

static const struct fan_text_program *compiled_as(struct world *world, const char *source,
        enum fan_text_syntax syntax)
{
    const struct fan_text_program *program;
    struct fan_why why = { 0 };

    if (fan_text_compile(fan_bytes_of(source), syntax, &world->fields, world->arena, &program,
                &why))
        fail_msg("%s: %s", source, why.text);
    return program;
}

static const struct fan_text_program *compiled(struct world *world, const char *source)
{
    return compiled_as(world, source, FAN_SYNTAX_FIELD);
}

static void expect_as(struct world *world, const char *source, enum fan_text_syntax syntax,
        enum fan_text_escape escape, const char *wanted)
{
    struct fan_value values[SLOTS] = { 0 };
    const struct fan_text_view view = { .machine = world->machine, .values = values };
    struct fan_why why = { 0 };

    values[FAN_SLOT_LAST_NAME] = fan_value_text(FAN_LIT("O'Hara & <Co>"));
    values[FAN_SLOT_COMPANY] = fan_value_text(FAN_LIT("two\r\nlines"));
    values[FAN_SLOT_ATTRIBUTES] = fan_value_text(FAN_LIT("Pune"));
    values[world->fields.count + FAN_EXTRA_CAMPAIGN_NAME] = fan_value_text(FAN_LIT("Diwali"));
    fan_buffer_clear(&world->out);
    if (fan_text_run(compiled_as(world, source, syntax), &view, escape, &world->out, &why))
        fail_msg("%s: %s", source, why.text);
    if (!fan_bytes_eq_text(fan_buffer_bytes(&world->out), wanted))
        fail_msg("%s gave %.*s, not %s", source, FAN_BYTES_ARG(fan_buffer_bytes(&world->out)),
                wanted);
}

static void expect(struct world *world, const char *source, enum fan_text_escape escape,
        const char *wanted)
{
    expect_as(world, source, FAN_SYNTAX_FIELD, escape, wanted);
}

static void fields_are_replaced_and_the_rest_stays(void **state)
{
    static const struct {
        const char *source, *wanted;
    } cases[] = {
        { "", "" },
        { "plain", "plain" },
        { "{location}", "Pune" },
        { "In {location}: {location}!", "In Pune: Pune!" },
        { "{ Elsewhere } {1a} {} { {", "{ Elsewhere } {1a} {} { {" },
        { "b{color:red}", "b{color:red}" },
        { "{{location}}", "{Pune}" },
        { "{location", "{location" },
        { "{\"a\": 1}", "{\"a\": 1}" },
        { "नमस्ते {location}", "नमस्ते Pune" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(*state, cases[i].source, FAN_ESCAPE_NONE, cases[i].wanted);
}

static void a_missing_value_becomes_the_fallback_word_or_nothing(void **state)
{
    expect(*state, "Dear {first_name},", FAN_ESCAPE_NONE, "Dear Customer,");
    expect(*state, "Try {preferred_product}!", FAN_ESCAPE_NONE, "Try !");
}

static void values_are_escaped_and_the_authors_text_is_not(void **state)
{
    expect(*state, "<b>{last_name}</b>", FAN_ESCAPE_HTML, "<b>O&#39;Hara &amp; &lt;Co&gt;</b>");
    expect(*state, "{company}", FAN_ESCAPE_LINE, "two  lines");
}

static void a_fields_name_in_capitals_or_with_spaces_is_no_text(void **state)
{
    static const char *const meant[] = { "In { location}", "{Location}!",
        "{location} { LOCATION }" };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++) {
        const struct fan_text_program *program;
        struct fan_why why = { 0 };

        assert_int_equal(fan_text_compile(fan_bytes_of(meant[i]), FAN_SYNTAX_FIELD, &world->fields,
                                 world->arena, &program, &why),
                FAN_INVALID);
        assert_non_null(strstr(why.text, "{location}"));
    }
}

static void an_unknown_field_is_refused_with_the_valid_ones(void **state)
{
    struct world *world = *state;
    const struct fan_text_program *program;
    struct fan_why why;

    assert_int_equal(fan_text_compile(FAN_LIT("Hi {frist_name}"), FAN_SYNTAX_FIELD, &world->fields,
                             world->arena, &program, &why),
            FAN_INVALID);
    assert_non_null(strstr(why.text, "{frist_name}"));
    assert_non_null(strstr(why.text, "first_name, last_name"));
    assert_non_null(strstr(why.text, "preferred_product"));
}

static void a_program_says_which_fields_it_uses(void **state)
{
    struct world *world = *state;
    bool used[SLOTS] = { false };

    fan_text_uses(compiled(world, "{email} {location}"), used);
    assert_true(used[FAN_SLOT_EMAIL]);
    assert_true(used[FAN_SLOT_ATTRIBUTES]);
    assert_false(used[FAN_SLOT_PHONE]);
}

static void running_out_of_room_is_remembered(void **state)
{
    struct world *world = *state;
    struct fan_value values[SLOTS] = { 0 };
    const struct fan_text_view view = { .machine = world->machine, .values = values };
    struct fan_buffer small;
    struct fan_why why = { 0 };

    values[FAN_SLOT_ATTRIBUTES] = fan_value_text(FAN_LIT("Pune"));
    fan_buffer_init(&small, 6);
    assert_int_equal(fan_text_run(compiled(world, "{location}, {location}"), &view, FAN_ESCAPE_NONE,
                             &small, &why),
            FAN_TOO_LARGE);
    assert_true(small.overflowed);
    assert_non_null(strstr(why.text, "6 bytes"));
    fan_buffer_fini(&small);
}

static void liquid_names_fields_by_their_paths_or_for_short(void **state)
{
    static const struct {
        const char *source, *wanted;
    } cases[] = {
        { "{{ contact.last_name }}, {{ last_name }}", "O'Hara & <Co>, O'Hara & <Co>" },
        { "{{ contact.attributes.location }} {{ location | upcase }}", "Pune PUNE" },
        { "{{ contact.attributes['location'].size }}", "4" },
        { "{{ campaign.name }}", "Diwali" },
        { "{{ first_name }}", "Customer" },
        { "{{ first_name | upcase }}", "CUSTOMER" },
        { "{{ first_name | default: 'friend' }}", "friend" },
        { "{% if first_name %}yes{% else %}no{% endif %}", "no" },
        { "{% assign first_name = 'Ana' %}{{ first_name }}", "Ana" },
        { "{% assign x = contact.first_name %}[{{ x }}]", "[]" },
        { "{% for location in (1..2) %}{{ location }}{% endfor %}{{ location }}", "12Pune" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_as(*state, cases[i].source, FAN_SYNTAX_LIQUID, FAN_ESCAPE_NONE, cases[i].wanted);
}

static void liquid_refuses_names_that_there_are_not(void **state)
{
    static const struct {
        const char *source, *valid;
    } wrong[] = {
        { "{{ frist_name }}", "valid are: first_name, last_name" },
        { "{{ contact.frist_name }}", "valid are: contact.first_name" },
        { "{{ contact.attributes.nothing }}", "valid are: contact.attributes.location, " },
        { "{{ campaign.nothing }}", "valid are: campaign.id, campaign.name" },
        { "{{ campaign }}", "valid are: campaign.id" },
        { "{% if offer.price %}{% endif %}", "unknown field offer.price" },
        { "{% for x in offers %}{% endfor %}", "unknown field offers" },
        { "{{ 'a' | append: nothing }}", "unknown field nothing" },
        { "{{ [first_name] }}", "named, not computed" },
        { "\n\n{{ x }}", "line 3" },
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct fan_text_program *program = NULL;
        struct fan_why why = { 0 };

        if (!fan_text_compile(fan_bytes_of(wrong[i].source), FAN_SYNTAX_LIQUID, &world->fields,
                    world->arena, &program, &why))
            fail_msg("%s compiles", wrong[i].source);
        if (!strstr(why.text, wrong[i].valid))
            fail_msg("%s: %s", wrong[i].source, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields_are_replaced_and_the_rest_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fields_name_in_capitals_or_with_spaces_is_no_text, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_missing_value_becomes_the_fallback_word_or_nothing,
                set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_escaped_and_the_authors_text_is_not, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_field_is_refused_with_the_valid_ones, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_program_says_which_fields_it_uses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_room_is_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(liquid_names_fields_by_their_paths_or_for_short, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(liquid_refuses_names_that_there_are_not, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
