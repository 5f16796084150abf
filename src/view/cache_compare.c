/* Differences of two runs, made in pieces and kept while both stay as they are. */
#include "base/clock.h"
#include "base/mem.h"
#include "session/mark.h"
#include "view/cache_parts.h"
#include "view/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIECE      0.001 /* seconds that a piece should take */
#define PIECE_ROWS 64    /* queries that a piece has at most */

/* What positions [0, n) of both sides were computed from. */
struct sides {
    const struct run *now;
    uint64_t stamp;
    int mark, n;
};

struct compare_cache {
    struct {
        struct compare_map map;
        struct sides sides;
        int layer, head, stage, max_rows, max_cols, rows;
    } map;
    struct {
        struct compare_heads sum;
        struct sides *sides; /* [n_layer] */
        int rows;
    } heads;
    struct {
        struct compare_resid resid;
        struct sides sides;
    } resid;
    struct {
        struct logit_diff diff;
        struct sides sides;
    } logits;
};

void compare_cache_free(struct compare_cache *k)
{
    if (!k)
        return;
    free(k->map.map.v);
    free(k->heads.sum.most);
    free(k->heads.sum.ready);
    free(k->heads.sum.from);
    free(k->heads.sides);
    free(k->resid.resid.length);
    free(k);
}

static struct compare_cache *parts(struct view_cache *c)
{
    if (!c->compare)
        c->compare = xcalloc(1, sizeof *c->compare);
    return c->compare;
}

static struct sides sides_of(const struct session *s, const struct diff *d, int n)
{
    return (struct sides){d->now, n > 0 ? run_stamp(d->now, n - 1) : 0, s->mark->number, n};
}

static bool same_sides(const struct sides *a, const struct sides *b)
{
    return a->now == b->now && a->stamp == b->stamp && a->mark == b->mark && a->n == b->n;
}

/* Queries for the next piece, after one of `rows` that began at `begin`. */
static int pace(int rows, double begin)
{
    double took = clock_measure() - begin;

    if (took < PIECE / 2)
        rows *= 2;
    else if (took > PIECE)
        rows /= 2;
    return rows < 1 ? 1 : rows > PIECE_ROWS ? PIECE_ROWS : rows;
}

/* --- the map --- */

static void shape_map(struct compare_map *m, const struct session *s, const struct diff *d,
                      int stage, int max_rows, int max_cols)
{
    m->n = d->n;
    m->n_col = stage == STAGE_MIX ? s->program->hp.d_head : d->n;
    m->pool_q = (m->n + max_rows - 1) / max_rows;
    m->pool = (m->n_col + max_cols - 1) / max_cols;
    if (stage != STAGE_MIX) /* pixels stay square */
        m->pool = m->pool_q = m->pool > m->pool_q ? m->pool : m->pool_q;
    m->rows = (m->n + m->pool_q - 1) / m->pool_q;
    m->cols = (m->n_col + m->pool - 1) / m->pool;
    size_t n = (size_t) m->rows * (size_t) m->cols;
    m->v = xrealloc(m->v, n, sizeof *m->v);
    for (size_t i = 0; i < n; i++)
        m->v[i] = NAN;
    m->done = 0;
    m->limit = 1;
    m->most = 0;
}

static void pool_row(struct compare_map *m, int stage, int query, const float *x)
{
    float *pixel = m->v + (size_t) (query / m->pool_q) * (size_t) m->cols;
    int end = stage == STAGE_MIX ? m->n_col : query + 1;

    for (int j = 0; j < end; j++) {
        float *p = &pixel[j / m->pool];
        if (isnan(*p) || fabsf(x[j]) > fabsf(*p))
            *p = x[j];
        if (fabsf(x[j]) > m->most)
            m->most = fabsf(x[j]);
    }
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *) a, y = *(const float *) b;
    return x < y ? -1 : x > y;
}

static void find_limit(struct compare_map *m)
{
    size_t n = (size_t) m->rows * (size_t) m->cols, some = 0;
    float *sorted = xmalloc((n + 1) * sizeof *sorted);

    for (size_t i = 0; i < n; i++)
        if (isfinite(m->v[i]))
            sorted[some++] = fabsf(m->v[i]);
    qsort(sorted, some, sizeof *sorted, by_size);
    m->limit = some > 0 ? sorted[(some - 1) * 99 / 100] : 0;
    if (some > 0 && !(m->limit > 0))
        m->limit = sorted[some - 1];
    if (!(m->limit > 0))
        m->limit = 1;
    free(sorted);
}

static bool read_piece(struct compare_map *m, const struct session *s, const struct diff *d,
                       int value, int count, struct err *err)
{
    bool mix = s->at.stage == STAGE_MIX;
    int row = mix ? m->n_col : m->done + count;
    struct region part = {{s->at.head, m->done, 0}, {1, count, row}};
    float *x = xmalloc((size_t) count * (size_t) row * sizeof *x);

    if (mix)
        part = (struct region){{m->done, s->at.head, 0}, {count, 1, m->n_col}};
    bool ok = diff_read(d, value, &part, x, err);
    for (int i = 0; ok && i < count; i++)
        pool_row(m, (int) s->at.stage, m->done + i, x + (size_t) i * (size_t) row);
    if (ok)
        m->done += count;
    free(x);
    return ok;
}

/* Whether the rows that are there may stay. */
static bool map_stays(struct compare_cache *k, const struct session *s, const struct diff *d,
                      int max_rows, int max_cols)
{
    const struct compare_map *m = &k->map.map;
    struct sides now = sides_of(s, d, m->done);

    return m->v && m->n == d->n && k->map.layer == s->at.layer && k->map.head == s->at.head &&
           k->map.stage == (int) s->at.stage && k->map.max_rows == max_rows &&
           k->map.max_cols == max_cols && m->done <= m->ready &&
           (m->done == 0 || same_sides(&k->map.sides, &now));
}

const struct compare_map *cache_compare_map(struct view_cache *c, const struct session *s,
                                            int max_rows, int max_cols, struct err *err)
{
    struct compare_cache *k = parts(c);
    struct compare_map *m = &k->map.map;
    int value = session_stage_value(s, s->at.layer, s->at.stage), before;
    struct diff d;

    if (!diff_open(&d, s, err) || d.n < 1 || max_rows < 1 || max_cols < 1)
        return NULL;
    m->ready = diff_ready(&d, value);
    if (!map_stays(k, s, &d, max_rows, max_cols))
        shape_map(m, s, &d, (int) s->at.stage, max_rows, max_cols);
    k->map.layer = s->at.layer;
    k->map.head = s->at.head;
    k->map.stage = (int) s->at.stage;
    k->map.max_rows = max_rows;
    k->map.max_cols = max_cols;
    before = m->done;
    while (m->done < m->ready && !cache_late(c)) {
        double begin = clock_measure();
        int rows = k->map.rows > 0 ? k->map.rows : 1, left = m->ready - m->done;
        if (!read_piece(m, s, &d, value, rows < left ? rows : left, err))
            return NULL;
        k->map.rows = pace(rows, begin);
    }
    if (m->done != before)
        find_limit(m);
    k->map.sides = sides_of(s, &d, m->done);
    return m;
}

/* --- the heads --- */

static void begin_heads(struct compare_cache *k, const struct session *s)
{
    struct compare_heads *h = &k->heads.sum;
    const struct hparams *hp = &s->program->hp;
    size_t layers = (size_t) hp->n_layer;

    h->n_layer = hp->n_layer;
    h->n_head = hp->n_head;
    h->most = xrealloc(h->most, layers * (size_t) hp->n_head, sizeof *h->most);
    h->ready = xrealloc(h->ready, layers, sizeof *h->ready);
    h->from = xrealloc(h->from, layers, sizeof *h->from);
    k->heads.sides = xrealloc(k->heads.sides, layers, sizeof *k->heads.sides);
    memset(k->heads.sides, 0, layers * sizeof *k->heads.sides);
}

/* Layers whose rows have changed begin anew. */
static void renew_layers(struct compare_cache *k, const struct session *s, const struct diff *d)
{
    struct compare_heads *h = &k->heads.sum;

    for (int layer = 0; layer < h->n_layer; layer++) {
        int ready = diff_ready(d, session_stage_value(s, layer, STAGE_PATTERN));
        struct sides now = sides_of(s, d, ready);
        if (same_sides(&k->heads.sides[layer], &now))
            continue;
        k->heads.sides[layer] = now;
        h->ready[layer] = h->from[layer] = ready;
        memset(h->most + layer * h->n_head, 0, (size_t) h->n_head * sizeof *h->most);
    }
}

/* The layer with most to do; -1: none. So that all layers come forward together, from the last
 * query to the first. */
static int next_layer(const struct compare_heads *h)
{
    int best = -1;

    for (int layer = 0; layer < h->n_layer; layer++)
        if (h->from[layer] > 0 && (best < 0 || h->from[layer] > h->from[best]))
            best = layer;
    return best;
}

static void conclude_heads(struct compare_heads *h)
{
    h->largest = 0;
    h->to_do = 0;
    for (int i = 0; i < h->n_layer * h->n_head; i++)
        h->largest = h->most[i] > h->largest ? h->most[i] : h->largest;
    for (int layer = 0; layer < h->n_layer; layer++)
        h->to_do += h->from[layer];
}

const struct compare_heads *cache_compare_heads(struct view_cache *c, const struct session *s,
                                                struct err *err)
{
    struct compare_cache *k = parts(c);
    struct compare_heads *h = &k->heads.sum;
    const struct hparams *hp = &s->program->hp;
    struct diff d;
    int layer;

    if (!diff_open(&d, s, err))
        return NULL;
    if (h->n_layer != hp->n_layer || h->n_head != hp->n_head)
        begin_heads(k, s);
    renew_layers(k, s, &d);
    while ((layer = next_layer(h)) >= 0 && !cache_late(c)) {
        double begin = clock_measure();
        int rows = k->heads.rows > 0 ? k->heads.rows : 1, end = h->from[layer];
        rows = rows < end ? rows : end;
        if (!diff_heads(&d, layer, end - rows, rows, h->most + layer * h->n_head, err))
            return NULL;
        h->from[layer] = end - rows;
        k->heads.rows = pace(rows, begin);
    }
    conclude_heads(h);
    return h;
}

/* --- the residual stream, and the logits --- */

static void begin_resid(struct compare_resid *r, int pos, int n_layer)
{
    r->pos = pos;
    r->n_layer = n_layer;
    r->length = xrealloc(r->length, (size_t) n_layer, sizeof *r->length);
    for (int i = 0; i < n_layer; i++)
        r->length[i].change = -1;
}

const struct compare_resid *cache_compare_resid(struct view_cache *c, const struct session *s,
                                                struct err *err)
{
    struct compare_cache *k = parts(c);
    struct compare_resid *r = &k->resid.resid;
    int n_layer = s->program->hp.n_layer;
    struct diff d;

    if (!diff_open(&d, s, err) || d.n < 1)
        return NULL;
    int pos = s->at.query < d.n ? s->at.query : d.n - 1;
    bool begun = pos < run_n_past(d.now) + run_n_new(d.now);
    struct sides now = sides_of(s, &d, begun ? pos + 1 : 0);
    if (r->n_layer != n_layer || r->pos != pos || !same_sides(&k->resid.sides, &now))
        begin_resid(r, pos, n_layer);
    k->resid.sides = now;
    for (int layer = 0; layer < n_layer && !cache_late(c); layer++) {
        int value = program_value(s->program, layer, "resid_post");
        if (r->length[layer].change >= 0 || pos >= diff_ready(&d, value))
            continue;
        if (!diff_length(&d, value, pos, &r->length[layer], err))
            return NULL;
    }
    return r;
}

const struct logit_diff *cache_logit_diff(struct view_cache *c, const struct session *s,
                                          struct err *err)
{
    struct compare_cache *k = parts(c);
    struct diff d;

    if (!diff_open(&d, s, err))
        return NULL;
    int n = diff_ready(&d, program_find(s->program, "logits"));
    struct sides now = sides_of(s, &d, n);
    if (n < 1)
        return NULL;
    if (same_sides(&k->logits.sides, &now))
        return &k->logits.diff;
    if (!diff_logits(&d, n - 1, &k->logits.diff, err))
        return NULL;
    k->logits.sides = now;
    return &k->logits.diff;
}
