/*
 * What a pass costs, counted in multiplications of two numbers; norms, rotations, activations
 * and the softmax are left out.
 */
#ifndef GPTSCOPE_SESSION_COST_H
#define GPTSCOPE_SESSION_COST_H

#include "engine/program.h"

struct cost {
    double linear;    /* n_new * the weights of the blocks' matrices */
    double attention; /* q.k and pattern.v: 2 * n_head * d_head * (p + 1) a layer, summed over
                         the positions p = n_past .. n_past + n_new - 1: what the mask hides is
                         not counted */
    double head;      /* d_model * n_vocab, once: only the last position goes there */
    double total;
};
/*
 * A pass of n_new tokens (>= 1) after n_past cached ones. The weights of a block's matrices:
 *
 *     2 d_model n_head d_head + 2 d_model n_kv_head d_head + (gated ? 3 : 2) d_model d_mlp
 *
 * Without a cache the same tokens cost what cost_of(p, 0, n_past + n_new) says.
 */
struct cost cost_of(const struct program *p, int n_past, int n_new);

#endif
