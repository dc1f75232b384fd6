/*
 * media — what the API says of pictures, sounds and documents. media_upload.c receives them.
 */
#ifndef FAN_GATEWAY_MEDIA_H
#define FAN_GATEWAY_MEDIA_H

#include "actors/lib/media/media.h"
#include "gateway/call.h"
#include "sql/store/media.h"

/** Answer with one, in a turn of the call. fails FAN_NOT_FOUND */
enum fan_err media_answer(struct call *call, fan_id id);

/** For fan_http_server_parts; the context is the gateway. */
bool media_head(void *context, struct fan_http_request *request, void **part_context);
bool media_part(void *part_context, struct fan_http_request *request, struct fan_bytes part,
        bool last);

/** Remove one, in turns of its own: the handler that asked for it has returned. */
void media_remove(struct call *call);

#endif
