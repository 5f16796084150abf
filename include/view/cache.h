/*
 * Summaries that views need and that are dear to make, kept from one drawing to the next as
 * long as nothing has changed (run_version, the settings they depend on). A screen owns one.
 */
#ifndef GPTSCOPE_VIEW_CACHE_H
#define GPTSCOPE_VIEW_CACHE_H

#include "engine/sample.h"
#include "session/heads.h"
#include "session/lens.h"
#include "session/neurons.h"
#include "session/session.h"
#include "session/sheet.h"
#include "session/worked.h"
#include "tensor/stats.h"

struct view_cache;

/*
 * A drawing must not take long, whatever there is to sum up. A summary that takes more than a
 * moment is made in pieces of about a millisecond: after each it asks cache_late, and if so
 * keeps what it has for the next drawing. Without a budget (the default) all is made at once.
 */
void cache_budget(struct view_cache *c, double seconds); /* from now on; <= 0: none */
bool cache_late(
    struct view_cache *c); /* the budget is used up: stop; another drawing follows */
/* The same before a piece that takes some milliseconds and cannot be cut: it waits for the
 * second drawing after a change, so that the first one comes at once. */
bool cache_late_for_much(struct view_cache *c);
bool cache_more(const struct view_cache *c); /* something was stopped since cache_budget */

/* The map of one head at one stage, pooled by the largest |x| to fit; or, as a window, a pixel
 * a value around the cursor. */
struct attn_grid {
    int rows, cols;       /* pixels: queries down; keys, or channels in STAGE_MIX, across */
    int pool_q, pool;     /* queries, keys a pixel: 1 is exact */
    int first_q, first_k; /* of the first pixel; 0 but in windows */
    int n_query;          /* tokens there are */
    int n_col;            /* keys or channels there are */
    int ready;            /* queries [0, ready) are computed */
    int done;             /* queries [first_q, done) are in the pixels */
    float *v;             /* [rows, cols]; NAN: masked, or hidden; rows to do are NAN */
    float *row_max;       /* [rows], of |v| */
    float limit;          /* 99th percentile of |v|, signed stages; 1 for the pattern */
    bool is_signed;
};
struct attn_want {
    int rows, cols; /* most pixels */
    bool window;    /* not pooled: from first_q, first_k on */
    int first_q, first_k;
};
/* Borrowed from the cache; NULL when the values cannot be read (err says why). */
const struct attn_grid *cache_attention(struct view_cache *c, const struct session *s,
                                        const struct attn_want *want, struct err *err);

/* What all heads do: session/heads.h, and a picture of each. */
#define THUMB_MAX 16
struct heads_summary {
    int n_layer, n_head;
    int n_query;               /* the last n_query queries are counted, when all is done */
    int done, want;            /* rows of all layers counted, and to be counted */
    int thumb;                 /* pixels a side of the thumbnails; 0: none */
    struct head_summary *head; /* [n_layer, n_head] */
    float *pixel;              /* [n_layer, n_head, thumb, thumb]; NAN: masked, or to do */
};
/* thumb: most pixels a side wanted. Layers that are not computed have head.ready false. Of long
 * texts only the last queries are counted; thumbnails show these queries by all keys. */
const struct heads_summary *cache_heads(struct view_cache *c, const struct session *s,
                                        int thumb, struct err *err);
/* The thumbnails' row that a query lies in, of a layer with `ready` queries; it may lie in
 * further ones below. */
int heads_thumb_row(const struct heads_summary *sum, int ready, int query);

/* The head with the clearest job, induction and duplicate-token heads first; false when none
 * has one but looking at the sink or at itself. */
bool heads_clearest(const struct heads_summary *sum, int *layer, int *head);

/* The candidates that follow session_candidates_at; NULL while those logits are not computed.
 */
const struct sample_trace *cache_next(struct view_cache *c, const struct session *s);

/* The neurons of the cursor's layer and position; not `ready` while it is late. NULL when they
 * are not computed yet (err says so). */
const struct neuron_row *cache_neurons(struct view_cache *c, const struct session *s,
                                       struct err *err);
/* What these neurons promote, as far as there is time; ask with neuron_tokens_find. */
const struct neuron_tokens *cache_neuron_tokens(struct view_cache *c, const struct session *s,
                                                int layer, const int *neuron, int n);
/* The logit lens of positions [first, first + count), as far as there was time; all: of every
 * point, otherwise of the final predictions only. err is set when something cannot be had. */
const struct lens *cache_lens(struct view_cache *c, const struct session *s, int first,
                              int count, bool all, struct err *err);

/* The lengths (L2) of a layer's cached keys or values. */
struct kv_side {
    int ready;     /* positions there are, as far as there was time */
    float *length; /* [ready, n_kv_head] */
    int room;
    uint64_t key; /* of what they were made from */
};
const struct kv_side *cache_kv(struct view_cache *c, const struct session *s, int layer,
                               bool v);

/* How far a view can be scrolled from where it is by itself, as it was drawn last: so scrolling
 * does not run on beyond. False: it was not drawn yet. */
void cache_scrolled(struct view_cache *c, int view, int least, int most);
bool cache_scroll(const struct view_cache *c, int view, int *least, int *most);

/* Statistics and a histogram of a value at one head; of the cursor's row alone where all rows
 * would take seconds to make (logits of a long text). */
#define TENSOR_BINS 120
struct tensor_summary {
    bool all;               /* of all rows; otherwise of `row` */
    int row, n_row;         /* rows there are */
    int counted;            /* rows counted so far, of n_row (or of one) */
    struct stats stats;     /* of those */
    int binned;             /* rows in the histogram: of no use until all are */
    float bin[TENSOR_BINS]; /* finite values from stats.min to stats.max */
};
const struct tensor_summary *cache_tensor(struct view_cache *c, const struct session *s,
                                          const struct sheet *t);
/* The numbers of a window of it, [rows, cols]; *ready of the rows are read. NULL and err when
 * they cannot be. Borrowed until the next call. */
const float *cache_tensor_window(struct view_cache *c, const struct session *s,
                                 const struct sheet *t, int row, int rows, int col, int cols,
                                 int *ready, struct err *err);
/* The number under the cursor, read alone: as everything else that shows this cell has it. */
bool cache_tensor_cell(struct view_cache *c, const struct session *s, const struct sheet *t,
                       float *v);
/* The subject's element, worked; NULL when it cannot be (err says why). */
const struct worked *cache_worked(struct view_cache *c, const struct session *s,
                                  struct err *err);

struct view_cache *cache_new(void);
void cache_free(struct view_cache *c); /* NULL is fine */

#endif
