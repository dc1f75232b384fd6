/*
 * image — what greeting pictures can be drawn of, as a list for people.
 */
#ifndef FAN_CLI_IMAGE_H
#define FAN_CLI_IMAGE_H

#include "proto/arena.h"
#include "proto/err.h"

/** Print the festivals of the catalogue in @pictures, with their next days, the themes and sizes.
 */
enum fan_err fan_image_list(const char *pictures, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

#endif
