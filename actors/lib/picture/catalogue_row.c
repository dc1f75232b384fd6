#include "actors/lib/picture/catalogue_row.h"

#include <stdio.h>

enum { ID_MAX = 32, NAME_MAX_BYTES = 80, GREETING_MAX = 160, GREETINGS_MAX = 24 };

struct word {
    const char *text;
    int value;
};

static const struct word backdrops[] = { { "rays", FAN_BACKDROP_RAYS },
    { "bokeh", FAN_BACKDROP_BOKEH }, { "stars", FAN_BACKDROP_STARS },
    { "fireworks", FAN_BACKDROP_FIREWORKS }, { "confetti", FAN_BACKDROP_CONFETTI },
    { "snow", FAN_BACKDROP_SNOW }, { "mandala", FAN_BACKDROP_MANDALA },
    { "waves", FAN_BACKDROP_WAVES }, { "clouds", FAN_BACKDROP_CLOUDS },
    { "hills", FAN_BACKDROP_HILLS }, { NULL, 0 } };

static const struct word spreads[] = { { "hang", FAN_SPREAD_HANG }, { "fall", FAN_SPREAD_FALL },
    { "row", FAN_SPREAD_ROW }, { NULL, 0 } };

static const struct word grounds[] = { { "classic", FAN_GROUND_CLASSIC },
    { "modern", FAN_GROUND_MODERN }, { "minimal", FAN_GROUND_MINIMAL },
    { "night", FAN_GROUND_NIGHT }, { NULL, 0 } };

/* The row that is read, for errors. */
struct row {
    const struct fan_json *json;
    struct fan_bytes id;
    struct fan_why *why;
};

static enum fan_err wrong(const struct row *row, const char *member, const char *right)
{
    char field[64];

    snprintf(field, sizeof field, "%.*s.%s", FAN_BYTES_ARG(row->id), member);
    return fan_fail_field(row->why, FAN_INVALID, field, "%s is missing or wrong; right is %s",
            field, right);
}

static bool is_id(struct fan_bytes text)
{
    if (text.len == 0 || text.len > ID_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0)))
            return false;
    }
    return true;
}

static enum fan_err read_id(struct row *row, struct fan_bytes *out)
{
    *out = fan_json_get_text(row->json, "id");
    if (!is_id(*out))
        return wrong(row, "id", "up to 32 of a-z, 0-9 and -");
    row->id = *out;
    return FAN_OK;
}

static enum fan_err read_text(const struct row *row, const char *member, struct fan_bytes *out)
{
    *out = fan_json_get_text(row->json, member);
    if (out->len == 0 || out->len > NAME_MAX_BYTES)
        return wrong(row, member, "a text of 1 to 80 bytes");
    return FAN_OK;
}

static enum fan_err read_word(const struct row *row, const char *member, const struct word *words,
        int *out)
{
    struct fan_bytes text = fan_json_get_text(row->json, member);
    char right[160] = "one of";
    size_t len = strlen(right);

    for (const struct word *at = words; at->text; at++) {
        if (fan_bytes_eq_text(text, at->text)) {
            *out = at->value;
            return FAN_OK;
        }
        len += (size_t)snprintf(right + len, sizeof right - len, " %s", at->text);
    }
    return wrong(row, member, right);
}

static enum fan_err read_share(const struct row *row, const char *member, double *out)
{
    *out = fan_json_real(fan_json_get(row->json, member), -1);
    if (!(*out >= 0 && *out <= 1))
        return wrong(row, member, "a number from 0 to 1");
    return FAN_OK;
}

/* ---- a festival's parts ---- */

static enum fan_err read_colours(const struct row *row, struct fan_festival *out)
{
    const struct fan_json *colours = fan_json_get(row->json, "colours");
    const struct part {
        const char *name;
        struct fan_colour *into;
    } parts[] = { { "deep", &out->deep }, { "from", &out->from }, { "to", &out->to },
        { "accent", &out->accent }, { "paper", &out->paper } };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!fan_colour_read(fan_json_get_text(colours, parts[i].name), parts[i].into))
            return wrong(row, "colours",
                    "\"#rrggbb\" for each of deep, from, to, accent and paper");
    }
    if (fan_contrast(fan_colour_luminance(out->deep), fan_colour_luminance(out->paper)) < 7)
        return wrong(row, "colours", "a contrast of 7 or more between deep and paper");
    return FAN_OK;
}

static enum fan_err read_greetings(const struct row *row, struct fan_arena *arena,
        struct fan_festival *out)
{
    const struct fan_json *greetings = fan_json_get(row->json, "greetings"), *value;
    size_t count = fan_json_size(greetings), cursor = 0, at = 0;
    struct fan_greeting *list = fan_arena_array(arena, count, sizeof *list);
    struct fan_bytes language;

    if (count == 0 || count > GREETINGS_MAX)
        return wrong(row, "greetings", "an object of 1 to 24 texts by language");
    while (fan_json_next(greetings, &cursor, &language, &value)) {
        struct fan_bytes text = fan_json_text(value);

        if (language.len < 2 || language.len > 15 || text.len == 0 || text.len > GREETING_MAX)
            return wrong(row, "greetings", "like {\"hi\": \"a text of up to 160 bytes\"}");
        list[at++] = (struct fan_greeting){ .language = language, .text = text };
    }
    out->greetings = list;
    out->greetings_len = count;
    return FAN_OK;
}

static enum fan_err read_date(const struct row *row, struct fan_festival *out)
{
    struct fan_bytes text = fan_json_get_text(row->json, "date");
    struct fan_why inner = { 0 };

    if (fan_date_rule_read(text, &out->date, &inner))
        return wrong(row, "date", "a rule such as \"fixed 12-25\" (docs/pictures.md has all)");
    return FAN_OK;
}

enum fan_err fan_festival_read(const struct fan_json *json, struct fan_arena *arena,
        struct fan_festival *out, struct fan_why *why)
{
    struct row row = { .json = json, .id = FAN_LIT("festival"), .why = why };
    int backdrop = 0, spread = 0;
    enum fan_err err = read_id(&row, &out->id);

    if (!err)
        err = read_text(&row, "name", &out->name);
    if (!err)
        err = read_text(&row, "culture", &out->culture);
    if (!err)
        err = read_date(&row, out);
    if (!err)
        err = read_colours(&row, out);
    if (!err)
        err = read_word(&row, "backdrop", backdrops, &backdrop);
    if (!err)
        err = read_word(&row, "spread", spreads, &spread);
    if (!err)
        err = read_greetings(&row, arena, out);
    out->backdrop = (enum fan_backdrop)backdrop;
    out->spread = (enum fan_spread)spread;
    return err;
}

enum fan_err fan_theme_read(const struct fan_json *json, struct fan_theme *out, struct fan_why *why)
{
    struct row row = { .json = json, .id = FAN_LIT("theme"), .why = why };
    int ground = 0;
    enum fan_err err = read_id(&row, &out->id);

    if (!err)
        err = read_text(&row, "name", &out->name);
    if (!err)
        err = read_word(&row, "ground", grounds, &ground);
    if (!err)
        err = read_share(&row, "backdrop", &out->backdrop);
    if (!err)
        err = read_share(&row, "spread", &out->spread);
    out->ground = (enum fan_ground)ground;
    out->serif = fan_json_bool(fan_json_get(json, "serif"), false);
    out->frame = fan_json_bool(fan_json_get(json, "frame"), false);
    return err;
}
