/*
 * openapi — the text of openapi.json, compiled in by the build.
 */
#ifndef FAN_GATEWAY_OPENAPI_H
#define FAN_GATEWAY_OPENAPI_H

extern const char fan_openapi[];

#endif
