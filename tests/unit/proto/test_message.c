#include "proto/message.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void every_number_finds_its_message(void **state)
{
    for (size_t i = 0; fan_schemas[i]; i++)
        assert_ptr_equal(fan_schema_of(fan_schemas[i]->number), fan_schemas[i]);
    assert_ptr_equal(fan_schema_of(FAN_MSG_send_request), &fan_schema_send_request);
}

static void other_numbers_find_nothing(void **state)
{
    assert_null(fan_schema_of(0)); /* records have it */
    assert_null(fan_schema_of(0x7fff));
    assert_null(fan_schema_of(UINT32_MAX));
}

static void names_are_unique(void **state)
{
    for (size_t i = 0; fan_schemas[i]; i++) {
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(fan_schemas[i]->name, fan_schemas[k]->name);
    }
}

static void check_field(const struct fan_schema *schema, const struct fan_field *field)
{
    assert_true(field->offset < schema->size);
    assert_non_null(field->name);
    assert_true(*field->doc != '\0');
    if (field->type == FAN_TYPE_list) {
        assert_non_null(field->record);
        assert_int_equal(field->record->way, FAN_RECORD);
        assert_true(field->cap > 0);
    }
    if (field->type == FAN_TYPE_text || field->type == FAN_TYPE_bin)
        assert_true(field->cap > 0); /* one frame holds a MiB, and somebody has to hold it */
}

static void every_table_is_complete(void **state)
{
    for (size_t i = 0; fan_schemas[i]; i++) {
        const struct fan_schema *schema = fan_schemas[i];
        const struct fan_field *fields = schema->fields();

        assert_true(*schema->doc != '\0');
        assert_true(schema->way == FAN_PIPE || schema->way == FAN_NEWS);
        for (size_t k = 0; k < schema->count; k++)
            check_field(schema, &fields[k]);
        assert_null(fields[schema->count].name);
    }
}

static void offsets_are_those_of_the_struct(void **state)
{
    const struct fan_field *fields = fan_schema_send_request.fields();

    assert_int_equal(fan_schema_send_request.count, 4);
    assert_int_equal(fan_schema_send_request.size, sizeof(struct fan_send_request));
    assert_int_equal(fields[3].offset, offsetof(struct fan_send_request, copies));
    assert_ptr_equal(fields[3].record, &fan_schema_copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_finds_its_message),
        cmocka_unit_test(other_numbers_find_nothing),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(every_table_is_complete),
        cmocka_unit_test(offsets_are_those_of_the_struct),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
