#include "gateway/mapping.h"

enum { NAME_MAX = 63, HEADER_SHOWN = 60 };

/* Spellings with everything but letters and digits left out, in lower case. */
static const struct alias {
    const char *spelling, *field;
} aliases[] = {
    { "externalid", "external_id" },
    { "id", "external_id" },
    { "contactid", "external_id" },
    { "customerid", "external_id" },
    { "userid", "external_id" },
    { "crmid", "external_id" },
    { "phone", "phone" },
    { "phonenumber", "phone" },
    { "phoneno", "phone" },
    { "mobile", "phone" },
    { "mobilenumber", "phone" },
    { "mobileno", "phone" },
    { "mobilephone", "phone" },
    { "cell", "phone" },
    { "cellphone", "phone" },
    { "telephone", "phone" },
    { "tel", "phone" },
    { "msisdn", "phone" },
    { "whatsapp", "phone" },
    { "whatsappnumber", "phone" },
    { "telefon", "phone" },
    { "handy", "phone" },
    { "telefono", "phone" },
    { "celular", "phone" },
    { "email", "email" },
    { "emailaddress", "email" },
    { "mail", "email" },
    { "correo", "email" },
    { "firstname", "first_name" },
    { "givenname", "first_name" },
    { "forename", "first_name" },
    { "fname", "first_name" },
    { "vorname", "first_name" },
    { "prenom", "first_name" },
    { "nombre", "first_name" },
    { "lastname", "last_name" },
    { "surname", "last_name" },
    { "familyname", "last_name" },
    { "lname", "last_name" },
    { "nachname", "last_name" },
    { "apellido", "last_name" },
    { "apellidos", "last_name" },
    { "name", "first_name" },
    { "fullname", "first_name" },
    { "contactname", "first_name" },
    { "customername", "first_name" },
    { "company", "company" },
    { "companyname", "company" },
    { "organization", "company" },
    { "organisation", "company" },
    { "firma", "company" },
    { "empresa", "company" },
    { "country", "country" },
    { "countrycode", "country" },
    { "land", "country" },
    { "pais", "country" },
    { "language", "language" },
    { "lang", "language" },
    { "locale", "language" },
    { "sprache", "language" },
    { "timezone", "time_zone" },
    { "tz", "time_zone" },
    { "tags", "tags" },
    { "tag", "tags" },
    { "labels", "tags" },
    { "label", "tags" },
};

static const char *const fields[] = { "external_id", "phone", "email", "first_name", "last_name",
    "company", "country", "language", "time_zone", "tags" };

static bool is_field(struct fan_bytes name)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fan_bytes_eq_text(name, fields[i]))
            return true;
    return false;
}

bool mapping_is_attribute(struct fan_bytes name)
{
    if (name.len == 0 || name.len > NAME_MAX || name.at[0] < 'a' || name.at[0] > 'z' ||
            is_field(name) || fan_bytes_eq_text(name, "name"))
        return false; /* {name} is what a template calls both names together */
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

/* ---- from a header to a field ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static struct fan_bytes spelled(struct fan_bytes header, struct fan_arena *arena)
{
    char *out = fan_arena_alloc(arena, header.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < header.len; i++)
        if (is_word(lower(header.at[i])))
            out[len++] = lower(header.at[i]);
    return (struct fan_bytes){ .at = out, .len = len };
}

static struct fan_bytes alias_of(struct fan_bytes header, struct fan_arena *arena)
{
    struct fan_bytes spelling = spelled(header, arena);

    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (fan_bytes_eq_text(spelling, aliases[i].spelling))
            return fan_bytes_of(aliases[i].field);
    return FAN_NO_BYTES;
}

/* "Preferred Product (2026)" -> preferred_product_2026; a header without such letters: column_7. */
static struct fan_bytes attribute_of(struct fan_bytes header, size_t column,
        struct fan_arena *arena)
{
    char *out = fan_arena_alloc(arena, NAME_MAX + 1);
    size_t len = 0;

    for (size_t i = 0; i < header.len && len < NAME_MAX; i++) {
        char c = lower(header.at[i]);

        if (is_word(c))
            out[len++] = c;
        else if (len > 0 && out[len - 1] != '_')
            out[len++] = '_';
    }
    while (len > 0 && out[len - 1] == '_')
        len--;
    struct fan_bytes name = { .at = out, .len = len };

    return mapping_is_attribute(name)
            ? name
            : fan_bytes_of(fan_arena_printf(arena, "column_%zu", column + 1));
}

static bool is_taken(const struct fan_bytes *taken, size_t count, struct fan_bytes field)
{
    for (size_t i = 0; i < count; i++)
        if (fan_bytes_eq(taken[i], field))
            return true;
    return false;
}

/* ---- wishes ---- */

static const struct fan_json *wish_for(const struct fan_json *wishes, struct fan_bytes header,
        struct fan_arena *arena)
{
    return wishes ? fan_json_get(wishes, fan_bytes_cstr(header, arena)) : NULL;
}

static enum fan_err check_wishes(const struct fan_json *wishes, struct fan_texts header,
        struct fan_why *why)
{
    const struct fan_json *value;
    struct fan_bytes name;
    size_t cursor = 0;

    while (wishes && fan_json_next(wishes, &cursor, &name, &value)) {
        struct fan_bytes field = fan_json_text(value);
        int shown = (int)(name.len < HEADER_SHOWN ? name.len : HEADER_SHOWN);

        if (!is_taken(header.at, header.len, name))
            return fan_fail_field(why, FAN_INVALID, "mapping", "the file has no column \"%.*s\"",
                    shown, name.at);
        if (!field.at || (field.len && !is_field(field) && !mapping_is_attribute(field)))
            return fan_fail_field(why, FAN_INVALID, "mapping",
                    "column \"%.*s\" must go to a contact's field, \"tags\", an attribute's name "
                    "(lower-case letters, digits and _) or \"\"",
                    shown, name.at);
    }
    return FAN_OK;
}

/* ---- all columns ---- */

static enum fan_err map_wishes(struct fan_texts header, const struct fan_json *wishes,
        struct fan_arena *arena, struct fan_bytes *out, struct fan_why *why)
{
    for (size_t i = 0; i < header.len; i++) {
        const struct fan_json *wish = wish_for(wishes, header.at[i], arena);

        out[i] = wish ? fan_bytes_dup(fan_json_text(wish), arena) : FAN_NO_BYTES;
        if (out[i].len && is_taken(out, i, out[i]))
            return fan_fail_field(why, FAN_INVALID, "mapping", "two columns go to %.*s",
                    FAN_BYTES_ARG(out[i]));
    }
    return FAN_OK;
}

/* The columns without a wish; the first of a spelling gets the field, others become attributes. */
static void map_rest(struct fan_texts header, struct fan_arena *arena, struct fan_bytes *out)
{
    for (size_t i = 0; i < header.len; i++) {
        struct fan_bytes field = out[i].at ? out[i] : alias_of(header.at[i], arena);

        if (out[i].at)
            continue;
        if (!field.at || is_taken(out, header.len, field))
            field = attribute_of(header.at[i], i, arena);
        if (is_taken(out, header.len, field))
            field = fan_bytes_of(fan_arena_printf(arena, "column_%zu", i + 1));
        out[i] = field;
    }
}

static bool reaches_somebody(const struct fan_bytes *out, size_t count)
{
    return is_taken(out, count, FAN_LIT("phone")) || is_taken(out, count, FAN_LIT("email")) ||
            is_taken(out, count, FAN_LIT("external_id"));
}

static enum fan_err nobody_reached(struct fan_bytes first, struct fan_why *why)
{
    int shown = (int)(first.len < HEADER_SHOWN ? first.len : HEADER_SHOWN);

    return fan_fail_field(why, FAN_INVALID, "header",
            "no column is known as a phone, an e-mail address or an external id (the first one is "
            "\"%.*s\"); say which one is with mapping, such as {\"Mobile no.\": \"phone\"}",
            shown, first.at);
}

enum fan_err mapping_make(struct fan_texts header, const struct fan_json *wishes,
        struct fan_arena *arena, struct mapping *out, struct fan_why *why)
{
    struct fan_bytes *mapped = fan_arena_array(arena, header.len, sizeof *mapped);
    struct fan_bytes *attributes = fan_arena_array(arena, header.len, sizeof *attributes);
    size_t count = 0;
    enum fan_err err = check_wishes(wishes, header, why);

    if (!err)
        err = map_wishes(header, wishes, arena, mapped, why);
    if (err)
        return err;
    map_rest(header, arena, mapped);
    if (!reaches_somebody(mapped, header.len))
        return nobody_reached(header.len ? header.at[0] : FAN_NO_BYTES, why);
    for (size_t i = 0; i < header.len; i++)
        if (mapped[i].len && !is_field(mapped[i]))
            attributes[count++] = mapped[i];
    *out = (struct mapping){
        .header = header,
        .fields = { .at = mapped, .len = header.len },
        .attributes = { .at = attributes, .len = count },
    };
    return FAN_OK;
}
