#include "actors/lib/picture/colour.h"

#include <math.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool fan_colour_read(struct fan_bytes text, struct fan_colour *out)
{
    double parts[3];

    if (text.len != 7 || text.at[0] != '#')
        return false;
    for (size_t i = 0; i < 3; i++) {
        int high = digit(text.at[1 + 2 * i]), low = digit(text.at[2 + 2 * i]);

        if (high < 0 || low < 0)
            return false;
        parts[i] = (high * 16 + low) / 255.0;
    }
    *out = (struct fan_colour){ parts[0], parts[1], parts[2] };
    return true;
}

struct fan_colour fan_colour_mix(struct fan_colour a, struct fan_colour b, double share)
{
    return (struct fan_colour){ a.r + (b.r - a.r) * share, a.g + (b.g - a.g) * share,
        a.b + (b.b - a.b) * share };
}

static double linear(double part)
{
    return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4);
}

double fan_colour_luminance(struct fan_colour colour)
{
    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b);
}

double fan_contrast(double a, double b)
{
    double light = a > b ? a : b, dark = a > b ? b : a;

    return (light + 0.05) / (dark + 0.05);
}
