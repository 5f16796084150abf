/* Small pictures of every head, from cells that are pooled as rows come in. */
#include "view/cache_parts.h"

#include "base/mem.h"
#include "tensor/simd.h"

#include <math.h>
#include <string.h>

static float *cells_of(const struct heads_cache *h, int layer, int head)
{
    size_t i = (size_t) (layer * h->sum.n_head + head);

    return h->cell + i * (HEAD_RING * HEAD_CELLS);
}

static float *cell_row(const struct heads_cache *h, int layer, int head, int row)
{
    return cells_of(h, layer, head) + (size_t) (row % HEAD_RING) * HEAD_CELLS;
}

static void clear_row(float *row)
{
    for (int x = 0; x < HEAD_CELLS; x++)
        row[x] = NAN;
}

static float larger(float a, float b)
{
    return isnan(a) || b > a ? b : a;
}

/* --- how many tokens a cell stands for --- */

static int cell_size(int n)
{
    int size = 1;

    while ((n + size - 1) / size > HEAD_CELLS)
        size *= 2;
    return size;
}

static void join_columns(float *row)
{
    for (int x = 0; x < HEAD_CELLS / 2; x++)
        row[x] = larger(row[2 * x], row[2 * x + 1]);
    for (int x = HEAD_CELLS / 2; x < HEAD_CELLS; x++)
        row[x] = NAN;
}

/* Only while the ring has not come round: rows lie from 0 on. */
static void join_rows(float *cells)
{
    for (int y = 0; y < HEAD_CELLS / 2; y++)
        for (int x = 0; x < HEAD_CELLS; x++)
            cells[y * HEAD_CELLS + x] =
                larger(cells[2 * y * HEAD_CELLS + x], cells[(2 * y + 1) * HEAD_CELLS + x]);
    for (int y = HEAD_CELLS / 2; y < HEAD_RING; y++)
        clear_row(cells + (size_t) y * HEAD_CELLS);
}

static void coarsen(struct heads_cache *h, bool rows)
{
    for (int i = 0; i < h->sum.n_layer * h->sum.n_head; i++) {
        float *cells = cells_of(h, 0, i);
        for (int y = 0; y < HEAD_RING; y++)
            if (!rows)
                join_columns(cells + (size_t) y * HEAD_CELLS);
        if (rows)
            join_rows(cells);
    }
    *(rows ? &h->fine_q : &h->fine_k) *= 2;
}

static void forget_all(struct heads_cache *h)
{
    for (int layer = 0; layer < h->sum.n_layer; layer++) {
        struct layer_rows *l = &h->layer[layer];
        l->lo = l->hi = 0;
        l->recount = true;
        thumbs_forget(h, layer, 0, HEAD_CELLS * h->fine_q);
    }
}

static bool is_empty(const struct heads_cache *h)
{
    for (int layer = 0; layer < h->sum.n_layer; layer++)
        if (h->layer[layer].hi > 0)
            return false;
    return true;
}

void thumbs_fit(struct heads_cache *h, int n)
{
    int q = cell_size(n < h->window ? n : h->window), k = cell_size(n);

    if (q < h->fine_q || k < h->fine_k) {
        forget_all(h);
        h->fine_q = q;
        h->fine_k = k;
    }
    if (h->fine_q == q && h->fine_k == k)
        return;
    if (is_empty(h)) {
        h->fine_q = q;
        h->fine_k = k;
    }
    while (h->fine_k < k)
        coarsen(h, false);
    while (h->fine_q < q)
        coarsen(h, true);
    for (int layer = 0; layer < h->sum.n_layer; layer++)
        h->layer[layer].thumb_row = 0;
}

/* --- rows in and out --- */

void thumbs_add(struct heads_cache *h, int layer, int head, int query, const float *p)
{
    const struct simd *simd = simd_best();
    float *row = cell_row(h, layer, head, query / h->fine_q);
    int n = query + 1, size = h->fine_k;

    if (query % h->fine_q == 0)
        clear_row(row);
    for (int x = 0; x * size < n; x++) {
        int count = n - x * size < size ? n - x * size : size;
        float most = count == 1 ? p[x * size] : simd->max(p + x * size, (size_t) count);
        row[x] = larger(row[x], most);
    }
}

void thumbs_forget(struct heads_cache *h, int layer, int begin, int end)
{
    int row = begin / h->fine_q, last = end / h->fine_q;

    if (last > row + HEAD_RING - 1)
        last = row + HEAD_RING - 1;
    if (row < h->layer[layer].thumb_row)
        h->layer[layer].thumb_row = row;
    for (; row <= last; row++)
        for (int head = 0; head < h->sum.n_head; head++)
            clear_row(cell_row(h, layer, head, row));
}

/* --- the pictures --- */

/* Pixels [*begin, *end) that cell i of n lies in: one of them, or several when the picture has
 * more pixels than there are cells. */
static void span(int thumb, int n, int i, int *begin, int *end)
{
    *begin = (int) ((long) i * thumb / n);
    *end = (int) ((long) (i + 1) * thumb / n);
    if (*end == *begin)
        ++*end;
}

/* Rows of cells that a layer's pictures show: those that lie in the window as a whole. */
static void shown_rows(const struct heads_cache *h, int ready, int *first, int *n)
{
    int lo = ready > h->window ? ready - h->window : 0;

    *first = (lo + h->fine_q - 1) / h->fine_q;
    *n = (ready + h->fine_q - 1) / h->fine_q - *first;
}

static void pool_cells(float *pixel, int top, int bottom, int side, const float *cell, int n)
{
    int left, right;

    for (int x = 0; x < n; x++) {
        if (isnan(cell[x]))
            continue;
        span(side, n, x, &left, &right);
        for (int py = top; py < bottom; py++)
            for (int px = left; px < right; px++)
                pixel[py * side + px] = larger(pixel[py * side + px], cell[x]);
    }
}

/* Pixels from the row on that `changed` (counted from the first one shown) lies in. */
static void make_thumb(struct heads_cache *h, int layer, int head, int first, int n, int n_key,
                       int changed)
{
    int side = h->sum.thumb, top, bottom, from;
    size_t area = (size_t) (side * side);
    float *pixel = h->sum.pixel + (size_t) (layer * h->sum.n_head + head) * area;
    int last = (h->layer[layer].hi + h->fine_q - 1) / h->fine_q - first;

    span(side, n, changed, &from, &bottom);
    for (int i = from * side; i < side * side; i++)
        pixel[i] = NAN;
    for (int y = 0; y < n && y < last; y++) {
        span(side, n, y, &top, &bottom);
        if (bottom > from)
            pool_cells(pixel, top < from ? from : top, bottom, side,
                       cell_row(h, layer, head, first + y), n_key);
    }
}

void thumbs_make(struct heads_cache *h, int layer)
{
    struct layer_rows *l = &h->layer[layer];
    int first, n, n_key = (l->ready + h->fine_k - 1) / h->fine_k;

    shown_rows(h, l->ready, &first, &n);
    bool same = l->thumb_q == n && l->thumb_k == n_key && l->thumb_side == h->sum.thumb;
    int changed = same && first == 0 ? l->thumb_row : 0;
    if (h->sum.thumb == 0 || n == 0 || (same && changed >= n))
        return;
    for (int head = 0; head < h->sum.n_head; head++)
        make_thumb(h, layer, head, first, n, n_key, changed);
    l->thumb_q = n;
    l->thumb_k = n_key;
    l->thumb_side = h->sum.thumb;
    l->thumb_row = (l->hi + h->fine_q - 1) / h->fine_q;
}

int heads_thumb_row(const struct heads_summary *sum, int ready, int query)
{
    int fine = cell_size(ready < sum->n_query ? ready : sum->n_query), begin, end;
    int lo = ready > sum->n_query ? ready - sum->n_query : 0;
    int first = (lo + fine - 1) / fine, n = (ready + fine - 1) / fine - first;

    if (query / fine < first || n <= 0)
        return 0;
    span(sum->thumb, n, query / fine - first, &begin, &end);
    return begin;
}
