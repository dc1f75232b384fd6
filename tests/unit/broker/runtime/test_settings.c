#include "broker/runtime/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct own {
    uint32_t cached_templates;
    bool strict;
    const char *kind;
    const char *key;
    const char *mode;
};

static const struct fan_setting table[] = {
    FAN_SET_U32(struct own, cached_templates, "256", 1, 65536, "compiled templates to keep"),
    FAN_SET_BOOL(struct own, strict, "true", "refuse unknown filters"),
    FAN_SET_TEXT(struct own, kind, "sms", "what it speaks"),
    FAN_SET_SECRET(struct own, key, "", "to sign with"),
    FAN_SET_WORD(struct own, mode, "fast", "fast|careful", "how it works"),
    FAN_SET_END,
};

static const struct fan_setting demanding_table[] = {
    FAN_SET_TEXT(struct own, kind, NULL, "what it speaks"),
    FAN_SET_END,
};

struct reading {
    struct fan_arena *arena;
    struct own own;
    struct fan_common_settings common;
    struct fan_why why;
    char path[64]; /* of a file that was written, or "" */
};

static void forget_environment(void)
{
    for (char **at = environ; *at;) {
        char name[128];

        if (sscanf(*at, "%127[^=]", name) == 1 && strncmp(name, "FANFARE_", 8) == 0)
            unsetenv(name);
        else
            at++;
    }
}

static int set_up(void **state)
{
    static struct reading reading;

    reading = (struct reading){ .arena = fan_arena_new() };
    forget_environment();
    *state = &reading;
    return 0;
}

static int tear_down(void **state)
{
    struct reading *reading = *state;

    fan_arena_free(&reading->arena);
    if (*reading->path)
        unlink(reading->path);
    return 0;
}

static void write_file(struct reading *reading, const char *variable, const char *text)
{
    FILE *file;
    int fd;

    snprintf(reading->path, sizeof(reading->path), "/tmp/fanfare-settings-XXXXXX");
    fd = mkstemp(reading->path);
    assert_true(fd >= 0);
    file = fdopen(fd, "w");
    fputs(text, file);
    fclose(file);
    setenv(variable, reading->path, 1);
}

static enum fan_err read_as(struct reading *reading, const char *role, int argc, const char **argv)
{
    return fan_settings_read(role, table, &reading->own, &reading->common, argc, (char **)argv,
            reading->arena, &reading->why);
}

static enum fan_err read_plain(struct reading *reading)
{
    return read_as(reading, "renderer", 1, (const char *[]){ "fanfare-renderer", NULL });
}

static void assert_refused(struct reading *reading, const char *field, const char *text)
{
    assert_int_equal(read_plain(reading), FAN_INVALID);
    assert_string_equal(reading->why.field, field);
    if (!strstr(reading->why.text, text))
        fail_msg("\"%s\" does not say \"%s\"", reading->why.text, text);
}

/* ---- where values come from ---- */

static void what_is_not_said_has_its_default(void **state)
{
    struct reading *reading = *state;
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    assert_int_equal(read_plain(reading), FAN_OK);
    assert_int_equal(reading->own.cached_templates, 256);
    assert_true(reading->own.strict);
    assert_string_equal(reading->own.key, "");
    assert_string_equal(reading->own.mode, "fast");
    assert_string_equal(reading->common.name, "renderer");
    assert_string_equal(reading->common.database_user, "fan_renderer");
    assert_string_equal(reading->common.host, host);
    assert_string_equal(reading->common.log_level, "info");
    assert_string_equal(reading->common.status_listen, "");
}

static void the_command_line_wins_over_the_environment_and_that_over_the_file(void **state)
{
    struct reading *reading = *state;
    const char *argv[] = { "x", "--cached-templates", "3", "--kind=whatsapp", "--strict", "--help",
        NULL };

    write_file(reading, "FANFARE_CONFIG",
            "# settings\n\nFANFARE_RENDERER_CACHED_TEMPLATES=1\n"
            "FANFARE_RENDERER_MODE = \"careful\"\n"
            "FANFARE_RENDERER_STRICT=no\n FANFARE_RENDERER_KEY='a b '\n");
    setenv("FANFARE_RENDERER_CACHED_TEMPLATES", "2", 1);
    setenv("FANFARE_RENDERER_STRICT", "off", 1);
    assert_int_equal(read_plain(reading), FAN_OK);
    assert_int_equal(reading->own.cached_templates, 2);
    assert_false(reading->own.strict);
    assert_string_equal(reading->own.mode, "careful");
    assert_string_equal(reading->own.key, "a b ");
    assert_int_equal(read_as(reading, "renderer", 6, argv), FAN_OK);
    assert_int_equal(reading->own.cached_templates, 3);
    assert_string_equal(reading->own.kind, "whatsapp");
    assert_true(reading->own.strict);
}

static void a_common_setting_can_be_given_to_all_or_to_one_role(void **state)
{
    struct reading *reading = *state;

    setenv("FANFARE_LOG_LEVEL", "warn", 1);
    assert_int_equal(read_plain(reading), FAN_OK);
    assert_string_equal(reading->common.log_level, "warn");
    setenv("FANFARE_RENDERER_LOG_LEVEL", "debug", 1);
    assert_int_equal(read_plain(reading), FAN_OK);
    assert_string_equal(reading->common.log_level, "debug");
    assert_int_equal(read_as(reading, "sender", 1, (const char *[]){ "x", NULL }), FAN_OK);
    assert_string_equal(reading->common.log_level, "warn");
}

static void a_secret_can_be_read_from_a_file(void **state)
{
    struct reading *reading = *state;

    write_file(reading, "FANFARE_DATABASE_PASSWORD_FILE", "s3cret\n");
    assert_int_equal(read_plain(reading), FAN_OK);
    assert_string_equal(reading->common.database_password, "s3cret");
    setenv("FANFARE_DATABASE_PASSWORD", "other", 1);
    assert_refused(reading, "FANFARE_DATABASE_PASSWORD", "keep one");
}

static void a_file_that_is_not_there_is_refused(void **state)
{
    struct reading *reading = *state;

    setenv("FANFARE_RENDERER_KEY_FILE", "/nowhere/at/all", 1);
    assert_refused(reading, "FANFARE_RENDERER_KEY_FILE", "/nowhere/at/all");
    forget_environment();
    setenv("FANFARE_CONFIG", "/nowhere/at/all", 1);
    assert_refused(reading, "FANFARE_CONFIG", "No such file");
}

/* ---- what is refused ---- */

static void a_value_out_of_bounds_is_refused_with_what_would_be_right(void **state)
{
    static const struct {
        const char *variable, *value, *field, *text;
    } cases[] = {
        { "FANFARE_RENDERER_CACHED_TEMPLATES", "0", "cached_templates",
                "is \"0\", but must be a whole number from 1 to 65536" },
        { "FANFARE_RENDERER_CACHED_TEMPLATES", "65537", "cached_templates", "65536" },
        { "FANFARE_RENDERER_CACHED_TEMPLATES", "12 ", "cached_templates", "12 " },
        { "FANFARE_RENDERER_CACHED_TEMPLATES", "", "cached_templates",
                "compiled templates to keep" },
        { "FANFARE_RENDERER_CACHED_TEMPLATES", "99999999999999999999", "cached_templates",
                "65536" },
        { "FANFARE_RENDERER_STRICT", "perhaps", "strict", "true or false" },
        { "FANFARE_RENDERER_MODE", "slow", "mode", "fast|careful" },
        { "FANFARE_LOG_LEVEL", "loud", "log_level", "error|warn|info|debug" },
        { "FANFARE_DRAIN_MS", "-1", "drain_ms", "FANFARE_DRAIN_MS" },
    };
    struct reading *reading = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        forget_environment();
        setenv(cases[i].variable, cases[i].value, 1);
        assert_refused(reading, cases[i].field, cases[i].text);
    }
}

static void a_name_that_no_process_knows_is_refused(void **state)
{
    static const char *const unknown[] = { "FANFARE_RENDERER_CACHED_TEMPLATE", "FANFARE_LOGLEVEL",
        "FANFARE_", "FANFARE_RENDERER_", "FANFARE_RENDERER", "FANFARE_renderer_KEY", "FANFARE_KIND",
        "FANFARE_CONFIG_DIR" };
    struct reading *reading = *state;

    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        forget_environment();
        setenv(unknown[i], "1", 1);
        assert_refused(reading, unknown[i], unknown[i]);
    }
    forget_environment();
    write_file(reading, "FANFARE_CONFIG", "\nFANFARE_LOGLEVEL=warn\n");
    assert_refused(reading, "config", "line 2");
}

static void names_of_others_are_left_to_them(void **state)
{
    static const char *const known[] = { "FANFARE_SENDER_KIND", "FANFARE_GATEWAY_LISTEN",
        "FANFARE_URL", "FANFARE_PICTURES", "FANFARE_API_KEY", "FANFARE_HOME", "FANFARE_PREFIX",
        "FANFARE_API_KEY_FILE", "FANFARE_SENDER_KEY_FILE", "FANFARE_SENDER_LOG_LEVEL" };
    struct reading *reading = *state;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        setenv(known[i], "1", 1);
    if (read_plain(reading) != FAN_OK)
        fail_msg("%s", reading->why.text);
}

static void every_actor_is_a_known_role(void **state)
{
    struct reading *reading = *state;
    DIR *folder = opendir("actors");
    const struct dirent *entry;

    if (!folder)
        skip();
    while ((entry = readdir(folder))) {
        char variable[300];

        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lib") == 0 ||
                strcmp(entry->d_name, "providers") == 0)
            continue;
        snprintf(variable, sizeof(variable), "FANFARE_%s_LOG_LEVEL", entry->d_name);
        for (char *at = variable; *at; at++)
            *at = (char)toupper((unsigned char)*at);
        setenv(variable, "info", 1);
    }
    closedir(folder);
    if (read_plain(reading) != FAN_OK)
        fail_msg("%s", reading->why.text);
}

static void a_line_that_sets_nothing_is_refused(void **state)
{
    struct reading *reading = *state;

    write_file(reading, "FANFARE_CONFIG", "FANFARE_LOG_LEVEL=warn\nlog_level: warn\n");
    assert_refused(reading, "config", "line 2: expected FANFARE_<name>=<value>");
}

static void an_option_that_does_not_exist_is_refused(void **state)
{
    struct reading *reading = *state;

    assert_int_equal(read_as(reading, "renderer", 2, (const char *[]){ "x", "--colour=red" }),
            FAN_INVALID);
    assert_string_equal(reading->why.field, "colour");
    assert_int_equal(read_as(reading, "renderer", 2, (const char *[]){ "x", "start" }),
            FAN_INVALID);
    assert_int_equal(read_as(reading, "renderer", 2, (const char *[]){ "x", "--kind" }),
            FAN_INVALID);
    assert_non_null(strstr(reading->why.text, "wants a value"));
}

static void a_setting_without_default_must_be_set(void **state)
{
    struct reading *reading = *state;
    char *argv[] = { "x", NULL };

    assert_int_equal(fan_settings_read("sender", demanding_table, &reading->own, &reading->common,
                             1, argv, reading->arena, &reading->why),
            FAN_INVALID);
    assert_string_equal(reading->why.text, "FANFARE_SENDER_KIND must be set: what it speaks");
    setenv("FANFARE_SENDER_KIND", "sms", 1);
    assert_int_equal(fan_settings_read("sender", demanding_table, &reading->own, &reading->common,
                             1, argv, reading->arena, &reading->why),
            FAN_OK);
    assert_string_equal(reading->own.kind, "sms");
}

static void a_process_may_have_no_settings_of_its_own(void **state)
{
    struct reading *reading = *state;
    char *argv[] = { "x", NULL };

    assert_int_equal(fan_settings_read("planner", NULL, NULL, &reading->common, 1, argv,
                             reading->arena, &reading->why),
            FAN_OK);
    assert_string_equal(reading->common.name, "planner");
}

/* ---- what is printed ---- */

/* Standard output while @print runs. */
static const char *printed(struct reading *reading, void (*print)(struct reading *reading))
{
    static char text[32768];
    int was, pipes[2];
    ssize_t n;

    assert_int_equal(pipe(pipes), 0);
    fflush(stdout);
    was = dup(STDOUT_FILENO);
    dup2(pipes[1], STDOUT_FILENO);
    close(pipes[1]);
    print(reading);
    fflush(stdout);
    dup2(was, STDOUT_FILENO);
    close(was);
    n = read(pipes[0], text, sizeof(text) - 1);
    close(pipes[0]);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void print_help(struct reading *reading)
{
    fan_settings_help("renderer", "writes copies", table);
}

static void print_values(struct reading *reading)
{
    fan_settings_print("renderer", table, &reading->own, &reading->common);
}

static void help_names_every_setting_with_bounds_and_default(void **state)
{
    const char *help = printed(*state, print_help);

    assert_non_null(strstr(help, "writes copies"));
    assert_non_null(strstr(help,
            "--cached_templates, FANFARE_RENDERER_CACHED_TEMPLATES\n"
            "      compiled templates to keep; 1 to 65536; default 256\n"));
    assert_non_null(strstr(help, "how it works; fast|careful; default fast\n"));
    assert_non_null(strstr(help, "--log_level, FANFARE_LOG_LEVEL\n"));
    assert_non_null(strstr(help, "default fan_renderer\n"));
}

static void printed_values_can_be_read_again_and_hold_no_secret(void **state)
{
    struct reading *reading = *state;
    const char *values;

    setenv("FANFARE_RENDERER_KEY", "s3cret", 1);
    setenv("FANFARE_RENDERER_CACHED_TEMPLATES", "7", 1);
    setenv("FANFARE_LOG_LEVEL", "warn", 1);
    assert_int_equal(read_plain(reading), FAN_OK);
    values = printed(reading, print_values);
    assert_null(strstr(values, "s3cret"));
    assert_non_null(strstr(values, "# FANFARE_RENDERER_KEY is set\n"));
    forget_environment();
    write_file(reading, "FANFARE_CONFIG", values);
    assert_int_equal(read_plain(reading), FAN_OK);
    assert_int_equal(reading->own.cached_templates, 7);
    assert_string_equal(reading->common.log_level, "warn");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_said_has_its_default),
        TEST(the_command_line_wins_over_the_environment_and_that_over_the_file),
        TEST(a_common_setting_can_be_given_to_all_or_to_one_role),
        TEST(a_secret_can_be_read_from_a_file),
        TEST(a_file_that_is_not_there_is_refused),
        TEST(a_value_out_of_bounds_is_refused_with_what_would_be_right),
        TEST(a_name_that_no_process_knows_is_refused),
        TEST(names_of_others_are_left_to_them),
        TEST(every_actor_is_a_known_role),
        TEST(a_line_that_sets_nothing_is_refused),
        TEST(an_option_that_does_not_exist_is_refused),
        TEST(a_setting_without_default_must_be_set),
        TEST(a_process_may_have_no_settings_of_its_own),
        TEST(help_names_every_setting_with_bounds_and_default),
        TEST(printed_values_can_be_read_again_and_hold_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
