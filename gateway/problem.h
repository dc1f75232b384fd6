/*
 * problem — why a request was not done, as RFC 9457 wants it told.
 */
#ifndef FAN_GATEWAY_PROBLEM_H
#define FAN_GATEWAY_PROBLEM_H

#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/err.h"

enum { PROBLEM_FAULTS = 50 };

#define PROBLEM_TYPE "application/problem+json"

/* What is wrong with one field of the input. */
struct problem_fault {
    const char *field;    /* "template.language", "audience.tags[2]" */
    const char *reason;   /* what is wrong */
    const char *expected; /* what would be right; may be "" */
};

struct problem {
    int status;         /* HTTP; 0: there is no problem */
    const char *detail; /* a sentence */
    struct problem_fault faults[PROBLEM_FAULTS];
    size_t faults_len;
    fan_id run; /* the run that is there already; 0: not said */
};

/** Note a fault; those over the bound are not told. Texts are borrowed. */
void problem_fault(struct problem *problem, const char *field, const char *reason,
        const char *expected);

/**
 * Turn what a store function said into a problem, copying its texts into @arena.
 *
 * What nobody foresaw becomes a 500 that tells nothing.
 */
void problem_of(struct problem *problem, enum fan_err err, const struct fan_why *why,
        struct fan_arena *arena);

/** Write the document. */
void problem_write(const struct problem *problem, const char *request_id, struct fan_buffer *out);

#endif
