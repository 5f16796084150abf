/* The cases of all exercises. */
#include "session/exercise_case.h"

extern const struct exercise_checks checks_mlp, checks_attention;

const struct exercise_checks *const exercise_checks[] = {
    &checks_mlp,
    &checks_attention,
    NULL,
};
