#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int begin(void **state)
{
    static char folder[32];

    strcpy(folder, "/tmp/fan-output.XXXXXX");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int end(void **state)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
    return system(command);
}

static long size_of(const char *folder, const char *name)
{
    char path[64];
    struct stat there;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return stat(path, &there) == 0 ? (long)there.st_size : -1;
}

static void the_last_whole_line_in_plain_words_is_a_complaint(void **state)
{
    struct fan_output output;

    fan_output_init(&output, *state, "a");
    fan_output_add(&output, FAN_LIT("one\ntw"));
    assert_string_equal(output.complaint, "one");
    fan_output_add(&output, FAN_LIT("o\n\nthree"));
    assert_string_equal(output.complaint, "two");
    assert_int_equal(size_of(*state, "a.log"), 14);
    fan_output_fini(&output);
}

static void of_log_lines_only_errors_are_complaints(void **state)
{
    struct fan_output output;

    fan_output_init(&output, *state, "a");
    fan_output_add(&output,
            FAN_LIT("{\"level\":\"error\",\"text\":\"the port is taken\"}\n"
                    "{\"level\":\"info\",\"text\":\"exit code 70\"}\n"));
    assert_string_equal(output.complaint, "the port is taken");
    fan_output_fini(&output);
}

static void a_line_without_end_is_cut(void **state)
{
    struct fan_output output;

    fan_output_init(&output, *state, "a");
    for (int i = 0; i < FAN_OUTPUT_LINE; i++)
        fan_output_add(&output, FAN_LIT("xyz"));
    fan_output_add(&output, FAN_LIT("\n"));
    assert_int_equal(strlen(output.complaint), FAN_OUTPUT_COMPLAINT - 1);
    fan_output_fini(&output);
}

static void files_are_changed_when_full_and_the_oldest_dropped(void **state)
{
    static char part[64 * 1024];
    struct fan_output output;
    int parts = FAN_OUTPUT_FILE / (int)sizeof(part) * (FAN_OUTPUT_FILES + 1) + 1;

    memset(part, 'x', sizeof(part));
    part[sizeof(part) - 1] = '\n';
    fan_output_init(&output, *state, "a");
    for (int i = 0; i < parts; i++)
        fan_output_add(&output, (struct fan_bytes){ part, sizeof(part) });
    fan_output_fini(&output);
    assert_int_equal(size_of(*state, "a.log"), sizeof(part));
    assert_int_equal(size_of(*state, "a.log.1"), FAN_OUTPUT_FILE);
    assert_int_equal(size_of(*state, "a.log.3"), FAN_OUTPUT_FILE);
    assert_int_equal(size_of(*state, "a.log.4"), -1);
}

static void what_was_there_before_counts(void **state)
{
    struct fan_output output;

    fan_output_init(&output, *state, "a");
    fan_output_add(&output, FAN_LIT("first life\n"));
    fan_output_fini(&output);
    fan_output_init(&output, *state, "a");
    fan_output_add(&output, FAN_LIT("second life\n"));
    assert_int_equal(output.size, 23);
    fan_output_fini(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_whole_line_in_plain_words_is_a_complaint, begin,
                end),
        cmocka_unit_test_setup_teardown(of_log_lines_only_errors_are_complaints, begin, end),
        cmocka_unit_test_setup_teardown(a_line_without_end_is_cut, begin, end),
        cmocka_unit_test_setup_teardown(files_are_changed_when_full_and_the_oldest_dropped, begin,
                end),
        cmocka_unit_test_setup_teardown(what_was_there_before_counts, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
