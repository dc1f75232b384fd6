/*
 * upload — a contact list on its way in: cut into blocks that are rows before the next part is
 * read.
 *
 * So memory is bounded by a block and a part, and a slow database slows the client down. What was
 * received stays when the client goes away in the middle; the import then says that it failed.
 */
#ifndef FAN_GATEWAY_UPLOAD_H
#define FAN_GATEWAY_UPLOAD_H

#include "broker/runtime/http_server.h"

/** For fan_http_server_parts; the context is the gateway. */
bool upload_head(void *context, struct fan_http_request *request, void **part_context);
bool upload_part(void *part_context, struct fan_http_request *request, struct fan_bytes part,
        bool last);

#endif
