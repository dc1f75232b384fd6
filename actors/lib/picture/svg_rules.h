/*
 * svg_rules — which SVG files of strangers are drawn. Pure.
 *
 * Shapes, groups, gradients, clips, masks and <use>; nothing else: no document type, entities,
 * scripts, filters, patterns, text, images, foreign elements or links out of the file. At most
 * 10,000 elements, and 100,000 once every reference is followed, eight deep.
 */
#ifndef FAN_LIB_PICTURE_SVG_RULES_H
#define FAN_LIB_PICTURE_SVG_RULES_H

#include "proto/bytes.h"
#include "proto/err.h"

/** fails FAN_INVALID or FAN_TOO_LARGE: the text names the rule. */
enum fan_err fan_svg_check(struct fan_bytes file, struct fan_why *why) FAN_MUST_CHECK;

#endif
