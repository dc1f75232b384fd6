/* actors/lib/text/variant.c: who gets which variant, and what is no variant. */
#include "actors/lib/text/variant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fan_arena *arena;
static struct fan_text_fields fields;

static int set_up(void **state)
{
    arena = fan_arena_new();
    fields = fan_text_fields_of((struct fan_texts){ .at = NULL, .len = 0 }, FAN_NO_BYTES, arena);
    return 0;
}

static int tear_down(void **state)
{
    fan_arena_free(&arena);
    return 0;
}

static void each_variant_gets_its_weights_part(void **state)
{
    static const int64_t weights[] = { 1, 3, 6 };
    const struct fan_ids all = { weights, 3 };
    int64_t counts[4] = { 0 };

    for (fan_id contact = 1; contact <= 100000; contact++)
        counts[fan_variant_of(7, contact, all)]++;
    assert_int_equal(counts[0], 0);
    /* 100,000 draws: five deviations are 475, 685 and 775 */
    assert_in_range(counts[1], 10000 - 475, 10000 + 475);
    assert_in_range(counts[2], 30000 - 685, 30000 + 685);
    assert_in_range(counts[3], 60000 - 775, 60000 + 775);
}

static void a_recipient_always_gets_the_same_and_campaigns_do_not_agree(void **state)
{
    static const int64_t weights[] = { 1, 1 };
    const struct fan_ids half = { weights, 2 };
    int same = 0;

    /* For ever: a run that is half resolved goes on after an upgrade. */
    static const uint32_t known[] = { 2, 1, 1, 1, 1, 1, 2, 2 };
    for (fan_id contact = 1; contact <= 8; contact++)
        assert_int_equal(fan_variant_of(1, contact, half), known[contact - 1]);
    for (fan_id contact = 1; contact <= 10000; contact++)
        same += fan_variant_of(1, contact, half) == fan_variant_of(2, contact, half);
    assert_in_range(same, 5000 - 250, 5000 + 250);
    assert_int_equal(fan_variant_of(1, 1, (struct fan_ids){ .len = 0 }), 0);
}

static void a_content_without_variants_is_one(void **state)
{
    const struct fan_variants *variants;
    struct fan_why why;

    assert_int_equal(fan_variants_compile(FAN_KIND_SMS, FAN_LIT("{\"text\":\"x\"}"), &fields, arena,
                             &variants, &why),
            FAN_OK);
    assert_int_equal(variants->len, 1);
    for (uint32_t i = 0; i < 7; i++)
        assert_ptr_equal(fan_variants_choice(variants, i), variants->at[0].choice);
}

static void variants_are_compiled_each(void **state)
{
    const struct fan_variants *variants;
    struct fan_why why;

    assert_int_equal(
            fan_variants_compile(FAN_KIND_SMS,
                    FAN_LIT("{\"variants\":[{\"name\":\"A\",\"weight\":1,\"content\":{\"text\":"
                            "\"x\"}},{\"name\":\"B\",\"weight\":2,\"content\":{\"text\":\"y\","
                            "\"languages\":{\"de\":{\"text\":\"z\"}}}}]}"),
                    &fields, arena, &variants, &why),
            FAN_OK);
    assert_int_equal(variants->len, 2);
    assert_int_equal(variants->weights[1], 2);
    assert_true(fan_bytes_eq_text(variants->at[1].name, "B"));
    assert_ptr_equal(fan_variants_choice(variants, 2), variants->at[1].choice);
    assert_int_equal(variants->at[1].choice->languages_len, 1);
}

static void faults_name_the_variant(void **state)
{
    static const struct {
        const char *content, *field;
    } cases[] = {
        { "{\"variants\":{}}", "variants" },
        { "{\"variants\":[]}", "variants" },
        { "{\"variants\":[{},{},{},{},{},{}]}", "variants" },
        { "{\"variants\":[{\"name\":\"A\",\"weight\":1,\"content\":{\"text\":\"x\"}}]}",
                "variants" },
        { "{\"variants\":[{\"weight\":1,\"content\":{\"text\":\"x\"}},7]}", "variants[0].name" },
        { "{\"variants\":[{\"name\":\"A\",\"weight\":0,\"content\":{\"text\":\"x\"}},7]}",
                "variants[0].weight" },
        { "{\"variants\":[{\"name\":\"A\",\"weight\":1},7]}", "variants[0]" },
        { "{\"variants\":[{\"name\":\"A\",\"weight\":1,\"content\":{}},7]}",
                "variants[0].message" },
        { "{\"variants\":[{\"name\":\"A\",\"weight\":1,\"content\":{\"text\":\"x\"}},"
          "{\"name\":\"A\",\"weight\":1,\"content\":{\"text\":\"x\"}}]}",
                "variants[1].name" },
        { "{\"variants\":[{\"name\":\"A\",\"weight\":1,\"content\":{\"text\":\"x\"}},"
          "{\"name\":\"B\",\"weight\":1,\"content\":{\"text\":\"x\",\"languages\":{\"de\":"
          "{\"text\":\"{no}\"}}}}]}",
                "variants[1].languages.de.message" },
        { "{\"text\":\"{no}\"}", "message" },
        { "[", "content" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fan_variants *variants;
        struct fan_why why = { 0 };

        assert_int_equal(fan_variants_compile(FAN_KIND_SMS, fan_bytes_of(cases[i].content), &fields,
                                 arena, &variants, &why),
                FAN_INVALID);
        assert_string_equal(why.field, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_gets_its_weights_part),
        cmocka_unit_test(a_recipient_always_gets_the_same_and_campaigns_do_not_agree),
        cmocka_unit_test(a_content_without_variants_is_one),
        cmocka_unit_test(variants_are_compiled_each),
        cmocka_unit_test(faults_name_the_variant),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
