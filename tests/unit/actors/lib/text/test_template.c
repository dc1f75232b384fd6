/* actors/lib/text/template.c and values.c: a campaign's content, checked and written. */
#include "actors/lib/text/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct fan_bytes attributes[] = { FAN_LIT("city"), FAN_LIT("visits"), FAN_LIT("vip"),
    FAN_LIT("list") };

enum { SLOTS = FAN_SLOT_ATTRIBUTES + 4 + FAN_EXTRAS };

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
    world.fields = fan_text_fields_of((struct fan_texts){ .at = attributes, .len = 4 },
            FAN_NO_BYTES, world.arena);
    fan_buffer_init(&world.out, FAN_RENDERED_MAX);
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

static const struct fan_template *compiled(struct world *world, enum fan_kind kind,
        const char *content)
{
    const struct fan_template *template = NULL;
    struct fan_why why = { 0 };

    if (fan_template_compile(kind, fan_bytes_of(content), &world->fields, world->arena, &template,
                &why))
        fail_msg("%s: %s: %s", content, why.field, why.text);
    return template;
}

static int rendered(struct world *world, const struct fan_template *template,
        struct fan_rendering *out)
{
    const struct fan_text_person person = {
        .first_name = FAN_LIT("Anna"),
        .last_name = FAN_LIT("Li"),
        .country = FAN_LIT(" "),
        .attributes = FAN_LIT("{\"city\":\"A&B\",\"visits\":7,\"vip\":true,\"list\":[1]}"),
    };
    const struct fan_text_occasion occasion = {
        .campaign = 7,
        .campaign_name = FAN_LIT("Diwali"),
        .kind = FAN_KIND_SMS,
        .details = FAN_LIT("{\"event_date\":\"2026-11-08T18:00:00Z\"}"),
    };
    struct fan_value values[SLOTS] = { 0 };
    const struct fan_text_view view = {
        .machine = world->machine,
        .values = values,
        .language = FAN_LIT("de"),
        .zone = FAN_LIT("Asia/Kolkata"),
    };
    struct fan_why why;

    fan_text_occasion_values(&world->fields, &occasion, world->arena, values);
    assert_int_equal(fan_text_values(template, &world->fields, &person, world->arena, values, &why),
            FAN_OK);
    return fan_template_render(template, &view, &world->out, out, &why);
}

static void bad_contents_are_refused_by_their_part(void **state)
{
    struct world *world = *state;
    static const struct {
        enum fan_kind kind;
        const char *content, *field;
    } cases[] = {
        { FAN_KIND_SMS, "{}", "message" },
        { FAN_KIND_SMS, "{\"text\":\" \\n\"}", "message" },
        { FAN_KIND_SMS, "{\"text\":7}", "message" },
        { FAN_KIND_SMS, "{\"text\":\"Hi {nobody}\"}", "message" },
        { FAN_KIND_SMS, "{\"text\":\"Hi\",\"subject\":\"S\"}", "subject" },
        { FAN_KIND_SMS, "{\"text\":\"Hi\",\"template\":{}}", "template" },
        { FAN_KIND_SMS, "{\"text\":\"Hi\",\"syntax\":\"mustache\"}", "syntax" },
        { FAN_KIND_SMS, "{\"text\":\"{{ x }}\",\"syntax\":\"liquid\"}", "message" },
        { FAN_KIND_SMS, "{\"text\":\"{% if %}\",\"syntax\":\"liquid\"}", "message" },
        { FAN_KIND_EMAIL, "{\"text\":\"Hi\"}", "subject" },
        { FAN_KIND_EMAIL, "{\"subject\":\"Hi\"}", "message" },
        { FAN_KIND_EMAIL, "{\"subject\":\"Hi\",\"html\":\"{x}\"}", "html" },
        { FAN_KIND_EMAIL, "{\"subject\":\"S\",\"text\":\"T\",\"media_url\":\"u\"}", "media_url" },
        { FAN_KIND_WHATSAPP, "{}", "message" },
        { FAN_KIND_WHATSAPP, "{\"template\":{\"language\":\"en\"}}", "template" },
        { FAN_KIND_WHATSAPP,
                "{\"template\":{\"name\":\"n\",\"language\":\"en\",\"variables\":[\"\"]}}",
                "template.variables" },
        { FAN_KIND_WHATSAPP, "{\"text\":\"t\",\"template\":{\"name\":\"n\",\"language\":\"en\"}}",
                "message" },
        { FAN_KIND_SMS, "[]", "content" },
        { FAN_KIND_COUNT, "{}", "channel" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fan_template *template;
        struct fan_why why = { 0 };

        assert_int_equal(fan_template_compile(cases[i].kind, fan_bytes_of(cases[i].content),
                                 &world->fields, world->arena, &template, &why),
                FAN_INVALID);
        assert_string_equal(why.field, cases[i].field);
    }
}

static void every_fault_is_told_at_once(void **state)
{
    struct world *world = *state;
    struct fan_why faults[FAN_TEMPLATE_FAULTS];
    size_t count = fan_template_check(FAN_KIND_EMAIL,
            FAN_LIT("{\"text\":\"{a}\",\"subject\":\"{b}\",\"html\":\"{c}\"}"), &world->fields,
            world->arena, faults);

    assert_int_equal(count, 3);
    assert_string_equal(faults[0].field, "message");
    assert_string_equal(faults[1].field, "subject");
    assert_string_equal(faults[2].field, "html");
}

static void a_mail_has_its_parts_each_escaped_its_way(void **state)
{
    struct world *world = *state;
    struct fan_rendering out;
    const struct fan_template *template = compiled(world, FAN_KIND_EMAIL,
            "{\"text\":\"{name} of {city}\",\"subject\":\"{first_name}!\","
            "\"html\":\"<p>{city}, {visits}, {vip}{list}</p>\"}");

    assert_int_equal(rendered(world, template, &out), 0);
    assert_true(fan_bytes_eq_text(out.content.text, "Anna Li of A&B"));
    assert_true(fan_bytes_eq_text(out.content.subject, "Anna!"));
    assert_true(fan_bytes_eq_text(out.content.html, "<p>A&amp;B, 7, true</p>"));
    assert_null(out.content.media_url.at);
}

static void an_approved_template_carries_its_variables(void **state)
{
    struct world *world = *state;
    struct fan_rendering out;
    const struct fan_template *template = compiled(world, FAN_KIND_WHATSAPP,
            "{\"template\":{\"name\":\"diwali\",\"language\":\"en_US\","
            "\"variables\":[\"{first_name}\",\"{city}\"]}}");

    assert_int_equal(rendered(world, template, &out), 0);
    assert_true(fan_bytes_eq_text(out.content.template_name, "diwali"));
    assert_int_equal(out.content.variables.len, 2);
    assert_true(fan_bytes_eq_text(out.content.variables.at[1], "A&B"));
    assert_null(out.content.text.at);
}

static void a_template_may_leave_its_language_to_the_channel(void **state)
{
    struct world *world = *state;
    struct fan_rendering out;
    const struct fan_template *template = compiled(world, FAN_KIND_WHATSAPP,
            "{\"template\":{\"name\":\"diwali\",\"variables\":[\"{first_name}\"]}}");

    assert_int_equal(rendered(world, template, &out), 0);
    assert_int_equal(out.content.language.len, 0);
}

static void blank_copies_are_found(void **state)
{
    struct world *world = *state;
    struct fan_rendering out;

    assert_int_equal(rendered(world, compiled(world, FAN_KIND_SMS, "{\"text\":\"{company}\"}"),
                             &out),
            FAN_REASON_BLANK);
    assert_int_equal(rendered(world,
                             compiled(world, FAN_KIND_SMS, "{\"text\":\"\\u00a0{country}\"}"),
                             &out),
            FAN_REASON_BLANK);
    assert_int_equal(rendered(world,
                             compiled(world, FAN_KIND_WHATSAPP,
                                     "{\"template\":{\"name\":\"n\",\"language\":\"en\","
                                     "\"variables\":[\"{company}\"]}}"),
                             &out),
            FAN_REASON_BLANK);
}

static void a_text_is_bounded_in_characters(void **state)
{
    struct world *world = *state;
    const struct fan_template *template =
            compiled(world, FAN_KIND_SMS, "{\"text\":\"{first_name}\"}");
    struct fan_value values[SLOTS] = { 0 };
    const struct fan_text_view view = { .machine = world->machine, .values = values };
    struct fan_rendering out;
    struct fan_why why;
    char text[2 * 1601];

    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    values[FAN_SLOT_FIRST_NAME] = fan_value_text((struct fan_bytes){ .at = text, .len = 2 * 1600 });
    assert_int_equal(fan_template_render(template, &view, &world->out, &out, &why), 0);
    values[FAN_SLOT_FIRST_NAME].len = 2 * 1601;
    assert_int_equal(fan_template_render(template, &view, &world->out, &out, &why),
            FAN_REASON_TOO_LONG);
}

static void liquid_sees_attributes_as_they_are(void **state)
{
    struct world *world = *state;
    struct fan_rendering out;
    const struct fan_template *template = compiled(world, FAN_KIND_EMAIL,
            "{\"syntax\":\"liquid\",\"subject\":\"{{ campaign.name }} for {{ first_name }}\","
            "\"text\":\"{% if contact.attributes.visits > 5 %}{{ list | first | plus: visits }}"
            "{% endif %} {{ event.date | local_time: '%H:%M' }}{{ contact.time_zone }}\","
            "\"html\":\"{{ city }}{{ contact['company'] }}{{ contact.attributes[first_name] }}\"}");

    assert_int_equal(rendered(world, template, &out), 0);
    assert_true(fan_bytes_eq_text(out.content.subject, "Diwali for Anna"));
    assert_true(fan_bytes_eq_text(out.content.text, "8 23:30"));
    assert_true(fan_bytes_eq_text(out.content.html, "A&amp;B"));
}

static void a_template_that_fails_on_its_values_is_the_reason(void **state)
{
    struct world *world = *state;
    struct fan_rendering out;

    assert_int_equal(rendered(world,
                             compiled(world, FAN_KIND_SMS,
                                     "{\"syntax\":\"liquid\","
                                     "\"text\":\"{{ visits | divided_by: company }}\"}"),
                             &out),
            FAN_REASON_TEMPLATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_contents_are_refused_by_their_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_fault_is_told_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mail_has_its_parts_each_escaped_its_way, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(an_approved_template_carries_its_variables, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_template_may_leave_its_language_to_the_channel, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(blank_copies_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_text_is_bounded_in_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(liquid_sees_attributes_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_template_that_fails_on_its_values_is_the_reason, set_up,
                tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
