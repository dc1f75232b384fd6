/*
 * locale — what differs between languages and places: letters, plurals, money, time zones.
 *
 * By ICU, which brings its own tables (CLDR, IANA time zones) and reads no files of the system.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_LOCALE_H
#define FAN_ACTORS_LIB_LIQUID_LOCALE_H

#include "proto/buffer.h"
#include "proto/time.h"

/* Formatters opened so far: opening one takes a hundred times as long as using it. */
struct fan_locale_cache;
void fan_locale_cache_free(struct fan_locale_cache **cache);

/** Write @text in upper ('u') or lower ('l') case; false, and nothing written: it is as it was. */
bool fan_locale_case(char how, struct fan_bytes text, struct fan_buffer *out);

/** The CLDR category of a number, written as it is shown: "one", "few", "other", … */
const char *fan_locale_plural(struct fan_locale_cache **cache, struct fan_bytes number,
        struct fan_bytes locale);

/**
 * Write an amount as the locale writes money.
 *
 * amount    decimal digits, perhaps with a minus and a point
 * currency  three letters
 * Returns false when the currency does not exist.
 */
bool fan_locale_money(struct fan_locale_cache **cache, struct fan_bytes amount,
        struct fan_bytes currency, struct fan_bytes locale, struct fan_buffer *out);

/** How far a zone is from UTC at an instant, in seconds, and its short name then; false: there is
 * no such zone. */
bool fan_locale_zone(struct fan_locale_cache **cache, struct fan_bytes zone, fan_time at,
        int32_t *offset, char name[16]);

#endif
