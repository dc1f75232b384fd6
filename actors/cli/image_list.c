#include "actors/cli/image.h"
#include "actors/lib/picture/catalogue.h"
#include "actors/lib/picture/layout.h"

#include <stdio.h>
#include <time.h>

static struct fan_date today(void)
{
    time_t now = time(NULL);
    struct tm parts;

    gmtime_r(&now, &parts);
    return (struct fan_date){ parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday };
}

static void print_festival(const struct fan_festival *festival)
{
    struct fan_date date = fan_date_next(&festival->date, today());

    char day[16] = "any day";

    if (date.year > 0)
        snprintf(day, sizeof day, "%04d-%02d-%02d", date.year % 10000, date.month % 100,
                date.day % 100);
    printf("  %-20.*s %-10s %-7s %.*s (%.*s):", FAN_BYTES_ARG(festival->id), day,
            festival->date.about ? "(about)" : "", FAN_BYTES_ARG(festival->name),
            FAN_BYTES_ARG(festival->culture));
    for (size_t i = 0; i < festival->greetings_len; i++)
        printf(" %.*s", FAN_BYTES_ARG(festival->greetings[i].language));
    putchar('\n');
}

enum fan_err fan_image_list(const char *pictures, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_catalogue catalogue;
    enum fan_err err = fan_catalogue_load(pictures, arena, &catalogue, why);

    if (err)
        return err;
    printf("festivals, their next days, and the languages they have greetings in\n");
    for (size_t i = 0; i < catalogue.festivals_len; i++)
        print_festival(&catalogue.festivals[i]);
    printf("\nthemes\n");
    for (size_t i = 0; i < catalogue.themes_len; i++)
        printf("  %-20.*s %.*s\n", FAN_BYTES_ARG(catalogue.themes[i].id),
                FAN_BYTES_ARG(catalogue.themes[i].name));
    printf("\nsizes\n");
    for (size_t i = 0; i < fan_layouts_len; i++)
        printf("  %-20s %s\n", fan_layouts[i].id, fan_layouts[i].name);
    return FAN_OK;
}
