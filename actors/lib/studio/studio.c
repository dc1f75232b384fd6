#include "actors/lib/studio/studio.h"

#include "actors/lib/cage/inmate.h"
#include "actors/lib/picture/logo.h"
#include "actors/lib/studio/wire.h"

#include <math.h>
#include <stdlib.h>

enum { DEADLINE_MS = 10000, SHEET_MS = 120000, START_MS = 30000 };

struct fan_studio {
    char *program, *pictures;
    int deadline_ms;
    struct fan_inmate child;
    bool files_locked;
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

static enum fan_err ask(struct fan_inmate *child, const struct fan_studio_question *question,
        int deadline_ms, struct fan_studio_answer *answer, bool *asked, struct fan_why *why)
{
    return fan_inmate_ask(child, (struct fan_bytes){ (const char *)question, sizeof *question },
            answer, sizeof *answer, deadline_ms, asked, why);
}

/* ---- the drawing child ---- */

static enum fan_err start(struct fan_studio *studio, struct fan_why *why)
{
    const char *argv[] = { studio->program, "draw", studio->pictures, NULL };
    struct fan_studio_question question = { .task = FAN_STUDIO_READY };
    struct fan_studio_answer answer;
    struct fan_buffer nothing;
    bool asked;
    enum fan_err err = fan_inmate_start(argv, FAN_STUDIO_MEMORY, &studio->child, why);

    if (!err)
        err = ask(&studio->child, &question, START_MS, &answer, &asked, why);
    if (err)
        return err;
    fan_buffer_init(&nothing, 0);
    err = take(&studio->child, &answer, &nothing, why);
    fan_buffer_fini(&nothing);
    studio->files_locked = answer.files_locked == 1;
    if (err)
        fan_inmate_stop(&studio->child);
    return err;
}

enum fan_err fan_studio_open(const struct fan_studio_settings *settings, struct fan_studio **out,
        struct fan_why *why)
{
    struct fan_studio *studio = calloc(1, sizeof *studio);
    enum fan_err err;

    if (!studio)
        fan_die("out of memory");
    studio->program = strdup(settings->program);
    studio->pictures = strdup(settings->pictures);
    if (!studio->program || !studio->pictures)
        fan_die("out of memory");
    studio->deadline_ms = settings->deadline_ms > 0 ? settings->deadline_ms : DEADLINE_MS;
    err = start(studio, why);
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
    if (err)
        return err;
    *note = (struct fan_picture_note){ .width = (int)(answer.width & 0xffff),
        .height = (int)(answer.height & 0xffff),
        .missing_glyphs = answer.missing_glyphs,
        .shortened = answer.shortened != 0,
        .logo_left_out = answer.logo_left_out != 0,
        .contrast = isfinite(answer.contrast) ? (double)answer.contrast : 0 };
    return FAN_OK;
}

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
