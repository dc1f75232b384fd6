/*
 * wire — what the studio and its children say to each other: one struct a packet. Both come from
 * the same build. The parent checks every number of an answer before it uses it.
 */
#ifndef FAN_LIB_STUDIO_WIRE_H
#define FAN_LIB_STUDIO_WIRE_H

#include <stdint.h>

enum {
    FAN_STUDIO_MEMORY = 32 * 1024 * 1024, /* logo or file in; picture out */
    FAN_STUDIO_ID = 40,
    FAN_STUDIO_TEXT = 512,
};

enum fan_studio_task {
    FAN_STUDIO_READY = 1, /* nothing but an answer */
    FAN_STUDIO_DRAW,
    FAN_STUDIO_SHEET,
    FAN_STUDIO_LOGO,
};

/* What a test build's child is told to do instead of drawing. */
enum fan_studio_trouble {
    FAN_STUDIO_SPIN = 1,
    FAN_STUDIO_GLUT, /* take 10 GB */
};

struct fan_studio_question {
    uint32_t task;
    uint32_t trouble; /* 0: none */
    uint32_t format;
    uint32_t input; /* bytes in the shared memory */
    uint32_t columns, cell;
    uint16_t lengths[7]; /* of the texts, in their order */
    char festival[FAN_STUDIO_ID], theme[FAN_STUDIO_ID], size[FAN_STUDIO_ID];
    char language[FAN_STUDIO_ID];
    char greeting[FAN_STUDIO_TEXT], name[FAN_STUDIO_TEXT], campaign[FAN_STUDIO_TEXT];
};

struct fan_studio_answer {
    uint32_t err;    /* enum fan_err */
    uint32_t output; /* bytes in the shared memory */
    uint32_t width, height;
    uint32_t missing_glyphs;
    uint8_t shortened, logo_left_out, files_locked;
    float contrast;
    char field[64], text[320]; /* of struct fan_why, ended by NUL */
};

#endif
