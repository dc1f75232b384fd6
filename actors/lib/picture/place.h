/*
 * place — where an installation keeps what programs need besides themselves.
 */
#ifndef FAN_LIB_PICTURE_PLACE_H
#define FAN_LIB_PICTURE_PLACE_H

#include "proto/arena.h"

/** The path of @name in the folder of the running program. */
const char *fan_place_beside(const char *name, struct fan_arena *arena);

/** The folder of the catalogue: @asked (NULL or "": none), FANFARE_PICTURES, or this
 * installation's. */
const char *fan_place_of_pictures(const char *asked, struct fan_arena *arena);

#endif
