#include "actors/lib/decide/site.h"

static bool differ(int64_t one, int64_t other)
{
    return one && other && one != other;
}

static bool texts_differ(struct fan_bytes one, struct fan_bytes other)
{
    return one.len && other.len && !fan_bytes_eq(one, other);
}

/* By what the database itself says of itself. @promoted: a standby that people trust, so that its
 * files are a base backup's */
static const char *is_copy(const struct fan_site *confirmed, const struct fan_site *now,
        bool promoted)
{
    if (differ(confirmed->system, now->system))
        return "it is in another PostgreSQL cluster than before: restored from a dump, or copied";
    if (differ(confirmed->database, now->database) || differ(confirmed->tables, now->tables))
        return "its tables were made anew: restored from a dump, or copied";
    if (!promoted && differ(confirmed->files_at, now->files_at))
        return "its files were copied, moved or restored";
    if (texts_differ(confirmed->machine, now->machine))
        return "it is on another machine than before";
    return NULL;
}

const char *fan_site_differs(const struct fan_site *confirmed, const struct fan_site *now,
        const struct fan_site_seen *seen, bool trust_failover)
{
    bool newer = confirmed->timeline && now->timeline > confirmed->timeline;
    bool trusted = trust_failover && newer;
    const char *why = is_copy(confirmed, now, trusted && seen->id.len > 0);

    if (why)
        return why;
    if (!trusted && differ(confirmed->timeline, now->timeline))
        return "a standby was promoted, or it was recovered to an earlier time";
    if (texts_differ(seen->id, now->id))
        return "this host's state folder belongs to another installation";
    if (!seen->id.len || seen->timeline > now->timeline || now->position >= seen->position)
        return NULL;
    if (seen->timeline == now->timeline)
        return "it is older than what this host has seen of it: set back by a snapshot";
    return "it lacks what this host has seen of it: no synchronous standby, or an old backup";
}
