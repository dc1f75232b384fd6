/* Contacts, one at a time. */
#include "gateway/body.h"
#include "gateway/mapping.h"

#include "actors/lib/person/email.h"
#include "actors/lib/person/phone.h"
#include "sql/store/contact.h"
#include "sql/store/tag.h"

static void write_tags(struct fan_json_writer *json, struct fan_texts tags)
{
    fan_json_array_open(json, "tags");
    for (size_t i = 0; i < tags.len; i++)
        fan_json_add_text(json, NULL, tags.at[i]);
    fan_json_array_close(json);
}

static void write_contact(struct fan_json_writer *json, const struct fan_contact *contact)
{
    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "id", contact->id);
    fan_json_add_text(json, "external_id", contact->external_id);
    fan_json_add_text(json, "phone", contact->phone);
    fan_json_add_text(json, "email", contact->email);
    fan_json_add_text(json, "first_name", contact->first_name);
    fan_json_add_text(json, "last_name", contact->last_name);
    fan_json_add_text(json, "company", contact->company);
    fan_json_add_text(json, "country", contact->country);
    fan_json_add_text(json, "language", contact->language);
    fan_json_add_text(json, "time_zone", contact->time_zone);
    fan_json_add_raw(json, "attributes", contact->attributes);
    write_tags(json, contact->tags);
    fan_json_add_text(json, "source", contact->source);
    fan_json_add_time(json, "created_at", contact->created_at);
    fan_json_add_time(json, "updated_at", contact->updated_at);
    fan_json_object_close(json);
}

enum fan_err get_contact(struct call *call)
{
    struct fan_contact contact;
    enum fan_err err = fan_contact_get(call->db, call->caller.account, call->ids[0], call->arena,
            &contact, call->why);

    if (!err)
        write_contact(&call->json, &contact);
    return err;
}

/* ---- the list ---- */

static enum fan_err read_filter(struct call *call, struct fan_contact_filter *filter, bool *nobody)
{
    struct fan_bytes tag = fan_http_query(call->request, "tag");
    struct fan_bytes exact = fan_bytes_trim(fan_http_query(call->request, "search"));
    struct fan_ids ids;
    enum fan_err err;

    *filter = (struct fan_contact_filter){ .tag = 0 };
    if (exact.len && fan_email_normalise(exact, call->arena, &filter->exact, NULL))
        filter->exact = exact;
    if (!tag.len)
        return FAN_OK;
    if (exact.len)
        call_fault(call, "search", "", "not together with tag");
    err = fan_tags_find(call->db, call->caller.account, (struct fan_texts){ .at = &tag, .len = 1 },
            call->arena, &ids, call->why);
    filter->tag = err ? 0 : ids.at[0];
    *nobody = !filter->tag;
    return err;
}

enum fan_err list_contacts(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    struct fan_contact_list list = { .len = 0 };
    struct fan_contact_filter filter;
    int64_t total = 0;
    bool nobody = false;
    enum fan_err err = read_filter(call, &filter, &nobody);

    if (!err)
        err = call_check(call);
    if (!err && !nobody)
        err = fan_contact_count(call->db, call->caller.account, &filter, call->arena, &total,
                call->why);
    if (!err && total > part.offset)
        err = fan_contact_page(call->db, call->caller.account, &filter, part, call->arena, &list,
                call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < list.len; i++)
        write_contact(&call->json, &list.at[i]);
    call_close_list(call, page, total);
    return FAN_OK;
}

/* ---- writing one ---- */

/* The country that a number without a country code belongs to. */
static enum fan_err country_of(struct call *call, const struct fan_contact *contact,
        const char **out)
{
    struct fan_account account;
    enum fan_err err;

    *out = fan_bytes_cstr(contact->country, call->arena);
    if (contact->country.len == 2 && fan_phone_country(*out))
        return FAN_OK;
    err = fan_account_get(call->db, call->caller.account, call->arena, &account, call->why);
    *out = err ? "" : fan_bytes_cstr(account.default_country, call->arena);
    return err;
}

static enum fan_err read_addresses(struct body *body, struct fan_contact *contact)
{
    struct call *call = body->call;
    struct fan_bytes phone = body_text(body, "phone", 64), email = body_text(body, "email", 320);
    const char *country = "";
    struct fan_phone number;
    struct fan_why why;
    enum fan_err err = phone.at ? country_of(call, contact, &country) : FAN_OK;

    if (err)
        return err;
    if (phone.at && fan_phone_normalise(phone, country, &number, &why))
        body_fault(body, "phone", "a number with its country code, such as +14155552671", why.text);
    else if (phone.at)
        contact->phone = fan_bytes_dup(fan_bytes_of(number.e164), call->arena);
    if (email.at && fan_email_normalise(email, call->arena, &contact->email, &why))
        body_fault(body, "email", "an address such as anna@example.com", why.text);
    if (!phone.at && !email.at && !contact->external_id.at)
        body_fault(body, "phone", "phone, email or external_id", "nothing tells who this is");
    return FAN_OK;
}

/* Attributes are texts, numbers and truth values; their names are declared as they come. */
static void read_attributes(struct body *body, struct fan_contact *contact, struct fan_texts *names)
{
    const struct fan_json *object = body_value(body, "attributes"), *value;
    struct fan_bytes *list, name;
    struct fan_buffer text;
    size_t cursor = 0;

    if (!object)
        return;
    if (fan_json_type(object) != FAN_JSON_OBJECT || fan_json_size(object) > 200) {
        body_fault(body, "attributes", "an object of up to 200 members", "not such an object");
        return;
    }
    names->at = list = fan_arena_array(body->call->arena, fan_json_size(object), sizeof *list);
    while (fan_json_next(object, &cursor, &name, &value)) {
        if (!mapping_is_attribute(name))
            body_fault(body, "attributes", "names of lower-case letters, digits and _",
                    "a name is not right, or a field's own");
        if (fan_json_type(value) == FAN_JSON_ARRAY || fan_json_type(value) == FAN_JSON_OBJECT)
            body_fault(body, "attributes", "texts, numbers, true or false",
                    "a value is a list or an object");
        list[names->len++] = name;
    }
    fan_buffer_init(&text, 1024 * 1024);
    fan_json_dump(object, &text);
    contact->attributes = fan_bytes_dup(fan_buffer_bytes(&text), body->call->arena);
    fan_buffer_fini(&text);
}

static enum fan_err read_contact(struct call *call, struct fan_contact *contact,
        struct fan_texts *attributes, struct fan_texts *tags)
{
    struct body body;
    enum fan_err err;

    body_begin(&body, call, call->body, "");
    *contact = (struct fan_contact){
        .external_id = body_text(&body, "external_id", 200),
        .first_name = body_text(&body, "first_name", 200),
        .last_name = body_text(&body, "last_name", 200),
        .company = body_text(&body, "company", 200),
        .country = body_text(&body, "country", 100),
        .language = body_text(&body, "language", 35),
        .time_zone = body_text(&body, "time_zone", 64),
        .source = body_text(&body, "source", 200),
    };
    err = read_addresses(&body, contact);
    if (err)
        return err;
    read_attributes(&body, contact, attributes);
    body_texts(&body, "tags", 100, tags);
    body_end(&body);
    return call_check(call);
}

enum fan_err put_contact(struct call *call)
{
    fan_id account = call->caller.account, id = 0;
    struct fan_texts attributes = { .len = 0 }, tags = { .len = 0 };
    struct fan_ids tag_ids = { .len = 0 };
    struct fan_contact contact;
    bool created = false;
    enum fan_err err = read_contact(call, &contact, &attributes, &tags);

    if (!err && attributes.len)
        err = fan_attributes_declare(call->db, account, attributes, call->arena, call->why);
    if (!err && tags.len)
        err = fan_tags_ensure(call->db, account, tags, call->arena, &tag_ids, call->why);
    if (!err)
        err = fan_contact_put(call->db, account, &contact, tag_ids, call->arena, &id, &created,
                call->why);
    if (!err)
        err = fan_contact_get(call->db, account, id, call->arena, &contact, call->why);
    if (err)
        return err;
    call->status = created ? 201 : 200;
    call_locate(call, "contacts", id);
    write_contact(&call->json, &contact);
    return FAN_OK;
}
