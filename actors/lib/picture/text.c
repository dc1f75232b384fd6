#include "actors/lib/picture/text.h"

#include "proto/arena.h"

#include <pango/pangocairo.h>

#include <math.h>
#include <stdio.h>

/* Every text is laid out at one size and drawn larger or smaller: Pango looks for fonts anew at
 * each size, in a new thread. Boxes are turned into that size instead. */
enum { UNIT = 100 };

struct fan_fitted {
    PangoLayout *layout;
    double size, w, h; /* size in pixels; w of the box, h as drawn */
};

/* Named one by one: what fontconfig would fall back to is a matter of luck (DejaVu wins Arabic,
 * some scripts end up in serifs). Emoji are left to the fallback: named here, Noto Color Emoji
 * would give its wide space to every text. */
#define SCRIPTS(style) \
    "Noto " style " Devanagari,Noto " style " Bengali,Noto " style " Gurmukhi,Noto " style \
    " Gujarati,Noto " style " Tamil,Noto " style " Telugu,Noto " style " Kannada,Noto " style \
    " Malayalam,Noto " style " Oriya,Noto " style " Sinhala,Noto " style " Thai,Noto " style \
    " Lao,Noto " style " Khmer,Noto " style " Myanmar,Noto " style " Hebrew,Noto " style \
    " Armenian,Noto " style " Georgian,Noto " style " Ethiopic,"

static const char sans[] = "Noto Sans," SCRIPTS("Sans") "Noto Sans Oriya,Noto Naskh Arabic";
static const char serif[] =
        "Noto Serif," SCRIPTS("Serif") "Noto Sans Oriya,Noto Naskh Arabic,Noto Serif Tibetan";

/* Han is drawn as the language wants it. */
static const char *han(struct fan_bytes language)
{
    if (fan_bytes_starts(language, FAN_LIT("ja")))
        return "JP";
    if (fan_bytes_starts(language, FAN_LIT("ko")))
        return "KR";
    if (fan_bytes_eq_nocase(language, FAN_LIT("zh-Hant")) ||
            fan_bytes_eq_nocase(language, FAN_LIT("zh-TW")))
        return "TC";
    return "SC";
}

static PangoFontDescription *font_of(const struct fan_text_style *style, struct fan_bytes language)
{
    PangoFontDescription *font = pango_font_description_new();
    char families[1400];

    snprintf(families, sizeof families, "%s,Noto %s CJK %s", style->serif ? serif : sans,
            style->serif ? "Serif" : "Sans", han(language));
    pango_font_description_set_family(font, families);
    pango_font_description_set_absolute_size(font, (double)UNIT * PANGO_SCALE);
    pango_font_description_set_weight(font, style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    return font;
}

/* Korean is written with spaces, but Unicode lets its lines break within words. */
static void keep_words(PangoLayout *layout, struct fan_bytes text)
{
    PangoAttrList *list = pango_attr_list_new();
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        PangoAttribute *whole;

        if (text.at && i < text.len && text.at[i] != ' ')
            continue;
        whole = pango_attr_allow_breaks_new(FALSE);
        whole->start_index = (guint)begin;
        whole->end_index = (guint)i;
        pango_attr_list_insert(list, whole);
        begin = i + 1;
    }
    pango_layout_set_attributes(layout, list);
    pango_attr_list_unref(list);
}

static PangoLayout *layout_of(cairo_t *cr, struct fan_bytes text, struct fan_bytes language)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoContext *context = pango_layout_get_context(layout);
    cairo_font_options_t *options = cairo_font_options_create();
    char tag[20] = "en";

    if (language.len > 0 && language.len < sizeof tag) {
        memcpy(tag, language.at, language.len);
        tag[language.len] = '\0';
    }
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(context, FALSE);
    /* Without a language, or in the C locale, Tamil is shaped by another script's font. */
    pango_context_set_language(context, pango_language_from_string(tag));
    pango_layout_context_changed(layout);
    pango_layout_set_text(layout, text.at ? text.at : "", (int)text.len);
    pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
    pango_layout_set_auto_dir(layout, TRUE);
    if (fan_bytes_starts(language, FAN_LIT("ko")))
        keep_words(layout, text);
    return layout;
}

/* Whether it stands at @size in @w by @h with at most @lines lines and no word broken. */
static bool fits(PangoLayout *layout, double size, double w, double h, int lines)
{
    double scale = UNIT / size;
    PangoRectangle logical;

    pango_layout_set_width(layout, lines > 1 ? (int)(w * scale * PANGO_SCALE) : -1);
    pango_layout_get_extents(layout, NULL, &logical);
    return logical.width <= w * scale * PANGO_SCALE && logical.height <= h * scale * PANGO_SCALE &&
            pango_layout_get_line_count(layout) <= lines;
}

/* The largest size from @low to @high that fits, or 0. */
static double largest(PangoLayout *layout, double w, double h, int lines, double low, double high)
{
    if (fits(layout, high, w, h, lines))
        return high;
    if (!fits(layout, low, w, h, lines))
        return 0;
    while (high - low > fmax(0.5, low * 0.01)) {
        double middle = (low + high) / 2;

        if (fits(layout, middle, w, h, lines))
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* One line as long as it is large enough; else as many as there may be; 0 when it has to be cut. */
static double choose_size(PangoLayout *layout, const struct fan_text_style *style, double w,
        double h)
{
    double one = largest(layout, w, h, 1, style->size_min, style->size_max), best = one;

    if (one >= style->size_max * 0.72 || style->lines < 2)
        return one;
    for (int lines = 2; lines <= style->lines; lines++) {
        double size = largest(layout, w, h, lines, style->size_min, style->size_max);

        if (size > best * 1.12)
            best = size;
    }
    return best;
}

/* Make the lines about as long as each other: as narrow as the number of lines allows. */
static void balance(PangoLayout *layout, double w)
{
    int lines = pango_layout_get_line_count(layout);
    double low = w * 0.4, high = w;

    while (lines > 1 && high - low > w * 0.02) {
        double middle = (low + high) / 2;
        PangoRectangle logical;

        pango_layout_set_width(layout, (int)middle);
        pango_layout_get_extents(layout, NULL, &logical);
        if (pango_layout_get_line_count(layout) <= lines && logical.width <= middle)
            high = middle;
        else
            low = middle;
    }
    pango_layout_set_width(layout, (int)high);
}

static double height_at(PangoLayout *layout, double size)
{
    PangoRectangle logical;

    pango_layout_get_extents(layout, NULL, &logical);
    return (double)logical.height / PANGO_SCALE * size / UNIT;
}

static void cut(PangoLayout *layout, double h, const struct fan_text_style *style)
{
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_height(layout, -style->lines);
    for (int lines = style->lines; lines > 1 && height_at(layout, style->size_min) > h; lines--)
        pango_layout_set_height(layout, -lines + 1);
}

struct fan_fitted *fan_text_fit(cairo_t *cr, struct fan_bytes text, struct fan_bytes language,
        const struct fan_text_style *style, double w, double h)
{
    struct fan_fitted *fitted = g_new0(struct fan_fitted, 1);
    PangoLayout *layout = layout_of(cr, text, language);
    PangoFontDescription *font = font_of(style, language);
    double size, width;
    bool one;

    pango_layout_set_line_spacing(layout, 0.88F); /* Indic fonts stand far apart */
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    size = choose_size(layout, style, w, h);
    fitted->size = size > 0 ? size : style->size_min;
    one = fits(layout, fitted->size, w, h, 1);
    width = w * UNIT / fitted->size * PANGO_SCALE;
    pango_layout_set_width(layout, (int)width);
    if (size <= 0)
        cut(layout, h, style);
    else if (!one)
        balance(layout, width);
    fitted->layout = layout;
    fitted->w = w;
    fitted->h = height_at(layout, fitted->size);
    return fitted;
}

void fan_fitted_free(struct fan_fitted **fitted)
{
    if (!*fitted)
        return;
    g_object_unref((*fitted)->layout);
    g_free(*fitted);
    *fitted = NULL;
}

double fan_fitted_height(const struct fan_fitted *fitted)
{
    return fitted->h;
}

double fan_fitted_size(const struct fan_fitted *fitted)
{
    return fitted->size;
}

unsigned fan_fitted_missing(const struct fan_fitted *fitted)
{
    return (unsigned)pango_layout_get_unknown_glyphs_count(fitted->layout);
}

bool fan_fitted_shortened(const struct fan_fitted *fitted)
{
    return pango_layout_is_ellipsized(fitted->layout);
}

void fan_fitted_draw(const struct fan_fitted *fitted, cairo_t *cr, double x, double y)
{
    double scale = fitted->size / UNIT;
    double width = (double)pango_layout_get_width(fitted->layout) / PANGO_SCALE * scale;

    cairo_save(cr);
    cairo_translate(cr, x + (fitted->w - width) / 2, y);
    cairo_scale(cr, scale, scale);
    cairo_move_to(cr, 0, 0);
    pango_cairo_show_layout(cr, fitted->layout);
    cairo_restore(cr);
}
