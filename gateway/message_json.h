/*
 * message_json — a message as the API shows it.
 */
#ifndef FAN_GATEWAY_MESSAGE_JSON_H
#define FAN_GATEWAY_MESSAGE_JSON_H

#include "gateway/call.h"
#include "sql/store/report.h"

/** Write a message's members into the open object. */
void message_write(struct call *call, const struct fan_report_message *message);

#endif
