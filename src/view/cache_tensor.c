/* Statistics of a value, row by row, and the window of numbers that is on the screen. */
#include "view/cache_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Multiplications that all rows of a value may take; beyond, only one row is counted. */
#define WORK_MOST 4e9
/* Rows and floats read in one go. */
#define PIECE_ROWS 8
/* Multiplications of a row that takes milliseconds. */
#define WORK_MUCH    1e7
#define PIECE_FLOATS 65536

void tensor_cache_release(struct tensor_cache *t)
{
    free(t->window);
    memset(t, 0, sizeof *t);
}

static uint64_t mix(uint64_t key, uint64_t x)
{
    return (key ^ x) * 1099511628211ULL;
}

/* What the sheet's rows depend on. Rows that are there stay as they are when tokens are added,
 * but where their columns are keys. */
static uint64_t sheet_key(const struct sheet *t, const struct session *s, int rows)
{
    uint64_t key = mix(1469598103934665603ULL, s->generation);

    key = mix(mix(key, (uint64_t) t->value), (uint64_t) t->head);
    for (int i = 0; i < rows; i++)
        key = mix(key, (uint64_t) s->ids.id[i]);
    if (sheet_col_kind(t, s) == AXIS_KEY)
        key = mix(key, (uint64_t) t->cols);
    if (run_n_patches(s->run) > 0)
        key = mix(key, run_version(s->run));
    return key;
}

/* Rough multiplications of one row, when it has to be derived. */
static double row_work(const struct sheet *t, const struct session *s)
{
    return (double) program_width(s->program, t->value) * s->program->hp.d_model;
}

static int piece_rows(const struct sheet *t, int left)
{
    int n = PIECE_FLOATS / (t->cols > 0 ? t->cols : 1);

    n = n < 1 ? 1 : n > PIECE_ROWS ? PIECE_ROWS : n;
    return n < left ? n : left;
}

static void count_bins(struct tensor_cache *t, const float *x, size_t n)
{
    double span = (double) t->max - (double) t->min;

    for (size_t i = 0; i < n && span > 0; i++) {
        if (!isfinite(x[i]))
            continue;
        int k = (int) ((double) (x[i] - t->min) / span * TENSOR_BINS);
        t->sum.bin[k < TENSOR_BINS ? k : TENSOR_BINS - 1]++;
    }
}

/* Reads the rows from `done` on in pieces, into the statistics or into the bins. */
static void go_through(struct view_cache *c, const struct session *s, const struct sheet *t,
                       bool bins)
{
    struct tensor_summary *sum = &c->tensor.sum;
    int *done = bins ? &sum->binned : &sum->counted, n = sum->all ? sum->n_row : 1;
    float *x = xmalloc((size_t) PIECE_ROWS * (size_t) t->cols * sizeof *x);

    while (*done < n && !cache_late(c)) {
        struct err err = ERR_INIT;
        int rows = piece_rows(t, n - *done);
        size_t floats = (size_t) rows * (size_t) t->cols;
        struct stats part;
        if (!sheet_read(t, s, sum->all ? *done : sum->row, rows, 0, t->cols, x, &err))
            break;
        stats_of(&part, x, floats);
        if (bins)
            count_bins(&c->tensor, x, floats);
        else
            stats_add(&sum->stats, &part);
        *done += rows;
    }
    free(x);
}

static void begin_bins(struct tensor_cache *t)
{
    t->min = t->sum.stats.min;
    t->max = t->sum.stats.max;
    t->sum.binned = 0;
    memset(t->sum.bin, 0, sizeof t->sum.bin);
}

const struct tensor_summary *cache_tensor(struct view_cache *c, const struct session *s,
                                          const struct sheet *t)
{
    struct tensor_cache *cache = &c->tensor;
    struct tensor_summary *sum = &cache->sum;
    bool all = row_work(t, s) * t->rows <= WORK_MOST;
    int row = all ? 0 : sheet_row(t, s);
    int known = all ? sum->counted : row + 1;

    if (!sum->n_row || sum->all != all || sum->row != row || known > t->rows ||
        cache->key != sheet_key(t, s, known)) {
        *sum = (struct tensor_summary){.all = all, .row = row};
        begin_bins(cache);
    }
    sum->n_row = t->rows;
    go_through(c, s, t, false);
    cache->key = sheet_key(t, s, all ? sum->counted : row + 1);
    if (sum->counted < (all ? t->rows : 1))
        return sum;
    if (cache->min != sum->stats.min || cache->max != sum->stats.max)
        begin_bins(cache);
    go_through(c, s, t, true);
    return sum;
}

const float *cache_tensor_window(struct view_cache *c, const struct session *s,
                                 const struct sheet *t, int row, int rows, int col, int cols,
                                 int *ready, struct err *err)
{
    struct tensor_cache *cache = &c->tensor;
    uint64_t key = sheet_key(t, s, row + rows <= t->rows ? row + rows : 0);
    int step = piece_rows(t, rows);

    key = mix(mix(mix(mix(key, (uint64_t) row), (uint64_t) rows), (uint64_t) col),
              (uint64_t) cols);
    if (!cache->window || cache->window_key != key) {
        cache->window =
            xrealloc(cache->window, (size_t) rows * (size_t) cols, sizeof *cache->window);
        cache->window_ready = 0;
        cache->window_key = key;
    }
    bool much = row_work(t, s) >= WORK_MUCH;
    while (cache->window_ready < rows && !(much ? cache_late_for_much(c) : cache_late(c))) {
        int at = cache->window_ready, n = rows - at < step ? rows - at : step;
        if (!sheet_read(t, s, row + at, n, col, cols,
                        cache->window + (size_t) at * (size_t) cols, err))
            return NULL;
        cache->window_ready += n;
    }
    *ready = cache->window_ready;
    return cache->window;
}

bool cache_tensor_cell(struct view_cache *c, const struct session *s, const struct sheet *t,
                       float *v)
{
    struct tensor_cache *cache = &c->tensor;
    struct err err = ERR_INIT;
    int row = sheet_row(t, s), col = sheet_col(t, s);
    uint64_t key = mix(mix(sheet_key(t, s, row + 1), (uint64_t) row), (uint64_t) col);

    if (cache->cell_key != key) {
        if (!sheet_read(t, s, row, 1, col, 1, &cache->cell, &err))
            return false;
        cache->cell_key = key;
    }
    *v = cache->cell;
    return true;
}
