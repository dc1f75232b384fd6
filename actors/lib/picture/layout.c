#include "actors/lib/picture/layout.h"

const struct fan_layout fan_layouts[] = {
    { "square", "1080 x 1080, for feeds", 1080, 1080, .hero = { 286, 62, 508, 508 },
            .greeting = { 96, 634, 888, 250 }, .subtitle = { 160, 906, 760, 62 },
            .logo = { 866, 74, 140, 140 }, .unit = 1 },
    { "whatsapp", "1200 x 628, for the head of a WhatsApp message", 1200, 628,
            .hero = { 66, 104, 420, 420 }, .greeting = { 544, 176, 592, 256 },
            .subtitle = { 558, 452, 564, 52 }, .logo = { 1016, 56, 116, 100 }, .unit = 0.74,
            .wide = true },
    { "story", "1080 x 1920, for a phone held upright", 1080, 1920, .hero = { 195, 400, 690, 690 },
            .greeting = { 96, 1140, 888, 400 }, .subtitle = { 140, 1566, 800, 74 },
            .logo = { 850, 226, 150, 150 }, .unit = 1.2 },
    { "banner", "1200 x 400, for the head of an e-mail", 1200, 400, .hero = { 56, 54, 292, 292 },
            .greeting = { 386, 74, 640, 190 }, .subtitle = { 406, 276, 600, 46 },
            .logo = { 1052, 46, 100, 90 }, .unit = 0.55, .wide = true },
};

const size_t fan_layouts_len = sizeof(fan_layouts) / sizeof(fan_layouts[0]);

const struct fan_layout *fan_layout_find(struct fan_bytes id)
{
    for (size_t i = 0; i < fan_layouts_len; i++) {
        if (fan_bytes_eq_text(id, fan_layouts[i].id))
            return &fan_layouts[i];
    }
    return NULL;
}
