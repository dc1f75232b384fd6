#include "actors/lib/liquid/date.h"

#include <stdio.h>

enum { WIDTH_MAX = 256 };

struct spec {
    char pad; /* ' ', '0', '-' for none; 0: as it is usual */
    bool upper, swap;
    int colons;
    int width; /* -1: as it is usual */
    char letter;
};

struct clock {
    const struct fan_moment *moment;
    struct fan_day day;
    int64_t seconds; /* since 1970, local */
    int hour, minute, second, micro;
};

static struct clock clock_of(const struct fan_moment *moment)
{
    struct clock clock = { .moment = moment };
    int64_t whole = moment->at / FAN_SECOND, of_day, days;

    clock.micro = (int)(moment->at % FAN_SECOND);
    if (clock.micro < 0) {
        clock.micro += (int)FAN_SECOND;
        whole--;
    }
    clock.seconds = whole + moment->offset;
    of_day = (clock.seconds % 86400 + 86400) % 86400;
    days = (clock.seconds - of_day) / 86400;
    clock.day = fan_day_of(days);
    clock.hour = (int)(of_day / 3600);
    clock.minute = (int)(of_day / 60 % 60);
    clock.second = (int)(of_day % 60);
    return clock;
}

/* ---- fields ---- */

static void put_number(const struct spec *spec, int64_t value, int width, char pad,
        struct fan_buffer *out)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%lld", (long long)(value < 0 ? -value : value));
    int room = spec->width >= 0 ? spec->width : width;

    pad = spec->pad ? spec->pad : pad;
    if (value < 0)
        room--;
    if (value < 0 && pad != ' ')
        fan_buffer_add_char(out, '-');
    for (int i = len; i < room && pad != '-'; i++)
        fan_buffer_add_char(out, pad);
    if (value < 0 && pad == ' ')
        fan_buffer_add_char(out, '-');
    fan_buffer_add(out, text, (size_t)len);
}

static void put_text(const struct spec *spec, const char *text, size_t len, struct fan_buffer *out)
{
    for (int i = (int)len; i < spec->width && spec->pad != '-'; i++)
        fan_buffer_add_char(out, spec->pad == '0' ? '0' : ' ');
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool up = spec->upper || (spec->swap && spec->letter != 'p');

        if (up && c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        else if (spec->swap && spec->letter == 'p')
            c |= 0x20;
        fan_buffer_add_char(out, c);
    }
}

static void put_zone(const struct spec *spec, int32_t offset, struct fan_buffer *out)
{
    char text[24];
    int total = offset < 0 ? -offset : offset, len;
    char sign = offset < 0 ? '-' : '+';

    if (spec->colons == 1)
        len = snprintf(text, sizeof text, "%c%02d:%02d", sign, total / 3600, total / 60 % 60);
    else if (spec->colons > 1)
        len = snprintf(text, sizeof text, "%c%02d:%02d:%02d", sign, total / 3600, total / 60 % 60,
                total % 60);
    else
        len = snprintf(text, sizeof text, "%c%02d%02d", sign, total / 3600, total / 60 % 60);
    put_text(&(struct spec){ .width = spec->width }, text, (size_t)len, out);
}

static void put_fraction(const struct spec *spec, int micro, int digits, struct fan_buffer *out)
{
    char text[8];

    snprintf(text, sizeof text, "%06d", micro);
    digits = spec->width > 0 ? spec->width : digits;
    for (int i = 0; i < digits; i++)
        fan_buffer_add_char(out, i < 6 ? text[i] : '0');
}

/* The week of the year by ISO 8601, and the year that it belongs to. */
static int iso_week(const struct fan_day *day, int64_t *year)
{
    int from_monday = (day->weekday + 6) % 7;
    int64_t thursday = fan_days_to(day->year, 1, 1) + day->yearday - from_monday + 3;
    struct fan_day of = fan_day_of(thursday);

    *year = of.year;
    return of.yearday / 7 + 1;
}

static const char *combined(char letter)
{
    switch (letter) {
    case 'c':
        return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x':
        return "%m/%d/%y";
    case 'F':
        return "%Y-%m-%d";
    case 'T':
    case 'X':
        return "%H:%M:%S";
    case 'R':
        return "%H:%M";
    case 'r':
        return "%I:%M:%S %p";
    case 'v':
        return "%e-%^b-%4Y";
    case '+':
        return "%a %b %e %H:%M:%S %Z %Y";
    default:
        return NULL;
    }
}

static bool put_date(const struct spec *spec, const struct clock *clock, struct fan_buffer *out)
{
    const struct fan_day *day = &clock->day;
    int64_t year;
    int week = iso_week(day, &year);

    switch (spec->letter) {
    case 'Y':
        put_number(spec, day->year, day->year < 0 ? 5 : 4, '0', out);
        return true;
    case 'C':
        put_number(spec, day->year / 100, 2, '0', out);
        return true;
    case 'y':
        put_number(spec, ((day->year % 100) + 100) % 100, 2, '0', out);
        return true;
    case 'm':
        put_number(spec, day->month, 2, '0', out);
        return true;
    case 'd':
    case 'e':
        put_number(spec, day->day, 2, spec->letter == 'd' ? '0' : ' ', out);
        return true;
    case 'j':
        put_number(spec, day->yearday + 1, 3, '0', out);
        return true;
    case 'u':
    case 'w':
        put_number(spec, spec->letter == 'u' && !day->weekday ? 7 : day->weekday, 1, '0', out);
        return true;
    case 'G':
        put_number(spec, year, 4, '0', out);
        return true;
    case 'g':
        put_number(spec, year % 100, 2, '0', out);
        return true;
    case 'V':
        put_number(spec, week, 2, '0', out);
        return true;
    case 'U':
        put_number(spec, (day->yearday + 7 - day->weekday) / 7, 2, '0', out);
        return true;
    case 'W':
        put_number(spec, (day->yearday + 7 - (day->weekday + 6) % 7) / 7, 2, '0', out);
        return true;
    default:
        return false;
    }
}

static bool put_time(const struct spec *spec, const struct clock *clock, struct fan_buffer *out)
{
    int half = clock->hour % 12 ? clock->hour % 12 : 12;

    switch (spec->letter) {
    case 'H':
    case 'k':
        put_number(spec, clock->hour, 2, spec->letter == 'H' ? '0' : ' ', out);
        return true;
    case 'I':
    case 'l':
        put_number(spec, half, 2, spec->letter == 'I' ? '0' : ' ', out);
        return true;
    case 'M':
        put_number(spec, clock->minute, 2, '0', out);
        return true;
    case 'S':
        put_number(spec, clock->second, 2, '0', out);
        return true;
    case 'L':
        put_fraction(spec, clock->micro, 3, out);
        return true;
    case 'N':
        put_fraction(spec, clock->micro, 9, out);
        return true;
    case 's':
        put_number(spec, clock->seconds - clock->moment->offset, 1, '0', out);
        return true;
    case 'z':
        put_zone(spec, clock->moment->offset, out);
        return true;
    default:
        return false;
    }
}

static bool put_word(const struct spec *spec, const struct clock *clock, struct fan_buffer *out)
{
    const char *half = clock->hour < 12 ? "AM" : "PM";

    switch (spec->letter) {
    case 'a':
        put_text(spec, fan_weekday_names[clock->day.weekday], 3, out);
        return true;
    case 'A':
        half = fan_weekday_names[clock->day.weekday];
        break;
    case 'b':
    case 'h':
        put_text(spec, fan_month_names[clock->day.month - 1], 3, out);
        return true;
    case 'B':
        half = fan_month_names[clock->day.month - 1];
        break;
    case 'p':
        break;
    case 'P':
        half = clock->hour < 12 ? "am" : "pm";
        break;
    case 'Z':
        half = clock->moment->zone;
        break;
    case 'n':
        half = "\n";
        break;
    case 't':
        half = "\t";
        break;
    case '%':
        half = "%";
        break;
    default:
        return false;
    }
    put_text(spec, half, strlen(half), out);
    return true;
}

/* ---- formats ---- */

/* Read what stands behind a %; returns its length, 0 when it is no field. */
static size_t read_spec(struct fan_bytes text, struct spec *spec)
{
    size_t at = 0;

    *spec = (struct spec){ .width = -1 };
    for (; at < text.len && strchr("-0^#_:", text.at[at]) && text.at[at]; at++) {
        char c = text.at[at];

        spec->pad = c == '-' || c == '0' ? c : c == '_' ? ' ' : spec->pad;
        spec->upper |= c == '^';
        spec->swap |= c == '#';
        spec->colons += c == ':';
    }
    for (; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++) {
        spec->width = (spec->width < 0 ? 0 : spec->width) * 10 + (text.at[at] - '0');
        if (spec->width > WIDTH_MAX)
            return 0;
    }
    if (at == text.len)
        return 0;
    spec->letter = text.at[at];
    return at + 1;
}

static void write_format(const struct clock *clock, struct fan_bytes format, struct fan_buffer *out)
{
    for (size_t i = 0; i < format.len;) {
        const char *mark = memchr(format.at + i, '%', format.len - i);
        size_t at = mark ? (size_t)(mark - format.at) : format.len, len;
        const char *several;
        struct spec spec;

        fan_buffer_add(out, format.at + i, at - i);
        i = at;
        if (!mark)
            return;
        len = read_spec((struct fan_bytes){ mark + 1, format.len - at - 1 }, &spec);
        several = len ? combined(spec.letter) : NULL;
        if (several) { /* none of them holds another one of its kind */
            size_t from = out->len;

            write_format(clock, fan_bytes_of(several), out);
            for (size_t k = from; spec.upper && k < out->len; k++)
                out->at[k] = (char)(out->at[k] >= 'a' && out->at[k] <= 'z' ? out->at[k] - 32
                                                                           : out->at[k]);
        } else if (!len ||
                !(put_date(&spec, clock, out) || put_time(&spec, clock, out) ||
                        put_word(&spec, clock, out))) {
            len = 0;
            fan_buffer_add_char(out, '%');
        }
        i += 1 + len;
    }
}

void fan_date_write(const struct fan_moment *moment, struct fan_bytes format,
        struct fan_buffer *out)
{
    struct clock clock = clock_of(moment);

    write_format(&clock, format, out);
}
