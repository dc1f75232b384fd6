/*
 * One call is one transmission. libcurl sends a request again by itself when a kept connection
 * turns out to be dead before the answer came; but every transmission passes may_begin, which
 * refuses a second one unless repeating it is harmless. So bodies can be handed over whole, and
 * leave in one packet with the headers. A mail comes from a read callback without seek, which
 * cannot be rewound.
 */
#include "broker/runtime/http_easy.h"

#include "broker/runtime/address.h"
#include "broker/runtime/clock.h"
#include "broker/runtime/http_reply.h"
#include "proto/buffer.h"
#include "proto/fault.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HEADERS_CAP = 32 * 1024, /* bytes */
    LINE_CAP = 16 * 1024,    /* bytes of a URL, a header, a mail address */
    NAME_SECONDS = 10,       /* a name is asked for again after so long, whatever it says itself */
    REUSE_SECONDS = 30,      /* a connection idle for longer may be dead without our knowing */
    SEND_BUFFER = 16 * 1024, /* bytes; libcurl's least, allocated for every call */
    LONG_BODY = 256 * 1024,  /* bytes; before a MiB libcurl asks the server whether it wants it */
};

/* A text as libcurl last got it, so that what stays the same from call to call is not set again. */
struct kept {
    char *at; /* NULL: not set */
    size_t len;
};

struct fan_http_parts {
    const struct fan_http_policy *policy;
    struct fan_buffer headers, body; /* of the answer */
    struct kept url, method, username, password, mail_from;
    CURLU *parsed; /* the URL without its path; with it libcurl does not take it apart for every
                      call */
    struct fan_buffer asked;  /* the caller's headers, as lines */
    bool long_body;           /* the body that they came with was a long one */
    struct curl_slist *lines; /* what became of them */
    struct curl_slist *mail_to;
    char error[CURL_ERROR_SIZE];
};

#define FORM FAN_LIT("Content-Type: application/x-www-form-urlencoded")

#define SET(easy, option, value) \
    FAN_ASSERT(curl_easy_setopt((easy)->curl, option, value) == CURLE_OK)

/* ---- what libcurl calls during a transfer ---- */

/* A second transmission may go only where the first cannot have had an effect, by definition of its
 * method. */
static bool harmless_again(const struct fan_http_transfer *transfer)
{
    const struct fan_http_call *call = &transfer->call;

    return fan_bytes_eq_text(call->method, "GET") || fan_bytes_eq_text(call->method, "HEAD");
}

/*
 * The latest moment that is still before the first byte: libcurl calls this once the connection
 * stands (connected, TLS agreed, for mail greeted and logged in) and right before it writes the
 * request or MAIL FROM. The read callback would be too late, the headers have left by then;
 * anything before is too early, since the call may yet wait for its connection.
 */
static int may_begin(void *context, char *there, char *here, int port_there, int port_here)
{
    struct fan_http_transfer *transfer = ((struct fan_http_easy *)context)->transfer;
    int64_t stop_after = transfer->call.stop_after;

    (void)there, (void)here, (void)port_there, (void)port_here;
    FAN_FAULT("http.before_first_byte");
    if (transfer->passed)
        return harmless_again(transfer) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
    if (stop_after && fan_clock_elapsed() >= stop_after)
        transfer->refused = "it was too late to begin";
    else if (transfer->starting && !transfer->starting(transfer->context))
        transfer->refused = "it was given up before it began";
    transfer->passed = !transfer->refused;
    return transfer->passed ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t read_body(char *to, size_t size, size_t count, void *context)
{
    struct fan_http_transfer *transfer = ((struct fan_http_easy *)context)->transfer;
    struct fan_bytes body = transfer->call.body;
    size_t room = size * count, left = body.len - transfer->sent;
    size_t len = left < room ? left : room;

    if (len)
        memcpy(to, body.at + transfer->sent, len);
    transfer->sent += len;
    return len;
}

static size_t take_body(char *at, size_t size, size_t count, void *context)
{
    struct fan_buffer *body = &((struct fan_http_easy *)context)->parts->body;

    fan_buffer_add(body, at, size * count);
    return body->overflowed ? 0 : size * count;
}

/* libcurl answers a refused sender or recipient with QUIT, and holds up the whole process until the
 * relay replies to that. When nothing more can be read it does not wait. */
static void hurry_goodbye(const struct fan_http_easy *easy, struct fan_bytes line)
{
    bool refusal = line.len > 3 && (line.at[0] == '4' || line.at[0] == '5') && line.at[3] != '-';

    if (refusal && easy->transfer->passed && easy->transfer->sent == 0 && easy->fd >= 0)
        shutdown(easy->fd, SHUT_RD);
}

static size_t take_header(char *at, size_t size, size_t count, void *context)
{
    struct fan_http_easy *easy = context;
    struct fan_buffer *headers = &easy->parts->headers;
    struct fan_bytes line = { at, size * count };

    FAN_FAULT("http.answering");
    if (easy->parts->policy->mail)
        hurry_goodbye(easy, line);
    else if (fan_bytes_starts(line, FAN_LIT("HTTP/")))
        fan_buffer_clear(headers); /* those so far belonged to a 1xx */
    fan_buffer_add_bytes(headers, line);
    return headers->overflowed ? 0 : line.len;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fan_http_easy *easy = context;
    const struct fan_http_policy *policy = easy->parts->policy;

    (void)purpose;
    if (policy->options.public_only && !fan_address_public(&address->addr)) {
        easy->transfer->refused = "the address is not a public one";
        return CURL_SOCKET_BAD;
    }
    return fan_http_socket_open(policy->sockets, policy->owner, address->family, address->socktype,
            address->protocol);
}

/* Also called when no handle is at work: a connection that is no longer kept. */
static int close_socket(void *context, curl_socket_t fd)
{
    return fan_http_socket_close(context, fd);
}

/* ---- the handle ---- */

static void set_callbacks(struct fan_http_easy *easy)
{
    SET(easy, CURLOPT_PRIVATE, easy);
    SET(easy, CURLOPT_ERRORBUFFER, easy->parts->error);
    SET(easy, CURLOPT_PREREQFUNCTION, may_begin);
    SET(easy, CURLOPT_PREREQDATA, easy);
    SET(easy, CURLOPT_READFUNCTION, read_body);
    SET(easy, CURLOPT_READDATA, easy);
    SET(easy, CURLOPT_WRITEFUNCTION, take_body);
    SET(easy, CURLOPT_WRITEDATA, easy);
    SET(easy, CURLOPT_HEADERFUNCTION, take_header);
    SET(easy, CURLOPT_HEADERDATA, easy);
    SET(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(easy, CURLOPT_OPENSOCKETDATA, easy);
    SET(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    SET(easy, CURLOPT_CLOSESOCKETDATA, easy->parts->policy->sockets);
}

static void set_policy(struct fan_http_easy *easy, const struct fan_http_policy *policy)
{
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_NOPROXY, "*"); /* none, whatever the environment says */
    SET(easy, CURLOPT_PROTOCOLS_STR, policy->mail ? "smtp,smtps" : "http,https");
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_TCP_NODELAY, 1L);
    SET(easy, CURLOPT_MAXAGE_CONN, (long)REUSE_SECONDS);
    SET(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)NAME_SECONDS);
    SET(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
    SET(easy, CURLOPT_QUICK_EXIT, 1L); /* never wait for a resolver */
    if (policy->options.ca_file)
        SET(easy, CURLOPT_CAINFO, policy->options.ca_file);
    if (policy->mail) {
        SET(easy, CURLOPT_UPLOAD, 1L);
        return;
    }
    SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_CURLU, easy->parts->parsed);
}

struct fan_http_easy *fan_http_easy_new(const struct fan_http_policy *policy)
{
    struct fan_http_easy *easy = calloc(1, sizeof(*easy));
    struct fan_http_parts *parts = calloc(1, sizeof(*parts));
    CURL *curl = curl_easy_init();

    if (!easy || !parts || !curl)
        fan_die("out of memory: a handle for HTTP calls");
    parts->parsed = curl_url();
    if (!parts->parsed)
        fan_die("out of memory: a URL");
    easy->curl = curl;
    easy->parts = parts;
    parts->policy = policy;
    fan_buffer_init(&parts->headers, HEADERS_CAP);
    fan_buffer_init(&parts->asked, SIZE_MAX);
    fan_buffer_init(&parts->body, policy->options.answer_cap);
    set_callbacks(easy);
    set_policy(easy, policy);
    return easy;
}

void fan_http_easy_free(struct fan_http_easy **easy)
{
    struct fan_http_easy *old = *easy;

    if (!old)
        return;
    curl_easy_cleanup(old->curl);
    curl_url_cleanup(old->parts->parsed);
    curl_slist_free_all(old->parts->lines);
    curl_slist_free_all(old->parts->mail_to);
    fan_buffer_fini(&old->parts->headers);
    fan_buffer_fini(&old->parts->asked);
    fan_buffer_fini(&old->parts->body);
    free(old->parts->url.at);
    free(old->parts->method.at);
    free(old->parts->username.at);
    free(old->parts->password.at);
    free(old->parts->mail_from.at);
    free(old->parts);
    free(old);
    *easy = NULL;
}

/* ---- setting it up for a call ---- */

/* Keep a copy of @text; false when that is what was kept already. */
static bool keep(struct kept *kept, struct fan_bytes text)
{
    struct fan_bytes before = { kept->at, kept->len };

    if (!before.at == !text.at && fan_bytes_eq(before, text))
        return false;
    free(kept->at);
    *kept = (struct kept){ NULL, text.len };
    if (!text.at)
        return true;
    kept->at = malloc(text.len + 1);
    if (!kept->at)
        fan_die("out of memory: a text of an HTTP call");
    memcpy(kept->at, text.at, text.len);
    kept->at[text.len] = '\0';
    return true;
}

/* Line breaks would let data become headers or mail commands, and libcurl does not look for them.
 */
static bool one_line(struct fan_bytes text)
{
    return text.len <= LINE_CAP &&
            (!text.len ||
                    (!memchr(text.at, '\r', text.len) && !memchr(text.at, '\n', text.len) &&
                            !memchr(text.at, '\0', text.len)));
}

static const char *flaw_of(const struct fan_http_call *call)
{
    if (!call->url.len || !one_line(call->url))
        return "the URL is empty, too long or not one line";
    if (!one_line(call->method) || !one_line(call->username) || !one_line(call->password) ||
            !one_line(call->ehlo) || !one_line(call->mail_from) || !one_line(call->mail_to))
        return "a word of the call is too long or not one line";
    for (size_t i = 0; i < call->headers_len; i++)
        if (!one_line(call->headers[i]))
            return "a header is too long or not one line";
    return NULL;
}

static struct curl_slist *add_line(struct curl_slist *list, struct fan_bytes line)
{
    char text[LINE_CAP + 1];

    snprintf(text, sizeof(text), "%.*s", FAN_BYTES_ARG(line));
    list = curl_slist_append(list, text);
    if (!list)
        fan_die("out of memory: a header");
    return list;
}

/* Keep the caller's headers; false when they are what was kept already. */
static bool keep_headers(struct fan_http_parts *parts, const struct fan_http_call *call)
{
    struct fan_buffer *kept = &parts->asked;
    struct fan_bytes left = fan_buffer_bytes(kept);
    bool long_body = call->body.len > LONG_BODY;
    size_t same = 0;

    while (same < call->headers_len && left.len > call->headers[same].len &&
            fan_bytes_starts(left, call->headers[same]) &&
            left.at[call->headers[same].len] == '\n') {
        left.at += call->headers[same].len + 1;
        left.len -= call->headers[same].len + 1;
        same++;
    }
    if (same == call->headers_len && left.len == 0 && long_body == parts->long_body)
        return false;
    parts->long_body = long_body;
    fan_buffer_clear(kept);
    for (size_t i = 0; i < call->headers_len; i++) {
        fan_buffer_add_bytes(kept, call->headers[i]);
        fan_buffer_add_char(kept, '\n');
    }
    return true;
}

/* libcurl would put it together anew for every call. */
static struct curl_slist *add_login(struct curl_slist *lines, const struct fan_http_call *call)
{
    struct fan_buffer login, line;

    fan_buffer_init(&login, 2 * LINE_CAP);
    fan_buffer_init(&line, 4 * LINE_CAP);
    fan_buffer_printf(&login, "%.*s:%.*s", FAN_BYTES_ARG(call->username),
            FAN_BYTES_ARG(call->password));
    fan_buffer_add_text(&line, "Authorization: Basic ");
    fan_buffer_add_base64(&line, fan_buffer_bytes(&login));
    lines = add_line(lines, fan_buffer_bytes(&line));
    fan_buffer_fini(&login);
    fan_buffer_fini(&line);
    return lines;
}

static bool has_header(const struct fan_http_call *call, struct fan_bytes name)
{
    for (size_t i = 0; i < call->headers_len; i++) {
        struct fan_bytes its;

        fan_bytes_split(call->headers[i], ':', &its);
        if (fan_bytes_eq_nocase(its, name))
            return true;
    }
    return false;
}

/* libcurl would print it twice for every call. */
static struct curl_slist *add_user_agent(struct curl_slist *lines, const char *user_agent)
{
    struct fan_buffer line;

    fan_buffer_init(&line, LINE_CAP);
    fan_buffer_printf(&line, "User-Agent: %s", user_agent);
    lines = add_line(lines, fan_buffer_bytes(&line));
    fan_buffer_fini(&line);
    return lines;
}

static void set_headers(struct fan_http_easy *easy, const struct fan_http_call *call,
        bool same_login)
{
    struct fan_http_parts *parts = easy->parts;
    struct curl_slist *lines = NULL;

    if (!keep_headers(parts, call) && same_login && parts->lines)
        return;
    for (size_t i = 0; i < call->headers_len; i++)
        if (!fan_bytes_eq(call->headers[i], FORM)) /* libcurl's own word for a body */
            lines = add_line(lines, call->headers[i]);
    if (!has_header(call, FAN_LIT("User-Agent")))
        lines = add_user_agent(lines, parts->policy->options.user_agent);
    if (!has_header(call, FAN_LIT("Content-Type")))
        lines = add_line(lines, FAN_LIT("Content-Type:")); /* do not call it a form */
    if (parts->long_body)
        lines = add_line(lines, FAN_LIT("Expect:")); /* do not wait for a 100 Continue */
    if (call->username.at)
        lines = add_login(lines, call);
    SET(easy, CURLOPT_HTTPHEADER, lines);
    curl_slist_free_all(parts->lines);
    parts->lines = lines;
}

/* libcurl encodes a URL's path anew for every call, but takes a target as it is: so the URL that it
 * gets has no path. Paths stay as they were written, for signatures cover them. */
static bool set_url(struct fan_http_easy *easy, struct fan_bytes url)
{
    struct fan_http_parts *parts = easy->parts;
    char *path = NULL, *query = NULL;
    bool read;

    if (!keep(&parts->url, url))
        return true;
    read = !curl_url_set(parts->parsed, CURLUPART_URL, parts->url.at, CURLU_PATH_AS_IS) &&
            !curl_url_get(parts->parsed, CURLUPART_PATH, &path, CURLU_URLENCODE);
    if (read) {
        struct fan_buffer target;

        curl_url_get(parts->parsed, CURLUPART_QUERY, &query, 0);
        fan_buffer_init(&target, 4 * LINE_CAP);
        fan_buffer_printf(&target, "%s%s%s", path, query ? "?" : "", query ? query : "");
        SET(easy, CURLOPT_REQUEST_TARGET, target.at);
        fan_buffer_fini(&target);
        FAN_ASSERT(!curl_url_set(parts->parsed, CURLUPART_PATH, "/", 0) &&
                !curl_url_set(parts->parsed, CURLUPART_QUERY, NULL, 0));
    } else {
        keep(&parts->url, FAN_NO_BYTES);
    }
    curl_free(path);
    curl_free(query);
    return read;
}

static void set_http(struct fan_http_easy *easy, const struct fan_http_call *call)
{
    struct fan_http_parts *parts = easy->parts;
    bool get = fan_bytes_eq_text(call->method, "GET") && !call->body.len;
    bool head = fan_bytes_eq_text(call->method, "HEAD");
    bool changed;

    if (!set_url(easy, call->url)) {
        easy->transfer->refused = "the URL cannot be read";
        return;
    }
    changed = keep(&parts->username, call->username);
    changed = keep(&parts->password, call->password) || changed;
    set_headers(easy, call, !changed);
    if (keep(&parts->method, call->method))
        SET(easy, CURLOPT_CUSTOMREQUEST, parts->method.at);
    if (head) {
        SET(easy, CURLOPT_NOBODY, 1L);
    } else if (get) {
        SET(easy, CURLOPT_HTTPGET, 1L);
    } else {
        SET(easy, CURLOPT_POST, 1L);
        SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        SET(easy, CURLOPT_POSTFIELDS, call->body.len ? call->body.at : "");
    }
}

static void set_mail(struct fan_http_easy *easy, const struct fan_http_call *call)
{
    struct fan_http_parts *parts = easy->parts;
    struct curl_slist *to = add_line(NULL, call->mail_to);
    char url[2 * LINE_CAP + 2];
    int len = snprintf(url, sizeof(url), "%.*s/%.*s", FAN_BYTES_ARG(call->url),
            FAN_BYTES_ARG(call->ehlo));

    if (keep(&parts->url, (struct fan_bytes){ url, (size_t)len }))
        SET(easy, CURLOPT_URL, parts->url.at);
    if (keep(&parts->mail_from, call->mail_from))
        SET(easy, CURLOPT_MAIL_FROM, parts->mail_from.at);
    SET(easy, CURLOPT_MAIL_RCPT, to);
    curl_slist_free_all(parts->mail_to);
    parts->mail_to = to;
    if (keep(&parts->username, call->username))
        SET(easy, CURLOPT_USERNAME, parts->username.at);
    if (keep(&parts->password, call->password))
        SET(easy, CURLOPT_PASSWORD, parts->password.at);
    SET(easy, CURLOPT_USE_SSL, (long)(call->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    SET(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->body.len);
}

void fan_http_easy_set(struct fan_http_easy *easy, struct fan_http_transfer *transfer)
{
    const struct fan_http_call *call = &transfer->call;
    struct fan_http_parts *parts = easy->parts;

    easy->transfer = transfer;
    easy->fd = -1;
    fan_buffer_clear(&parts->headers);
    fan_buffer_clear(&parts->body);
    parts->error[0] = '\0';
    transfer->refused = flaw_of(call);
    if (transfer->refused)
        return;
    if (parts->policy->mail)
        set_mail(easy, call);
    else
        set_http(easy, call);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_ms);
    SET(easy, CURLOPT_TIMEOUT_MS, (long)call->total_ms);
}

/* ---- what became of it ---- */

/* The relay's last word counts only where it was its answer to our question: not the 354 before a
 * connection that was lost, nor the 250 to an EHLO that offered no TLS. */
static bool mail_answered(CURLcode code, long status)
{
    switch (code) {
    case CURLE_OK:
        return true;
    case CURLE_SEND_ERROR:         /* MAIL, RCPT or DATA refused */
    case CURLE_WEIRD_SERVER_REPLY: /* the message or the greeting refused */
    case CURLE_LOGIN_DENIED:
    case CURLE_REMOTE_ACCESS_DENIED: /* EHLO refused */
        return status >= 400;
    default:
        return false;
    }
}

static bool tls_failed(CURLcode code)
{
    switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return true;
    default:
        return false;
    }
}

static const char *sentence(const struct fan_http_easy *easy, CURLcode code)
{
    const struct fan_http_parts *parts = easy->parts;

    if (easy->transfer->refused)
        return easy->transfer->refused;
    if (parts->body.overflowed)
        return "the answer is longer than its cap";
    if (parts->headers.overflowed)
        return "the answer's headers are longer than their cap";
    if (code == CURLE_SEND_FAIL_REWIND || code == CURLE_ABORTED_BY_CALLBACK)
        return "the connection was lost before the answer came";
    return parts->error[0] ? parts->error : curl_easy_strerror(code);
}

void fan_http_easy_reply(struct fan_http_easy *easy, int code, struct fan_http_reply *out)
{
    const struct fan_http_transfer *transfer = easy->transfer;
    struct fan_bytes retry_after;
    bool mail = easy->parts->policy->mail;
    long status = 0;

    curl_easy_getinfo(easy->curl, CURLINFO_RESPONSE_CODE, &status);
    *out = (struct fan_http_reply){
        .began = mail ? transfer->sent > 0 : transfer->passed,
        .complete = mail ? mail_answered((CURLcode)code, status) : code == CURLE_OK,
        .error = "",
        .timed_out = code == CURLE_OPERATION_TIMEDOUT,
        .tls_failed = tls_failed((CURLcode)code),
        .headers = fan_buffer_bytes(&easy->parts->headers),
        .body = fan_buffer_bytes(&easy->parts->body),
        .retry_after_ms = -1,
    };
    /* A handle that did not begin still has the status of its last call. */
    out->status = (mail ? out->complete : out->began) ? (int)status : 0;
    if (!out->complete)
        out->error = sentence(easy, (CURLcode)code);
    retry_after = mail ? FAN_NO_BYTES : fan_http_reply_header(out, "Retry-After");
    if (retry_after.at)
        out->retry_after_ms = fan_http_retry_after(retry_after, fan_clock_now());
}
