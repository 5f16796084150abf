#include "view/heat.h"

#include "base/mem.h"
#include "view/png_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bins of |x|: its exponent and the first eleven bits of its mantissa. */
enum { BIN_SHIFT = 12, BINS = 0x7f800000 >> BIN_SHIFT };

void heat_init(struct heat *m, int rows, int cols, int pool_r, int pool_c)
{
    *m = (struct heat){.rows = rows, .cols = cols, .pool_r = pool_r, .pool_c = pool_c};
    m->h = (rows + pool_r - 1) / pool_r;
    m->w = (cols + pool_c - 1) / pool_c;
    m->v = xcalloc((size_t) m->h * (size_t) m->w, sizeof *m->v);
    m->row_max = xcalloc((size_t) m->h, sizeof *m->row_max);
    for (size_t i = 0; i < (size_t) m->h * (size_t) m->w; i++)
        m->v[i] = -INFINITY;
}

void heat_release(struct heat *m)
{
    free(m->v);
    free(m->row_max);
    m->v = m->row_max = NULL;
}

const float *heat_at(const struct heat *m, int row, int col)
{
    return &m->v[(size_t) row * (size_t) m->w + (size_t) col];
}

bool heat_masked(float v)
{
    return isinf(v) && v < 0;
}

bool heat_hides(const struct heat *m, int row, int col)
{
    return m->causal && m->first_col + col > m->first_row + row;
}

static float row_limit(const struct heat *m, int row, const float *x)
{
    float most = 0;

    for (int i = 0; i < m->cols; i++)
        if (isfinite(x[i]) && !heat_hides(m, row, i) && fabsf(x[i]) > most)
            most = fabsf(x[i]);
    return most;
}

/* Whether x takes the place of what a cell has. */
static bool takes(float x, float old, bool is_signed)
{
    if (isnan(old) || heat_masked(x))
        return false;
    if (isnan(x) || heat_masked(old))
        return true;
    return is_signed ? fabsf(x) > fabsf(old) : x > old;
}

void heat_row(struct heat *m, int row, const float *x, bool is_signed, enum color_scale kind)
{
    float *to = m->v + (size_t) (row / m->pool_r) * (size_t) m->w;
    float most = row_limit(m, row, x);
    float part = kind == SCALE_ROW_MAX ? (most > 0 ? most : 1) : 1;

    m->row_max[row / m->pool_r] = most;
    for (int i = 0; i < m->cols; i++) {
        float v = x[i] / part;
        float *cell = &to[i / m->pool_c];
        if (!heat_hides(m, row, i) && takes(v, *cell, is_signed))
            *cell = v;
    }
}

/* --- limits --- */

static uint32_t bin_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return (bits & 0x7fffffff) >> BIN_SHIFT;
}

/* The upper end of a bin. */
static double bin_end(uint32_t bin)
{
    uint32_t bits = (bin + 1) << BIN_SHIFT;
    float x;

    memcpy(&x, &bits, sizeof x);
    return (double) x;
}

void heat_range_add(struct heat_range *r, const struct heat *m, int row, const float *x)
{
    float *seen = xmalloc((size_t) m->cols * sizeof *seen);
    size_t n = 0;

    if (!r->bin)
        r->bin = xcalloc(BINS + 1, sizeof *r->bin);
    for (int i = 0; i < m->cols; i++) {
        if (heat_hides(m, row, i) || heat_masked(x[i])) {
            r->n_masked++;
            continue;
        }
        if (isfinite(x[i]))
            r->bin[bin_of(x[i])]++;
        seen[n++] = x[i];
    }
    struct stats part;
    stats_of(&part, seen, n);
    stats_add(&r->stats, &part);
    free(seen);
}

void heat_range_release(struct heat_range *r)
{
    free(r->bin);
    r->bin = NULL;
}

double heat_range_limit(const struct heat_range *r)
{
    uint64_t n = r->stats.n - r->stats.n_nan - r->stats.n_inf, seen = 0;
    double most = fmax(fabs((double) r->stats.min), fabs((double) r->stats.max));
    double limit = most;
    uint64_t want = n > 0 ? (n - 1) * 99 / 100 : 0; /* elements below it */

    for (uint32_t i = 0; n > 0 && r->bin && i < BINS; i++) {
        seen += r->bin[i];
        if (seen > want) {
            limit = i > 0 && bin_end(i) < most ? bin_end(i) : i > 0 ? most : 0;
            break;
        }
    }
    limit = limit > 0 ? limit : most;
    if (!(limit > 0))
        return 1;
    double unit = pow(10, floor(log10(limit)) - 2);
    char text[32];
    snprintf(text, sizeof text, "%.3g", ceil(limit / unit * (1 - 1e-12)) * unit);
    return atof(text);
}

/* --- colours --- */

uint32_t heat_color(const struct theme *t, const struct scale *s, float v)
{
    if (heat_masked(v))
        return COLOR_NONE;
    if (isnan(v))
        return HEAT_NAN_RGB;
    return theme_color(t, s->is_signed ? MAP_DIVERGING : MAP_SEQUENTIAL,
                       scale_at(s, (double) v, 1));
}

static void paint_row(const struct heat *m, const struct theme *t, const struct scale *s,
                      int row, uint8_t *rgba)
{
    for (int col = 0; col < m->w; col++, rgba += 4) {
        uint32_t rgb = heat_color(t, s, *heat_at(m, row, col));
        bool shown = rgb != COLOR_NONE;
        rgba[0] = shown ? (uint8_t) (rgb >> 16) : 0;
        rgba[1] = shown ? (uint8_t) (rgb >> 8) : 0;
        rgba[2] = shown ? (uint8_t) rgb : 0;
        rgba[3] = shown ? 255 : 0;
    }
}

bool heat_png(const struct heat *m, const struct theme *t, const struct scale *s,
              struct str *out, struct err *err)
{
    struct png_out *png = png_out_new(m->w, m->h, true, bytes_to_str, out);
    uint8_t *row = xmalloc((size_t) m->w * 4);

    for (int y = 0; y < m->h; y++) {
        paint_row(m, t, s, y, row);
        png_out_row(png, row);
    }
    free(row);
    return png_out_end(png, err);
}
