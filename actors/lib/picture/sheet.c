#include "actors/lib/picture/sheet.h"

#include "actors/lib/picture/painter.h"
#include "actors/lib/picture/text.h"

#include <cairo.h>

enum { GAP = 14, LABEL = 30 };

static struct fan_box cell_of(const struct fan_sheet *sheet, size_t index, double height)
{
    size_t column = index % (size_t)sheet->columns, row = index / (size_t)sheet->columns;

    return (struct fan_box){ GAP + (double)column * (sheet->cell + GAP),
        GAP + (double)row * (height + LABEL + GAP), sheet->cell, height };
}

static void label(cairo_t *cr, struct fan_box cell, struct fan_bytes text)
{
    struct fan_text_style style = { .size_max = LABEL * 0.6, .size_min = 9, .lines = 1 };
    struct fan_fitted *fitted = fan_text_fit(cr, text, FAN_LIT("en"), &style, cell.w, LABEL);

    cairo_set_source_rgb(cr, 0.25, 0.25, 0.3);
    fan_fitted_draw(fitted, cr, cell.x, cell.y + cell.h + (LABEL - fan_fitted_height(fitted)) / 2);
    fan_fitted_free(&fitted);
}

static void place(cairo_t *cr, cairo_surface_t *picture, struct fan_box cell)
{
    cairo_save(cr);
    cairo_translate(cr, cell.x, cell.y);
    cairo_scale(cr, cell.w / cairo_image_surface_get_width(picture),
            cell.h / cairo_image_surface_get_height(picture));
    cairo_set_source_surface(cr, picture, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    cairo_restore(cr);
}

static enum fan_err draw_cell(struct fan_painter *painter, const struct fan_sheet *sheet,
        size_t index, cairo_t *cr, struct fan_box cell, struct fan_why *why)
{
    const struct fan_catalogue *catalogue = &painter->catalogue;
    struct fan_picture_order order = { .festival = catalogue->festivals[index].id,
        .theme = sheet->theme.len ? sheet->theme
                                  : catalogue->themes[index % catalogue->themes_len].id,
        .size = sheet->size,
        .format = FAN_PICTURE_PNG };
    struct fan_picture_note note;
    cairo_surface_t *picture = NULL;
    enum fan_err err = fan_painter_pixels(painter, &order, &picture, &note, why);

    if (err)
        return err;
    place(cr, picture, cell);
    label(cr, cell, order.festival);
    cairo_surface_destroy(picture);
    return FAN_OK;
}

enum fan_err fan_painter_sheet(struct fan_painter *painter, const struct fan_sheet *sheet,
        struct fan_buffer *out, struct fan_why *why)
{
    const struct fan_layout *layout = fan_layout_find(sheet->size);
    size_t count = painter->catalogue.festivals_len, columns = (size_t)sheet->columns;
    size_t rows = (count + columns - 1) / columns;
    enum fan_err err = FAN_OK;
    cairo_surface_t *surface;
    double height;
    cairo_t *cr;

    if (!layout)
        return fan_fail_field(why, FAN_NOT_FOUND, "size",
                "there is no such size; right is square, whatsapp, story or banner");
    height = (double)sheet->cell * layout->height / layout->width;
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24,
            GAP + sheet->columns * (sheet->cell + GAP),
            GAP + (int)((double)rows * (height + LABEL + GAP)));
    cr = cairo_create(surface);
    cairo_set_source_rgb(cr, 0.97, 0.97, 0.98);
    cairo_paint(cr);
    for (size_t i = 0; !err && i < count; i++)
        err = draw_cell(painter, sheet, i, cr, cell_of(sheet, i, height), why);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    if (!err)
        err = fan_surface_encode(surface, sheet->format, out, why);
    cairo_surface_destroy(surface);
    return err;
}
