/* The numbers of one value on both sides, block by block. */
#include "engine/differ_parts.h"

#include "base/interrupt.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK ((size_t) 1 << 19) /* floats of a side at a time, at least one row */
enum { FEW = 16 }; /* numbers of a position below which it has no scale of its own */

int differ_as(const struct differ_row *row)
{
    return row->other_value >= 0 ? row->other_value : row->value;
}

bool differ_read_side(const struct differ *d, int side, const struct differ_row *row, int value,
                      int rep, const struct region *g, float *out, struct err *err)
{
    const struct differ_side *s = &d->side[side];
    if (s->run)
        return run_read(s->run, d->map[side][value], g, out, err);
    return dumped_read(s->dumped, row->item[side], &row->layout[side], rep, g, out, err);
}

bool differ_hidden(const struct program *p, int value, int query, int key)
{
    enum opcode code = p->op[p->value[value].op].code;
    return key > query && (code == OP_SCORES || code == OP_SCALE);
}

static enum differ_scale scale_of(const struct program *p, int value)
{
    const struct value *v = &p->value[value];
    if (v->op >= 0 && p->op[v->op].code == OP_SOFTMAX)
        return PER_ROW_MAX;
    if (program_is_stage(p, value) || program_width(p, value) < FEW)
        return PER_VALUE;
    return PER_POSITION;
}

/* --- what is added up --- */

struct scan {
    struct differ *d;
    struct differ_row *row;
    int value;
    enum differ_scale scale;
    const double *least; /* per position: scale is at least this; or NULL */
    double *rms;         /* per position: out; or NULL */
    double unit; /* what the sides' number formats may have rounded, of a number's size */
    size_t n;    /* finite in both */
    double aa, bb, ab, dd;
    float *a, *b; /* blocks */
};

static double distance(float a, float b)
{
    double diff = fabs((double) a - (double) b);
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    return isfinite(diff) ? diff : INFINITY;
}

/* Whether an element is compared. */
static bool counts(struct scan *s, const int at[3], float a, float b)
{
    const struct program *p = s->d->program;
    if (!program_is_stage(p, s->value))
        return true;
    if (differ_hidden(p, s->value, at[1], at[2]))
        return false;
    if (a < DIFFER_MASKED && b < DIFFER_MASKED) {
        s->row->masked++;
        return false;
    }
    return true;
}

static void add_numbers(struct scan *s, float a, float b, double diff)
{
    s->row->n++;
    if (!isfinite(a) || !isfinite(b))
        return;
    s->n++;
    s->aa += (double) a * a;
    s->bb += (double) b * b;
    s->ab += (double) a * b;
    s->dd += diff * diff;
}

static void note_most(struct differ_row *row, double diff, const int at[3])
{
    if (diff > row->most || row->n == 1) {
        row->most = diff;
        memcpy(row->most_at, at, sizeof row->most_at);
    }
}

static void note_ratio(struct differ_row *row, double ratio, const int at[3], float a, float b)
{
    if (ratio > row->ratio || row->n == 1) {
        row->ratio = ratio;
        row->a = a;
        row->b = b;
        memcpy(row->at, at, sizeof row->at);
    }
}

/* The scale of n numbers that stand together (a position, or a row of weights). */
static double group_scale(const struct scan *s, const float *a, const float *b, size_t n)
{
    double aa = 0, bb = 0, most = 0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            continue;
        aa += (double) a[i] * a[i];
        bb += (double) b[i] * b[i];
        most = fmax(most, fmax(fabs((double) a[i]), fabs((double) b[i])));
        used++;
    }
    if (s->scale == PER_ROW_MAX)
        return most;
    return used ? sqrt(fmax(aa, bb) / (double) used) : 0;
}

/* What is left of a difference when the rounding of a narrow format is taken off. */
static double unrounded(const struct scan *s, double diff, float a, float b)
{
    double off = s->unit * fmax(fabs((double) a), fabs((double) b));
    return isfinite(diff) && isfinite(off) ? fmax(0, diff - off) : diff;
}

static double ratio_of(double diff, double scale)
{
    return diff == 0 ? 0 : scale > 0 ? diff / scale : INFINITY;
}

/* One group: `n` numbers from `at` on, along the last axes of the value. */
static void add_group(struct scan *s, const int begin[3], const int count[3], const float *a,
                      const float *b)
{
    size_t n = (size_t) count[0] * (size_t) count[1] * (size_t) count[2];
    double own = s->scale == PER_VALUE ? 1 : group_scale(s, a, b, n), scale = own;
    if (s->rms)
        s->rms[begin[0]] = own;
    if (s->least && s->scale == PER_POSITION)
        scale = fmax(scale, s->least[begin[0]]);
    for (int i = 0; i < count[0]; i++)
        for (int j = 0; j < count[1]; j++)
            for (int k = 0; k < count[2]; k++, a++, b++) {
                int at[3] = {begin[0] + i, begin[1] + j, begin[2] + k};
                if (!counts(s, at, *a, *b))
                    continue;
                double diff = distance(*a, *b), off = unrounded(s, diff, *a, *b);
                add_numbers(s, *a, *b, diff);
                note_most(s->row, diff, at);
                s->row->own = fmax(s->row->own, ratio_of(off, own));
                note_ratio(s->row, ratio_of(off, scale), at, *a, *b);
            }
}

/* --- going through a value --- */

/* Rows of the first axis (of a stage: of queries of one head) in one block, cut into groups. */
static void add_block(struct scan *s, const struct region *g)
{
    bool stage = program_is_stage(s->d->program, s->value);
    int axis = stage ? 1 : 0, count[3] = {g->count[0], g->count[1], g->count[2]};
    size_t each = 1;
    for (int i = axis + 1; i < 3; i++)
        each *= (size_t) g->count[i];
    count[axis] = 1;
    for (int i = 0; i < g->count[axis]; i++) {
        int begin[3] = {g->first[0], g->first[1], g->first[2]};
        begin[axis] += i;
        add_group(s, begin, count, s->a + (size_t) i * each, s->b + (size_t) i * each);
    }
}

static bool scan_block(struct scan *s, const struct region *g, struct err *err)
{
    const struct differ_row *row = s->row;
    int repeat = 1;
    for (int i = 0; i < 2; i++)
        if (s->d->side[i].dumped && row->layout[i].repeat > repeat)
            repeat = row->layout[i].repeat;
    if (interrupt_pending())
        return err_set(err, "interrupted");
    for (int rep = 0; rep < repeat; rep++) {
        int side_rep[2];
        for (int i = 0; i < 2; i++)
            side_rep[i] = row->layout[i].repeat > 1 ? rep : 0;
        if (!differ_read_side(s->d, 0, row, s->value, side_rep[0], g, s->a, err) ||
            !differ_read_side(s->d, 1, row, s->value, side_rep[1], g, s->b, err))
            return false;
        add_block(s, g);
    }
    return true;
}

static struct region whole(const struct differ_row *row)
{
    struct region g = {{0, 0, 0}, {row->shape[0], row->shape[1], row->shape[2]}};
    return g;
}

/* Blocks of whole rows: of positions, or of queries of one head. */
static bool scan_all(struct scan *s, struct err *err)
{
    const struct differ_row *row = s->row;
    bool stage = program_is_stage(s->d->program, s->value);
    int axis = stage ? 1 : 0, outer = stage ? row->shape[0] : 1;
    size_t each = 1;
    for (int i = axis + 1; i < 3; i++)
        each *= (size_t) row->shape[i];
    size_t fit = each ? BLOCK / each : 1;
    int rows = fit < 1 ? 1 : fit > 1 << 20 ? 1 << 20 : (int) fit;
    s->a = big_alloc(2 * (size_t) rows * each * sizeof *s->a, "a block of a value", err);
    if (!s->a)
        return false;
    s->b = s->a + (size_t) rows * each;
    bool ok = true;
    for (int head = 0; ok && head < outer; head++)
        for (int i = 0; ok && i < row->shape[axis]; i += rows) {
            struct region g = whole(row);
            if (stage) {
                g.first[0] = head;
                g.count[0] = 1;
            }
            g.first[axis] = i + row->first_pos;
            g.count[axis] = row->shape[axis] - i < rows ? row->shape[axis] - i : rows;
            ok = scan_block(s, &g, err);
        }
    big_free(s->a, 2 * (size_t) rows * each * sizeof *s->a);
    return ok;
}

/* --- the scale that inputs give --- */

/* The root mean square of each position of a value: what comparing left, or of the run. */
static const double *position_rms(struct differ *d, int value, struct err *err)
{
    int side = d->side[0].run ? 0 : 1;
    value = program_resolve(d->program, value);
    int own = d->side[side].run ? d->map[side][value] : -1;
    if (d->rms[value] || own < 0 || program_is_stage(d->program, value))
        return d->rms[value];
    size_t width = program_width(d->program, value);
    if (run_ready(d->side[side].run, own) < d->n_pos ||
        d->program->value[value].life == LIFE_TOKENS)
        return NULL;
    double *rms = xcalloc((size_t) d->n_pos + 1, sizeof *rms);
    float *row = xcalloc(width + 1, sizeof *row);
    int shape[3];
    run_shape(d->side[side].run, own, shape);
    for (int i = 0; i < d->n_pos; i++) {
        struct region g = {{i, 0, 0}, {1, shape[1], shape[2]}};
        double sum = 0;
        if (!run_read(d->side[side].run, own, &g, row, err))
            break;
        for (size_t j = 0; j < width; j++)
            sum += (double) row[j] * row[j];
        rms[i] = sqrt(sum / (double) width);
    }
    free(row);
    return d->rms[value] = rms;
}

/* Per position the largest rms of the inputs whose sum or mean the value is; yours, or NULL. */
static double *least_scale(struct differ *d, int value, struct err *err)
{
    const struct value *v = &d->program->value[value];
    const struct op *op = v->op < 0 ? NULL : &d->program->op[v->op];
    bool mean = op && op->code == OP_LAYERNORM && op->n_out > 3 && op->out[3] == value;
    if (!op || !(op->code == OP_ADD || mean))
        return NULL;
    double *least = xcalloc((size_t) d->n_pos + 1, sizeof *least);
    for (int i = 0; i < op->n_in; i++) {
        const double *rms = position_rms(d, op->in[i], err);
        for (int pos = 0; rms && pos < d->n_pos; pos++)
            least[pos] = fmax(least[pos], rms[pos]);
    }
    return least;
}

/* --- the verdict --- */

static const struct differ_row *row_of(const struct differ *d, int value)
{
    int row = d->row_of[program_resolve(d->program, value)];
    return row < 0 ? NULL : d->row[row];
}

static double allowed(const struct differ *d, int value)
{
    const struct value *v = &d->program->value[value];
    double most = d->tol;
    const struct op *op = v->op < 0 ? NULL : &d->program->op[v->op];
    for (int i = 0; op && i < op->n_in; i++) {
        const struct differ_row *in = row_of(d, op->in[i]);
        if (!in || in->state != DIFFER_SAME)
            continue;
        double grown = op->code == OP_SOFTMAX ? in->most : in->own;
        if (isfinite(grown))
            most = fmax(most, DIFFER_GROWTH * grown);
    }
    return most;
}

static void finish(struct scan *s)
{
    struct differ_row *row = s->row;
    if (s->scale == PER_VALUE) {
        double scale = s->n ? sqrt(fmax(s->aa, s->bb) / (double) s->n) : 0;
        row->own = ratio_of(row->ratio, scale);
        for (int i = 0; s->least && i < s->d->n_pos; i++)
            scale = fmax(scale, s->least[i]);
        row->ratio = ratio_of(row->ratio, scale);
    }
    row->rms = s->dd == 0 ? 0 : s->bb > 0 ? sqrt(s->dd / s->bb) : INFINITY;
    row->cosine = s->aa > 0 && s->bb > 0 ? s->ab / sqrt(s->aa * s->bb) : s->aa == s->bb;
    row->cosine = row->cosine > 1 ? 1 : row->cosine;
    row->state = row->ratio > row->allowed ? DIFFER_OTHER : DIFFER_SAME;
}

/* Half a unit in the last place of float16 and bfloat16, of the number. */
static double unit_of(const struct array *x)
{
    return x->type == ARRAY_F16 ? 0x1p-11 : x->type == ARRAY_BF16 ? 0x1p-8 : 0;
}

static double units(const struct differ *d, const struct differ_row *row)
{
    double unit = 0;
    for (int i = 0; i < 2; i++) {
        const struct dumped *x = d->side[i].dumped;
        if (x)
            unit = fmax(unit, unit_of(arrays_at(x->arrays, x->item[row->item[i]].array)));
    }
    return unit;
}

bool differ_scan(struct differ *d, struct differ_row *row, struct err *err)
{
    int value = differ_as(row), resolved = program_resolve(d->program, value);
    struct scan s = {.d = d, .row = row, .value = value, .scale = scale_of(d->program, value)};
    s.unit = units(d, row);
    row->n = row->masked = 0;
    row->most = row->ratio = row->own = 0;
    if (s.scale == PER_POSITION &&
        program_width(d->program, value) == (size_t) d->program->hp.d_model) {
        free(d->rms[resolved]);
        s.rms = d->rms[resolved] = xcalloc((size_t) d->n_pos + 1, sizeof *s.rms);
    }
    double *least = least_scale(d, value, err);
    s.least = least;
    row->allowed = d->program->value[value].life == LIFE_TOKENS ? 0 : allowed(d, value);
    bool ok = scan_all(&s, err);
    finish(&s);
    free(least);
    return ok;
}

bool differ_scan_extra(struct differ *d, const struct differ_extra *x, struct differ_row *row,
                       struct err *err)
{
    struct scan s = {.d = d, .row = row, .scale = PER_VALUE};
    float *a = xcalloc(2 * (size_t) x->cols + 1, sizeof *a), *b = a + x->cols;
    bool ok = true;
    for (int i = 0; ok && i < x->rows; i++) {
        size_t at = (size_t) i * (size_t) x->cols;
        for (int side = 0; ok && side < 2; side++) {
            struct arrays *from = d->side[side].dumped->arrays;
            ok = arrays_load(from, x->array[side], err);
            if (ok)
                arrays_read(from, at, (size_t) x->cols, 1, side ? b : a);
        }
        for (int j = 0; ok && j < x->cols; j++) {
            int cell[3] = {i, j, 0};
            double diff = distance(a[j], b[j]);
            add_numbers(&s, a[j], b[j], diff);
            note_most(row, diff, cell);
            note_ratio(row, diff, cell, a[j], b[j]);
        }
        if (ok && interrupt_pending())
            ok = err_set(err, "interrupted");
    }
    row->allowed = d->tol;
    finish(&s);
    free(a);
    return ok;
}
