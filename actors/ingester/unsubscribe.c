/*
 * The page behind a recipient's link. GET only asks, because mail scanners follow links; POST acts,
 * whether it comes from the page's button or from a mail program's one click (RFC 8058). Whoever
 * made up a token sees the same pages, and nothing happens.
 */
#include "actors/ingester/ingester.h"

#define PAGE(title, text) \
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">" \
    "<meta name=\"viewport\" content=\"width=device-width\">" \
    "<meta name=\"robots\" content=\"noindex\"><title>" title "</title>" \
    "<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:20vh auto 0;" \
    "padding:0 1.5rem;color:#1c2430}button{font:inherit;padding:.6rem 1.4rem;border:0;" \
    "border-radius:.4rem;background:#1c2430;color:#fff;cursor:pointer}" \
    "@media(prefers-color-scheme:dark){body{background:#14181f;color:#e8ecf2}" \
    "button{background:#e8ecf2;color:#14181f}}</style>" \
    "<h1>" title "</h1>" text "</html>\n"

static const char question[] = PAGE("Unsubscribe?",
        "<p>You will get no more of these messages.</p>"
        "<form method=\"post\"><button>Unsubscribe</button></form>");

static const char done[] = PAGE("You are unsubscribed",
        "<p>You will get no more of these messages. You can close this page.</p>");

#define HTML "text/html; charset=utf-8"

/* The token in the address must not travel on, and nobody may frame the button. */
static void add_headers(struct fan_http_request *request)
{
    fan_http_add_header(request, "Cache-Control", "no-store");
    fan_http_add_header(request, "Referrer-Policy", "no-referrer");
    fan_http_add_header(request, "X-Content-Type-Options", "nosniff");
    fan_http_add_header(request, "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'");
}

static void act(struct ingester *self, struct fan_http_request *request, struct fan_bytes token)
{
    const struct fan_hook_answer reply = { 200, HTML, { done, sizeof done - 1 } };
    struct spool_record record = { .arrived = fan_clock_now(), .sort = SPOOL_UNSUBSCRIBE };

    if (fan_token_read(self->tokens, token, &record.account, &record.subject))
        door_take(self, request, &record, &reply);
    else
        fan_http_answer(request, reply.status, reply.type, reply.body);
}

void unsubscribe_answer(struct ingester *self, struct fan_http_request *request,
        struct fan_bytes token)
{
    struct fan_bytes method = fan_http_method(request);

    add_headers(request);
    if (fan_bytes_eq_text(method, "POST")) {
        act(self, request, token);
    } else if (fan_bytes_eq_text(method, "GET") || fan_bytes_eq_text(method, "HEAD")) {
        fan_http_answer(request, 200, HTML, (struct fan_bytes){ question, sizeof question - 1 });
    } else {
        fan_http_add_header(request, "Allow", "GET, POST");
        fan_http_answer(request, 405, NULL, FAN_NO_BYTES);
    }
}
