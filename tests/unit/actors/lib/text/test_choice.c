/* actors/lib/text/choice.c: a content with its languages, checked, and chosen from for each
 * recipient. */
#include "actors/lib/text/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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
    world.fields = fan_text_fields_of((struct fan_texts){ .at = NULL, .len = 0 }, FAN_NO_BYTES,
            world.arena);
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

static const struct fan_choice *compiled(struct world *world, enum fan_kind kind,
        const char *content)
{
    const struct fan_choice *choice = NULL;
    struct fan_why why = { 0 };

    if (fan_choice_compile(kind, fan_bytes_of(content), &world->fields, world->arena, &choice,
                &why))
        fail_msg("%s: %s: %s", content, why.field, why.text);
    return choice;
}

static struct fan_content written(struct world *world, const struct fan_template *template)
{
    struct fan_value values[FAN_SLOT_ATTRIBUTES + FAN_EXTRAS] = { 0 };
    const struct fan_text_view view = { .machine = world->machine, .values = values };
    static struct fan_rendering out;
    struct fan_why why;

    values[FAN_SLOT_FIRST_NAME] = fan_value_text(FAN_LIT("A&B"));
    assert_int_equal(fan_template_render(template, &view, &world->out, &out, &why), 0);
    return out.content;
}

static void a_recipient_gets_his_language_else_its_base_else_what_is_for_all(void **state)
{
    struct world *world = *state;
    const struct fan_choice *choice = compiled(world, FAN_KIND_SMS,
            "{\"text\":\"Hello\",\"language\":\"en\",\"languages\":{\"de\":{\"text\":\"Hallo\"},"
            "\"pt\":{\"text\":\"Olá\"},\"pt-BR\":{\"text\":\"Oi\"},"
            "\"zh-Hant\":{\"text\":\"Ni\"}}}");
    static const struct {
        const char *language, *text;
    } cases[] = {
        { NULL, "Hello" },
        { "", "Hello" },
        { "en", "Hello" },
        { "fr", "Hello" },
        { "German", "Hello" },
        { "de", "Hallo" },
        { " de ", "Hallo" },
        { "DE-at", "Hallo" },
        { "de_AT", "Hallo" },
        { "den", "Hello" },
        { "d", "Hello" },
        { "pt-BR", "Oi" },
        { "pt_br", "Oi" },
        { "pt-PT", "Olá" },
        { "pt-BR-x-old", "Oi" },
        { "zh-Hant-TW", "Ni" },
        { "zh-Hans-CN", "Hello" },
        { "zh", "Hello" },
        { "-", "Hello" },
        { "de-de-de-de-de-de-de-de-de-de-de-de-de", "Hello" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fan_content content =
                written(world, fan_choice_for(choice, fan_bytes_of(cases[i].language)));

        if (!fan_bytes_eq_text(content.text, cases[i].text))
            fail_msg("%s: %.*s", cases[i].language, FAN_BYTES_ARG(content.text));
    }
}

static void a_content_without_languages_is_everybodys(void **state)
{
    const struct fan_choice *choice = compiled(*state, FAN_KIND_SMS, "{\"text\":\"Hello\"}");

    assert_int_equal(fan_choice_find(choice, FAN_LIT("de")), -1);
    assert_ptr_equal(fan_choice_for(choice, FAN_LIT("de")), choice->otherwise);
}

static void attributes_are_wanted_if_any_language_names_one(void **state)
{
    struct world *world = *state;
    static const struct fan_bytes city = FAN_LIT("city");

    world->fields = fan_text_fields_of((struct fan_texts){ .at = &city, .len = 1 }, FAN_NO_BYTES,
            world->arena);
    assert_false(fan_choice_wants_attributes(compiled(world, FAN_KIND_SMS,
            "{\"text\":\"x\",\"languages\":{\"de\":{\"text\":\"{name}\"}}}")));
    assert_true(fan_choice_wants_attributes(compiled(world, FAN_KIND_SMS,
            "{\"text\":\"{city}\"}")));
    assert_true(fan_choice_wants_attributes(compiled(world, FAN_KIND_SMS,
            "{\"text\":\"x\",\"languages\":{\"de\":{\"text\":\"{city}\"}}}")));
}

static void faults_name_the_language_and_its_part(void **state)
{
    struct world *world = *state;
    static const struct {
        enum fan_kind kind;
        const char *content, *field;
    } cases[] = {
        { FAN_KIND_SMS, "[]", "content" },
        { FAN_KIND_SMS, "{\"languages\":{\"de\":{\"text\":\"x\"}}}", "message" },
        { FAN_KIND_SMS, "{\"text\":\"x\",\"languages\":[]}", "languages" },
        { FAN_KIND_SMS, "{\"text\":\"x\",\"languages\":{\"de\":\"x\"}}", "languages.de" },
        { FAN_KIND_SMS, "{\"text\":\"x\",\"languages\":{\"de\":{}}}", "languages.de.message" },
        { FAN_KIND_SMS, "{\"text\":\"x\",\"languages\":{\"de\":{\"text\":\"{no}\"}}}",
                "languages.de.message" },
        { FAN_KIND_SMS, "{\"text\":\"x\",\"languages\":{\"german\":{\"text\":\"x\"}}}",
                "languages.german" },
        { FAN_KIND_SMS,
                "{\"text\":\"x\",\"languages\":{\"de\":{\"text\":\"x\"},\"DE\":{\"text\":\"x\"}}}",
                "languages.DE" },
        { FAN_KIND_SMS, "{\"text\":\"x\",\"languages\":{\"de\":{\"text\":\"x\",\"languages\":{}}}}",
                "languages.de.languages" },
        { FAN_KIND_SMS, "{\"text\":\"x\",\"language\":\"?\"}", "language" },
        { FAN_KIND_SMS,
                "{\"text\":\"x\",\"language\":\"de\",\"languages\":{\"de\":{\"text\":\"x\"}}}",
                "language" },
        { FAN_KIND_SMS, "{\"text\":\"x\",\"preheader\":\"x\"}", "preheader" },
        { FAN_KIND_EMAIL, "{\"subject\":\"x\",\"text\":\"x\",\"preheader\":\"x\"}", "preheader" },
        { FAN_KIND_EMAIL, "{\"subject\":\"x\",\"html\":\"x\",\"preheader\":7}", "preheader" },
        { FAN_KIND_EMAIL, "{\"subject\":\"x\",\"html\":\"x\",\"preheader\":\"{no}\"}",
                "preheader" },
        { FAN_KIND_WHATSAPP,
                "{\"text\":\"x\",\"languages\":{\"pt-BR\":{\"template\":{\"name\":\"n\","
                "\"variables\":[\"\"]}}}}",
                "languages.pt-BR.template.variables" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fan_choice *choice;
        struct fan_why why = { 0 };

        assert_int_equal(fan_choice_compile(cases[i].kind, fan_bytes_of(cases[i].content),
                                 &world->fields, world->arena, &choice, &why),
                FAN_INVALID);
        assert_string_equal(why.field, cases[i].field);
    }
}

static void all_faults_of_all_languages_are_told_up_to_a_bound(void **state)
{
    struct world *world = *state;
    struct fan_why faults[FAN_TEMPLATE_FAULTS];
    struct fan_buffer content;
    size_t count = fan_choice_check(FAN_KIND_SMS,
            FAN_LIT("{\"text\":\"{a}\",\"languages\":{\"de\":{\"text\":\"{b}\"},"
                    "\"fr\":{\"text\":\"{c}\"}}}"),
            &world->fields, world->arena, faults);

    assert_int_equal(count, 3);
    assert_string_equal(faults[0].field, "message");
    assert_string_equal(faults[1].field, "languages.de.message");
    assert_string_equal(faults[2].field, "languages.fr.message");

    fan_buffer_init(&content, 64 * 1024);
    fan_buffer_add_text(&content, "{\"text\":\"x\",\"languages\":{");
    for (int i = 0; i < 30; i++)
        fan_buffer_printf(&content, "%s\"x%c\":{\"text\":\"{a}\"}", i ? "," : "",
                "abcdefghijklmnopqrstuvwxyzABCD"[i]);
    fan_buffer_add_text(&content, "}}");
    assert_int_equal(fan_choice_check(FAN_KIND_SMS, fan_buffer_bytes(&content), &world->fields,
                             world->arena, faults),
            FAN_TEMPLATE_FAULTS);
    fan_buffer_fini(&content);
}

static void a_preheader_stands_hidden_behind_the_body_tag(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *html, *front, *back;
    } cases[] = {
        { "<p>x</p>", "<div style=\\\"display:none", "A&amp;B</div><p>x</p>" },
        { "<html><BODY class='a'><p>x</p></BODY>", "<html><BODY class='a'><div style",
                "A&amp;B</div><p>x</p></BODY>" },
        { "<body", "<div", "</div><body" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fan_buffer text;
        struct fan_content content;

        fan_buffer_init(&text, 4096);
        fan_buffer_printf(&text,
                "{\"subject\":\"x\",\"html\":\"%s\",\"preheader\":\"For {first_name}\"}",
                cases[i].html);
        fan_buffer_add(&text, "", 1);
        content = written(world, compiled(world, FAN_KIND_EMAIL, text.at)->otherwise);
        assert_true(fan_bytes_starts(content.html,
                (struct fan_bytes){ cases[i].front, strcspn(cases[i].front, "\\") }));
        assert_true(fan_bytes_ends(content.html, fan_bytes_of(cases[i].back)));
        assert_non_null(memmem(content.html.at, content.html.len, "display:none", 12));
        fan_buffer_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
                a_recipient_gets_his_language_else_its_base_else_what_is_for_all, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_content_without_languages_is_everybodys, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(attributes_are_wanted_if_any_language_names_one, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(faults_name_the_language_and_its_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_faults_of_all_languages_are_told_up_to_a_bound, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_preheader_stands_hidden_behind_the_body_tag, set_up,
                tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
