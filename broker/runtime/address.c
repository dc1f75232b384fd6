#include "broker/runtime/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint8_t prefix[16];
    uint8_t bits;
};

static const struct range closed4[] = {
    { { 0 }, 8 },             /* this network */
    { { 10 }, 8 },            /* private */
    { { 100, 64 }, 10 },      /* shared by carriers */
    { { 127 }, 8 },           /* this host */
    { { 169, 254 }, 16 },     /* link-local, cloud metadata */
    { { 172, 16 }, 12 },      /* private */
    { { 192, 0, 0 }, 24 },    /* protocol assignments */
    { { 192, 0, 2 }, 24 },    /* documentation */
    { { 192, 88, 99 }, 24 },  /* 6to4 relays */
    { { 192, 168 }, 16 },     /* private */
    { { 198, 18 }, 15 },      /* benchmarks */
    { { 198, 51, 100 }, 24 }, /* documentation */
    { { 203, 0, 113 }, 24 },  /* documentation */
    { { 224 }, 4 },           /* multicast */
    { { 240 }, 4 },           /* reserved, broadcast */
};

/* What is outside of 2000::/3 is closed as a whole. */
static const struct range open6 = { { 0x20 }, 3 };
static const struct range closed6[] = {
    { { 0x20, 0x01, 0x00 }, 23 },       /* protocol assignments, Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x20, 0x02 }, 16 },             /* 6to4: carries an IPv4 address */
    { { 0x3f, 0xff }, 20 },             /* documentation */
};

static bool within(const struct range *range, const uint8_t *address)
{
    size_t whole = range->bits / 8;
    uint8_t mask = (uint8_t)(0xff00 >> range->bits % 8);

    return memcmp(range->prefix, address, whole) == 0 &&
            (range->bits % 8 == 0 || ((range->prefix[whole] ^ address[whole]) & mask) == 0);
}

static bool in_any(const struct range *ranges, size_t count, const uint8_t *address)
{
    for (size_t i = 0; i < count; i++)
        if (within(&ranges[i], address))
            return true;
    return false;
}

bool fan_address_public(const struct sockaddr *at)
{
    if (at->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)at;
        const uint8_t *address = (const uint8_t *)&v4->sin_addr;

        return !in_any(closed4, sizeof(closed4) / sizeof(closed4[0]), address);
    }
    if (at->sa_family == AF_INET6) {
        const uint8_t *address = ((const struct sockaddr_in6 *)at)->sin6_addr.s6_addr;

        return within(&open6, address) &&
                !in_any(closed6, sizeof(closed6) / sizeof(closed6[0]), address);
    }
    return false;
}
