#include "actors/providers/provider.h"

const struct fan_provider *fan_provider_find(enum fan_kind kind, struct fan_bytes name)
{
    for (const struct fan_provider *const *each = fan_providers; *each; each++)
        if ((*each)->kind == kind && fan_bytes_eq_text(name, (*each)->name))
            return *each;
    return NULL;
}
