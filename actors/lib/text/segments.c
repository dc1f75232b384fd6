#include "actors/lib/text/segments.h"

/* One part alone, and one of several, whose header takes six bytes. */
enum { SEPTETS_ALONE = 160, SEPTETS = 153, UNITS_ALONE = 70, UNITS = 67 };

/* Beyond U+007F. */
static const uint16_t gsm_others[] = { 0xa1, 0xa3, 0xa4, 0xa5, 0xa7, 0xbf, 0xc4, 0xc5, 0xc6, 0xc7,
    0xc9, 0xd1, 0xd6, 0xd8, 0xdc, 0xdf, 0xe0, 0xe4, 0xe5, 0xe6, 0xe8, 0xe9, 0xec, 0xf1, 0xf2, 0xf6,
    0xf8, 0xf9, 0xfc, 0x393, 0x394, 0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9 };

/* Septets of a character; 0: GSM-7 does not have it. */
static size_t septets_of(uint32_t c)
{
    if (c == 0x20ac || c == '\f' || (c && c < 0x80 && strchr("[\\]^{|}~", (int)c)))
        return 2;
    if (c < 0x80)
        return c == '\n' || c == '\r' || (c >= 0x20 && c <= 'Z') || c == '_' ||
                (c >= 'a' && c <= 'z');
    for (size_t i = 0; i < sizeof gsm_others / sizeof *gsm_others; i++)
        if (gsm_others[i] == c)
            return 1;
    return 0;
}

/* Take the first character off @text. */
static uint32_t next_character(struct fan_bytes *text)
{
    size_t len = fan_bytes_utf8_first(*text);
    uint32_t c = 0xfffd;

    if (len == 1)
        c = (unsigned char)text->at[0];
    else if (len > 1)
        c = (unsigned char)text->at[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)text->at[i] & 0x3f);
    len = len ? len : 1;
    text->at += len;
    text->len -= len;
    return c;
}

static void note_forcing(struct fan_sms_size *out, uint32_t c)
{
    for (size_t i = 0; i < out->forcing_len; i++)
        if (out->forcing[i] == c)
            return;
    if (out->forcing_len < FAN_SMS_FORCING)
        out->forcing[out->forcing_len++] = c;
}

static size_t units_of(uint32_t c, bool ucs2)
{
    if (ucs2)
        return c > 0xffff ? 2 : 1;
    return septets_of(c);
}

/* Fill parts of @room units; what @out says of units stands. */
static void fill(struct fan_bytes text, size_t room, struct fan_sms_size *out)
{
    out->segments = 1;
    out->left = room;
    while (text.len) {
        size_t units = units_of(next_character(&text), out->ucs2);

        if (units > out->left) {
            out->segments++;
            out->left = room;
        }
        out->left -= units;
    }
}

void fan_sms_measure(struct fan_bytes text, struct fan_sms_size *out)
{
    struct fan_bytes rest = text;

    *out = (struct fan_sms_size){ .units = 0 };
    while (rest.len) {
        uint32_t c = next_character(&rest);

        if (!septets_of(c))
            note_forcing(out, c);
    }
    out->ucs2 = out->forcing_len > 0;
    for (rest = text; rest.len;)
        out->units += units_of(next_character(&rest), out->ucs2);
    if (out->units <= (out->ucs2 ? UNITS_ALONE : SEPTETS_ALONE))
        fill(text, out->ucs2 ? UNITS_ALONE : SEPTETS_ALONE, out);
    else
        fill(text, out->ucs2 ? UNITS : SEPTETS, out);
}
