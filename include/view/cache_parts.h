/*
 * Inside the cache of the views: for cache.c and cache_*.c only.
 */
#ifndef GPTSCOPE_VIEW_CACHE_PARTS_H
#define GPTSCOPE_VIEW_CACHE_PARTS_H

#include "view/cache.h"

struct heads_cache {
    struct heads_summary sum;
    int *ready; /* [n_layer] queries that the layer's rows were made from */
    uint64_t key;
};
void heads_cache_release(struct heads_cache *h);

struct mlp_cache {
    struct neuron_row row;
    struct neuron_tokens *tokens; /* NULL before the first question */
};
void mlp_cache_release(struct mlp_cache *m);

struct view_cache {
    double deadline; /* by clock_measure; 0: none */
    bool stopped;    /* cache_late said so */
    struct attn_grid grid;
    const struct run *grid_run;
    struct heads_cache heads;
    struct mlp_cache mlp;
    struct sample_trace next;
    struct sampler next_sampler;
    const struct run *next_run;
    uint64_t next_version;
    bool next_made;
};

#endif
