/* actors/lib/mime/mime.c */
#include "actors/lib/mime/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fan_mail simple(void)
{
    return (struct fan_mail){
        .from_email = FAN_LIT("news@example.com"),
        .to_email = FAN_LIT("ada@example.com"),
        .subject = FAN_LIT("Hello"),
        .date = INT64_C(1795156934) * FAN_SECOND,
        .text = FAN_LIT("Hi Ada,\nit is on sale.\n"),
    };
}

static char *build(const struct fan_mail *mail)
{
    static char text[1 << 20];
    struct fan_buffer out;
    struct fan_why why = { .text = "" };

    fan_buffer_init(&out, sizeof(text) - 1);
    if (fan_mime_build(mail, &out, &why))
        fail_msg("%s: %s", why.field, why.text);
    memcpy(text, out.at, out.len);
    text[out.len] = '\0';
    fan_buffer_fini(&out);
    return text;
}

static void a_plain_mail_reads_as_it_was_written(void **state)
{
    struct fan_mail mail = simple();

    assert_string_equal(build(&mail),
            "Date: Fri, 20 Nov 2026 06:42:14 +0000\r\n"
            "From: news@example.com\r\n"
            "To: ada@example.com\r\n"
            "Subject: Hello\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "\r\n"
            "Hi Ada,\r\nit is on sale.\r\n");
}

static void a_full_mail_has_every_header_and_both_parts(void **state)
{
    struct fan_mail_header more = { FAN_LIT("X-Campaign"), FAN_LIT("7") };
    struct fan_mail mail = simple();

    mail.from_name = FAN_LIT("Müller, GmbH");
    mail.to_name = FAN_LIT("Lovelace, Ada \"L\"");
    mail.reply_to = FAN_LIT("help@example.com");
    mail.subject = FAN_LIT("Grüße");
    mail.message_id = FAN_LIT("1-2-abc@example.com");
    mail.unsubscribe_url = FAN_LIT("https://example.com/u/1-2-abc");
    mail.unsubscribe_mailto = FAN_LIT("u+1-2-abc@example.com");
    mail.headers = &more;
    mail.headers_len = 1;
    mail.text = FAN_LIT("Grüße");
    mail.html = FAN_LIT("<p class=\"x\">Hi</p>\r\n");
    assert_string_equal(build(&mail),
            "Date: Fri, 20 Nov 2026 06:42:14 +0000\r\n"
            "From: =?UTF-8?b?TcO8bGxlciw=?= GmbH <news@example.com>\r\n"
            "To: \"Lovelace, Ada \\\"L\\\"\" <ada@example.com>\r\n"
            "Reply-To: help@example.com\r\n"
            "Subject: =?UTF-8?b?R3LDvMOfZQ==?=\r\n"
            "Message-ID: <1-2-abc@example.com>\r\n"
            "List-Unsubscribe: <https://example.com/u/1-2-abc>,\r\n"
            " <mailto:u+1-2-abc@example.com>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            "X-Campaign: 7\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative; boundary=\"=_fanfare_alternative\"\r\n"
            "\r\n"
            "--=_fanfare_alternative\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            "\r\n"
            "R3LDvMOfZQ==\r\n"
            "--=_fanfare_alternative\r\n"
            "Content-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "\r\n"
            "<p class=\"x\">Hi</p>\r\n"
            "--=_fanfare_alternative--\r\n");
}

static void html_may_stand_alone(void **state)
{
    struct fan_mail mail = simple();

    mail.html = FAN_LIT("<p>Hi</p>");
    mail.text = FAN_NO_BYTES;
    assert_non_null(strstr(build(&mail), "Content-Type: text/html; charset=utf-8\r\n"));
}

static void text_beyond_ascii_is_quoted_or_packed(void **state)
{
    struct fan_mail mail = simple();

    mail.text = FAN_LIT("Caf\xc3\xa9 ist offen \nund = bleibt es, auch an langen, langen, langen "
                        "Tagen und sogar N\xc3\xa4"
                        "chten.");
    assert_non_null(strstr(build(&mail),
            "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            "Caf=C3=A9 ist offen=20\r\nund =3D bleibt es, auch an"));
    mail.text =
            FAN_LIT("\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa5\x87\n");
    assert_non_null(strstr(build(&mail),
            "\r\nContent-Transfer-Encoding: base64\r\n\r\n4KSo4KSu4KS44KWN4KSk4KWHDQo=\r\n"));
}

/* Over the whole text: 7-bit, CRLF and nothing else, lines of 998 bytes at most. */
static void check_wire(const char *text)
{
    size_t line = 0;

    for (const char *c = text; *c; c++) {
        if (*c == '\n' && (c == text || c[-1] != '\r'))
            fail_msg("a bare LF");
        if (*c == '\r' && c[1] != '\n')
            fail_msg("a bare CR");
        if ((unsigned char)*c >= 0x80)
            fail_msg("a byte beyond ASCII");
        line = *c == '\n' ? 0 : line + 1;
        assert_in_range(line, 0, 999);
    }
    assert_string_equal(text + strlen(text) - 2, "\r\n");
}

static void whatever_is_said_travels_over_seven_bits(void **state)
{
    static char longest[5000];
    const struct fan_bytes texts[] = { FAN_LIT(""), FAN_LIT("\r"), FAN_LIT("\n\n"),
        FAN_LIT("a\rb\r\nc\nd"), FAN_LIT("\x01\x7f"), FAN_LIT(".\r\n..\r\n"),
        FAN_LIT("\xf0\x9f\x8e\x89"), { longest, sizeof(longest) } };

    memset(longest, 'x', sizeof(longest));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct fan_mail mail = simple();
        mail.text = texts[i];
        check_wire(build(&mail));
        mail.html = texts[i];
        check_wire(build(&mail));
    }
}

static void a_part_cannot_end_the_mail(void **state)
{
    struct fan_mail mail = simple();
    char *text;

    mail.html = FAN_LIT("a\n--=_fanfare_alternative--\nb");
    mail.text = mail.html;
    text = strstr(build(&mail), "\r\n\r\n");
    assert_null(strstr(strstr(text, "--=_fanfare_alternative--") + 10,
            "--=_fanfare_alternative--"));
    assert_non_null(strstr(text, "--=3D_fanfare_alternative--"));
}

static void long_headers_are_folded(void **state)
{
    struct fan_mail mail = simple();
    char *text;

    mail.subject = FAN_LIT(
            "A long subject, longer than a line of a mail should be, and yet not a very long one");
    text = strstr(build(&mail), "Subject:");
    assert_non_null(strstr(text, "\r\n "));
    mail.subject = FAN_LIT("Ein gr\xc3\xbc\xc3\x9f"
                           "endes Wort an alle, die \xc3\xbc"
                           "berl\xc3\xa4nge Betreffzeilen f\xc3\xbcr sch\xc3\xb6n halten, "
                           "und es werden immer mehr");
    text = build(&mail);
    check_wire(text);
    for (char *line = strstr(text, "Subject:"); strncmp(line, "MIME", 4) != 0;
            line = strstr(line, "\r\n") + 2)
        assert_in_range(strcspn(line, "\r"), 1, 78);
}

static void refused(const struct fan_mail *mail, const char *field)
{
    struct fan_buffer out;
    struct fan_why why;

    fan_buffer_init(&out, 1 << 20);
    assert_int_equal(fan_mime_build(mail, &out, &why), FAN_INVALID);
    assert_string_equal(why.field, field);
    fan_buffer_fini(&out);
}

static void headers_cannot_be_smuggled_in(void **state)
{
    static const char *const values[] = { "x\r\nBcc: eve@example.com", "x\nBcc: eve@example.com",
        "x\ry", "x\x01" };
    struct fan_mail_header more = { FAN_LIT("X-Name"), FAN_LIT("x") };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct fan_bytes value = fan_bytes_of(values[i]);
        struct fan_mail mail = simple();
        mail.subject = value;
        refused(&mail, "subject");
        mail = simple(), mail.from_name = value;
        refused(&mail, "from_email");
        mail = simple(), mail.to_email = value;
        refused(&mail, "to_email");
        mail = simple(), mail.reply_to = value;
        refused(&mail, "reply_to");
        mail = simple(), mail.message_id = value;
        refused(&mail, "message_id");
        mail = simple(), mail.unsubscribe_url = value;
        refused(&mail, "unsubscribe_url");
        mail = simple(), mail.unsubscribe_mailto = value;
        refused(&mail, "unsubscribe_mailto");
        mail = simple(), mail.headers = &more, mail.headers_len = 1, more.value = value;
        refused(&mail, "headers");
        more.value = FAN_LIT("x"), more.name = value;
        refused(&mail, "headers");
        more.name = FAN_LIT("X-Name");
    }
}

static void what_is_no_mail_is_refused(void **state)
{
    struct fan_mail mail = simple();

    mail.text = FAN_NO_BYTES;
    refused(&mail, "text");
    mail = simple(), mail.text = FAN_LIT("\xff");
    refused(&mail, "text");
    mail = simple(), mail.subject = FAN_LIT("\xff");
    refused(&mail, "subject");
    mail = simple(), mail.to_email = FAN_NO_BYTES;
    refused(&mail, "to_email");
    mail = simple(), mail.to_email = FAN_LIT("ada@example.com, eve@example.com");
    refused(&mail, "to_email");
}

static void a_mail_over_the_cap_is_refused(void **state)
{
    struct fan_mail mail = simple();
    struct fan_buffer out;

    fan_buffer_init(&out, 100);
    assert_int_equal(fan_mime_build(&mail, &out, NULL), FAN_TOO_LARGE);
    fan_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_mail_reads_as_it_was_written),
        cmocka_unit_test(a_full_mail_has_every_header_and_both_parts),
        cmocka_unit_test(html_may_stand_alone),
        cmocka_unit_test(text_beyond_ascii_is_quoted_or_packed),
        cmocka_unit_test(whatever_is_said_travels_over_seven_bits),
        cmocka_unit_test(a_part_cannot_end_the_mail),
        cmocka_unit_test(long_headers_are_folded),
        cmocka_unit_test(headers_cannot_be_smuggled_in),
        cmocka_unit_test(what_is_no_mail_is_refused),
        cmocka_unit_test(a_mail_over_the_cap_is_refused),
    };

    return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
