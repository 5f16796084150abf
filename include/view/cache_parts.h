/*
 * Inside the cache of the views: for the files src/view/cache*.c only.
 */
#ifndef GPTSCOPE_VIEW_CACHE_PARTS_H
#define GPTSCOPE_VIEW_CACHE_PARTS_H

#include "view/cache.h"
#include "view/view.h"

/* What was computed when a summary was made; says from which position on it has changed. */
struct seen_tokens {
    const struct run *run;
    uint64_t generation;
    uint64_t *stamp;
    int n, cap;
};
/* Takes the run's tokens over. Returns how many positions, from the first on, are as they were;
 * 0 for another run or model. */
int seen_update(struct seen_tokens *t, const struct session *s);
bool seen_same_run(const struct seen_tokens *t, const struct session *s);

/* --- the map of one head --- */

struct grid_cache {
    struct attn_grid g;
    struct seen_tokens seen;
    /* what it was made for */
    bool made, hide_sink, causal;
    int layer, head;
    enum stage stage;
    struct attn_want want;
    int cols_done; /* stages that see all keys: keys in the rows that are done */
    bool changed;  /* the limit is older than the pixels */
};
void grid_cache_release(struct grid_cache *c);

/* --- heads --- */

struct layer_rows {
    int lo, hi;                       /* queries [lo, hi) are counted */
    int ready;                        /* those that are computed */
    bool recount;                     /* rows were taken away: the tallies are made anew */
    bool changed;                     /* the summary is older than the tallies */
    int thumb_row;                    /* cells from this row on are newer than the thumbnails */
    int thumb_q, thumb_k, thumb_side; /* cells that the thumbnails were made of */
};

/*
 * Patterns pooled to at most CELLS x CELLS, from which thumbnails of any size are made. A cell
 * stands for fine_q queries by fine_k keys, both powers of two: when the text grows, cells are
 * put together in pairs. Rows of cells are kept in a ring, for windows that slide.
 */
enum { HEAD_CELLS = 64, HEAD_RING = HEAD_CELLS + 2 };

struct heads_cache {
    struct heads_summary sum;
    struct seen_tokens seen;
    int *same;  /* [seen.cap] where the same token was before, or -1 */
    int window; /* most queries counted; places in a head's ring of rows */
    int fine_q, fine_k;
    struct layer_rows *layer; /* [n_layer] */
    struct head_row *row;     /* [n_layer, n_head, window], query % window */
    struct head_tally *tally; /* [n_layer, n_head] */
    float *cell;              /* [n_layer, n_head, HEAD_RING, HEAD_CELLS] */
    float *p;                 /* weights being read */
    size_t n_p;
};
void heads_cache_release(struct heads_cache *h);

struct mlp_cache {
    struct neuron_row row;
    struct neuron_tokens *tokens; /* NULL before the first question */
};
void mlp_cache_release(struct mlp_cache *m);
/* cache_thumbs.c */
void thumbs_fit(struct heads_cache *h, int n); /* cells for n tokens */
void thumbs_add(struct heads_cache *h, int layer, int head, int query, const float *p);
void thumbs_forget(struct heads_cache *h, int layer, int begin, int end); /* whole cells */
void thumbs_make(struct heads_cache *h, int layer);

struct kv_cache {
    struct kv_side *side; /* [n_layer, 2] */
    int n;
    uint64_t generation;
};
void kv_cache_release(struct kv_cache *k);

struct tensor_cache {
    struct tensor_summary sum;
    uint64_t key;   /* of what the counted rows depend on */
    float min, max; /* the ends of the histogram */
    float *window;
    uint64_t window_key;
    int window_ready;
    float cell;
    uint64_t cell_key;
};
void tensor_cache_release(struct tensor_cache *t);
struct compare_cache;                             /* cache_compare.c */
void compare_cache_free(struct compare_cache *k); /* NULL is fine */

struct worked_cache {
    struct worked worked;
    bool made, hide_sink;
    uint64_t version;
    const struct run *run;
    const struct program *program;
};
void worked_cache_release(struct worked_cache *w);

struct view_cache {
    double deadline; /* by clock_measure; 0: none */
    bool stopped;    /* cache_late said so */
    bool goes_on;    /* this drawing goes on with one that was stopped */
    struct {
        bool drawn;
        int least, most;
    } scroll[VIEW_MAX];
    struct grid_cache grid;
    struct heads_cache heads;
    struct mlp_cache mlp;
    struct tensor_cache tensor;
    struct worked_cache worked;
    struct compare_cache *compare; /* NULL before there was a comparison */
    struct kv_cache kv;
    struct sample_trace next;
    struct sampler next_sampler;
    uint64_t next_generation; /* the session's */
    uint64_t next_stamp;      /* run_stamp of next_at */
    int next_at;              /* the candidates follow this position */
    bool next_made;
    struct lens *lens;
    double lens_deadline; /* of the last drawing that did a piece of the lens */
};

#endif
