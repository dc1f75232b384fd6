#include "gateway/route.h"

#include <stdio.h>

const struct route routes[] = {
#define ROUTE(method, pattern, operation, may, body) \
    { #method, pattern, #operation, MAY_##may, ROUTE_##body, operation },
#include "gateway/routes.def"
#undef ROUTE
    { .method = NULL },
};

int route_may_of_role(struct fan_bytes role)
{
    static const struct {
        const char *role;
        int may;
    } table[] = {
        { "owner", MAY_READ | MAY_CONTACTS | MAY_CAMPAIGNS | MAY_SETUP | MAY_OPERATE },
        { "admin", MAY_READ | MAY_CONTACTS | MAY_CAMPAIGNS | MAY_SETUP },
        { "manager", MAY_READ | MAY_CONTACTS | MAY_CAMPAIGNS },
        { "agent", MAY_READ | MAY_CONTACTS },
        { "viewer", MAY_READ },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (fan_bytes_eq_text(role, table[i].role))
            return table[i].may;
    return 0;
}

/* Whether one segment of a path is what the pattern wants there; an id is kept. */
static bool segment_fits(struct fan_bytes wanted, struct fan_bytes segment, fan_id *ids,
        size_t *ids_len)
{
    int64_t id;

    if (!fan_bytes_starts(wanted, FAN_LIT("{")))
        return fan_bytes_eq(wanted, segment);
    if (!fan_bytes_i64(segment, &id) || id <= 0 || id >= INT64_C(1) << 53)
        return false;
    FAN_ASSERT(*ids_len < ROUTE_IDS);
    ids[(*ids_len)++] = id;
    return true;
}

static bool fits(const char *pattern, struct fan_bytes path, fan_id *ids)
{
    struct fan_bytes rest = fan_bytes_of(pattern), wanted, segment;
    size_t ids_len = 0;

    while (rest.at && path.at) {
        rest = fan_bytes_split(rest, '/', &wanted);
        path = fan_bytes_split(path, '/', &segment);
        if (!segment_fits(wanted, segment, ids, &ids_len))
            return false;
    }
    return !rest.at && !path.at;
}

const struct route *route_find(struct fan_bytes method, struct fan_bytes path, fan_id *ids,
        char allowed[64])
{
    size_t len = 0;

    allowed[0] = '\0';
    for (const struct route *route = routes; route->method; route++) {
        if (!fits(route->pattern, path, ids))
            continue;
        if (fan_bytes_eq_text(method, route->method))
            return route;
        len += (size_t)snprintf(allowed + len, 64 - len, "%s%s", len ? ", " : "", route->method);
    }
    return NULL;
}
