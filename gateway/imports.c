/* Imports, and what was wrong with their rows. upload.c receives them. */
#include "gateway/csv_cell.h"
#include "gateway/import_json.h"

#include <stdio.h>

static void write_columns(struct fan_json_writer *json, const struct fan_import *import)
{
    fan_json_array_open(json, "columns");
    for (size_t i = 0; i < import->header.len; i++) {
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "header", import->header.at[i]);
        fan_json_add_text(json, "field",
                i < import->mapping.len ? import->mapping.at[i] : FAN_LIT(""));
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
    fan_json_array_open(json, "tags");
    for (size_t i = 0; i < import->tag_names.len; i++)
        fan_json_add_text(json, NULL, import->tag_names.at[i]);
    fan_json_array_close(json);
}

void import_write(struct fan_json_writer *json, const struct fan_import *import)
{
    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "id", import->id);
    fan_json_add_text(json, "status", fan_bytes_of(fan_import_state_name((int)import->state)));
    fan_json_add_text(json, "reason", import->reason);
    fan_json_add_text(json, "filename", import->file_name);
    fan_json_add_text(json, "source", import->source);
    fan_json_add_text(json, "default_country", import->default_country);
    fan_json_add_text(json, "delimiter", import->delimiter);
    if (import->campaign)
        fan_json_add_i64(json, "campaign_id", import->campaign);
    else
        fan_json_add_null(json, "campaign_id");
    write_columns(json, import);
    fan_json_add_i64(json, "bytes", import->bytes);
    fan_json_add_i64(json, "blocks", import->blocks);
    fan_json_add_i64(json, "blocks_done", import->next_block);
    fan_json_add_i64(json, "rows", import->rows);
    fan_json_add_i64(json, "created", import->created);
    fan_json_add_i64(json, "updated", import->updated);
    fan_json_add_i64(json, "rejected", import->rejected);
    fan_json_add_i64(json, "warnings", import->warnings);
    fan_json_add_time(json, "created_at", import->created_at);
    fan_json_add_time(json, "ended_at", import->ended_at);
    fan_json_object_close(json);
}

enum fan_err import_answer(struct call *call, fan_id id)
{
    struct fan_import import;
    enum fan_err err =
            fan_import_get(call->db, call->caller.account, id, call->arena, &import, call->why);

    if (!err)
        import_write(&call->json, &import);
    return err;
}

enum fan_err get_import(struct call *call)
{
    return import_answer(call, call->ids[0]);
}

enum fan_err list_imports(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    struct fan_import_list list;
    int64_t total;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_import_count(call->db, call->caller.account, call->arena, &total, call->why);
    if (!err)
        err = fan_import_page(call->db, call->caller.account, part, call->arena, &list, call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < list.len; i++)
        import_write(&call->json, &list.at[i]);
    call_close_list(call, page, total);
    return FAN_OK;
}

/* ---- errors as a file ---- */

enum { ERRORS_PAGES = 20 }; /* of FAN_IMPORT_ERRORS_PAGE rows */

static void add_error(struct fan_buffer *out, const struct fan_import_error *error)
{
    fan_buffer_printf(out, "%lld,", (long long)error->line);
    csv_cell_add(out, error->field);
    fan_buffer_add_text(out, error->warning ? ",warning," : ",error,");
    csv_cell_add(out, error->reason);
    fan_buffer_add_char(out, ',');
    csv_cell_add(out, error->record);
    fan_buffer_add_text(out, "\r\n");
}

/* Write errors behind @last until the file's bound; more: out, whether some are left. */
static enum fan_err add_errors(struct call *call, struct fan_import_error *last, bool *more)
{
    enum fan_err err = FAN_OK;

    *more = true;
    for (int i = 0; !err && *more && i < ERRORS_PAGES; i++) {
        struct fan_import_errors page;

        err = fan_import_errors_after(call->db, call->caller.account, call->ids[0], last->line,
                last->field, call->arena, &page, call->why);
        if (err)
            break;
        for (size_t k = 0; k < page.len; k++)
            add_error(&call->reply, &page.at[k]);
        *more = page.len == FAN_IMPORT_ERRORS_PAGE;
        if (page.len)
            *last = page.at[page.len - 1];
    }
    return err;
}

enum fan_err get_import_errors(struct call *call)
{
    struct fan_import_error last = { .field = FAN_LIT("") };
    struct fan_import import;
    char next[256];
    bool more;
    enum fan_err err = fan_import_get(call->db, call->caller.account, call->ids[0], call->arena,
            &import, call->why);

    last.line = call_query_i64(call, "after_line", 0, FAN_ID_MAX, 0);
    if (fan_http_query(call->request, "after_field").at)
        last.field = fan_http_query(call->request, "after_field");
    if (!err)
        err = call_check(call);
    if (err)
        return err;
    call->type = "text/csv; charset=utf-8";
    fan_buffer_add_text(&call->reply, "line,field,severity,reason,record\r\n");
    err = add_errors(call, &last, &more);
    snprintf(next, sizeof next,
            "</api/v1/imports/%lld/errors.csv?after_line=%lld&after_field=%.*s>; rel=\"next\"",
            (long long)import.id, (long long)last.line, FAN_BYTES_ARG(last.field));
    if (!err && more)
        fan_http_add_header(call->request, "Link", next);
    return err;
}
