#include "actors/sandbox/meta_check.h"

#include "actors/lib/driver/driver.h"
#include "actors/sandbox/ids.h"

enum { TEXT_CAP = 4096, CAPTION_CAP = 1024 /* code points */, OPAQUE_CAP = 512, SPACES_CAP = 4 };

/* What the checks share; they end at the first that fails. */
struct check {
    struct fan_arena *arena;
    const struct fan_sandbox_templates *templates;
    struct fan_meta_error *error;
};

static bool refuse(struct check *check, int status, int code, const char *text)
{
    *check->error = (struct fan_meta_error){ .status = status, .code = code, .text = text };
    return false;
}

static bool missing(struct check *check, const char *parameter)
{
    return refuse(check, 400, 100,
            fan_arena_printf(check->arena, "The parameter %s is required.", parameter));
}

static bool is_link(struct fan_bytes link)
{
    return fan_bytes_starts(link, FAN_LIT("http://")) ||
            fan_bytes_starts(link, FAN_LIT("https://"));
}

/* ---- free-form messages ---- */

static bool check_text(struct check *check, const struct fan_json *text)
{
    struct fan_bytes body = fan_json_get_text(text, "body");

    if (fan_json_type(text) != FAN_JSON_OBJECT || body.len == 0)
        return missing(check, "text['body']");
    if (fan_text_points(body) > TEXT_CAP)
        return refuse(check, 400, 100, "Param text['body'] must be at most 4096 characters long.");
    return true;
}

static bool check_media(struct check *check, const struct fan_json *media)
{
    struct fan_bytes id = fan_json_get_text(media, "id"), link = fan_json_get_text(media, "link");

    if (fan_json_type(media) != FAN_JSON_OBJECT || (id.len > 0) == (link.len > 0))
        return refuse(check, 400, 100, "Exactly one of id and link is required.");
    if (link.len > 0 && !is_link(link))
        return refuse(check, 400, 131009, "Parameter value is not valid: link");
    if (fan_text_points(fan_json_get_text(media, "caption")) > CAPTION_CAP)
        return refuse(check, 400, 100, "Param caption must be at most 1024 characters long.");
    return true;
}

static bool check_captionless(struct check *check, const struct fan_json *media)
{
    if (fan_json_get(media, "caption"))
        return refuse(check, 400, 100, "Unexpected key \"caption\"");
    return check_media(check, media);
}

/* ---- templates ---- */

static bool has_forbidden_white_space(struct fan_bytes text)
{
    size_t spaces = 0;

    for (size_t i = 0; i < text.len; i++) {
        spaces = text.at[i] == ' ' ? spaces + 1 : 0;
        if (strchr("\r\n\t", text.at[i]) || spaces > SPACES_CAP)
            return true;
    }
    return false;
}

static bool check_body(struct check *check, const struct fan_json *parameters, int64_t *count)
{
    *count = (int64_t)fan_json_size(parameters);
    for (size_t i = 0; i < fan_json_size(parameters); i++) {
        const struct fan_json *parameter = fan_json_at(parameters, i);
        struct fan_bytes text = fan_json_get_text(parameter, "text");

        if (!fan_bytes_eq_text(fan_json_get_text(parameter, "type"), "text"))
            return refuse(check, 400, 132012,
                    "Parameter format does not match format in the "
                    "created template");
        if (text.len == 0)
            return refuse(check, 400, 131008, "Required parameter is missing: text");
        if (has_forbidden_white_space(text))
            return refuse(check, 400, 100,
                    "Param text cannot have new-line/tab characters or "
                    "more than 4 consecutive spaces");
    }
    return true;
}

static bool check_header(struct check *check, const struct fan_json *parameters,
        struct fan_bytes wanted)
{
    const struct fan_json *parameter = fan_json_at(parameters, 0);
    const char *type = fan_bytes_cstr(wanted, check->arena);

    if (!wanted.at || fan_json_size(parameters) != 1 ||
            !fan_bytes_eq(fan_json_get_text(parameter, "type"), wanted))
        return refuse(check, 400, 132012,
                "Parameter format does not match format in the created "
                "template: header");
    return check_media(check, fan_json_get(parameter, type));
}

static bool check_components(struct check *check, const struct fan_json *components,
        const struct fan_sandbox_template *template)
{
    int64_t variables = 0;
    bool header = false;

    for (size_t i = 0; i < fan_json_size(components); i++) {
        const struct fan_json *component = fan_json_at(components, i);
        const struct fan_json *parameters = fan_json_get(component, "parameters");
        struct fan_bytes type = fan_json_get_text(component, "type");

        if (fan_bytes_eq_text(type, "body")) {
            if (!check_body(check, parameters, &variables))
                return false;
        } else if (fan_bytes_eq_text(type, "header")) {
            header = true;
            if (!check_header(check, parameters, template->header))
                return false;
        } else if (!fan_bytes_eq_text(type, "button")) {
            return refuse(check, 400, 100, "Param type must be one of {HEADER, BODY, BUTTON}");
        }
    }
    if (variables != template->variables)
        return refuse(check, 400, 132000,
                fan_arena_printf(check->arena,
                        "Number of parameters does not match the expected "
                        "number of params: body: number of "
                        "localizable_params (%d) does not match the "
                        "expected number of params (%d)",
                        (int)variables, (int)template->variables));
    if (template->header.at && !header)
        return refuse(check, 400, 132012,
                "Parameter format does not match format in the created "
                "template: header");
    return true;
}

static bool check_template(struct check *check, const struct fan_json *wanted)
{
    struct fan_bytes name = fan_json_get_text(wanted, "name");
    struct fan_bytes language = fan_json_get_text(fan_json_get(wanted, "language"), "code");
    const struct fan_sandbox_template *template;

    if (name.len == 0)
        return missing(check, "template['name']");
    if (language.len == 0)
        return missing(check, "template['language']['code']");
    template = fan_sandbox_templates_find(check->templates, name, language);
    if (!template)
        return refuse(check, 404, 132001, "Template name does not exist in the translation");
    return check_components(check, fan_json_get(wanted, "components"), template);
}

/* ---- the message ---- */

static const struct {
    const char *type;
    bool (*fn)(struct check *check, const struct fan_json *object);
} types[] = {
    { "text", check_text },
    { "image", check_media },
    { "video", check_media },
    { "document", check_media },
    { "audio", check_captionless },
    { "sticker", check_captionless },
    { "template", check_template },
};

static bool check_type(struct check *check, const struct fan_json *body,
        struct fan_meta_message *message)
{
    struct fan_bytes type = fan_json_get_text(body, "type");

    if (!type.at)
        type = FAN_LIT("text");
    message->is_template = fan_bytes_eq_text(type, "template");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (fan_bytes_eq_text(type, types[i].type))
            return types[i].fn(check, fan_json_get(body, types[i].type));
    return refuse(check, 400, 100,
            "Param type must be one of {AUDIO, DOCUMENT, IMAGE, STICKER, "
            "TEMPLATE, TEXT, VIDEO}");
}

static bool check_to(struct check *check, struct fan_meta_message *message)
{
    struct fan_bytes to = message->to;

    if (to.len == 0)
        return missing(check, "to");
    if (fan_sandbox_phone(to, to.at[0] == '+', &message->number))
        return true;
    return refuse(check, 400, 131009, "Parameter value is not valid: to");
}

static bool check_opaque(struct check *check, const struct fan_json *body)
{
    const struct fan_json *opaque = fan_json_get(body, "biz_opaque_callback_data");

    if (!opaque)
        return true;
    if (fan_json_type(opaque) != FAN_JSON_STRING || fan_json_text(opaque).len > OPAQUE_CAP)
        return refuse(check, 400, 100,
                "Param biz_opaque_callback_data must be a string of at most "
                "512 characters.");
    return true;
}

static bool check_recipient_type(struct check *check, const struct fan_json *body)
{
    struct fan_bytes type = fan_json_get_text(body, "recipient_type");

    if (!fan_json_get(body, "recipient_type") || fan_bytes_eq_text(type, "individual") ||
            fan_bytes_eq_text(type, "group"))
        return true;
    return refuse(check, 400, 100, "Param recipient_type must be one of {individual, group}");
}

bool fan_meta_check(struct fan_bytes body, const struct fan_sandbox_templates *templates,
        struct fan_arena *arena, struct fan_meta_message *message, struct fan_meta_error *error)
{
    struct check check = { .arena = arena, .templates = templates, .error = error };
    const struct fan_json *json;
    struct fan_why why;

    *message = (struct fan_meta_message){ 0 };
    if (fan_json_parse(body, arena, &json, &why))
        return refuse(&check, 400, 100, "The body is no JSON object");
    message->to = fan_json_get_text(json, "to");
    message->token = fan_json_get_text(json, "biz_opaque_callback_data");
    if (!fan_bytes_eq_text(fan_json_get_text(json, "messaging_product"), "whatsapp"))
        return missing(&check, "messaging_product");
    return check_recipient_type(&check, json) && check_to(&check, message) &&
            check_opaque(&check, json) && check_type(&check, json, message);
}
