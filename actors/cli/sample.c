#include "actors/cli/sample.h"

#include <stdio.h>

enum { CELL = 160 }; /* bytes */

enum column {
    EXTERNAL_ID,
    FIRST_NAME,
    LAST_NAME,
    MOBILE,
    EMAIL,
    CITY,
    COUNTRY,
    PRODUCT,
    LANGUAGE,
    BIRTHDAY,
    TAGS,
    COLUMNS,
};

struct row {
    uint32_t number;
    const struct fan_sample_country *country;
    char cells[COLUMNS][CELL];
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One row in so many has this flaw; the first that fits counts. */
static const struct {
    enum fan_sample_flaw flaw;
    uint32_t one_in;
} flaws[] = {
    { FAN_SAMPLE_QUOTES, 1499 },
    { FAN_SAMPLE_LATIN_1, 1997 },
    { FAN_SAMPLE_TOO_LONG, 1201 },
    { FAN_SAMPLE_TOO_SHORT, 1301 },
    { FAN_SAMPLE_NOBODY, 401 },
    { FAN_SAMPLE_REPEATED, 127 },
    { FAN_SAMPLE_TWIN, 131 },
    { FAN_SAMPLE_BAD_PHONE, 61 },
    { FAN_SAMPLE_BAD_EMAIL, 67 },
    { FAN_SAMPLE_NO_PHONE, 23 },
    { FAN_SAMPLE_NO_EMAIL, 29 },
};

enum fan_sample_flaw fan_sample_flaw_of(uint32_t row)
{
    for (size_t i = 0; i < COUNT(flaws); i++) {
        if (row % flaws[i].one_in == flaws[i].one_in - 1)
            return flaws[i].flaw;
    }
    return FAN_SAMPLE_FINE;
}

/* A number below @bound that looks drawn, for each row and column (splitmix64). */
static uint32_t draw(uint32_t row, enum column column, size_t bound)
{
    uint64_t x = ((uint64_t)row << 8 | column) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((x ^ x >> 31) % bound);
}

#define PICK(row, column, array) (array)[draw(row, column, COUNT(array))]

/* ---- telephones ---- */

/* A hundred numbers for fiction in each. */
static const char *const area_codes[] = { "202", "205", "206", "212", "213", "214", "215", "216",
    "217", "218", "303", "304", "305", "307", "308", "309", "310", "312", "313", "314", "315",
    "316", "317", "318", "401", "402", "404", "405", "406", "407", "408", "409", "410", "412",
    "413", "414", "415", "417", "501", "502", "503", "504", "505", "507", "508", "509", "510",
    "512", "513", "515", "516", "517", "518", "601", "602", "603", "605", "606", "607", "608",
    "609", "610", "612", "614", "615", "616", "617", "618", "701", "702", "703", "704", "706",
    "707", "708", "712", "714", "715", "716", "717", "718", "719", "801", "802", "803", "804",
    "805", "806", "808", "810", "812", "813", "814", "815", "816", "817", "818", "901" };

void fan_sample_phone(const struct fan_sample_country *country, uint32_t number, char *out,
        size_t room)
{
    uint32_t unit = country->phones / 10;
    size_t len = 0;

    for (const char *at = country->phone; *at && len + 1 < room; at++) {
        out[len++] = *at == '#' ? (char)('0' + number / unit % 10) : *at;
        if (*at == '#' && unit > 1)
            unit /= 10;
    }
    out[len] = '\0';
}

static void american_phone(const struct row *row, uint32_t number, char *out)
{
    const char *area = area_codes[number / 100 % COUNT(area_codes)];

    number %= 100;
    switch (draw(row->number, MOBILE, 4)) {
    case 0:
        snprintf(out, CELL, "(%s) 555-01%02u", area, number);
        break;
    case 1:
        snprintf(out, CELL, "%s-555-01%02u", area, number);
        break;
    case 2:
        snprintf(out, CELL, "1.%s.555.01%02u", area, number);
        break;
    default:
        snprintf(out, CELL, "+1%s55501%02u", area, number);
    }
}

/* Spaces as they are, hyphens instead, or nothing. */
static void vary(const struct row *row, char *phone)
{
    uint32_t style = draw(row->number, MOBILE, 3);
    char *to = phone;

    for (const char *at = phone; *at; at++) {
        if (*at != ' ' || style == 0)
            *to++ = *at;
        else if (style == 1)
            *to++ = '-';
    }
    *to = '\0';
}

/* ---- who ---- */

static const struct fan_sample_country *country_named(const char *code)
{
    const struct fan_sample_country *at = fan_sample_countries;

    while (strcmp(at->code, code) != 0)
        at++;
    return at;
}

static uint32_t number_of_countries(void)
{
    uint32_t count = 2; /* one and its others: there are more */

    while (fan_sample_countries[count].code)
        count++;
    return count;
}

/* Every third row is an American, the others take turns; whoever finds no number left in their
 * country is a German, where ten million are to be had. */
static void settle(struct row *row)
{
    uint32_t others = number_of_countries() - 1, turn = row->number / 3 * 2 + row->number % 3 - 1;
    uint32_t nth = row->number / 3;
    bool american = row->number % 3 == 0;
    char *phone = row->cells[MOBILE];

    row->country = country_named("US");
    if (american && nth < 100 * COUNT(area_codes)) {
        american_phone(row, nth, phone);
        return;
    }
    if (!american) {
        row->country = &fan_sample_countries[1 + turn % others];
        nth = turn / others;
    }
    if (american || nth >= row->country->phones) {
        row->country = country_named("DE");
        nth = row->country->phones / 2 + row->number;
    }
    fan_sample_phone(row->country, nth, phone, CELL);
    vary(row, phone);
}

static void set(struct row *row, enum column column, const char *text)
{
    snprintf(row->cells[column], CELL, "%s", text);
}

static void name(struct row *row)
{
    static const char *const domains[] = { "example.com", "example.net", "example.org" };
    const struct fan_sample_name *first = &PICK(row->number, FIRST_NAME, row->country->first);
    const struct fan_sample_name *last = &PICK(row->number, LAST_NAME, row->country->last);

    set(row, FIRST_NAME, first->native);
    set(row, LAST_NAME, last->native);
    snprintf(row->cells[EXTERNAL_ID], CELL, "C-%06u", row->number + 1);
    snprintf(row->cells[EMAIL], CELL, "%s.%s.%u@%s", first->ascii, last->ascii, row->number + 1,
            PICK(row->number, EMAIL, domains));
}

static void describe(struct row *row)
{
    static const char *const products[] = { "Green tea", "Espresso", "Filter coffee", "Chai",
        "Hot chocolate, dark", "The \"Special\"" };
    static const char *const tags[] = { "newsletter", "newsletter;vip", "lapsed", "vip", "" };
    uint32_t day = draw(row->number, BIRTHDAY, 365 * 60);

    snprintf(row->cells[CITY], CELL, "%s%s", PICK(row->number, CITY, row->country->cities),
            draw(row->number, CITY, 400) == 0 ? "\n(old town)" : "");
    set(row, COUNTRY, row->country->code);
    set(row, PRODUCT, PICK(row->number, PRODUCT, products));
    set(row, LANGUAGE, row->country->language);
    snprintf(row->cells[BIRTHDAY], CELL, "%04u-%02u-%02u", 1945 + day / 365, 1 + day / 30 % 12,
            1 + day % 28);
    set(row, TAGS, PICK(row->number, TAGS, tags));
}

static void make(struct row *row, uint32_t number)
{
    row->number = number;
    settle(row);
    name(row);
    describe(row);
}

/* ---- what is wrong with them ---- */

static void spoil(struct row *row, enum fan_sample_flaw flaw)
{
    static const char *const phones[] = { "12345", "n/a", "555-CALL-ME", "+999 123 456 789",
        "+1 202" };
    static const char *const emails[] = { "nobody@", "not an address", "a@@example.com",
        "@example.org", "two@example.com, three@example.com" };
    struct row earlier;

    if (flaw == FAN_SAMPLE_REPEATED || flaw == FAN_SAMPLE_TWIN)
        make(&earlier, row->number - 1 - draw(row->number, EXTERNAL_ID, 50));
    if (flaw == FAN_SAMPLE_REPEATED) {
        memcpy(row->cells, earlier.cells, sizeof(row->cells));
        set(row, PRODUCT, "Green tea");
    } else if (flaw == FAN_SAMPLE_TWIN) {
        set(row, MOBILE, earlier.cells[MOBILE]);
    } else if (flaw == FAN_SAMPLE_BAD_PHONE) {
        set(row, MOBILE, PICK(row->number, MOBILE, phones));
    } else if (flaw == FAN_SAMPLE_BAD_EMAIL) {
        set(row, EMAIL, PICK(row->number, EMAIL, emails));
    }
    if (flaw == FAN_SAMPLE_NO_PHONE || flaw == FAN_SAMPLE_NOBODY)
        set(row, MOBILE, "");
    if (flaw == FAN_SAMPLE_NO_EMAIL || flaw == FAN_SAMPLE_NOBODY)
        set(row, EMAIL, "");
    if (flaw == FAN_SAMPLE_LATIN_1)
        set(row, CITY, "K\xf6ln");
}

/* ---- writing ---- */

static void add_cell(struct fan_buffer *out, const char *text)
{
    if (!strpbrk(text, ",;\"\n")) {
        fan_buffer_add_text(out, text);
        return;
    }
    fan_buffer_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            fan_buffer_add_char(out, '"');
        fan_buffer_add_char(out, *text);
    }
    fan_buffer_add_char(out, '"');
}

void fan_sample_header(struct fan_buffer *out)
{
    fan_buffer_add_text(out,
            "External ID,First Name,Last Name,Mobile,E-mail,City,Country,"
            "Preferred Product,Language,Birthday,Tags\r\n");
}

void fan_sample_row(uint32_t number, struct fan_buffer *out)
{
    enum fan_sample_flaw flaw = fan_sample_flaw_of(number);
    int columns = flaw == FAN_SAMPLE_TOO_SHORT ? LAST_NAME : COLUMNS;
    struct row row;

    make(&row, number);
    spoil(&row, flaw);
    for (int i = 0; i < columns; i++) {
        if (i > 0)
            fan_buffer_add_char(out, ',');
        add_cell(out, row.cells[i]);
    }
    if (flaw == FAN_SAMPLE_TOO_LONG)
        fan_buffer_add_text(out, ",one,too,many");
    if (flaw == FAN_SAMPLE_QUOTES)
        fan_buffer_add_text(out, ",\"never\" closed \"properly");
    fan_buffer_add_text(out, "\r\n");
}
