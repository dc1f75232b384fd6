/*
 * The frame of a mail is always the same, so it is written as text: a GMime message tree of it
 * costs 65 microseconds, most of a mail's whole budget, and has a boundary drawn by chance. What
 * takes knowledge is GMime's: encoded words, folding, quoted-printable.
 *
 * The boundary begins with "=_". Neither quoted-printable nor base64 can yield that, and a part
 * that holds it is not sent as it is, so no part can end before its time.
 */
#include "actors/lib/mime/mime.h"

#include <gmime/gmime.h>

enum {
    LINE_SOFT = 78,     /* bytes of a line where it can be folded (RFC 5322 2.1.1) */
    LINE_HARD = 998,    /* bytes of a line where it cannot */
    SCRATCH = 64 << 20, /* bytes of a part while it is encoded */
};

static const char boundary[] = "=_fanfare_alternative";

/* A mail while it is written. The first failure stands; what is written after it does not matter.
 */
struct writing {
    struct fan_buffer *out;
    struct fan_why *why;
    enum fan_err err;
};

static void refuse(struct writing *w, const char *field, const char *text)
{
    if (!w->err)
        w->err = fan_fail_field(w->why, FAN_INVALID, field, "%s", text);
}

/* ---- headers ---- */

static bool has_control(struct fan_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
            return true;
    return false;
}

static bool is_ascii(struct fan_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] >= 0x80)
            return false;
    return true;
}

/* Add lines that end in LF, CR LF or CR as lines that end in @line_end. */
static void add_lines(struct fan_buffer *out, struct fan_bytes text, const char *line_end)
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '\n' && text.at[i] != '\r')
            continue;
        fan_buffer_add(out, text.at + from, i - from);
        fan_buffer_add_text(out, line_end);
        if (text.at[i] == '\r' && i + 1 < text.len && text.at[i + 1] == '\n')
            i++;
        from = i + 1;
    }
    fan_buffer_add(out, text.at + from, text.len - from);
}

/* Add a header line that is ASCII, folded where it is too long. */
static void add_line(struct writing *w, const char *name, struct fan_bytes line)
{
    char *folded;

    if (line.len <= LINE_SOFT) {
        fan_buffer_add_bytes(w->out, line);
        fan_buffer_add_text(w->out, "\r\n");
        return;
    }
    g_mime_init(); /* counts its calls */
    line.at = g_strndup(line.at, line.len);
    folded = g_mime_utils_unstructured_header_fold(NULL, NULL, line.at);
    for (struct fan_bytes rest = fan_bytes_of(folded), piece; rest.at;) {
        rest = fan_bytes_split(rest, '\n', &piece);
        if (piece.len > LINE_HARD)
            refuse(w, name, "a header has a word that is too long for a mail");
    }
    add_lines(w->out, fan_bytes_of(folded), "\r\n");
    g_free(folded);
    g_free((char *)line.at);
}

/* Text in a header, as encoded words where it must be: a phrase may be quoted instead. */
static void add_words(struct fan_buffer *line, struct fan_bytes text, bool phrase)
{
    char *plain, *encoded;

    if (is_ascii(text) && !phrase) {
        fan_buffer_add_bytes(line, text);
        return;
    }
    g_mime_init();
    plain = g_strndup(text.at, text.len);
    encoded = phrase ? g_mime_utils_header_encode_phrase(NULL, plain, "utf-8")
                     : g_mime_utils_header_encode_text(NULL, plain, "utf-8");
    fan_buffer_add_text(line, encoded);
    g_free(encoded);
    g_free(plain);
}

static bool is_fit(struct writing *w, const char *field, struct fan_bytes value)
{
    if (has_control(value))
        refuse(w, field, "a header's value must be one line without control characters");
    else if (!fan_bytes_utf8(value))
        refuse(w, field, "a header's value must be UTF-8");
    else
        return true;
    return false;
}

static void add_text_header(struct writing *w, const char *field, struct fan_bytes name,
        struct fan_bytes value)
{
    struct fan_buffer line;

    if (!value.at || !is_fit(w, field, value))
        return;
    fan_buffer_init(&line, SCRATCH);
    fan_buffer_add_bytes(&line, name);
    fan_buffer_add_text(&line, ": ");
    add_words(&line, value, false);
    add_line(w, field, fan_buffer_bytes(&line));
    fan_buffer_fini(&line);
}

/* Whether @text may stand between < and >. */
static bool is_bracketed(struct fan_bytes text, char must_have)
{
    static const char never[] = " <>,;\"()[]\\";

    if (!text.len || has_control(text) || !memchr(text.at, must_have, text.len))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (strchr(never, text.at[i]))
            return false;
    return fan_bytes_utf8(text);
}

static void add_mailbox(struct writing *w, const char *header, const char *field,
        struct fan_bytes name, struct fan_bytes address)
{
    struct fan_buffer line;

    if (!is_bracketed(address, '@')) {
        refuse(w, field, "it is not a mail address");
        return;
    }
    if (!is_fit(w, field, name))
        return;
    fan_buffer_init(&line, SCRATCH);
    fan_buffer_printf(&line, "%s: ", header);
    if (name.len) {
        add_words(&line, name, true);
        fan_buffer_add_char(&line, ' ');
    }
    fan_buffer_printf(&line, name.len ? "<%.*s>" : "%.*s", FAN_BYTES_ARG(address));
    add_line(w, field, fan_buffer_bytes(&line));
    fan_buffer_fini(&line);
}

static void add_date(struct writing *w, fan_time date)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
        "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = date / FAN_SECOND;
    struct tm at;

    gmtime_r(&seconds, &at);
    fan_buffer_printf(w->out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[at.tm_wday],
            at.tm_mday, months[at.tm_mon], at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
}

static void add_unsubscribe(struct writing *w, const struct fan_mail *mail)
{
    struct fan_bytes url = mail->unsubscribe_url, mailto = mail->unsubscribe_mailto;
    struct fan_buffer line;

    if (url.at && !is_bracketed(url, ':'))
        refuse(w, "unsubscribe_url", "it is not a URL");
    if (mailto.at && !is_bracketed(mailto, '@'))
        refuse(w, "unsubscribe_mailto", "it is not a mail address");
    if (w->err || (!url.at && !mailto.at))
        return;
    fan_buffer_init(&line, SCRATCH);
    fan_buffer_add_text(&line, "List-Unsubscribe: ");
    if (url.at)
        fan_buffer_printf(&line, "<%.*s>%s", FAN_BYTES_ARG(url), mailto.at ? ", " : "");
    if (mailto.at)
        fan_buffer_printf(&line, "<mailto:%.*s>", FAN_BYTES_ARG(mailto));
    add_line(w, "unsubscribe_url", fan_buffer_bytes(&line));
    fan_buffer_fini(&line);
    if (url.at)
        fan_buffer_add_text(w->out, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
}

static bool is_header_name(struct fan_bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!g_ascii_isalnum(name.at[i]) && name.at[i] != '-')
            return false;
    return name.len > 0;
}

static void add_headers(struct writing *w, const struct fan_mail *mail)
{
    add_date(w, mail->date);
    add_mailbox(w, "From", "from_email", mail->from_name, mail->from_email);
    add_mailbox(w, "To", "to_email", mail->to_name, mail->to_email);
    if (mail->reply_to.at)
        add_mailbox(w, "Reply-To", "reply_to", FAN_NO_BYTES, mail->reply_to);
    add_text_header(w, "subject", FAN_LIT("Subject"), mail->subject);
    if (mail->message_id.at && !is_bracketed(mail->message_id, '@'))
        refuse(w, "message_id", "a Message-ID looks like a mail address");
    else if (mail->message_id.at)
        fan_buffer_printf(w->out, "Message-ID: <%.*s>\r\n", FAN_BYTES_ARG(mail->message_id));
    add_unsubscribe(w, mail);
    for (size_t i = 0; i < mail->headers_len; i++) {
        if (!is_header_name(mail->headers[i].name))
            refuse(w, "headers", "a header's name has letters, digits and hyphens only");
        add_text_header(w, "headers", mail->headers[i].name, mail->headers[i].value);
    }
    fan_buffer_add_text(w->out, "MIME-Version: 1.0\r\n");
}

/* ---- parts ---- */

/* How @text can travel over 7-bit lines: as it is, readable where it is ASCII, or not readable but
 * short. */
static GMimeContentEncoding encoding_of(struct fan_bytes text)
{
    size_t line = 0, longest = 0, beyond = 0, control = 0;
    bool like_boundary = memmem(text.at, text.len, "=_", 2) != NULL;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        line = c == '\n' ? 0 : line + 1;
        longest = line > longest ? line : longest;
        beyond += c >= 0x80;
        control += (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
    }
    if (beyond > text.len / 4)
        return GMIME_CONTENT_ENCODING_BASE64;
    if (beyond || control || like_boundary || longest > LINE_HARD - 2)
        return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
    return GMIME_CONTENT_ENCODING_7BIT;
}

static void add_encoded(struct writing *w, struct fan_bytes text, GMimeContentEncoding encoding)
{
    struct fan_buffer lines, encoded;
    GMimeEncoding state;
    char *to;

    fan_buffer_init(&lines, SCRATCH);
    fan_buffer_init(&encoded, SCRATCH);
    add_lines(&lines, text, encoding == GMIME_CONTENT_ENCODING_BASE64 ? "\r\n" : "\n");
    g_mime_encoding_init_encode(&state, encoding);
    to = fan_buffer_reserve(&encoded, g_mime_encoding_outlen(&state, lines.len));
    if (to && !lines.overflowed) {
        fan_buffer_grew(&encoded, g_mime_encoding_flush(&state, lines.at, lines.len, to));
        add_lines(w->out, fan_buffer_bytes(&encoded), "\r\n");
    } else if (!w->err) {
        w->err = fan_fail(w->why, FAN_TOO_LARGE, "a part of the mail is too long");
    }
    fan_buffer_fini(&lines);
    fan_buffer_fini(&encoded);
}

static void add_part(struct writing *w, const char *type, struct fan_bytes text)
{
    GMimeContentEncoding encoding = encoding_of(text);

    fan_buffer_printf(w->out,
            "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n", type,
            g_mime_content_encoding_to_string(encoding));
    if (encoding == GMIME_CONTENT_ENCODING_7BIT)
        add_lines(w->out, text, "\r\n");
    else
        add_encoded(w, text, encoding);
    if (!fan_bytes_ends(fan_buffer_bytes(w->out), FAN_LIT("\r\n")))
        fan_buffer_add_text(w->out, "\r\n");
}

static void add_parts(struct writing *w, const struct fan_mail *mail)
{
    if (!mail->text.at || !mail->html.at) {
        if (mail->html.at)
            add_part(w, "html", mail->html);
        else
            add_part(w, "plain", mail->text);
        return;
    }
    fan_buffer_printf(w->out,
            "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary,
            boundary);
    add_part(w, "plain", mail->text);
    fan_buffer_printf(w->out, "--%s\r\n", boundary);
    add_part(w, "html", mail->html); /* the last one is what the reader should see */
    fan_buffer_printf(w->out, "--%s--\r\n", boundary);
}

enum fan_err fan_mime_build(const struct fan_mail *mail, struct fan_buffer *out,
        struct fan_why *why)
{
    struct writing w = { .out = out, .why = why };

    if (!mail->text.at && !mail->html.at)
        return fan_fail_field(why, FAN_INVALID, "text", "a mail needs a text or an HTML part");
    if (!fan_bytes_utf8(mail->text) || !fan_bytes_utf8(mail->html))
        return fan_fail_field(why, FAN_INVALID, "text", "a mail's text must be UTF-8");
    add_headers(&w, mail);
    if (!w.err)
        add_parts(&w, mail);
    if (!w.err && out->overflowed)
        return fan_fail(why, FAN_TOO_LARGE, "the mail is longer than %zu bytes", out->cap);
    return w.err;
}
