/*
 * painter — draws greeting pictures and reads logos, in a cage; its parent starts it, never a
 * person.
 *
 * takes   packets of its parent, on descriptor 3
 * gives   answers there, and pictures in shared memory, on descriptor 4
 * keeps   fonts, art and layers, as caches
 * fails   it dies, and the parent starts another
 */
#include "actors/lib/studio/child.h"

#include <stdio.h>
#include <string.h>

#ifdef FAN_TEST_BUILD
/* A leak checker traces its process, which the cage forbids. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=8";
}
#endif

int main(int argc, char **argv)
{
    struct fan_why why = { 0 };
    enum fan_err err;

    if (argc == 3 && strcmp(argv[1], "draw") == 0)
        err = fan_studio_child_draw(argv[2], &why);
    else if (argc == 2 && strcmp(argv[1], "logo") == 0)
        err = fan_studio_child_logo(&why);
    else
        err = fan_fail(&why, FAN_INVALID, "fanfare starts this program itself, never by hand");
    fprintf(stderr, "fanfare-painter: %s\n", why.text);
    return err ? 1 : 0;
}
