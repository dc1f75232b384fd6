/*
 * import_json — an import as JSON.
 */
#ifndef FAN_GATEWAY_IMPORT_JSON_H
#define FAN_GATEWAY_IMPORT_JSON_H

#include "gateway/call.h"
#include "sql/store/import.h"

void import_write(struct fan_json_writer *json, const struct fan_import *import);

/** Answer the call with an import. */
enum fan_err import_answer(struct call *call, fan_id id);

#endif
