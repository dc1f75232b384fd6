/*
 * variant — a campaign's content in several variants, of which each recipient gets one, and always
 * the same.
 *
 *   {"variants":[{"name":"A","weight":1,"content":{"text":…}},{"name":"B","weight":3,…}]}
 *
 * A content without "variants" is one of no name. Faults name the variant: "variants[1].message".
 */
#ifndef FAN_ACTORS_LIB_TEXT_VARIANT_H
#define FAN_ACTORS_LIB_TEXT_VARIANT_H

#include "actors/lib/text/choice.h"

enum { FAN_VARIANTS_LEAST = 2, FAN_VARIANTS_MOST = 5, FAN_WEIGHT_MOST = 1000 };

struct fan_variant {
    struct fan_bytes name;
    const struct fan_choice *choice;
};

struct fan_variants {
    struct fan_variant at[FAN_VARIANTS_MOST]; /* at[len] */
    int64_t weights[FAN_VARIANTS_MOST];
    size_t len; /* 1: the content has no variants */
};

/** Compile a content. Fails as fan_choice_compile does, also for "variants". */
enum fan_err fan_variants_compile(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_variants **out, struct fan_why *why) FAN_MUST_CHECK;

/** Everything that is wrong with a content, as fan_template_check tells it. */
size_t fan_variants_check(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena, struct fan_why *faults);

/**
 * Which variant a recipient gets, from 1; 0 when there are no weights.
 *
 * It depends on nothing but these numbers, so that whoever asks, and how often, gets the same. Of
 * many recipients each variant gets its weight's part.
 */
uint32_t fan_variant_of(fan_id campaign, fan_id contact, struct fan_ids weights);

/** What variant number @variant says; 0, or a number that there is not, is the first. */
const struct fan_choice *fan_variants_choice(const struct fan_variants *variants, uint32_t variant);

#endif
