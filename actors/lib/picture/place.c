#include "actors/lib/picture/place.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

const char *fan_place_beside(const char *name, struct fan_arena *arena)
{
    char self[PATH_MAX] = "";
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash = len > 0 ? strrchr(self, '/') : NULL;

    if (!slash)
        return name;
    *slash = '\0';
    return fan_arena_printf(arena, "%s/%s", self, name);
}

const char *fan_place_of_pictures(const char *asked, struct fan_arena *arena)
{
    const char *set = getenv("FANFARE_PICTURES");

    if (asked && *asked)
        return asked;
    if (set && *set)
        return set;
    return fan_place_beside("../share/fanfare/pictures", arena);
}
