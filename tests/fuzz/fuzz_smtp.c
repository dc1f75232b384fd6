/*
 * What a mail client says to the sandbox: it is answered line by line, in the same way however the
 * bytes were cut into pieces.
 *
 * The first byte is the length of the pieces; 0: all at once.
 *
 * LINKS: actors/sandbox
 */
#include "actors/sandbox/smtp_session.h"
#include "proto/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

enum { REPLIES_MAX = 1 << 20 };

static enum fan_fault fault_of(void *context, struct fan_bytes to)
{
    (void)context;
    return to.len % 7 == 3 ? FAN_FAULT_THROTTLED : FAN_FAULT_NONE;
}

static void note(void *context, const struct fan_smtp_verdict *verdict)
{
    size_t *noted = context;

    FAN_ASSERT(verdict->verdict && verdict->to.len <= 1000);
    ++*noted;
}

static uint64_t serial(void *context)
{
    (void)context;
    return 7;
}

/* Say it in pieces; returns how many verdicts there were. */
static size_t talk(struct fan_bytes said, size_t piece, struct fan_buffer *out)
{
    size_t noted = 0, from = 0, to = 0;
    const struct fan_smtp_rules rules = { .username = "",
        .password = "",
        .size_cap = 4000,
        .context = &noted,
        .fault = fault_of,
        .note = note,
        .serial = serial };
    struct fan_smtp_session *session = fan_smtp_session_new(&rules, out);

    while (to < said.len && !fan_smtp_session_ended(session) && !fan_smtp_session_cut(session)) {
        size_t taken;

        to = piece && said.len - to > piece ? to + piece : said.len;
        taken = fan_smtp_session_feed(session, (struct fan_bytes){ said.at + from, to - from },
                out);
        FAN_ASSERT(taken <= to - from);
        from += taken;
    }
    fan_smtp_session_free(&session);
    return noted;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_buffer whole, pieces;

    if (len == 0)
        return 0;
    fan_buffer_init(&whole, REPLIES_MAX);
    fan_buffer_init(&pieces, REPLIES_MAX);
    struct fan_bytes said = { (const char *)at + 1, len - 1 };
    size_t noted = talk(said, 0, &whole);
    FAN_ASSERT(talk(said, at[0], &pieces) == noted);
    FAN_ASSERT(fan_bytes_eq(fan_buffer_bytes(&whole), fan_buffer_bytes(&pieces)));
    fan_buffer_fini(&whole);
    fan_buffer_fini(&pieces);
    return 0;
}
