#include "actors/lib/person/csv_head.h"

#include "actors/lib/person/csv.h"

void fan_csv_head_init(struct fan_csv_head *head, char delimiter)
{
    *head = (struct fan_csv_head){ .delimiter = delimiter };
    fan_buffer_init(&head->held, SIZE_MAX);
}

void fan_csv_head_fini(struct fan_csv_head *head)
{
    fan_buffer_fini(&head->held);
}

/* The delimiter that the first line has most of outside of quotes; 0 when that line is not complete
 * yet. */
static char guess(struct fan_bytes text, bool last)
{
    static const char candidates[] = ",;\t";
    size_t counts[3] = { 0 }, best = 0;
    bool quoted = false, begun = false, complete = last || text.len > FAN_CSV_RECORD;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool line_end = c == '\n' || c == '\r';

        if (line_end && begun && !quoted) {
            complete = true;
            break;
        }
        begun = begun || !line_end;
        quoted ^= c == '"';
        for (size_t j = 0; j < 3; j++)
            counts[j] += !quoted && c == candidates[j];
    }
    for (size_t j = 1; j < 3; j++)
        if (counts[j] > counts[best])
            best = j;
    return complete ? candidates[best] : 0;
}

static enum fan_err strip_mark(struct fan_bytes *text, struct fan_why *why)
{
    if (fan_bytes_starts(*text, FAN_LIT("\xff\xfe")) ||
            fan_bytes_starts(*text, FAN_LIT("\xfe\xff")))
        return fan_fail(why, FAN_INVALID, "the file is UTF-16: save it as \"CSV UTF-8\"");
    if (fan_bytes_starts(*text, FAN_LIT("\xef\xbb\xbf")))
        *text = (struct fan_bytes){ text->at + 3, text->len - 3 };
    return FAN_OK;
}

enum fan_err fan_csv_head_take(struct fan_csv_head *head, struct fan_bytes piece, bool last,
        struct fan_bytes *out, struct fan_why *why)
{
    enum fan_err err;

    *out = piece;
    if (head->done)
        return FAN_OK;
    fan_buffer_add_bytes(&head->held, piece);
    *out = fan_buffer_bytes(&head->held);
    err = strip_mark(out, why);
    if (err)
        return err;
    if (head->delimiter) {
        head->done = last || head->held.len >= 3; /* bytes of a mark */
    } else {
        head->delimiter = guess(*out, last);
        head->done = head->delimiter != 0;
    }
    if (!head->done)
        *out = FAN_NO_BYTES;
    return FAN_OK;
}
