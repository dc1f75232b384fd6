/* gateway/mapping.c: where the columns of a contact list go. */
#include "gateway/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = fan_arena_new();
    return 0;
}

static int tear_down(void **state)
{
    struct fan_arena *arena = *state;

    fan_arena_free(&arena);
    return 0;
}

/* "a|b" as texts. */
static struct fan_texts texts_of(const char *list, struct fan_arena *arena)
{
    struct fan_bytes *texts = fan_arena_array(arena, 16, sizeof *texts);
    struct fan_bytes rest = fan_bytes_of(list);
    size_t len = 0;

    while (rest.at)
        rest = fan_bytes_split(rest, '|', &texts[len++]);
    return (struct fan_texts){ .at = texts, .len = len };
}

static enum fan_err map(struct fan_arena *arena, const char *header, const char *wishes,
        struct mapping *out, struct fan_why *why)
{
    const struct fan_json *json = NULL;

    if (wishes)
        assert_int_equal(fan_json_parse(fan_bytes_of(wishes), arena, &json, why), FAN_OK);
    return mapping_make(texts_of(header, arena), json, arena, out, why);
}

static void headers_are_known_in_many_spellings(void **state)
{
    static const struct {
        const char *header, *wishes, *fields;
    } cases[] = {
        { "phone", NULL, "phone" },
        { "Mobile No.|E-Mail Address|First Name|SURNAME", NULL,
                "phone|email|first_name|last_name" },
        { "Customer ID|Vorname|PLZ", NULL, "external_id|first_name|plz" },
        { "Phone|Mobile|Name|Full Name", NULL, "phone|mobile|first_name|full_name" },
        { "phone|Preferred Product (2026)|  ", NULL, "phone|preferred_product_2026|column_3" },
        { "phone|नगर|1st|tags|Tag", NULL, "phone|column_2|column_3|tags|tag" },
        { "Nr|Phone", "{\"Nr\":\"phone\"}", "phone|column_2" },
        { "Nr|Junk|x", "{\"Nr\":\"email\",\"Junk\":\"\",\"x\":\"town\"}", "email||town" },
        { "phone|City|city", NULL, "phone|city|column_3" },
        { "phone|name|vorname", NULL, "phone|first_name|vorname" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fan_texts wanted = texts_of(cases[i].fields, *state);
        struct mapping mapping;
        struct fan_why why;

        assert_int_equal(map(*state, cases[i].header, cases[i].wishes, &mapping, &why), FAN_OK);
        assert_int_equal(mapping.fields.len, wanted.len);
        for (size_t k = 0; k < wanted.len; k++)
            if (!fan_bytes_eq(mapping.fields.at[k], wanted.at[k]))
                fail_msg("%s: column %zu goes to %.*s", cases[i].header, k + 1,
                        FAN_BYTES_ARG(mapping.fields.at[k]));
    }
}

static void other_columns_are_attributes(void **state)
{
    struct mapping mapping;
    struct fan_why why;

    assert_int_equal(map(*state, "phone|City|tags|Visits", NULL, &mapping, &why), FAN_OK);
    assert_int_equal(mapping.attributes.len, 2);
    assert_true(fan_bytes_eq_text(mapping.attributes.at[0], "city"));
    assert_true(fan_bytes_eq_text(mapping.attributes.at[1], "visits"));
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *header, *wishes, *field;
    } cases[] = {
        { "City|First name", NULL, "header" },
        { "phone", "{\"Phone\":\"phone\"}", "mapping" },
        { "phone|b", "{\"b\":\"Bad Name\"}", "mapping" },
        { "phone|b", "{\"b\":7}", "mapping" },
        { "phone|b", "{\"b\":\"name\"}", "mapping" },
        { "a|b", "{\"a\":\"phone\",\"b\":\"phone\"}", "mapping" },
        { "phone", "{\"phone\":\"\"}", "header" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mapping mapping;
        struct fan_why why;

        assert_int_equal(map(*state, cases[i].header, cases[i].wishes, &mapping, &why),
                FAN_INVALID);
        assert_string_equal(why.field, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(headers_are_known_in_many_spellings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_columns_are_attributes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
