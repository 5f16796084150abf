/* One head's map at one stage, pooled to the pixels there are. Read in strips of queries, never
 * T x T floats; a token more costs its own row. */
#include "view/cache_parts.h"

#include "base/mem.h"
#include "tensor/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRIP_FLOATS 65536 /* read at a time: well under a millisecond */
#define COLUMNS_MOST 64    /* new keys that are added to rows that are there already */

void grid_cache_release(struct grid_cache *c)
{
    free(c->g.v);
    free(c->g.row_max);
    free(c->seen.stamp);
}

/* Rows see keys up to their own only: what comes later does not change them. */
static bool causal(const struct session *s)
{
    return (s->at.stage == STAGE_MASKED || s->at.stage == STAGE_PATTERN) &&
           !run_looks_ahead(s->run, s->at.layer);
}

/* --- pooling --- */

/* The largest |x|, or NAN; what is not finite has no colour. Weights are not negative. */
static float largest(const float *x, int n, bool is_signed)
{
    float best = -1, v = n > 1 && !is_signed ? simd_best()->max(x, (size_t) n) : NAN;
    if (v >= 0 && v <= 3.4e38F)
        return v;
    v = NAN;
    for (int i = 0; i < n; i++) {
        float size = fabsf(x[i]);
        if (size > best && size <= 3.4e38F) {
            best = size;
            v = x[i];
        }
    }
    return v;
}

static void put_pixel(struct attn_grid *g, int row, int col, float v)
{
    float *p = &g->v[(size_t) row * (size_t) g->cols + (size_t) col];
    if (isnan(v))
        return;
    if (isnan(*p) || fabsf(v) > fabsf(*p))
        *p = v;
    if (fabsf(v) > g->row_max[row])
        g->row_max[row] = fabsf(v);
}

/* Takes columns [begin, end) of one query into its pixel row; x stands at column `begin`. */
static void pool_row(struct attn_grid *g, int query, const float *x, int begin, int end,
                     float factor)
{
    int row = (query - g->first_q) / g->pool_q, j = begin > g->first_k ? begin : g->first_k;
    while (j < end) {
        int col = (j - g->first_k) / g->pool, next = g->first_k + (col + 1) * g->pool;
        if (col >= g->cols)
            return;
        next = next < end ? next : end;
        put_pixel(g, row, col, largest(x + j - begin, next - j, g->is_signed) * factor);
        j = next;
    }
}

/* --- reading --- */

/* How the values of a stage lie: [head, query, key], or [pos, head, channel]. */
static struct region strip_region(const struct grid_cache *c, int first, int count, int col,
                                  int n_col)
{
    if (c->stage == STAGE_MIX)
        return (struct region){{first, c->head, col}, {count, 1, n_col}};
    return (struct region){{c->head, first, col}, {1, count, n_col}};
}

/* The weights without the one on token 0 sum to 1 again. */
static void pool_unsunk(struct attn_grid *g, int query, const float *x, int end)
{
    float rest = 1 - x[0];
    pool_row(g, query, x + 1, 1, end, rest > 1e-6F ? 1 / rest : 0);
}

static bool read_part(struct grid_cache *c, const struct session *s, int first, int count,
                      int col, int n_col, struct err *err)
{
    int value = session_stage_value(s, c->layer, c->stage);
    struct region part = strip_region(c, first, count, col, n_col);
    float *x = xmalloc((size_t) count * (size_t) n_col * sizeof *x);
    bool ok = run_read(s->run, value, &part, x, err);
    for (int i = 0; ok && i < count; i++) {
        const float *row = x + (size_t) i * (size_t) n_col;
        int end = c->causal && first + i + 1 < col + n_col ? first + i + 1 : col + n_col;
        if (c->hide_sink && c->stage == STAGE_PATTERN)
            pool_unsunk(&c->g, first + i, row, end);
        else
            pool_row(&c->g, first + i, row, col, end, 1);
    }
    free(x);
    c->changed = true;
    return ok;
}

static int last_query(const struct attn_grid *g)
{
    int end = g->first_q + g->rows * g->pool_q;
    return end < g->ready ? end : g->ready;
}

static bool read_strip(struct grid_cache *c, const struct session *s, struct err *err)
{
    struct attn_grid *g = &c->g;
    int count = last_query(g) - g->done, most = STRIP_FLOATS / g->n_col;
    count = count < most ? count : most > 0 ? most : 1;
    int n_col = c->causal ? g->done + count : g->n_col;
    if (!read_part(c, s, g->done, count, 0, n_col, err))
        return false;
    g->done += count;
    return true;
}

/* --- the limit --- */

/* The k-th smallest of x[n], by Hoare's selection; x is reordered. */
static float select_kth(float *x, int n, int k)
{
    int lo = 0, hi = n - 1;
    while (lo < hi) {
        float pivot = x[lo + (hi - lo) / 2];
        int i = lo, j = hi;
        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i <= j) {
                float t = x[i];
                x[i++] = x[j];
                x[j--] = t;
            }
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            break;
    }
    return x[k];
}

/* The 99th percentile of |v|, so that one outlier does not make the rest look alike; the
 * largest where that is 0. */
static float find_limit(const struct attn_grid *g)
{
    size_t n = (size_t) g->rows * (size_t) g->cols;
    float *size = xmalloc((n + 1) * sizeof *size), most = 0;
    int m = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(g->v[i])) {
            size[m++] = fabsf(g->v[i]);
            most = size[m - 1] > most ? size[m - 1] : most;
        }
    float limit = m > 0 ? select_kth(size, m, (int) ((long) (m - 1) * 99 / 100)) : 0;
    free(size);
    return limit > 0 ? limit : most > 0 ? most : 1;
}

/* --- what is there, and what is wanted --- */

static int tokens_each(int n, int pixels)
{
    return (n + pixels - 1) / pixels;
}

static int bounded(int v, int most)
{
    return v < most ? v : most;
}

static void shape(struct attn_grid *g, const struct grid_cache *c, const struct session *s,
                  int value)
{
    const struct attn_want *want = &c->want;
    bool mix = c->stage == STAGE_MIX;
    int all_cols = mix ? s->program->hp.d_head : s->ids.n;
    g->n_query = s->ids.n;
    g->ready = bounded(run_ready(s->run, value), g->n_query);
    g->n_col = mix ? all_cols : g->ready > 0 ? g->ready : 1;
    g->pool_q = want->window ? 1 : tokens_each(g->n_query, want->rows);
    g->pool = want->window ? 1 : tokens_each(all_cols, want->cols);
    if (!mix) /* pixels stay square */
        g->pool = g->pool_q = g->pool > g->pool_q ? g->pool : g->pool_q;
    g->first_q = want->window ? bounded(want->first_q, g->n_query - 1) : 0;
    g->first_k = want->window ? bounded(want->first_k, all_cols - 1) : 0;
    g->rows = bounded(tokens_each(g->n_query - g->first_q, g->pool_q), want->rows);
    g->cols = bounded(tokens_each(all_cols - g->first_k, g->pool), want->cols);
    g->is_signed = c->stage != STAGE_PATTERN;
}

static void clear_rows(struct attn_grid *g, int first)
{
    for (int row = first; row < g->rows; row++) {
        g->row_max[row] = 0;
        for (int col = 0; col < g->cols; col++)
            g->v[(size_t) row * (size_t) g->cols + (size_t) col] = NAN;
    }
}

/* The pixels of `old` in an array of the new size. */
static void take_over(struct attn_grid *g, const struct attn_grid *old)
{
    int cols = bounded(old->cols, g->cols);
    g->v = xmalloc((size_t) g->rows * (size_t) g->cols * sizeof *g->v);
    g->row_max = xcalloc((size_t) g->rows, sizeof *g->row_max);
    clear_rows(g, 0);
    for (int row = 0; row < g->rows && row < old->rows; row++) {
        memcpy(g->v + (size_t) row * (size_t) g->cols,
               old->v + (size_t) row * (size_t) old->cols, (size_t) cols * sizeof *g->v);
        g->row_max[row] = old->row_max[row];
    }
    free(old->v);
    free(old->row_max);
}

static bool same_want(const struct attn_want *a, const struct attn_want *b)
{
    return a->rows == b->rows && a->cols == b->cols && a->window == b->window &&
           (!a->window || (a->first_q == b->first_q && a->first_k == b->first_k));
}

/* The cache is for this head, stage and place from now on; false: it was for another. */
static bool same_subject(struct grid_cache *c, const struct session *s,
                         const struct attn_want *want)
{
    bool same = c->made && c->layer == s->at.layer && c->head == s->at.head &&
                c->stage == s->at.stage && c->hide_sink == s->set.hide_sink &&
                c->causal == causal(s) && same_want(&c->want, want);
    c->layer = s->at.layer;
    c->head = s->at.head;
    c->stage = s->at.stage;
    c->hide_sink = s->set.hide_sink;
    c->causal = causal(s);
    c->want = *want;
    return same;
}

static void reset(struct grid_cache *c)
{
    c->g.done = c->g.first_q;
    c->cols_done = c->g.n_col;
    clear_rows(&c->g, 0);
    c->changed = true;
}

/* Keeps the first `valid` queries of what is there. */
static void keep(struct grid_cache *c, int valid)
{
    struct attn_grid *g = &c->g;
    bool all_keys = !c->causal && c->stage != STAGE_MIX;
    if (all_keys && (valid < c->cols_done || g->n_col - c->cols_done > COLUMNS_MOST))
        valid = 0;
    if (valid <= g->first_q) {
        reset(c);
    } else if (valid < g->done) {
        int row = (valid - g->first_q) / g->pool_q;
        g->done = g->first_q + row * g->pool_q;
        clear_rows(g, row);
        c->changed = true;
    }
}

static bool fill(struct view_cache *v, const struct session *s, struct err *err)
{
    struct grid_cache *c = &v->grid;
    struct attn_grid *g = &c->g;
    if (g->n_col > c->cols_done && !c->causal && g->done > g->first_q &&
        !read_part(c, s, g->first_q, g->done - g->first_q, c->cols_done,
                   g->n_col - c->cols_done, err))
        return false;
    c->cols_done = g->n_col;
    for (bool late = false; !late && g->done < last_query(g);) {
        if (!read_strip(c, s, err))
            return false;
        late = g->done < last_query(g) && cache_late(v); /* a strip at least, each time */
    }
    if (c->changed)
        g->limit = g->is_signed ? find_limit(g) : 1;
    c->changed = false;
    return true;
}

const struct attn_grid *cache_attention(struct view_cache *v, const struct session *s,
                                        const struct attn_want *want, struct err *err)
{
    struct grid_cache *c = &v->grid;
    int value = session_stage_value(s, s->at.layer, s->at.stage);
    if (s->ids.n < 1 || want->rows < 1 || want->cols < 1 || value < 0) {
        err_set(err, value < 0 ? "this model has no %s" : "there is nothing to see of %s",
                stage_name(s->at.stage));
        return NULL;
    }
    struct attn_grid old = c->g;
    bool same = same_subject(c, s, want);
    int valid = seen_update(&c->seen, s);
    shape(&c->g, c, s, value);
    same = same && c->g.pool == old.pool && c->g.pool_q == old.pool_q &&
           c->g.first_q == old.first_q && c->g.first_k == old.first_k;
    if (!c->made || c->g.rows != old.rows || c->g.cols != old.cols)
        take_over(&c->g, &old);
    if (same)
        keep(c, bounded(valid, c->g.ready));
    else
        reset(c);
    c->made = fill(v, s, err);
    return c->made ? &c->g : NULL;
}
