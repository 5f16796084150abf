/* The cases of all exercises. */
#include "session/exercise_case.h"

extern const struct exercise_checks checks_mlp, checks_block, checks_attention, checks_model,
    checks_rope, checks_cache, checks_gqa, checks_swiglu, checks_sampling;

const struct exercise_checks *const exercise_checks[] = {
    &checks_mlp,   &checks_block, &checks_attention, &checks_model,    &checks_rope,
    &checks_cache, &checks_gqa,   &checks_swiglu,    &checks_sampling, NULL,
};
