#include "session/cost.h"

/* Floats that the op reads of one position times those it makes: its weights. */
static double weights(const struct program *p, const struct op *op)
{
    return (double) program_width(p, op->in[0]) * (double) program_width(p, op->out[0]);
}

struct cost cost_of(const struct program *p, int n_past, int n_new)
{
    struct cost cost = {0};
    /* keys seen: the sum of p + 1 */
    double keys = (double) n_new * (n_past + (n_new + 1) / 2.0);

    for (int i = 0; i < p->n_steps; i++) {
        const struct op *op = &p->op[i];
        if (op->code == OP_LINEAR && op->last_row)
            cost.head += weights(p, op);
        else if (op->code == OP_LINEAR)
            cost.linear += n_new * weights(p, op);
        else if (op->code == OP_SCORES || op->code == OP_MIX)
            cost.attention += keys * p->hp.n_head * p->hp.d_head;
    }
    cost.total = cost.linear + cost.attention + cost.head;
    return cost;
}
