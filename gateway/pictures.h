/*
 * pictures — greeting pictures: what festivals there are, and previews that fanfare-imager draws.
 *
 * A preview is asked for over the bus and answered when the picture has come, or after the
 * setting picture_wait_ms with 503. Nothing is kept.
 */
#ifndef FAN_GATEWAY_PICTURES_H
#define FAN_GATEWAY_PICTURES_H

#include "gateway/call.h"

struct pictures;

/** Read the catalogue; when that fails, the routes answer 503 and say why. */
struct pictures *pictures_new(struct gateway *gateway);
/** After the server was closed: nobody waits any more. */
void pictures_free(struct pictures **pictures);

/** An imager's answer, perhaps to somebody else. */
void pictures_take(struct pictures *pictures, const struct fan_image_ready *answer);

#endif
