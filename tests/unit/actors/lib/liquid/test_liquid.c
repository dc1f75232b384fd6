/* actors/lib/liquid: what the golden cases do not ask: limits, faults, HTML, our own filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "actors/lib/liquid/liquid.h"

#include <stdio.h>

enum { OUT_MAX = 64 * 1024 };

struct world {
    struct fan_arena *arena;
    struct fan_liquid_machine *machine;
    struct fan_buffer out;
    struct fan_why why;
    uint32_t line;
    struct fan_liquid_input input;
};

static int set_up(void **state)
{
    static struct world world;

    world = (struct world){ .arena = fan_arena_new(), .machine = fan_liquid_machine_new() };
    world.input.now = INT64_C(1795169730) * FAN_SECOND; /* 2026-11-20T10:15:30Z */
    fan_buffer_init(&world.out, OUT_MAX);
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

/* Render with the template itself as the partial "self" and another one as "p". */
static enum fan_err render(struct world *world, const char *template, const char *data)
{
    const struct fan_entry partials[] = {
        { FAN_LIT("self"), fan_value_text(fan_bytes_of(template)) },
        { FAN_LIT("p"), fan_value_text(FAN_LIT("<{{ x }}>\n{{ x | divided_by: 0 }}")) },
    };
    const struct fan_map map = { .len = 2, .entries = partials };
    const struct fan_liquid_source source = {
        .text = fan_bytes_of(template),
        .partials = &map,
    };
    const struct fan_liquid_program *program;
    const struct fan_json *json = NULL;
    enum fan_err err;

    assert_int_equal(fan_json_parse(fan_bytes_of(data), world->arena, &json, NULL), FAN_OK);
    world->input.data = fan_value_of_json(json, world->arena).map;
    fan_buffer_clear(&world->out);
    err = fan_liquid_compile(&source, world->arena, &program, &world->line, &world->why);
    return err ? err
               : fan_liquid_run(world->machine, program, &world->input, &world->out, &world->line,
                         &world->why);
}

static void expect(struct world *world, const char *template, const char *data, const char *wanted)
{
    if (render(world, template, data))
        fail_msg("%s: %s", template, world->why.text);
    if (!fan_bytes_eq(world->out.len ? fan_buffer_bytes(&world->out) : FAN_LIT(""),
                fan_bytes_of(wanted)))
        fail_msg("%s gives %.*s, not %s", template, FAN_BYTES_ARG(fan_buffer_bytes(&world->out)),
                wanted);
}

static void refuse(struct world *world, const char *template, enum fan_err err, uint32_t line,
        const char *text)
{
    enum fan_err found = render(world, template, "{\"n\":5,\"s\":\"x\"}");

    if (found != err || world->line != line || !strstr(world->why.text, text))
        fail_msg("%s: %s at line %u: %s", template, fan_err_name(found), world->line,
                found ? world->why.text : "");
}

/* ---- limits ---- */

static void every_limit_has_its_error(void **state)
{
    static const struct {
        const char *template, *text;
    } cases[] = {
        { "{% for i in (1..100000) %}{% endfor %}", "a loop of 100000 items; at most 10000" },
        { "{% for i in (1..9000) %}{% for j in (1..9000) %}{% endfor %}{% endfor %}",
                "more than 200000 steps" },
        { "{{ (1..9000000) | join }}", "more than 200000 steps" },
        { "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..60) %}"
          "{% assign s = s | append: s %}{% endfor %}",
                "a text longer than 1048576 bytes" },
        { "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..15) %}"
          "{% assign s = s | append: s %}{% endfor %}{{ s }}",
                "longer than 65536 bytes" },
        { "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..15) %}{% assign s = s | append: s %}"
          "{% endfor %}{% for i in (1..900) %}{% assign t = s | upcase %}{% endfor %}",
                "more than 8388608 bytes of values" },
        { "{% render 'self' %}", "partials within partials deeper than 50" },
        { "{% include 'self' %}", "partials within partials deeper than 50" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(*state, cases[i].template, FAN_TOO_LARGE, 1, cases[i].text);
}

static char *repeated(struct world *world, const char *piece, size_t count)
{
    size_t len = strlen(piece);
    char *text = fan_arena_alloc(world->arena, count * len + 1);

    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, piece, len);
    return text;
}

static void templates_are_bounded_too(void **state)
{
    struct world *world = *state;

    refuse(world, repeated(world, "{% if n %}", 200), FAN_TOO_LARGE, 1, "nested deeper than 100");
    refuse(world, fan_arena_printf(world->arena, "{{ %s }}", repeated(world, "n[", 200)),
            FAN_TOO_LARGE, 1, "nested deeper than 100");
    refuse(world, repeated(world, "0123456789abcdef", 16 * 1024 + 1), FAN_TOO_LARGE, 1,
            "at most 262144");
    refuse(world, fan_arena_printf(world->arena, "{{ n | plus: %s 1 }}", repeated(world, "1,", 40)),
            FAN_TOO_LARGE, 1, "more than 32 arguments");
}

/* ---- faults ---- */

static void a_fault_names_its_line_and_partial(void **state)
{
    static const struct {
        const char *template, *text;
        uint32_t line;
    } cases[] = {
        { "a\nb {% if %}", "expected a value", 2 },
        { "\n\n{{ n | shout }}", "there is no filter \"shout\"", 3 },
        { "\n{{ n | plus }}", "takes 1 to 1 arguments, not 0", 2 },
        { "{% for i in (1..2) %}\n{{ i }}\n{% endif %}{% endfor %}", "inside for", 3 },
        { "x\n{% for i in (1..2) %}\n", "for is never closed", 2 },
        { "{{ n }", "not closed", 1 },
        { "{% liquid\n  echo n\n  echo n |\n%}", "expected a filter's name", 3 },
        { "a\n\n{{ n | divided_by: 0 }}", "divided by 0", 3 },
        { "{% if n > s %}{% endif %}", "comparison of a text with a number", 1 },
        { "\n{% render 'p', x: 1 %}", "line 2 of p: divided by 0", 2 },
        { "{{ 9223372036854775807 | plus: 1 }}", "beyond 64 bits", 1 },
        { "{{ n | hash: 'md5' }}", "sha256 and blake2b", 1 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(*state, cases[i].template, FAN_INVALID, cases[i].line, cases[i].text);
}

static void a_machine_is_as_new_after_a_failure(void **state)
{
    for (int i = 0; i < 3; i++) {
        refuse(*state,
                "{% capture c %}{% for i in (1..3) %}{{ i | divided_by: 0 }}{% endfor %}"
                "{% endcapture %}",
                FAN_INVALID, 1, "divided by 0");
        expect(*state, "{{ i }}{% for i in (1..2) %}{{ forloop.index }}{% endfor %}", "{}", "12");
    }
}

/* ---- HTML and lines ---- */

static void html_is_escaped_unless_it_is_meant(void **state)
{
    static const struct {
        const char *template, *wanted;
    } cases[] = {
        { "<b>{{ x }}</b>", "<b>&lt;i&gt;&#39;&quot;&amp;</b>" },
        { "{{ x | raw }}", "<i>'\"&" },
        { "{{ x | escape }}", "&lt;i&gt;&#39;&quot;&amp;" },
        { "{{ x | escape_once }}", "&lt;i&gt;&#39;&quot;&amp;" },
        { "{{ x | escape | append: x }}",
                "&amp;lt;i&amp;gt;&amp;#39;&amp;quot;&amp;amp;"
                "&lt;i&gt;&#39;&quot;&amp;" },
        { "{% capture c %}<p>{{ x }}</p>{% endcapture %}{{ c }}",
                "<p>&lt;i&gt;&#39;&quot;&amp;</p>" },
        { "{{ y | newline_to_br }}", "a&lt;<br />\nb" },
        { "{{ l }}{{ m }}", "&lt;1{&quot;k&quot;=&gt;&quot;&lt;&quot;}" },
        { "{% assign z = x | raw %}{{ z }}", "<i>'\"&" },
        { "{% cycle x %}{% echo x %}", "&lt;i&gt;&#39;&quot;&amp;&lt;i&gt;&#39;&quot;&amp;" },
    };
    struct world *world = *state;

    world->input.escape = FAN_LIQUID_HTML;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(world, cases[i].template,
                "{\"x\":\"<i>'\\\"&\",\"y\":\"a<\\nb\",\"l\":[\"<\",1],\"m\":{\"k\":\"<\"}}",
                cases[i].wanted);
}

static void control_characters_leave_a_line(void **state)
{
    struct world *world = *state;

    world->input.escape = FAN_LIQUID_LINE;
    expect(world, "a\n{{ x }}", "{\"x\":\"b\\r\\nc\\u007fd\"}", "a\nb  c d");
}

/* ---- our own filters ---- */

static void people_get_numbers_money_and_times_their_way(void **state)
{
    static const struct {
        const char *template, *wanted;
    } cases[] = {
        { "{{ '+14155552671' | phone }}", "+1 415-555-2671" },
        { "{{ '+14155552671' | phone: 'national' }}", "(415) 555-2671" },
        { "{{ '+14155552671' | phone: 'e164' }}", "+14155552671" },
        { "{{ 'nobody' | phone }}{{ nil | phone }}", "nobody" },
        { "{{ 1234.5 | money: 'EUR' }}", "1.234,50\xc2\xa0€" },
        { "{{ '1234.5' | money: 'usd', 'en' }}", "$1,234.50" },
        { "{{ -3 | money: 'JPY', 'en' }}", "-¥3" },
        { "{{ '12345678901234567.89' | money: 'INR', 'en_IN' }}", "₹12,34,56,78,90,12,34,567.89" },
        { "{{ 'free' | money: 'EUR' }}", "free" },
        { "{{ 1 | plural: '# Stück', '# Stücke' }}, {{ 2 | plural: '# Stück', '# Stücke' }}",
                "1 Stück, 2 Stücke" },
        { "{{ 3 | plural: 'a', 'b', few: 'c' }}", "b" },
        { "{{ '2026-11-20T10:15:30Z' | local_time: '%H:%M %Z' }}", "15:45 GMT+5:30" },
        { "{{ 1795169730 | local_time: '%H:%M', 'America/New_York' }}", "05:15" },
        { "{{ 'now' | date: '%F %T' }}", "2026-11-20 10:15:30" },
        { "{{ 'abc' | hash }}",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "{{ 'abc' | hash: 'blake2b' }}",
                "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319" },
    };
    struct world *world = *state;

    world->input.locale = FAN_LIT("de");
    world->input.zone = FAN_LIT("Asia/Kolkata");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(world, cases[i].template, "{}", cases[i].wanted);
    world->input.locale = FAN_LIT("pl");
    expect(world, "{{ 3 | plural: 'plik', 'pliki', few: '# pliki', many: '# plików' }}", "{}",
            "3 pliki");
    refuse(world, "{{ 1 | money: 'XXZ' }}", FAN_INVALID, 1, "no currency");
    refuse(world, "{{ 1 | local_time: '%H', 'Mars/Base' }}", FAN_INVALID, 1, "no time zone");
}

/* ---- arithmetic and dates ---- */

static void numbers_are_what_people_read(void **state)
{
    static const struct {
        const char *template, *wanted;
    } cases[] = {
        { "{{ 0.1 | plus: 0.2 }}", "0.3" },
        { "{{ 183.357 | times: 12 }}", "2200.284" },
        { "{{ 0.3 | divided_by: 0.1 }}", "3.0" },
        { "{{ 10.1 | modulo: 7.0 }}{{ -7 | modulo: 3 }}{{ 7 | divided_by: -2 }}", "3.12-4" },
        { "{{ 2.5 | round }}{{ -2.5 | round }}{{ 1.005 | round: 2 }}", "3-31.01" },
        { "{{ 12345 | round: -2 }}{{ 1.25 | round: 1 }}", "123001.3" },
        { "{{ '1_000' | plus: 1 }}{{ ' 12abc' | plus: 1 }}", "100113" },
        { "{{ 100000000000000000000.0 }} {{ 0.00001 }} {{ 1234567.125 }}",
                "1.0e+20 1.0e-05 1234567.125" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(*state, cases[i].template, "{}", cases[i].wanted);
}

static void dates_are_read_in_the_ways_they_are_written(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        { "2026-11-20", "2026-11-20 00:00:00 +0000" },
        { "2026-11-20T10:15:30.25+05:30", "2026-11-20 10:15:30 +0530" },
        { "Fri, 20 Nov 2026 10:15:30 GMT", "2026-11-20 10:15:30 +0000" },
        { "November 20th, 2026 5:30 pm", "2026-11-20 17:30:00 +0000" },
        { "20 Nov 26", "2026-11-20 00:00:00 +0000" },
        { "20.11.2026 7:05", "2026-11-20 07:05:00 +0000" },
        { "20261120T101530Z", "2026-11-20 10:15:30 +0000" },
        { "1795169730", "2026-11-20 10:15:30 +0000" },
        { "12:00am", "2026-11-20 00:00:00 +0000" },
        { "2026-02-30", "2026-03-02 00:00:00 +0000" },
        { "2026-13-01", "2026-13-01" },
        { "soon", "soon" },
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(world,
                fan_arena_printf(world->arena, "{{ '%s' | date: '%%F %%T %%z' }}", cases[i].text),
                "{}", cases[i].wanted);
    expect(world, "{{ 'now' | date: '%-d %e %3N %^b %010Y %j %U %V %G %u %l%P %::z %% %Q' }}", "{}",
            "20 20 000 NOV 0000002026 324 46 47 2026 5 10am +00:00:00 % %Q");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_limit_has_its_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(templates_are_bounded_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fault_names_its_line_and_partial, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_machine_is_as_new_after_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(html_is_escaped_unless_it_is_meant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(control_characters_leave_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(people_get_numbers_money_and_times_their_way, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(numbers_are_what_people_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dates_are_read_in_the_ways_they_are_written, set_up,
                tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
