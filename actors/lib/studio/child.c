#include "actors/lib/studio/child.h"

#include "actors/lib/cage/cage.h"
#include "actors/lib/cage/inmate.h"
#include "actors/lib/picture/logo.h"
#include "actors/lib/picture/picture.h"
#include "actors/lib/picture/sheet.h"
#include "actors/lib/studio/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MEGABYTE = 1024 * 1024, LOGO_CPU_S = 5, SHEET_SIDE = 600 };

/* What is read while it draws: the art is in memory by then. */
static const char *const fonts[] = { "/usr/share/fonts", "/usr/local/share/fonts",
    "/usr/share/fontconfig", "/etc/fonts", "/var/cache/fontconfig", "/usr/share/icu",
    "/usr/share/libthai", "/etc/ld.so.cache", "/lib", "/usr/lib", "/lib64", "/usr/share/mime",
    "/proc/self/statm", "/usr/share/xml/fontconfig" };

enum { FONTS = sizeof fonts / sizeof *fonts };

struct work {
    unsigned char *memory;
    size_t memory_size;
    struct fan_painter *painter;
    bool files_locked;
};

/* ---- packets ---- */

static bool hear(struct fan_studio_question *question)
{
    ssize_t got;

    do
        got = recv(FAN_INMATE_SOCKET, question, sizeof *question, 0);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *question;
}

static void say(const struct fan_studio_answer *answer)
{
    if (send(FAN_INMATE_SOCKET, answer, sizeof *answer, MSG_NOSIGNAL) < 0)
        _exit(1); /* the parent is gone */
}

static void refuse(struct fan_studio_answer *answer, const struct fan_why *why)
{
    answer->err = why->err ? why->err : FAN_INVALID;
    snprintf(answer->field, sizeof answer->field, "%s", why->field);
    snprintf(answer->text, sizeof answer->text, "%s", why->text);
}

/* The question as the library asks it; lengths are bounded, since they are used as they come. */
static struct fan_picture_order order_of(const struct work *work,
        const struct fan_studio_question *question)
{
    const struct part {
        const char *at;
        size_t room;
    } parts[7] = { { question->festival, FAN_STUDIO_ID }, { question->theme, FAN_STUDIO_ID },
        { question->size, FAN_STUDIO_ID }, { question->language, FAN_STUDIO_ID },
        { question->greeting, FAN_STUDIO_TEXT }, { question->name, FAN_STUDIO_TEXT },
        { question->campaign, FAN_STUDIO_TEXT } };
    struct fan_bytes texts[7];
    size_t input = question->input < work->memory_size ? question->input : 0;

    for (size_t i = 0; i < 7; i++) {
        size_t len = question->lengths[i];

        texts[i] = (struct fan_bytes){ parts[i].at, len <= parts[i].room ? len : 0 };
    }
    return (struct fan_picture_order){ texts[0], texts[1], texts[2], texts[3], texts[4], texts[5],
        texts[6], { (const char *)work->memory, input },
        (enum fan_picture_format)question->format };
}

/* ---- tasks ---- */

static void deliver(struct work *work, struct fan_buffer *made, struct fan_studio_answer *answer)
{
    if (made->len > work->memory_size) {
        struct fan_why why = { 0 };

        fan_fail(&why, FAN_TOO_LARGE, "the picture has %zu bytes", made->len);
        refuse(answer, &why);
        return;
    }
    memcpy(work->memory, made->at, made->len);
    answer->output = (uint32_t)made->len;
}

static void draw(struct work *work, const struct fan_studio_question *question,
        struct fan_studio_answer *answer)
{
    struct fan_picture_order order = order_of(work, question);
    struct fan_picture_note note;
    struct fan_buffer made;
    struct fan_why why = { 0 };

    fan_buffer_init(&made, FAN_PICTURE_BYTES_MAX);
    if (fan_painter_draw(work->painter, &order, &made, &note, &why)) {
        refuse(answer, &why);
    } else {
        answer->width = (uint32_t)note.width;
        answer->height = (uint32_t)note.height;
        answer->missing_glyphs = note.missing_glyphs;
        answer->shortened = note.shortened;
        answer->logo_left_out = note.logo_left_out;
        answer->contrast = (float)note.contrast;
        deliver(work, &made, answer);
    }
    fan_buffer_fini(&made);
}

static void draw_sheet(struct work *work, const struct fan_studio_question *question,
        struct fan_studio_answer *answer)
{
    struct fan_picture_order order = order_of(work, question);
    struct fan_sheet sheet = { .theme = order.theme,
        .size = order.size,
        .columns = question->columns >= 1 && question->columns <= 20 ? (int)question->columns : 8,
        .cell = question->cell >= 40 && question->cell <= SHEET_SIDE ? (int)question->cell : 240,
        .format = order.format };
    struct fan_buffer made;
    struct fan_why why = { 0 };

    fan_buffer_init(&made, work->memory_size);
    if (fan_painter_sheet(work->painter, &sheet, &made, &why))
        refuse(answer, &why);
    else
        deliver(work, &made, answer);
    fan_buffer_fini(&made);
}

/* ---- lives ---- */

/* Every script of the catalogue once, so that the fonts are found before anybody waits. */
static void warm_up(struct work *work)
{
    const struct fan_catalogue *catalogue = fan_painter_catalogue(work->painter);
    struct fan_picture_order order = { .theme = catalogue->themes[0].id,
        .festival = catalogue->festivals[0].id,
        .size = FAN_LIT("banner"),
        .name = FAN_LIT("Aa क த ع ש 中 🎉"),
        .format = FAN_PICTURE_JPEG };
    struct fan_picture_note note;
    struct fan_buffer made;
    struct fan_why why;

    fan_buffer_init(&made, FAN_PICTURE_BYTES_MAX);
    (void)!fan_painter_draw(work->painter, &order, &made, &note, &why);
    fan_buffer_fini(&made);
}

/* What hostile input could make of a child: it never answers, or takes all the memory there is. */
static void make_trouble(uint32_t trouble)
{
#ifdef FAN_TEST_BUILD
    for (volatile bool spins = trouble == FAN_STUDIO_SPIN; spins;) {}
    for (int taken = 0; trouble == FAN_STUDIO_GLUT && taken < 10240; taken += 64) {
        char *volatile at = malloc(64ULL * MEGABYTE);

        if (!at)
            fan_die("out of memory");
        memset(at, 1, 64ULL * MEGABYTE);
    }
#else
    (void)trouble;
#endif
}

/* Answer the first question with what prevents all others. */
static enum fan_err cannot_work(const struct fan_why *why)
{
    struct fan_studio_question question;
    struct fan_studio_answer answer = { 0 };

    refuse(&answer, why);
    if (hear(&question))
        say(&answer);
    return why->err;
}

enum fan_err fan_studio_child_draw(const char *folder, struct fan_why *why)
{
    const struct fan_cage cage = { .reads = true, .memory = 512ULL * MEGABYTE };
    const char *readable[FONTS + 1];
    struct fan_studio_question question;
    struct work work = { .memory = NULL };
    enum fan_err err = fan_inmate_arrive(&work.memory, &work.memory_size, why);

    if (err)
        return err;
    memcpy(readable, fonts, sizeof fonts);
    readable[FONTS] = folder;
    err = fan_cage_files(readable, FONTS + 1, &work.files_locked, why);
    if (!err)
        err = fan_painter_open(folder, &work.painter, why);
    if (!err) {
        warm_up(&work);
        err = fan_cage_close(&cage, why);
    }
    if (err)
        return cannot_work(why);
    while (hear(&question)) {
        struct fan_studio_answer answer = { .files_locked = work.files_locked };

        make_trouble(question.trouble);
        if (question.task == FAN_STUDIO_DRAW)
            draw(&work, &question, &answer);
        else if (question.task == FAN_STUDIO_SHEET)
            draw_sheet(&work, &question, &answer);
        say(&answer);
    }
    _exit(0); /* the parent is gone; nothing is worth freeing */
}

/* Libraries read their settings when they are first used: before the cage is closed. */
static void warm_up_decoders(void)
{
    struct fan_buffer made;
    struct fan_why why;

    fan_buffer_init(&made, FAN_LOGO_PNG_MAX);
    (void)!fan_logo_clean(FAN_LIT("<svg viewBox=\"0 0 1 1\"><path d=\"M0 0h1v1z\"/></svg>"), &made,
            &why);
    fan_buffer_fini(&made);
}

enum fan_err fan_studio_child_logo(struct fan_why *why)
{
    const struct fan_cage cage = { .memory = 512ULL * MEGABYTE, .cpu_s = LOGO_CPU_S };
    struct fan_studio_question question;
    struct fan_studio_answer answer = { 0 };
    struct work work = { .memory = NULL };
    struct fan_buffer made;
    enum fan_err err = fan_inmate_arrive(&work.memory, &work.memory_size, why);

    if (err)
        return err;
    warm_up_decoders();
    err = fan_cage_close(&cage, why);
    if (err)
        return cannot_work(why);
    if (!hear(&question))
        _exit(1);
    fan_buffer_init(&made, FAN_LOGO_PNG_MAX);
    if (fan_logo_clean((struct fan_bytes){ (const char *)work.memory,
                               question.input <= work.memory_size ? question.input : 0 },
                &made, why))
        refuse(&answer, why);
    else
        deliver(&work, &made, &answer);
    say(&answer);
    _exit(0);
}
