#include "gateway/problem.h"

#include "proto/json.h"

static const struct kind {
    int status;
    const char *name;
    const char *title;
} kinds[] = {
    { 400, "invalid", "Bad Request" },
    { 401, "unauthorized", "Unauthorized" },
    { 403, "forbidden", "Forbidden" },
    { 404, "not-found", "Not Found" },
    { 405, "method-not-allowed", "Method Not Allowed" },
    { 409, "conflict", "Conflict" },
    { 413, "too-large", "Content Too Large" },
    { 415, "unsupported-media-type", "Unsupported Media Type" },
    { 422, "key-reused", "Unprocessable Content" },
    { 429, "too-many-requests", "Too Many Requests" },
    { 500, "internal", "Internal Server Error" }, /* stands for all that are not listed */
    { 503, "unavailable", "Service Unavailable" },
    { 507, "no-room", "Insufficient Storage" },
};

static const struct kind *kind_of(int status)
{
    const struct kind *found = NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].status == status || (kinds[i].status == 500 && !found))
            found = &kinds[i];
    return found;
}

void problem_fault(struct problem *problem, const char *field, const char *reason,
        const char *expected)
{
    if (problem->faults_len < PROBLEM_FAULTS)
        problem->faults[problem->faults_len++] =
                (struct problem_fault){ .field = field, .reason = reason, .expected = expected };
}

/* Constraints that a client may run into. */
static const struct {
    const char *constraint, *field, *reason;
} constraints[] = {
    { "channel_account_id_name_key", "name", "another channel has this name" },
    { "contact_account_id_external_id_key", "external_id", "another contact has this id" },
    { "template_account_id_name_key", "name", "another template has this name" },
    { "attribute_name_check", "attributes", "a name may have lower-case letters, digits and _" },
};

static bool explain_constraint(struct problem *problem, const char *constraint)
{
    for (size_t i = 0; i < sizeof constraints / sizeof *constraints; i++) {
        if (strcmp(constraints[i].constraint, constraint) != 0)
            continue;
        problem->status = 409;
        problem->detail = constraints[i].reason;
        problem_fault(problem, constraints[i].field, constraints[i].reason, "");
        return true;
    }
    return false;
}

static void set(struct problem *problem, int status, const char *detail)
{
    problem->status = status;
    problem->detail = detail;
}

void problem_of(struct problem *problem, enum fan_err err, const struct fan_why *why,
        struct fan_arena *arena)
{
    const char *text = fan_bytes_cstr(fan_bytes_of(why->text), arena);

    switch (err) {
    case FAN_NOT_FOUND:
        set(problem, 404, text);
        return;
    case FAN_DENIED:
        set(problem, 409, text);
        return;
    case FAN_TOO_LARGE:
        set(problem, 413, text);
        return;
    case FAN_UNCERTAIN:
        set(problem, 503,
                "it may have been done: look before you try again, or repeat it with "
                "the same Idempotency-Key");
        return;
    case FAN_UNAVAILABLE:
    case FAN_CONFLICT:
        set(problem, 503, "nothing was done; try again in a moment");
        return;
    case FAN_INVALID:
    case FAN_OK:
        if (!explain_constraint(problem, why->field))
            set(problem, 500, "something went wrong here; the log has it under this request_id");
    }
}

void problem_write(const struct problem *problem, const char *request_id, struct fan_buffer *out)
{
    const struct kind *kind = kind_of(problem->status);
    struct fan_json_writer json;
    char type[64] = "urn:fanfare:problem:";

    strncat(type, kind->name, sizeof type - strlen(type) - 1);
    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "type", fan_bytes_of(type));
    fan_json_add_text(&json, "title", fan_bytes_of(kind->title));
    fan_json_add_i64(&json, "status", problem->status);
    fan_json_add_text(&json, "detail", fan_bytes_of(problem->detail));
    if (problem->faults_len) {
        fan_json_array_open(&json, "errors");
        for (size_t i = 0; i < problem->faults_len; i++) {
            const struct problem_fault *fault = &problem->faults[i];

            fan_json_object_open(&json, NULL);
            fan_json_add_text(&json, "field", fan_bytes_of(fault->field));
            fan_json_add_text(&json, "reason", fan_bytes_of(fault->reason));
            if (fault->expected[0])
                fan_json_add_text(&json, "expected", fan_bytes_of(fault->expected));
            fan_json_object_close(&json);
        }
        fan_json_array_close(&json);
    }
    if (problem->run)
        fan_json_add_i64(&json, "run_id", problem->run);
    fan_json_add_text(&json, "request_id", fan_bytes_of(request_id));
    fan_json_object_close(&json);
}
