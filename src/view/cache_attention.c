/* One head's map at one stage, pooled to the pixels there are. Read in strips of queries: never
 * T x T floats when a pixel stands for more than one. */
#include "view/cache_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRIP_FLOATS 65536

/* How the values of a stage lie: [head, query, key], or [pos, head, channel]. */
static struct region strip_region(const struct attn_grid *g, int first, int count)
{
    if (g->stage == STAGE_MIX)
        return (struct region){{first, g->head, 0}, {count, 1, g->n_col}};
    return (struct region){{g->head, first, 0}, {1, count, g->n_col}};
}

/* The weights without the one on token 0, summing to 1 again. */
static void hide_sink(float *row, int n)
{
    float rest = 1 - row[0];
    row[0] = NAN;
    for (int j = 1; j < n; j++)
        row[j] = rest > 1e-6F ? row[j] / rest : 0;
}

static bool masked(const struct attn_grid *g, int query, int key)
{
    return g->stage != STAGE_MIX && g->stage >= STAGE_MASKED && key > query;
}

/* Takes one query's values into its pixel row: the largest |x| of each pixel stays. */
static void pool_row(struct attn_grid *g, int query, float *x)
{
    int row = query / g->pool_q;
    float *pixel = g->v + (size_t) row * (size_t) g->cols;
    if (g->hide_sink && g->stage == STAGE_PATTERN)
        hide_sink(x, query + 1);
    for (int j = 0; j < g->n_col; j++) {
        float *p = &pixel[j / g->pool];
        if (masked(g, query, j) || isnan(x[j]) || isinf(x[j]))
            continue;
        if (isnan(*p) || fabsf(x[j]) > fabsf(*p))
            *p = x[j];
        if (fabsf(x[j]) > g->row_max[row])
            g->row_max[row] = fabsf(x[j]);
    }
}

static bool read_strips(struct attn_grid *g, const struct session *s, int value,
                        struct err *err)
{
    int most = STRIP_FLOATS / g->n_col > 0 ? STRIP_FLOATS / g->n_col : 1;
    if (most > g->ready)
        most = g->ready;
    float *x = xcalloc((size_t) (most > 0 ? most : 1) * (size_t) g->n_col, sizeof *x);
    bool ok = true;
    for (int q = 0; ok && q < g->ready; q += most) {
        int count = g->ready - q < most ? g->ready - q : most;
        struct region part = strip_region(g, q, count);
        ok = run_read(s->run, value, &part, x, err);
        for (int i = 0; ok && i < count; i++)
            pool_row(g, q + i, x + (size_t) i * (size_t) g->n_col);
    }
    free(x);
    return ok;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *) a, y = *(const float *) b;
    return x < y ? -1 : x > y;
}

/* The 99th percentile of |v|, so that one outlier does not make the rest look alike. */
static float find_limit(const struct attn_grid *g)
{
    size_t n = (size_t) g->rows * (size_t) g->cols, m = 0;
    float *sorted = xmalloc((n + 1) * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        if (!isnan(g->v[i]))
            sorted[m++] = fabsf(g->v[i]);
    qsort(sorted, m, sizeof *sorted, by_size);
    float limit = m > 0 ? sorted[(m - 1) * 99 / 100] : 0;
    if (m > 0 && !(limit > 0))
        limit = sorted[m - 1];
    free(sorted);
    return limit > 0 ? limit : 1;
}

static void shape_grid(struct attn_grid *g, const struct session *s, int value)
{
    g->n_query = s->ids.n;
    g->ready = run_ready(s->run, value);
    if (g->ready > g->n_query)
        g->ready = g->n_query;
    g->n_col = g->stage == STAGE_MIX ? s->program->hp.d_head : g->ready;
    int all_cols = g->stage == STAGE_MIX ? g->n_col : g->n_query;
    g->pool_q = (g->n_query + g->max_rows - 1) / g->max_rows;
    g->pool = (all_cols + g->max_cols - 1) / g->max_cols;
    if (g->stage != STAGE_MIX) /* pixels stay square */
        g->pool = g->pool_q = g->pool > g->pool_q ? g->pool : g->pool_q;
    g->rows = (g->n_query + g->pool_q - 1) / g->pool_q;
    g->cols = (all_cols + g->pool - 1) / g->pool;
    g->is_signed = g->stage != STAGE_PATTERN;
    if (g->n_col < 1)
        g->n_col = 1;
}

static bool fill_grid(struct attn_grid *g, const struct session *s, struct err *err)
{
    int value = session_stage_value(s, g->layer, (enum stage) g->stage);
    if (value < 0)
        return err_set(err, "this model has no %s", stage_name((enum stage) g->stage));
    shape_grid(g, s, value);
    size_t n = (size_t) g->rows * (size_t) g->cols;
    g->v = xrealloc(g->v, n, sizeof *g->v);
    g->row_max = xrealloc(g->row_max, (size_t) g->rows, sizeof *g->row_max);
    for (size_t i = 0; i < n; i++)
        g->v[i] = NAN;
    memset(g->row_max, 0, (size_t) g->rows * sizeof *g->row_max);
    if (!read_strips(g, s, value, err))
        return false;
    g->limit = g->is_signed ? find_limit(g) : 1;
    return true;
}

static bool grid_fits(const struct attn_grid *g, const struct session *s, int max_rows,
                      int max_cols)
{
    return g->made && g->version == run_version(s->run) && g->n_query == s->ids.n &&
           g->layer == s->at.layer && g->head == s->at.head && g->stage == (int) s->at.stage &&
           g->hide_sink == s->set.hide_sink && g->max_rows == max_rows &&
           g->max_cols == max_cols;
}

const struct attn_grid *cache_attention(struct view_cache *c, const struct session *s,
                                        int max_rows, int max_cols, struct err *err)
{
    struct attn_grid *g = &c->grid;
    if (c->grid_run == s->run && grid_fits(g, s, max_rows, max_cols))
        return g;
    if (s->ids.n < 1 || max_rows < 1 || max_cols < 1) {
        err_set(err, "no tokens");
        return NULL;
    }
    g->made = false;
    c->grid_run = s->run;
    g->version = run_version(s->run);
    g->layer = s->at.layer;
    g->head = s->at.head;
    g->stage = (int) s->at.stage;
    g->hide_sink = s->set.hide_sink;
    g->max_rows = max_rows;
    g->max_cols = max_cols;
    g->made = fill_grid(g, s, err);
    return g->made ? g : NULL;
}
