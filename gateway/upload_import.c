#include "gateway/upload_inside.h"

#include "gateway/mapping.h"
#include "sql/store/campaign.h"
#include "sql/store/contact.h"
#include "sql/store/import.h"
#include "sql/store/tag.h"

struct header {
    struct fan_arena *arena;
    struct fan_texts columns;
    const char *error;
};

static bool keep_header(void *context, const struct fan_csv_record *record)
{
    struct header *header = context;
    struct fan_bytes *columns = fan_arena_array(header->arena, record->count, sizeof *columns);

    for (size_t i = 0; i < record->count; i++)
        columns[i] = fan_bytes_dup(fan_bytes_trim(record->fields[i]), header->arena);
    header->columns = (struct fan_texts){ .at = columns, .len = record->count };
    header->error =
            record->error ? fan_bytes_cstr(fan_bytes_of(record->error), header->arena) : NULL;
    return true;
}

static enum fan_err read_header(struct upload *upload, struct header *header)
{
    struct fan_csv *csv = fan_csv_new(upload->block->delimiter, keep_header, header);
    enum fan_err err = fan_csv_feed(csv, upload->block->header, upload->call->why);

    if (!err)
        err = fan_csv_end(csv, upload->call->why);
    fan_csv_free(&csv);
    if (err || header->error || header->columns.len == 0)
        return call_refuse(upload->call, 400, "the header cannot be read: %s",
                err                     ? upload->call->why->text
                        : header->error ? header->error
                                        : "it is empty");
    return FAN_OK;
}

/* People who come for a campaign get a tag of its own, which its audience then has. */
static enum fan_err feed_campaign(struct upload *upload, struct fan_ids *tags)
{
    struct call *call = upload->call;
    fan_id account = call->caller.account;
    fan_id *all = fan_arena_array(call->arena, tags->len + 1, sizeof *all);
    struct fan_bytes name = fan_bytes_of(fan_arena_printf(call->arena, "campaign:%lld",
            (long long)upload->campaign));
    struct fan_ids own;
    enum fan_err err;

    if (!upload->campaign)
        return FAN_OK;
    err = fan_tags_ensure(call->db, account, (struct fan_texts){ .at = &name, .len = 1 },
            call->arena, &own, call->why);
    if (err)
        return err;
    if (tags->len)
        memcpy(all, tags->at, tags->len * sizeof *all);
    all[tags->len] = own.at[0];
    *tags = (struct fan_ids){ .at = all, .len = tags->len + 1 };
    return fan_campaign_feed(call->db, account, upload->campaign, own.at[0], call->arena,
            call->why);
}

static enum fan_err default_country(struct upload *upload, struct fan_bytes *out)
{
    struct call *call = upload->call;
    struct fan_account account;
    enum fan_err err;

    *out = upload->default_country;
    if (out->len)
        return FAN_OK;
    err = fan_account_get(call->db, call->caller.account, call->arena, &account, call->why);
    if (!err)
        *out = account.default_country;
    return err;
}

static enum fan_err insert_import(struct upload *upload, const struct mapping *mapping,
        struct fan_ids tags, fan_id *id)
{
    struct call *call = upload->call;
    struct fan_import import = {
        .file_name = upload->file_name,
        .source = upload->source.len ? upload->source : FAN_LIT("import"),
        .delimiter = { .at = &upload->block->delimiter, .len = 1 },
        .header = mapping->header,
        .mapping = mapping->fields,
        .tags = tags,
        .campaign = upload->campaign,
    };
    enum fan_err err = default_country(upload, &import.default_country);

    if (err)
        return err;
    return fan_import_insert(call->db, call->caller.account, &import, call->arena, id, call->why);
}

enum fan_err upload_begin_import(struct upload *upload, fan_id *id)
{
    struct call *call = upload->call;
    fan_id account = call->caller.account;
    struct header header = { .arena = call->arena };
    struct fan_ids tags = { .len = 0 };
    struct mapping mapping;
    enum fan_err err = read_header(upload, &header);

    if (err)
        return err;
    if (mapping_make(header.columns, upload->wishes, call->arena, &mapping, call->why)) {
        call_fault(call, call->why->field, "", "%s", call->why->text);
        return call_check(call);
    }
    if (mapping.attributes.len)
        err = fan_attributes_declare(call->db, account, mapping.attributes, call->arena, call->why);
    if (!err && upload->tag_names.len)
        err = fan_tags_ensure(call->db, account, upload->tag_names, call->arena, &tags, call->why);
    if (!err)
        err = feed_campaign(upload, &tags);
    return err ? err : insert_import(upload, &mapping, tags, id);
}
