/*
 * upload_inside — an upload under way. Private to upload*.c: upload.c receives it, upload_query.c
 * reads what the request says besides its body, upload_import.c turns the header into an import.
 */
#ifndef FAN_GATEWAY_UPLOAD_INSIDE_H
#define FAN_GATEWAY_UPLOAD_INSIDE_H

#include "gateway/call.h"

#include "actors/lib/person/csv.h"

struct upload {
    struct call *call; /* lives in the request's arena, like all texts here */
    struct fan_csv_splitter *splitter;
    struct fan_bytes file_name, source, default_country;
    struct fan_texts tag_names;
    const struct fan_json *wishes;
    fan_id campaign;
    fan_id import; /* 0: the header has not come yet */
    fan_id making; /* the import that the turn under way makes */
    int32_t blocks;
    int64_t bytes;
    /* the block that a turn is about */
    const struct fan_csv_block *block;
};

/** Read type and query of the request. fails FAN_DENIED, with the problem set */
enum fan_err upload_read_query(struct upload *upload);

/** Make the import from the header of upload->block, in the call's turn. id: out */
enum fan_err upload_begin_import(struct upload *upload, fan_id *id);

#endif
