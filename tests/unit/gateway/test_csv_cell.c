/* gateway/csv_cell.c: cells that no spreadsheet runs, and that are read as they were. */
#include "gateway/csv_cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_cell_is_read_as_it_was_and_never_a_formula(void **state)
{
    static const struct {
        const char *cell, *written;
    } cases[] = {
        { "", "\"\"" },
        { "Hi \"you\"", "\"Hi \"\"you\"\"\"" },
        { "=1", "\"'=1\"" },
        { "+1", "\"'+1\"" },
        { "-1", "\"'-1\"" },
        { "@x", "\"'@x\"" },
        { "\tx", "\"'\tx\"" },
        { "'=1", "\"''=1\"" },
        { "''=1", "\"'''=1\"" },
        { "'x", "\"'x\"" },
        { "'", "\"'\"" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fan_bytes cell = fan_bytes_of(cases[i].cell), inside;
        struct fan_buffer out;

        fan_buffer_init(&out, 100);
        csv_cell_add(&out, cell);
        assert_true(fan_bytes_eq_text(fan_buffer_bytes(&out), cases[i].written));
        inside = (struct fan_bytes){ .at = out.at + 1, .len = out.len - 2 };
        if (!memchr(cell.at, '"', cell.len))
            assert_true(fan_bytes_eq(csv_cell_plain(inside), cell));
        fan_buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_is_read_as_it_was_and_never_a_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
