#include "actors/lib/liquid/locale.h"

#include "proto/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <unicode/ucal.h>
#include <unicode/ucasemap.h>
#include <unicode/ucurr.h>
#include <unicode/unum.h>
#include <unicode/upluralrules.h>

enum { KEY = 48, OUT = 128 };

/* One of each: a chunk's recipients mostly share them. */
struct fan_locale_cache {
    char money_key[KEY];
    UNumberFormat *money;
    char plural_key[KEY];
    UPluralRules *plural;
    char zone_key[KEY];
    UCalendar *zone;
};

void fan_locale_cache_free(struct fan_locale_cache **cache)
{
    if (!*cache)
        return;
    unum_close((*cache)->money);
    uplrules_close((*cache)->plural);
    ucal_close((*cache)->zone);
    free(*cache);
    *cache = NULL;
}

static struct fan_locale_cache *have(struct fan_locale_cache **cache)
{
    if (!*cache)
        *cache = calloc(1, sizeof **cache);
    if (!*cache)
        fan_die("out of memory: a cache of locales");
    return *cache;
}

/* A locale's name for ICU: letters, digits, - and _; anything else is English. */
static void name_locale(struct fan_bytes locale, char out[KEY])
{
    size_t len = 0;

    for (; len < locale.len && len + 1 < KEY; len++) {
        char c = locale.at[len];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_'))
            break;
        out[len] = c == '-' ? '_' : c;
    }
    out[len] = '\0';
    if (!len || len < locale.len)
        snprintf(out, KEY, "en");
}

/* ---- letters ---- */

static bool ascii(struct fan_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] >= 0x80)
            return false;
    return true;
}

static bool ascii_case(char how, struct fan_bytes text, struct fan_buffer *out)
{
    char *to = fan_buffer_reserve(out, text.len);
    char first = how == 'u' ? 'a' : 'A';

    if (!to)
        return true;
    for (size_t i = 0; i < text.len; i++)
        to[i] = (char)(text.at[i] >= first && text.at[i] < first + 26 ? text.at[i] ^ 0x20
                                                                      : text.at[i]);
    fan_buffer_grew(out, text.len);
    return true;
}

bool fan_locale_case(char how, struct fan_bytes text, struct fan_buffer *out)
{
    UErrorCode error = U_ZERO_ERROR;
    size_t room = 3 * text.len + 16;
    UCaseMap *map;
    char *to;
    int32_t len;

    if (!text.len)
        return false;
    if (ascii(text))
        return ascii_case(how, text, out);
    to = fan_buffer_reserve(out, room);
    map = to ? ucasemap_open("", 0, &error) : NULL;
    if (!map)
        return !to;
    len = (how == 'u' ? ucasemap_utf8ToUpper : ucasemap_utf8ToLower)(map, to, (int32_t)room,
            text.at, (int32_t)text.len, &error);
    ucasemap_close(map);
    if (U_FAILURE(error))
        return false;
    fan_buffer_grew(out, (size_t)len);
    return true;
}

/* ---- plurals ---- */

static UPluralRules *plural_rules(struct fan_locale_cache *cache, struct fan_bytes locale)
{
    UErrorCode error = U_ZERO_ERROR;
    char key[KEY];

    name_locale(locale, key);
    if (cache->plural && strcmp(key, cache->plural_key) == 0)
        return cache->plural;
    uplrules_close(cache->plural);
    cache->plural = uplrules_open(key, &error);
    snprintf(cache->plural_key, sizeof cache->plural_key, "%s", key);
    return cache->plural;
}

const char *fan_locale_plural(struct fan_locale_cache **cache, struct fan_bytes number,
        struct fan_bytes locale)
{
    static const char *const categories[] = { "zero", "one", "two", "few", "many" };
    UPluralRules *rules = plural_rules(have(cache), locale);
    UErrorCode error = U_ZERO_ERROR;
    UChar found[16];
    char text[40];
    int32_t len;

    snprintf(text, sizeof text, "%.*s", (int)(number.len < 39 ? number.len : 39), number.at);
    len = rules ? uplrules_select(rules, strtod(text, NULL), found, 16, &error) : 0;
    if (U_FAILURE(error))
        return "other";
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        size_t k = 0;

        while (k < (size_t)len && found[k] == (UChar)categories[i][k])
            k++;
        if (k == (size_t)len && !categories[i][k])
            return categories[i];
    }
    return "other";
}

/* ---- money ---- */

static bool currency_name(struct fan_bytes currency, UChar out[4])
{
    UErrorCode error = U_ZERO_ERROR;
    int32_t code;

    if (currency.len != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        char c = (char)(currency.at[i] & ~0x20);

        if (c < 'A' || c > 'Z')
            return false;
        out[i] = (UChar)c;
    }
    out[3] = 0;
    code = ucurr_getNumericCode(out);
    return code > 0 && U_SUCCESS(error);
}

static UNumberFormat *money_format(struct fan_locale_cache *cache, const UChar currency[4],
        struct fan_bytes locale)
{
    UErrorCode error = U_ZERO_ERROR;
    char name[KEY - 8], key[KEY], whole[KEY];

    name_locale(locale, whole);
    snprintf(name, sizeof name, "%.*s", KEY - 9, whole);
    snprintf(key, sizeof key, "%c%c%c %s", (char)currency[0], (char)currency[1], (char)currency[2],
            name);
    if (cache->money && strcmp(key, cache->money_key) == 0)
        return cache->money;
    unum_close(cache->money);
    cache->money = unum_open(UNUM_CURRENCY, NULL, 0, name, NULL, &error);
    if (cache->money)
        unum_setTextAttribute(cache->money, UNUM_CURRENCY_CODE, currency, 3, &error);
    snprintf(cache->money_key, sizeof cache->money_key, "%s", key);
    return U_SUCCESS(error) ? cache->money : NULL;
}

/* UTF-16 to UTF-8; ICU gives no halves of pairs. */
static void write_utf16(const UChar *text, int32_t len, struct fan_buffer *out)
{
    char bytes[3 * OUT];
    int32_t written = 0;
    UErrorCode error = U_ZERO_ERROR;

    u_strToUTF8(bytes, sizeof bytes, &written, text, len, &error);
    if (U_SUCCESS(error))
        fan_buffer_add(out, bytes, (size_t)written);
}

bool fan_locale_money(struct fan_locale_cache **cache, struct fan_bytes amount,
        struct fan_bytes currency, struct fan_bytes locale, struct fan_buffer *out)
{
    UErrorCode error = U_ZERO_ERROR;
    UNumberFormat *format;
    UChar code[4], text[OUT];
    int32_t len;

    if (!currency_name(currency, code))
        return false;
    format = money_format(have(cache), code, locale);
    if (!format)
        return false;
    len = unum_formatDecimal(format, amount.at, (int32_t)amount.len, text, OUT, NULL, &error);
    if (U_FAILURE(error))
        return false;
    write_utf16(text, len, out);
    return true;
}

/* ---- zones ---- */

static UCalendar *zone_calendar(struct fan_locale_cache *cache, struct fan_bytes zone)
{
    UErrorCode error = U_ZERO_ERROR;
    UChar name[KEY], canonical[KEY];
    UBool known = false;

    if (zone.len >= KEY || !zone.len)
        return NULL;
    if (cache->zone && strlen(cache->zone_key) == zone.len &&
            memcmp(cache->zone_key, zone.at, zone.len) == 0)
        return cache->zone;
    for (size_t i = 0; i < zone.len; i++)
        name[i] = (unsigned char)zone.at[i];
    ucal_getCanonicalTimeZoneID(name, (int32_t)zone.len, canonical, KEY, &known, &error);
    if (U_FAILURE(error) || !known)
        return NULL;
    ucal_close(cache->zone);
    cache->zone = ucal_open(name, (int32_t)zone.len, "en", UCAL_GREGORIAN, &error);
    snprintf(cache->zone_key, sizeof cache->zone_key, "%.*s", (int)zone.len, zone.at);
    return U_SUCCESS(error) ? cache->zone : NULL;
}

bool fan_locale_zone(struct fan_locale_cache **cache, struct fan_bytes zone, fan_time at,
        int32_t *offset, char name[16])
{
    UCalendar *calendar = zone_calendar(have(cache), zone);
    UErrorCode error = U_ZERO_ERROR;
    UChar text[16];
    int32_t standard, summer, len;

    if (!calendar)
        return false;
    ucal_setMillis(calendar, (UDate)at / (UDate)FAN_MS, &error);
    standard = ucal_get(calendar, UCAL_ZONE_OFFSET, &error);
    summer = ucal_get(calendar, UCAL_DST_OFFSET, &error);
    len = ucal_getTimeZoneDisplayName(calendar, summer ? UCAL_SHORT_DST : UCAL_SHORT_STANDARD, "en",
            text, 16, &error);
    if (U_FAILURE(error) || len > 15)
        len = 0;
    for (int32_t i = 0; i < len; i++)
        name[i] = (char)(text[i] < 0x80 ? text[i] : '?');
    name[len] = '\0';
    *offset = (standard + summer) / 1000;
    return true;
}
