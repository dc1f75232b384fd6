/*
 * fanfare image — draw one greeting picture, list what there is, or draw it all on one sheet.
 */
#include "actors/cli/command.h"
#include "actors/cli/file.h"
#include "actors/cli/image.h"
#include "actors/lib/picture/layout.h"
#include "actors/lib/picture/logo.h"
#include "actors/lib/picture/place.h"
#include "actors/lib/studio/studio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SHEET_BYTES = 32 * 1024 * 1024 };

struct image_options {
    bool list, sheet, base64;
    const char *festival, *theme, *size, *language, *greeting, *name, *campaign, *logo;
    const char *format, *out, *pictures;
    uint32_t columns, cell, repeat;
};

static const struct image_options defaults = { .size = "square",
    .columns = 8,
    .cell = 240,
    .repeat = 1 };

static const struct fan_option options[] = {
    FAN_OPTION(TEXT, struct image_options, festival, "festival", "ID", "which; --list names them"),
    FAN_OPTION(TEXT, struct image_options, theme, "theme", "ID", "how it looks (classic)"),
    FAN_OPTION(TEXT, struct image_options, size, "size", "ID",
            "square (default), whatsapp, story or banner"),
    FAN_OPTION(TEXT, struct image_options, language, "language", "TAG",
            "of the texts, such as hi (the festival's own)"),
    FAN_OPTION(TEXT, struct image_options, greeting, "greeting", "TEXT",
            "large (the festival's in that language)"),
    FAN_OPTION(TEXT, struct image_options, name, "name", "TEXT", "of the recipient, below it"),
    FAN_OPTION(TEXT, struct image_options, campaign, "campaign", "TEXT", "small, at the foot"),
    FAN_OPTION(TEXT, struct image_options, logo, "logo", "FILE",
            "PNG, JPEG, WebP or SVG, at the top right"),
    FAN_OPTION(TEXT, struct image_options, out, "out", "FILE", "where to: .png, .jpg or .svg"),
    FAN_OPTION(FLAG, struct image_options, base64, "base64", "", "print a data: URL instead"),
    FAN_OPTION(TEXT, struct image_options, format, "format", "ID",
            "png, jpeg or svg (by the name of --out; jpeg)"),
    FAN_OPTION(FLAG, struct image_options, list, "list", "", "print festivals, themes and sizes"),
    FAN_OPTION(FLAG, struct image_options, sheet, "sheet", "",
            "draw the whole catalogue on one picture"),
    FAN_OPTION(NUMBER, struct image_options, columns, "columns", "NUMBER", "of the sheet (8)"),
    FAN_OPTION(NUMBER, struct image_options, cell, "cell", "PIXELS",
            "width of each picture on the sheet (240)"),
    FAN_OPTION(NUMBER, struct image_options, repeat, "repeat", "NUMBER",
            "draw it so often, for as many names, and say how long one takes"),
    FAN_OPTION(TEXT, struct image_options, pictures, "pictures", "DIR",
            "the catalogue (FANFARE_PICTURES, or that of this installation)"),
    FAN_OPTIONS_END,
};

static bool ends(const char *text, const char *ending)
{
    return text && fan_bytes_ends(fan_bytes_of(text), fan_bytes_of(ending));
}

static enum fan_err format_of(const struct image_options *asked, enum fan_picture_format *out,
        struct fan_why *why)
{
    const char *name = asked->format;

    if (!name && asked->out)
        name = ends(asked->out, ".png")                                 ? "png"
                : ends(asked->out, ".svg")                              ? "svg"
                : ends(asked->out, ".jpg") || ends(asked->out, ".jpeg") ? "jpeg"
                                                                        : "?";
    if (!name || strcmp(name, "jpeg") == 0 || strcmp(name, "jpg") == 0)
        *out = FAN_PICTURE_JPEG;
    else if (strcmp(name, "png") == 0)
        *out = FAN_PICTURE_PNG;
    else if (strcmp(name, "svg") == 0)
        *out = FAN_PICTURE_SVG;
    else
        return fan_fail_field(why, FAN_INVALID, "format",
                "--format is png, jpeg or svg; or --out ends in .png, .jpg or .svg");
    return FAN_OK;
}

/* ---- files ---- */

static enum fan_err read_logo(const char *path, const char *program, struct fan_buffer *out,
        struct fan_why *why)
{
    FILE *file = fopen(path, "re");
    struct fan_buffer bytes;
    enum fan_err err;
    char *room;

    if (!file)
        return fan_fail_field(why, FAN_NOT_FOUND, "logo", "cannot open %s: %s", path,
                strerror(errno));
    fan_buffer_init(&bytes, FAN_LOGO_FILE_MAX + 1);
    room = fan_buffer_reserve(&bytes, FAN_LOGO_FILE_MAX + 1);
    fan_buffer_grew(&bytes, fread(room, 1, FAN_LOGO_FILE_MAX + 1, file));
    fclose(file);
    err = fan_studio_logo(program, fan_buffer_bytes(&bytes), out, why);
    fan_buffer_fini(&bytes);
    return err;
}

static enum fan_err write_file(const char *path, struct fan_bytes bytes, struct fan_why *why)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    bool ok;

    if (!file)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
    ok = fwrite(bytes.at, 1, bytes.len, file) == bytes.len && fflush(file) == 0;
    if (file != stdout)
        ok = fclose(file) == 0 && ok;
    if (!ok)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
    return FAN_OK;
}

static void print_base64(struct fan_bytes bytes, enum fan_picture_format format)
{
    static const char *const types[] = { "", "png", "jpeg", "svg+xml" };
    struct fan_buffer text;

    fan_buffer_init(&text, SIZE_MAX);
    fan_buffer_add_base64(&text, bytes);
    printf("data:image/%s;base64,%.*s\n", types[format], FAN_BYTES_ARG(fan_buffer_bytes(&text)));
    fan_buffer_fini(&text);
}

static enum fan_err hand_out(const struct image_options *asked, struct fan_bytes picture,
        enum fan_picture_format format, struct fan_why *why)
{
    if (asked->base64)
        print_base64(picture, format);
    return asked->out ? write_file(asked->out, picture, why) : FAN_OK;
}

/* ---- drawing ---- */

static void print_note(const struct image_options *asked, const struct fan_picture_note *note,
        size_t bytes)
{
    if (asked->out && strcmp(asked->out, "-") != 0)
        fprintf(stderr, "%s: %d x %d pixels, %zu kB\n", asked->out, note->width, note->height,
                (bytes + 999) / 1000);
    if (note->missing_glyphs > 0)
        fprintf(stderr, "warning: no font here has %u of the characters\n", note->missing_glyphs);
    if (note->shortened)
        fprintf(stderr, "warning: a text was too long and lost its end\n");
    if (note->logo_left_out)
        fprintf(stderr, "warning: the logo was left out\n");
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The same for many people: all but the first from the kept layer. */
static enum fan_err draw_many(struct fan_studio *studio, struct fan_picture_order order,
        uint32_t count, struct fan_buffer *out, struct fan_picture_note *note, struct fan_why *why)
{
    double begun = now_ms(), first = 0;
    enum fan_err err = FAN_OK;
    char name[32];

    for (uint32_t i = 0; !err && i < count; i++) {
        snprintf(name, sizeof name, "No. %u", i + 1);
        if (count > 1)
            order.name = fan_bytes_of(name);
        fan_buffer_clear(out);
        err = fan_studio_draw(studio, &order, out, note, why);
        if (i == 0)
            first = now_ms() - begun;
    }
    if (!err && count > 1)
        fprintf(stderr, "%u pictures: the first in %.1f ms, each other in %.1f ms\n", count, first,
                (now_ms() - begun - first) / (count - 1));
    return err;
}

static enum fan_err draw(struct fan_studio *studio, const struct image_options *asked,
        struct fan_bytes logo, struct fan_why *why)
{
    struct fan_picture_order order = { .festival = fan_bytes_of(asked->festival),
        .theme = fan_bytes_of(asked->theme ? asked->theme : "classic"),
        .size = fan_bytes_of(asked->size),
        .language = fan_bytes_of(asked->language),
        .greeting = fan_bytes_of(asked->greeting),
        .name = fan_bytes_of(asked->name),
        .campaign = fan_bytes_of(asked->campaign),
        .logo = logo };
    struct fan_picture_note note = { 0 };
    struct fan_buffer picture;
    enum fan_err err = format_of(asked, &order.format, why);

    if (err)
        return err;
    fan_buffer_init(&picture, FAN_PICTURE_BYTES_MAX);
    err = draw_many(studio, order, asked->repeat, &picture, &note, why);
    if (!err)
        err = hand_out(asked, fan_buffer_bytes(&picture), order.format, why);
    if (!err)
        print_note(asked, &note, picture.len);
    fan_buffer_fini(&picture);
    return err;
}

static enum fan_err draw_sheet(struct fan_studio *studio, const struct image_options *asked,
        struct fan_why *why)
{
    struct fan_sheet sheet = { .theme = fan_bytes_of(asked->theme),
        .size = fan_bytes_of(asked->size),
        .columns = (int)asked->columns,
        .cell = (int)asked->cell };
    struct fan_buffer picture;
    enum fan_err err = format_of(asked, &sheet.format, why);

    if (!err && sheet.format == FAN_PICTURE_SVG)
        err = fan_fail_field(why, FAN_INVALID, "format", "a sheet is a PNG or a JPEG");
    if (err)
        return err;
    fan_buffer_init(&picture, SHEET_BYTES);
    err = fan_studio_sheet(studio, &sheet, &picture, why);
    if (!err)
        err = hand_out(asked, fan_buffer_bytes(&picture), sheet.format, why);
    fan_buffer_fini(&picture);
    return err;
}

static enum fan_err check(const struct image_options *asked, struct fan_why *why)
{
    if (!asked->sheet && !asked->festival)
        return fan_fail_field(why, FAN_INVALID, "festival",
                "say which with --festival; --list names all");
    if (!asked->out && !asked->base64)
        return fan_fail_field(why, FAN_INVALID, "out", "say where to with --out, or --base64");
    if (asked->columns < 1 || asked->columns > 20 || asked->cell < 40 || asked->cell > 600)
        return fan_fail_field(why, FAN_INVALID, "columns",
                "--columns is 1 to 20, --cell is 40 to 600");
    if (asked->repeat < 1)
        return fan_fail_field(why, FAN_INVALID, "repeat", "--repeat is 1 or more");
    return FAN_OK;
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct image_options *asked = call->options;
    struct fan_studio_settings settings = { .program = fan_program_path("fanfare-painter",
                                                    call->arena),
        .pictures = fan_place_of_pictures(asked->pictures, call->arena) };
    struct fan_studio *studio = NULL;
    struct fan_buffer logo;
    enum fan_err err;

    (void)exit_code;
    if (asked->list)
        return fan_image_list(settings.pictures, call->arena, why);
    err = check(asked, why);
    if (err)
        return err;
    fan_buffer_init(&logo, FAN_LOGO_PNG_MAX);
    if (asked->logo && read_logo(asked->logo, settings.program, &logo, why))
        fprintf(stderr, "warning: the logo was left out: %s\n", why->text);
    err = fan_studio_open(&settings, &studio, why);
    if (!err && !fan_studio_files_locked(studio))
        fprintf(stderr,
                "warning: this kernel has no Landlock; the drawing child is caged without "
                "it\n");
    if (!err)
        err = asked->sheet ? draw_sheet(studio, asked, why)
                           : draw(studio, asked, fan_buffer_bytes(&logo), why);
    fan_studio_close(&studio);
    fan_buffer_fini(&logo);
    return err;
}

const struct fan_command fan_command_image = {
    .name = "image",
    .arguments = "",
    .summary = "draw a greeting picture",
    .details = "A logo that cannot be read is left out, with a warning.",
    .table = options,
    .defaults = &defaults,
    .options_size = sizeof(struct image_options),
    .run = run,
};
