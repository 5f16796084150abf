/* One position's neurons and what they promote, in pieces. */
#include "view/cache_parts.h"

void mlp_cache_release(struct mlp_cache *m)
{
    neuron_row_release(&m->row);
    neuron_tokens_free(m->tokens);
    m->tokens = NULL;
}

const struct neuron_row *cache_neurons(struct view_cache *c, const struct session *s,
                                       struct err *err)
{
    struct neuron_row *row = &c->mlp.row;

    do
        if (!neuron_row_step(row, s, s->at.layer, s->at.query, err))
            return NULL;
    while (!row->ready && !cache_late(c));
    return row;
}

const struct neuron_tokens *cache_neuron_tokens(struct view_cache *c, const struct session *s,
                                                int layer, const int *neuron, int n)
{
    if (!c->mlp.tokens)
        c->mlp.tokens = neuron_tokens_new();
    neuron_tokens_want(c->mlp.tokens, s, layer, neuron, n);
    while (!cache_late(c) && neuron_tokens_step(c->mlp.tokens, s))
        ;
    return c->mlp.tokens;
}
