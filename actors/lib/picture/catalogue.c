#include "actors/lib/picture/catalogue.h"

#include "actors/lib/picture/catalogue_row.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { FILE_MAX = 1024 * 1024, ROWS_MAX = 1000 };

static enum fan_err read_file(const char *path, struct fan_arena *arena, struct fan_bytes *out,
        struct fan_why *why)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t len;

    if (!file)
        return fan_fail(why, FAN_NOT_FOUND, "cannot open %s: %s", path, strerror(errno));
    text = fan_arena_alloc(arena, FILE_MAX + 1);
    len = fread(text, 1, FILE_MAX + 1, file);
    fclose(file);
    if (len > FILE_MAX)
        return fan_fail(why, FAN_TOO_LARGE, "%s is larger than 1 MiB", path);
    *out = (struct fan_bytes){ text, len };
    return FAN_OK;
}

/* The rows of a file: an array of objects with different ids. */
static enum fan_err read_rows(const char *path, struct fan_arena *arena,
        const struct fan_json **out, size_t *count, struct fan_why *why)
{
    struct fan_bytes text = FAN_NO_BYTES;
    struct fan_why inner = { 0 };
    enum fan_err err = read_file(path, arena, &text, why);

    if (err)
        return err;
    if (fan_json_parse(text, arena, out, &inner))
        return fan_fail(why, FAN_INVALID, "%s: %.200s", path, inner.text);
    *count = fan_json_size(*out);
    if (fan_json_type(*out) != FAN_JSON_ARRAY || *count == 0 || *count > ROWS_MAX)
        return fan_fail(why, FAN_INVALID, "%s: right would be an array of 1 to 1000 rows", path);
    for (size_t i = 0; i < *count; i++) {
        for (size_t j = 0; j < i; j++) {
            struct fan_bytes id = fan_json_get_text(fan_json_at(*out, i), "id");

            if (id.at && fan_bytes_eq(id, fan_json_get_text(fan_json_at(*out, j), "id")))
                return fan_fail(why, FAN_INVALID, "%s: two rows have the id %.*s", path,
                        FAN_BYTES_ARG(id));
        }
    }
    return FAN_OK;
}

static enum fan_err load_festivals(const char *folder, struct fan_arena *arena,
        struct fan_catalogue *out, struct fan_why *why)
{
    const struct fan_json *rows = NULL;
    size_t count = 0;
    struct fan_festival *list;
    enum fan_err err = read_rows(fan_arena_printf(arena, "%s/festivals.json", folder), arena, &rows,
            &count, why);

    if (err)
        return err;
    list = fan_arena_array(arena, count, sizeof *list);
    for (size_t i = 0; !err && i < count; i++) {
        err = fan_festival_read(fan_json_at(rows, i), arena, &list[i], why);
        if (err)
            break;
        list[i].motif =
                fan_arena_printf(arena, "%s/motifs/%.*s.svg", folder, FAN_BYTES_ARG(list[i].id));
        if (access(list[i].motif, R_OK) != 0)
            err = fan_fail(why, FAN_NOT_FOUND, "cannot read %s: %s", list[i].motif,
                    strerror(errno));
    }
    out->festivals = list;
    out->festivals_len = count;
    return err;
}

static enum fan_err load_themes(const char *folder, struct fan_arena *arena,
        struct fan_catalogue *out, struct fan_why *why)
{
    const struct fan_json *rows = NULL;
    size_t count = 0;
    struct fan_theme *list;
    enum fan_err err =
            read_rows(fan_arena_printf(arena, "%s/themes.json", folder), arena, &rows, &count, why);

    if (err)
        return err;
    list = fan_arena_array(arena, count, sizeof *list);
    for (size_t i = 0; !err && i < count; i++)
        err = fan_theme_read(fan_json_at(rows, i), &list[i], why);
    out->themes = list;
    out->themes_len = count;
    return err;
}

enum fan_err fan_catalogue_load(const char *folder, struct fan_arena *arena,
        struct fan_catalogue *out, struct fan_why *why)
{
    enum fan_err err = load_festivals(folder, arena, out, why);

    return err ? err : load_themes(folder, arena, out, why);
}

enum fan_err fan_catalogue_festival(const struct fan_catalogue *catalogue, struct fan_bytes id,
        const struct fan_festival **out, struct fan_why *why)
{
    for (size_t i = 0; i < catalogue->festivals_len; i++) {
        if (fan_bytes_eq(id, catalogue->festivals[i].id)) {
            *out = &catalogue->festivals[i];
            return FAN_OK;
        }
    }
    return fan_fail_field(why, FAN_NOT_FOUND, "festival",
            "there is no festival \"%.*s\"; `fanfare image --list` names all",
            (int)(id.len < 40 ? id.len : 40), id.at ? id.at : "");
}

enum fan_err fan_catalogue_theme(const struct fan_catalogue *catalogue, struct fan_bytes id,
        const struct fan_theme **out, struct fan_why *why)
{
    for (size_t i = 0; i < catalogue->themes_len; i++) {
        if (fan_bytes_eq(id, catalogue->themes[i].id)) {
            *out = &catalogue->themes[i];
            return FAN_OK;
        }
    }
    return fan_fail_field(why, FAN_NOT_FOUND, "theme",
            "there is no theme \"%.*s\"; `fanfare image --list` names all",
            (int)(id.len < 40 ? id.len : 40), id.at ? id.at : "");
}

static bool speaks(const struct fan_greeting *greeting, struct fan_bytes language)
{
    return fan_bytes_eq_nocase(greeting->language, language);
}

const struct fan_greeting *fan_festival_greeting(const struct fan_festival *festival,
        struct fan_bytes language)
{
    struct fan_bytes primary;

    fan_bytes_split(language, '-', &primary);
    for (size_t i = 0; i < festival->greetings_len; i++) {
        if (speaks(&festival->greetings[i], language))
            return &festival->greetings[i];
    }
    for (size_t i = 0; i < festival->greetings_len; i++) {
        if (speaks(&festival->greetings[i], primary))
            return &festival->greetings[i];
    }
    return &festival->greetings[0];
}
