#include "actors/lib/studio/studio.h"

#include "actors/lib/cage/inmate.h"
#include "actors/lib/picture/logo.h"
#include "actors/lib/studio/wire.h"
#include "proto/fault.h"

#include <math.h>
#include <stdlib.h>

enum { DEADLINE_MS = 10000, SHEET_MS = 120000, START_MS = 30000 };

struct fan_studio {
    char *program, *pictures;
    int deadline_ms;
    struct fan_inmate child;
    bool files_locked;
    bool starting; /* it has yet to say that it can draw */
    bool drawing;  /* a picture was asked for, without waiting */
};

/* ---- questions ---- */

static bool put(struct fan_studio_question *question, size_t index, char *into, size_t room,
        struct fan_bytes text)
{
    if (text.len > room)
        return false;
    if (text.len > 0)
        memcpy(into, text.at, text.len);
    question->lengths[index] = (uint16_t)text.len;
    return true;
}

static enum fan_err write_question(const struct fan_picture_order *order,
        struct fan_studio_question *out, struct fan_why *why)
{
    *out = (struct fan_studio_question){ .task = FAN_STUDIO_DRAW, .format = order->format };
    if (!put(out, 0, out->festival, FAN_STUDIO_ID, order->festival) ||
            !put(out, 1, out->theme, FAN_STUDIO_ID, order->theme) ||
            !put(out, 2, out->size, FAN_STUDIO_ID, order->size) ||
            !put(out, 3, out->language, FAN_STUDIO_ID, order->language))
        return fan_fail(why, FAN_NOT_FOUND,
                "festival, theme, size and language have at most %d bytes", FAN_STUDIO_ID);
    if (!put(out, 4, out->greeting, FAN_STUDIO_TEXT, order->greeting) ||
            !put(out, 5, out->name, FAN_STUDIO_TEXT, order->name) ||
            !put(out, 6, out->campaign, FAN_STUDIO_TEXT, order->campaign))
        return fan_fail(why, FAN_TOO_LARGE, "greeting, name and campaign have at most %d bytes",
                FAN_PICTURE_TEXT_MAX);
    if (order->logo.len > FAN_LOGO_PNG_MAX)
        return fan_fail_field(why, FAN_TOO_LARGE, "logo", "a clean logo has at most %d bytes",
                FAN_LOGO_PNG_MAX);
    out->input = (uint32_t)order->logo.len;
    if (FAN_FAULTY("studio.child_spins"))
        out->trouble = FAN_STUDIO_SPIN;
    if (FAN_FAULTY("studio.child_takes_memory"))
        out->trouble = FAN_STUDIO_GLUT;
    return FAN_OK;
}

/* ---- answers: nothing in them is believed ---- */

static enum fan_err take(const struct fan_inmate *child, struct fan_studio_answer *answer,
        struct fan_buffer *out, struct fan_why *why)
{
    answer->field[sizeof answer->field - 1] = '\0';
    answer->text[sizeof answer->text - 1] = '\0';
    if (answer->err > FAN_UNCERTAIN || answer->output > child->memory_size)
        return fan_fail(why, FAN_UNAVAILABLE, "the child answered nonsense");
    if (answer->err)
        return fan_fail_field(why, (enum fan_err)answer->err, answer->field, "%s", answer->text);
    fan_buffer_add(out, child->memory, answer->output);
    if (out->overflowed)
        return fan_fail(why, FAN_TOO_LARGE, "the picture has %u bytes; at most %zu fit",
                answer->output, out->cap);
    return FAN_OK;
}

static struct fan_bytes bytes_of(const struct fan_studio_question *question)
{
    return (struct fan_bytes){ (const char *)question, sizeof *question };
}

static enum fan_err ask(struct fan_inmate *child, const struct fan_studio_question *question,
        int deadline_ms, struct fan_studio_answer *answer, bool *asked, struct fan_why *why)
{
    return fan_inmate_ask(child, bytes_of(question), answer, sizeof *answer, deadline_ms, asked,
            why);
}

/* ---- the drawing child ---- */

/* Whether it can draw: its first answer. */
static enum fan_err judge_start(struct fan_studio *studio, struct fan_studio_answer *answer,
        struct fan_why *why)
{
    struct fan_buffer nothing;
    enum fan_err err;

    fan_buffer_init(&nothing, 0);
    err = take(&studio->child, answer, &nothing, why);
    fan_buffer_fini(&nothing);
    studio->starting = false;
    studio->files_locked = answer->files_locked == 1;
    if (err)
        fan_inmate_stop(&studio->child);
    return err;
}

enum fan_err fan_studio_wake(struct fan_studio *studio, struct fan_why *why)
{
    const char *argv[] = { studio->program, "draw", studio->pictures, NULL };
    const struct fan_studio_question question = { .task = FAN_STUDIO_READY };
    enum fan_err err;

    if (studio->child.pid != 0)
        return FAN_OK;
    err = fan_inmate_start(argv, FAN_STUDIO_MEMORY, &studio->child, why);
    if (!err)
        err = fan_inmate_tell(&studio->child, bytes_of(&question), why);
    studio->starting = !err;
    return err;
}

static enum fan_err start(struct fan_studio *studio, struct fan_why *why)
{
    const char *argv[] = { studio->program, "draw", studio->pictures, NULL };
    struct fan_studio_question question = { .task = FAN_STUDIO_READY };
    struct fan_studio_answer answer;
    bool asked;
    enum fan_err err = fan_inmate_start(argv, FAN_STUDIO_MEMORY, &studio->child, why);

    if (!err)
        err = ask(&studio->child, &question, START_MS, &answer, &asked, why);
    return err ? err : judge_start(studio, &answer, why);
}

struct fan_studio *fan_studio_new(const struct fan_studio_settings *settings)
{
    struct fan_studio *studio = calloc(1, sizeof *studio);

    if (!studio)
        fan_die("out of memory");
    studio->program = strdup(settings->program);
    studio->pictures = strdup(settings->pictures);
    if (!studio->program || !studio->pictures)
        fan_die("out of memory");
    studio->deadline_ms = settings->deadline_ms > 0 ? settings->deadline_ms : DEADLINE_MS;
    return studio;
}

enum fan_err fan_studio_open(const struct fan_studio_settings *settings, struct fan_studio **out,
        struct fan_why *why)
{
    struct fan_studio *studio = fan_studio_new(settings);
    enum fan_err err = start(studio, why);

    if (err)
        fan_studio_close(&studio);
    *out = studio;
    return err;
}

void fan_studio_close(struct fan_studio **studio)
{
    if (!*studio)
        return;
    fan_inmate_stop(&(*studio)->child);
    free((*studio)->program);
    free((*studio)->pictures);
    free(*studio);
    *studio = NULL;
}

/* Ask the child, or another one when it had died before it was asked. */
static enum fan_err order(struct fan_studio *studio, const struct fan_studio_question *question,
        struct fan_bytes input, int deadline_ms, struct fan_studio_answer *answer,
        struct fan_why *why)
{
    enum fan_err err = FAN_OK;

    for (int i = 0; i < 2; i++) {
        bool asked = false;

        if (studio->child.pid == 0)
            err = start(studio, why);
        if (err)
            return err;
        if (input.len > 0)
            memcpy(studio->child.memory, input.at, input.len);
        err = ask(&studio->child, question, deadline_ms, answer, &asked, why);
        if (!err || asked)
            return err;
        err = FAN_OK;
    }
    return fan_fail(why, FAN_UNAVAILABLE, "the drawing child does not stay alive");
}

static struct fan_picture_note note_of(const struct fan_studio_answer *answer)
{
    return (struct fan_picture_note){ .width = (int)(answer->width & 0xffff),
        .height = (int)(answer->height & 0xffff),
        .missing_glyphs = answer->missing_glyphs,
        .shortened = answer->shortened != 0,
        .logo_left_out = answer->logo_left_out != 0,
        .contrast = isfinite(answer->contrast) ? (double)answer->contrast : 0 };
}

enum fan_err fan_studio_draw(struct fan_studio *studio, const struct fan_picture_order *wanted,
        struct fan_buffer *out, struct fan_picture_note *note, struct fan_why *why)
{
    struct fan_studio_question question;
    struct fan_studio_answer answer;
    enum fan_err err = write_question(wanted, &question, why);

    if (!err)
        err = order(studio, &question, wanted->logo, studio->deadline_ms, &answer, why);
    if (!err)
        err = take(&studio->child, &answer, out, why);
    if (!err)
        *note = note_of(&answer);
    return err;
}

/* ---- without waiting ---- */

enum fan_err fan_studio_ask(struct fan_studio *studio, const struct fan_picture_order *wanted,
        struct fan_why *why)
{
    struct fan_studio_question question;
    enum fan_err err = write_question(wanted, &question, why);

    if (err)
        return err;
    for (int i = 0; i < 2; i++) { /* one that died since the last picture is replaced */
        err = fan_studio_wake(studio, why);
        if (err)
            return err;
        if (wanted->logo.len > 0)
            memcpy(studio->child.memory, wanted->logo.at, wanted->logo.len);
        err = fan_inmate_tell(&studio->child, bytes_of(&question), why);
        studio->drawing = !err;
        if (!err)
            return FAN_OK;
    }
    return err;
}

int fan_studio_fd(const struct fan_studio *studio)
{
    return studio->child.pid ? studio->child.socket : -1;
}

uint32_t fan_studio_patience(const struct fan_studio *studio)
{
    if (studio->starting)
        return START_MS;
    return studio->drawing ? (uint32_t)studio->deadline_ms : 0;
}

/* The child's end is that of what was awaited of it. */
static enum fan_err ended(struct fan_studio *studio, enum fan_err err, bool *done)
{
    *done = studio->drawing;
    studio->starting = studio->drawing = false;
    return err;
}

enum fan_err fan_studio_hear(struct fan_studio *studio, struct fan_buffer *out,
        struct fan_picture_note *note, bool *done, struct fan_why *why)
{
    struct fan_studio_answer answer = { 0 };
    bool heard = false;
    enum fan_err err = fan_inmate_hear(&studio->child, &answer, sizeof answer, &heard, why);

    *done = false;
    if (err)
        return ended(studio, err, done);
    if (!heard)
        return FAN_OK;
    if (studio->starting) {
        err = judge_start(studio, &answer, why);
        return err ? ended(studio, err, done) : FAN_OK;
    }
    if (!studio->drawing) {
        fan_inmate_stop(&studio->child);
        return fan_fail(why, FAN_UNAVAILABLE, "the child answered what nobody asked");
    }
    studio->drawing = false;
    *done = true;
    err = take(&studio->child, &answer, out, why);
    if (!err)
        *note = note_of(&answer);
    return err;
}

enum fan_err fan_studio_give_up(struct fan_studio *studio, struct fan_why *why)
{
    studio->starting = studio->drawing = false;
    return fan_inmate_late(&studio->child, why);
}

/* ---- sheets ---- */

enum fan_err fan_studio_sheet(struct fan_studio *studio, const struct fan_sheet *sheet,
        struct fan_buffer *out, struct fan_why *why)
{
    struct fan_studio_question question;
    struct fan_studio_answer answer;
    struct fan_picture_order texts = { .theme = sheet->theme,
        .size = sheet->size,
        .format = sheet->format };
    enum fan_err err = write_question(&texts, &question, why);

    question.task = FAN_STUDIO_SHEET;
    question.columns = (uint32_t)sheet->columns;
    question.cell = (uint32_t)sheet->cell;
    if (!err)
        err = order(studio, &question, FAN_NO_BYTES, SHEET_MS, &answer, why);
    return err ? err : take(&studio->child, &answer, out, why);
}

bool fan_studio_files_locked(const struct fan_studio *studio)
{
    return studio->files_locked;
}

pid_t fan_studio_child(const struct fan_studio *studio)
{
    return studio->child.pid;
}

/* ---- logos ---- */

enum fan_err fan_studio_logo(const char *program, struct fan_bytes file, struct fan_buffer *out,
        struct fan_why *why)
{
    const char *argv[] = { program, "logo", NULL };
    struct fan_studio_question question = { .task = FAN_STUDIO_LOGO, .input = (uint32_t)file.len };
    struct fan_studio_answer answer;
    struct fan_inmate child;
    bool asked;
    enum fan_err err;

    if (file.len > FAN_LOGO_FILE_MAX)
        return fan_fail_field(why, FAN_TOO_LARGE, "logo", "the file has %zu bytes; at most %d fit",
                file.len, FAN_LOGO_FILE_MAX);
    err = fan_inmate_start(argv, FAN_STUDIO_MEMORY, &child, why);
    if (err)
        return err;
    if (file.len > 0)
        memcpy(child.memory, file.at, file.len);
    err = ask(&child, &question, DEADLINE_MS, &answer, &asked, why);
    if (!err)
        err = take(&child, &answer, out, why);
    fan_inmate_stop(&child);
    return err;
}
