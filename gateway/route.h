/*
 * route — from a method and a path to the handler that answers.
 */
#ifndef FAN_GATEWAY_ROUTE_H
#define FAN_GATEWAY_ROUTE_H

#include "proto/bytes.h"
#include "proto/err.h"

struct call;

/** Answer @call. What it wrote and emitted counts only when it returns FAN_OK. */
typedef enum fan_err route_handler(struct call *call);

/* What a caller may do; bits. */
enum route_may {
    MAY_ANYBODY = 0, /* without a key */
    MAY_READ = 1,
    MAY_CONTACTS = 2,
    MAY_CAMPAIGNS = 4,
    MAY_SETUP = 8,
    MAY_OPERATE = 16, /* what concerns all accounts; of the operator's account alone */
};

/** What a user of that role may do. */
int route_may_of_role(struct fan_bytes role);

enum route_body { ROUTE_NO_BODY, ROUTE_MAYBE_BODY, ROUTE_BODY, ROUTE_CSV };

enum { ROUTE_IDS = 2 };

struct route {
    const char *method; /* NULL ends the table */
    const char *pattern;
    const char *operation;
    enum route_may may;
    enum route_body body;
    route_handler *handler;
};

extern const struct route routes[];

/**
 * Find the route of a request.
 *
 * ids      out: what stands for each {name} in the pattern, ids[ROUTE_IDS]
 * allowed  out, when there is none: the methods that the path has, "" when there is no such path
 */
const struct route *route_find(struct fan_bytes method, struct fan_bytes path, fan_id *ids,
        char allowed[64]);

/* The handlers, by operation. */
#define ROUTE(method, pattern, operation, may, body) route_handler operation;
#include "gateway/routes.def"
#undef ROUTE

#endif
