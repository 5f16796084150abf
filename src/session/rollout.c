#include "session/rollout.h"

#include "base/mem.h"
#include "session/reading.h"

#include <stdlib.h>
#include <string.h>

/* The row above and the row below one layer. */
struct step {
    const double *above;
    double *below;
};

static bool add_block(const struct pattern_block *b, void *arg, struct err *err)
{
    const struct step *step = arg;

    (void) err;
    for (int q = b->first; q < b->first + b->count; q++) {
        double share = 0.5 * step->above[q] / b->n_head;
        step->below[q] += 0.5 * step->above[q];
        for (int head = 0; share != 0 && head < b->n_head; head++) {
            const float *p = pattern_row(b, head, q);
            for (int k = 0; k < pattern_keys(b, q); k++)
                step->below[k] += share * (double) p[k];
        }
    }
    return true;
}

int rollout_tokens(const struct session *s, int pos)
{
    return run_seen(s->run, -1, pos);
}

bool rollout(const struct session *s, int pos, int last, double *weight, struct err *err)
{
    if (!reading_ready(s, program_value(s->program, last, "attn.pattern"), pos, err))
        return false;
    int end = rollout_tokens(s, pos);
    size_t n = (size_t) end;
    double *above = xcalloc(n, sizeof *above);
    bool ok = true;

    memset(weight, 0, n * sizeof *weight);
    weight[pos] = 1;
    for (int layer = last; ok && layer >= 0; layer--) {
        struct step step = {above, weight};
        int first = layer == last ? pos : 0; /* all others have no weight yet */
        int count = layer == last ? 1 : end;
        memcpy(above, weight, n * sizeof *above);
        memset(weight, 0, n * sizeof *weight);
        ok = pattern_walk(s->run, layer, first, count, add_block, &step, err);
    }
    free(above);
    return ok;
}
