/*
 * What a difference looks like: one factor throughout, the same at every position, positions
 * moved by one, heads in another order, only some heads or positions. A hint, not a proof.
 */
#include "engine/differ_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FLOATS ((size_t) 4 << 20) /* of a side: beyond, the first positions or heads */

/* Both sides as [n, width] of positions, or of stages as [head, n * n_key]. */
struct look {
    const struct differ *d;
    const struct differ_row *row;
    bool stage;
    int shape[3];
    float *a, *b;
    size_t n;
    double limit; /* an element that is off by more differs */
};

static size_t index_of(const struct look *l, int i, int j, int k)
{
    return ((size_t) i * (size_t) l->shape[1] + (size_t) j) * (size_t) l->shape[2] + (size_t) k;
}

/* Elements that are compared and finite on both sides. */
static bool usable(const struct look *l, int i, int j, int k)
{
    size_t at = index_of(l, i, j, k);
    (void) i;
    if (!isfinite(l->a[at]) || !isfinite(l->b[at]))
        return false;
    return !l->stage || k <= j;
}

static bool differs(const struct look *l, int i, int j, int k)
{
    size_t at = index_of(l, i, j, k);
    double diff = fabs((double) l->a[at] - (double) l->b[at]);
    if (l->a[at] == l->b[at] || (l->a[at] < DIFFER_MASKED && l->b[at] < DIFFER_MASKED))
        return false;
    if (l->stage && differ_hidden(l->d->program, l->row->value, j, k))
        return false;
    return !(diff <= l->limit);
}

/* --- the shapes of a difference --- */

/* A = c B: c, and how well. */
static bool same_factor(const struct look *l, double *factor)
{
    double ab = 0, bb = 0, aa = 0, rest = 0;
    for (int i = 0; i < l->shape[0]; i++)
        for (int j = 0; j < l->shape[1]; j++)
            for (int k = 0; k < l->shape[2]; k++) {
                size_t at = index_of(l, i, j, k);
                if (!usable(l, i, j, k))
                    continue;
                ab += (double) l->a[at] * l->b[at];
                bb += (double) l->b[at] * l->b[at];
                aa += (double) l->a[at] * l->a[at];
            }
    *factor = bb > 0 ? ab / bb : 0;
    rest = aa - *factor * ab; /* |A - c B|^2, against |A - B|^2 */
    return bb > 0 && rest < 0.03 * (aa - 2 * ab + bb) && fabs(*factor - 1) > 1e-5;
}

static void say_factor(const struct look *l, double factor, struct str *out)
{
    double root = sqrt((double) l->d->program->hp.d_head);
    str_addf(out, "A is %.6g times B throughout", factor);
    if (l->stage && fabs(factor / root - 1) < 1e-3)
        str_addf(out, " (the square root of d_head)");
    if (l->stage && fabs(factor * root - 1) < 1e-3)
        str_addf(out, " (1 over the square root of d_head)");
}

/* a[pos] against b[pos + by], all of it. */
static bool shifted(const struct look *l, int by)
{
    size_t width = (size_t) l->shape[1] * (size_t) l->shape[2];
    if (l->stage || l->shape[0] < 3)
        return false;
    for (int i = 0; i < l->shape[0]; i++) {
        if (i + by < 0 || i + by >= l->shape[0])
            continue;
        const float *a = l->a + (size_t) i * width, *b = l->b + (size_t) (i + by) * width;
        for (size_t j = 0; j < width; j++)
            if (!(fabs((double) a[j] - (double) b[j]) <= l->limit))
                return false;
    }
    return true;
}

/* The same vector is added at each position. */
static bool same_everywhere(const struct look *l)
{
    size_t width = (size_t) l->shape[1] * (size_t) l->shape[2];
    if (l->stage || l->shape[0] < 2 || width < 2)
        return false;
    for (int i = 1; i < l->shape[0]; i++)
        for (size_t j = 0; j < width; j++) {
            size_t at = (size_t) i * width + j;
            double first = (double) l->a[j] - (double) l->b[j];
            double here = (double) l->a[at] - (double) l->b[at];
            if (!(fabs(first - here) <= 2 * l->limit))
                return false;
        }
    return true;
}

/* Every number of a position is off by the same. */
static bool same_in_row(const struct look *l)
{
    size_t width = (size_t) l->shape[1] * (size_t) l->shape[2];
    if (l->stage || width < 8)
        return false;
    for (int i = 0; i < l->shape[0]; i++)
        for (size_t j = 1; j < width; j++) {
            size_t row = (size_t) i * width;
            double first = (double) l->a[row] - (double) l->b[row];
            double here = (double) l->a[row + j] - (double) l->b[row + j];
            if (!(fabs(first - here) <= 2 * l->limit))
                return false;
        }
    return true;
}

/* --- heads --- */

/* The axis of heads, or -1. */
static int head_axis(const struct look *l)
{
    const struct value *v = &l->d->program->value[l->row->value];
    for (int i = 0; i < v->n_axis; i++)
        if (v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD)
            return i;
    return -1;
}

static bool head_is(const struct look *l, int axis, int head, int other)
{
    int rows = axis == 0 ? l->shape[1] : l->shape[0];
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < l->shape[2]; k++) {
            size_t x = axis == 0 ? index_of(l, head, i, k) : index_of(l, i, head, k);
            size_t y = axis == 0 ? index_of(l, other, i, k) : index_of(l, i, other, k);
            bool both = l->a[x] < DIFFER_MASKED && l->b[y] < DIFFER_MASKED;
            if (l->stage && k > i)
                continue;
            if (!both && !(fabs((double) l->a[x] - (double) l->b[y]) <= l->limit))
                return false;
        }
    return true;
}

/* "A's heads are B's 1 0 2 3": when each head of A is one of B. */
static bool say_heads(const struct look *l, struct str *out)
{
    int axis = head_axis(l), n = axis < 0 ? 0 : l->shape[axis];
    struct str list = STR_INIT;
    bool all = n > 1 && n <= 256, moved = false;
    for (int h = 0; all && h < n; h++) {
        int other = head_is(l, axis, h, h) ? h : 0;
        while (other < n && !head_is(l, axis, h, other))
            other++;
        all = other < n;
        moved = moved || other != h;
        str_addf(&list, " %d", other);
    }
    if (all && moved)
        str_addf(out, "A's heads 0 to %d are B's heads%s", n - 1, list.text);
    str_release(&list);
    return all && moved;
}

/* --- where --- */

enum { MOST_RANGES = 6 };

static int count_ranges(const bool *mark, int n)
{
    int ranges = 0;
    for (int i = 0; i < n; i++)
        ranges += mark[i] && (i == 0 || !mark[i - 1]);
    return ranges;
}

/* "2, 5-9" of marks[n]. */
static void say_marks(const bool *mark, int n, struct str *out)
{
    int said = 0;
    for (int i = 0; i < n; i++) {
        int end = i;
        if (!mark[i])
            continue;
        while (end + 1 < n && mark[end + 1])
            end++;
        str_addf(out, end > i ? "%s%d-%d" : "%s%d", said++ ? ", " : "", i, end);
        i = end;
    }
}

/* Which indices of each axis have an element that differs; said where that is not all. */
static void say_where(const struct look *l, struct str *out)
{
    const struct value *v = &l->d->program->value[l->row->value];
    bool *mark[3];
    int after = 0, others = 0;
    for (int x = 0; x < 3; x++)
        mark[x] = xcalloc((size_t) l->shape[x] + 1, sizeof **mark);
    for (int i = 0; i < l->shape[0]; i++)
        for (int j = 0; j < l->shape[1]; j++)
            for (int k = 0; k < l->shape[2]; k++)
                if (differs(l, i, j, k)) {
                    mark[0][i] = mark[1][j] = mark[2][k] = true;
                    after += l->stage && k > j;
                    others += !l->stage || k <= j;
                }
    if (after && !others)
        str_adds(out, "only keys after their query differ");
    for (int x = 0; x < v->n_axis && !(after && !others); x++) {
        int n = 0;
        for (int i = 0; i < l->shape[x]; i++)
            n += mark[x][i];
        if (count_ranges(mark[x], l->shape[x]) > MOST_RANGES || n == 0 || n == l->shape[x] ||
            (v->axis[x] == AXIS_KEY && l->stage))
            continue;
        const char *name = l->stage && x == 1 ? "query" : axis_name(v->axis[x]);
        str_addf(out, "%s%s ", out->len ? "; " : "only ", name);
        say_marks(mark[x], l->shape[x], out);
        if (l->shape[x] < 1000)
            str_addf(out, " of %d", l->shape[x]);
    }
    for (int x = 0; x < 3; x++)
        free(mark[x]);
}

/* --- */

static void say(const struct look *l, struct str *out)
{
    double factor;
    if (same_factor(l, &factor))
        say_factor(l, factor, out);
    else if (shifted(l, 1))
        str_adds(out, "A's numbers at a position are B's one position later");
    else if (shifted(l, -1))
        str_adds(out, "A's numbers at a position are B's one position before");
    else if (same_everywhere(l))
        str_adds(out, "A - B is the same at every position, as a bias would be");
    else if (same_in_row(l))
        str_adds(out, "A - B is one number at each position, which softmax does not see");
    else if (!say_heads(l, out))
        say_where(l, out);
}

bool differ_hint(const struct differ *d, const struct differ_row *row, struct str *out,
                 struct err *err)
{
    struct look l = {.d = d, .row = row, .stage = program_is_stage(d->program, row->value)};
    struct region g = {{0, 0, 0}, {row->shape[0], row->shape[1], row->shape[2]}};
    size_t width = (size_t) g.count[1] * (size_t) g.count[2];
    if (d->program->value[row->value].life == LIFE_TOKENS || width == 0)
        return true;
    if (width > MOST_FLOATS)
        return true;
    if ((size_t) g.count[0] > MOST_FLOATS / width)
        g.count[0] = (int) (MOST_FLOATS / width);
    memcpy(l.shape, g.count, sizeof l.shape);
    l.n = (size_t) g.count[0] * width;
    l.a = xcalloc(2 * l.n + 1, sizeof *l.a);
    l.b = l.a + l.n;
    l.limit = row->ratio > 0 && isfinite(row->ratio) ? row->allowed * row->most / row->ratio
                                                     : row->allowed;
    bool ok = differ_read(d, row, &g, l.a, l.b, err);
    if (ok)
        say(&l, out);
    free(l.a);
    return ok;
}
