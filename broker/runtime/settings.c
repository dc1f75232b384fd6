#include "broker/runtime/settings.h"

#include "broker/runtime/settings_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 256 * 1024 }; /* bytes of a file with settings or a value */

struct pair {
    struct pair *next;
    const char *name;
    const char *value;
};

/* What a value was found as, for texts about it. */
struct found {
    const char *name;
    const char *value;
};

struct reader {
    const char *role;
    const struct fan_setting *own_table;
    struct pair *arguments; /* names in snake_case */
    struct pair *lines;     /* of the file FANFARE_CONFIG, names in upper case */
    struct fan_arena *arena;
    struct fan_why *why;
};

static void add_pair(struct reader *reader, struct pair **list, const char *name, const char *value)
{
    struct pair *pair = fan_arena_alloc(reader->arena, sizeof(*pair));

    *pair = (struct pair){ .next = *list, .name = name, .value = value };
    *list = pair;
}

static const char *value_of(const struct pair *list, const char *name)
{
    for (; list; list = list->next) {
        if (strcmp(list->name, name) == 0)
            return list->value;
    }
    return NULL;
}

/* ---- files ---- */

static enum fan_err read_whole(struct reader *reader, const char *name, const char *path,
        struct fan_bytes *out)
{
    char *text = fan_arena_alloc(reader->arena, FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    size_t len = 0;

    *out = FAN_NO_BYTES;
    if (fd >= 0) {
        while (len < FILE_MAX && (n = read(fd, text + len, FILE_MAX - len)) > 0)
            len += (size_t)n;
        close(fd);
    }
    if (fd < 0 || n < 0)
        return fan_fail_field(reader->why, FAN_INVALID, name,
                "%s names \"%s\", which cannot be read: %s", name, path, strerror(errno));
    if (len == FILE_MAX)
        return fan_fail_field(reader->why, FAN_INVALID, name,
                "%s names \"%s\", which is longer than %d bytes", name, path, FILE_MAX);
    *out = (struct fan_bytes){ text, len };
    return FAN_OK;
}

static struct fan_bytes without_quotes(struct fan_bytes text)
{
    if (text.len >= 2 && (text.at[0] == '"' || text.at[0] == '\'') &&
            text.at[text.len - 1] == text.at[0])
        return (struct fan_bytes){ text.at + 1, text.len - 2 };
    return text;
}

static enum fan_err read_line(struct reader *reader, const char *path, int number,
        struct fan_bytes line)
{
    struct fan_bytes name, value;

    line = fan_bytes_trim(line);
    if (line.len == 0 || line.at[0] == '#')
        return FAN_OK;
    value = fan_bytes_split(line, '=', &name);
    name = fan_bytes_trim(name);
    if (!value.at || !fan_bytes_starts(name, FAN_LIT("FANFARE_")))
        return fan_fail_field(reader->why, FAN_INVALID, "config",
                "%s, line %d: expected FANFARE_<name>=<value>", path, number);
    if (!fan_setting_is_known(reader->role, reader->own_table, name, reader->arena))
        return fan_fail_field(reader->why, FAN_INVALID, "config",
                "%s, line %d: no process has a setting %.*s; --help lists those of this one", path,
                number, FAN_BYTES_ARG(name));
    add_pair(reader, &reader->lines, fan_bytes_cstr(name, reader->arena),
            fan_bytes_cstr(without_quotes(fan_bytes_trim(value)), reader->arena));
    return FAN_OK;
}

static enum fan_err read_config(struct reader *reader)
{
    const char *path = getenv("FANFARE_CONFIG");
    struct fan_bytes rest, line;
    int number = 0;

    if (!path || !*path)
        return FAN_OK;
    enum fan_err err = read_whole(reader, "FANFARE_CONFIG", path, &rest);
    while (!err && rest.at) {
        rest = fan_bytes_split(rest, '\n', &line);
        err = read_line(reader, path, ++number, line);
    }
    return err;
}

/* ---- the environment and the command line ---- */

static enum fan_err check_environment(struct reader *reader)
{
    for (char **at = environ; *at; at++) {
        struct fan_bytes name;

        fan_bytes_split(fan_bytes_of(*at), '=', &name);
        if (!fan_bytes_starts(name, FAN_LIT("FANFARE_")))
            continue;
        if (!fan_setting_is_known(reader->role, reader->own_table, name, reader->arena))
            return fan_fail_field(reader->why, FAN_INVALID, fan_bytes_cstr(name, reader->arena),
                    "no process has a setting %.*s; --help lists those of this one",
                    FAN_BYTES_ARG(name));
    }
    return FAN_OK;
}

static bool is_callers(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "--version") == 0 ||
            strcmp(argument, "--print-config") == 0;
}

/* "--cached-templates=5" or "--cached_templates" "5". */
static enum fan_err read_arguments(struct reader *reader, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct fan_bytes name, value;
        const struct fan_setting *setting;

        if (is_callers(argv[i]))
            continue;
        value = fan_bytes_split(fan_bytes_of(argv[i]), '=', &name);
        if (!fan_bytes_starts(name, FAN_LIT("--")))
            return fan_fail(reader->why, FAN_INVALID, "\"%s\" is not an option: write --name value",
                    argv[i]);
        name = (struct fan_bytes){ name.at + 2, name.len - 2 };
        char *known = fan_bytes_cstr(name, reader->arena);
        for (char *at = known; *at; at++)
            *at = *at == '-' ? '_' : *at;
        setting = fan_setting_find(reader->own_table, fan_bytes_of(known));
        if (!setting)
            setting = fan_setting_find(fan_common_table, fan_bytes_of(known));
        if (!setting)
            return fan_fail_field(reader->why, FAN_INVALID, known,
                    "there is no option --%.*s; --help lists them", FAN_BYTES_ARG(name));
        if (!value.at && setting->type == FAN_SETTING_BOOL &&
                (i + 1 == argc || argv[i + 1][0] == '-'))
            value = FAN_LIT("true");
        else if (!value.at && ++i < argc)
            value = fan_bytes_of(argv[i]);
        if (!value.at)
            return fan_fail_field(reader->why, FAN_INVALID, known, "--%.*s wants a value",
                    FAN_BYTES_ARG(name));
        add_pair(reader, &reader->arguments, known, fan_bytes_cstr(value, reader->arena));
    }
    return FAN_OK;
}

/* ---- finding a value ---- */

static const char *env_or_line(const struct reader *reader, bool in_file, const char *name)
{
    return in_file ? value_of(reader->lines, name) : getenv(name);
}

/* @name or @name_FILE, in the environment or in the file. Leaves @out alone when there is neither.
 */
static enum fan_err find_named(struct reader *reader, bool in_file, const char *name,
        struct found *out)
{
    const char *named_file = fan_arena_printf(reader->arena, "%s_FILE", name);
    const char *value = env_or_line(reader, in_file, name);
    const char *path = env_or_line(reader, in_file, named_file);
    struct fan_bytes text;

    if (value && path)
        return fan_fail_field(reader->why, FAN_INVALID, name, "%s and %s are both set: keep one",
                name, named_file);
    if (value)
        *out = (struct found){ name, value };
    if (!path)
        return FAN_OK;
    enum fan_err err = read_whole(reader, named_file, path, &text);
    if (!err)
        *out = (struct found){ named_file, fan_bytes_cstr(fan_bytes_trim(text), reader->arena) };
    return err;
}

static enum fan_err find(struct reader *reader, const struct fan_setting *setting, bool is_common,
        struct found *out)
{
    const char *of_role = fan_setting_env(reader->role, setting->name, reader->arena);
    const char *of_all = fan_setting_env(NULL, setting->name, reader->arena);
    const char *value = value_of(reader->arguments, setting->name);
    enum fan_err err = FAN_OK;

    *out = (struct found){ fan_arena_printf(reader->arena, "--%s", setting->name), value };
    for (int in_file = 0; !err && !out->value && in_file <= 1; in_file++) {
        err = find_named(reader, in_file, of_role, out);
        if (!err && !out->value && is_common)
            err = find_named(reader, in_file, of_all, out);
    }
    if (err || out->value)
        return err;
    *out = (struct found){ is_common ? of_all : of_role,
        fan_setting_default(setting, reader->role, reader->arena) };
    if (!out->value)
        return fan_fail_field(reader->why, FAN_INVALID, setting->name, "%s must be set: %s",
                out->name, setting->doc);
    return FAN_OK;
}

/* ---- reading a value ---- */

static enum fan_err refuse(struct reader *reader, const struct fan_setting *setting,
        const struct found *found, const char *right)
{
    return fan_fail_field(reader->why, FAN_INVALID, setting->name,
            "%s is \"%s\", but must be %s (%s)", found->name, found->value, right, setting->doc);
}

static bool truth_of(const char *text, bool *out)
{
    static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) != 0)
            continue;
        *out = i % 2;
        return true;
    }
    return false;
}

static bool is_one_of(const char *words, const char *text)
{
    struct fan_bytes rest = fan_bytes_of(words), word;

    while (rest.at) {
        rest = fan_bytes_split(rest, '|', &word);
        if (fan_bytes_eq_text(word, text))
            return true;
    }
    return false;
}

static enum fan_err store(struct reader *reader, const struct fan_setting *setting,
        const struct found *found, void *to)
{
    int64_t number;

    switch (setting->type) {
    case FAN_SETTING_U32:
        if (!fan_bytes_i64(fan_bytes_of(found->value), &number) || number < setting->least ||
                number > setting->most)
            return refuse(reader, setting, found,
                    fan_arena_printf(reader->arena, "a whole number from %u to %u", setting->least,
                            setting->most));
        *(uint32_t *)to = (uint32_t)number;
        return FAN_OK;
    case FAN_SETTING_BOOL:
        if (!truth_of(found->value, to))
            return refuse(reader, setting, found, "true or false");
        return FAN_OK;
    case FAN_SETTING_WORD:
        if (!is_one_of(setting->words, found->value))
            return refuse(reader, setting, found, setting->words);
        break;
    default:
        break;
    }
    *(const char **)to = found->value;
    return FAN_OK;
}

static enum fan_err read_table(struct reader *reader, const struct fan_setting *table,
        bool is_common, void *into)
{
    for (; table && table->type != FAN_SETTING_END; table++) {
        struct found found;
        enum fan_err err = find(reader, table, is_common, &found);

        if (!err)
            err = store(reader, table, &found, (char *)into + table->offset);
        if (err)
            return err;
    }
    return FAN_OK;
}

enum fan_err fan_settings_read(const char *role, const struct fan_setting *own_table, void *own,
        struct fan_common_settings *common, int argc, char **argv, struct fan_arena *arena,
        struct fan_why *why)
{
    struct reader reader = { .role = role, .own_table = own_table, .arena = arena, .why = why };
    enum fan_err err = check_environment(&reader);

    if (!err)
        err = read_arguments(&reader, argc, argv);
    if (!err)
        err = read_config(&reader);
    if (!err)
        err = read_table(&reader, fan_common_table, true, common);
    if (!err)
        err = read_table(&reader, own_table, false, own);
    return err;
}
