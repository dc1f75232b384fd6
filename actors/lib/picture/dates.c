#include "actors/lib/picture/dates.h"

#include "actors/lib/picture/calendar.h"

#include <math.h>

static const struct kind {
    const char *word;
    enum fan_date_kind kind;
    bool about;
} kinds[] = {
    { "fixed", FAN_DATE_FIXED, false },
    { "weekday", FAN_DATE_WEEKDAY, false },
    { "after", FAN_DATE_AFTER, false },
    { "any", FAN_DATE_ANY, false },
    { "easter", FAN_DATE_EASTER, false },
    { "orthodox", FAN_DATE_ORTHODOX, false },
    { "hebrew", FAN_DATE_HEBREW, false },
    { "hijri", FAN_DATE_HIJRI, true },
    { "newmoon", FAN_DATE_NEW_MOON, true },
    { "fullmoon", FAN_DATE_FULL_MOON, true },
};

/* ---- reading ---- */

enum { WORDS = 5 };

static bool read_weekday(struct fan_bytes word, int *out)
{
    static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

    for (int i = 0; i < 7; i++) {
        if (fan_bytes_eq_text(word, days[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* A number from @least to @most, perhaps with its sign. */
static bool read_number(struct fan_bytes word, int least, int most, int *out)
{
    int64_t value = 0;

    if (word.len > 1 && word.at[0] == '+')
        word = (struct fan_bytes){ word.at + 1, word.len - 1 };
    if (!fan_bytes_i64(word, &value) || value < least || value > most)
        return false;
    *out = (int)value;
    return true;
}

static bool read_month_day(struct fan_bytes word, struct fan_date_rule *out)
{
    struct fan_bytes month, day = fan_bytes_split(word, '-', &month);

    return read_number(month, 1, 12, &out->month) && read_number(day, 1, 31, &out->day);
}

/* The words behind the kind's. */
static bool read_rest(const struct fan_bytes *words, size_t count, struct fan_date_rule *out)
{
    switch (out->kind) {
    case FAN_DATE_ANY:
        return count == 0;
    case FAN_DATE_EASTER:
    case FAN_DATE_ORTHODOX:
        return count == 1 && read_number(words[0], -366, 366, &out->offset);
    case FAN_DATE_WEEKDAY:
        return count == 3 && read_number(words[0], -1, 5, &out->nth) && out->nth != 0 &&
                read_weekday(words[1], &out->weekday) && read_number(words[2], 1, 12, &out->month);
    case FAN_DATE_AFTER:
        return count == 2 && read_month_day(words[0], out) && read_weekday(words[1], &out->weekday);
    case FAN_DATE_NEW_MOON:
    case FAN_DATE_FULL_MOON:
        return count == 3 && read_month_day(words[0], out) &&
                read_number(words[1], -30, 30, &out->offset) &&
                read_number(words[2], -12, 14, &out->hours);
    default:
        return count == 1 && read_month_day(words[0], out);
    }
}

enum fan_err fan_date_rule_read(struct fan_bytes text, struct fan_date_rule *out,
        struct fan_why *why)
{
    struct fan_bytes words[WORDS], rest = text;
    size_t count = 0;

    *out = (struct fan_date_rule){ 0 };
    while (rest.at && count < WORDS)
        rest = fan_bytes_split(rest, ' ', &words[count++]);
    for (size_t i = 0; count > 0 && !rest.at && i < sizeof kinds / sizeof *kinds; i++) {
        if (!fan_bytes_eq_text(words[0], kinds[i].word))
            continue;
        out->kind = kinds[i].kind;
        out->about = kinds[i].about;
        if (read_rest(words + 1, count - 1, out))
            return FAN_OK;
    }
    return fan_fail_field(why, FAN_INVALID, "date",
            "\"%.*s\" is no rule; right would be \"fixed 12-25\" or another of docs/pictures.md",
            (int)(text.len < 64 ? text.len : 64), text.at ? text.at : "");
}

/* ---- reckoning ---- */

static long weekday_of_month(const struct fan_date_rule *rule, int year)
{
    long first = fan_julian_day(year, rule->month, 1);
    int next_year = rule->month == 12 ? year + 1 : year;
    long end = fan_julian_day(next_year, rule->month % 12 + 1, 1);
    long day = first + (rule->weekday - (int)((first + 1) % 7) + 7) % 7;

    if (rule->nth < 0)
        return day + (end - 1 - day) / 7 * 7;
    return day + 7L * (rule->nth - 1);
}

static long weekday_after(const struct fan_date_rule *rule, int year)
{
    long day = fan_julian_day(year, rule->month, rule->day);

    return day + (rule->weekday - (int)((day + 1) % 7) + 7) % 7;
}

static long moon_of_year(const struct fan_date_rule *rule, int year)
{
    double zone = rule->hours / 24.0;
    double from = (double)fan_julian_day(year, rule->month, rule->day) - 0.5 - zone;
    double at = fan_moon_after(from, rule->kind == FAN_DATE_FULL_MOON);

    return (long)floor(at + zone + 0.5);
}

/* The day by @rule in a year of its own calendar that begins about with Gregorian @year. */
static long day_in(const struct fan_date_rule *rule, int year)
{
    switch (rule->kind) {
    case FAN_DATE_WEEKDAY:
        return weekday_of_month(rule, year);
    case FAN_DATE_AFTER:
        return weekday_after(rule, year);
    case FAN_DATE_EASTER:
        return fan_julian_easter(year) + rule->offset;
    case FAN_DATE_ORTHODOX:
        return fan_julian_orthodox_easter(year) + rule->offset;
    case FAN_DATE_HEBREW:
        return fan_julian_hebrew(year + 3760, rule->month, rule->day);
    case FAN_DATE_HIJRI: /* years are shorter: the first that ends behind the last Gregorian one */
        return fan_julian_hijri((int)((year - 622) * 1.030684), rule->month, rule->day);
    case FAN_DATE_NEW_MOON:
    case FAN_DATE_FULL_MOON:
        return moon_of_year(rule, year) + rule->offset;
    default:
        return fan_julian_day(year, rule->month, rule->day);
    }
}

struct fan_date fan_date_next(const struct fan_date_rule *rule, struct fan_date from)
{
    long start = fan_julian_day(from.year, from.month, from.day), day = 0;
    struct fan_date out = { 0 };

    if (rule->kind == FAN_DATE_ANY)
        return out;
    for (int year = from.year - 2; year <= from.year + 4; year++) {
        day = day_in(rule, year);
        if (day >= start)
            break;
    }
    fan_julian_split(day, &out.year, &out.month, &out.day);
    return out;
}
