#include "session/similarity.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "session/reading.h"
#include "session/sheet.h"
#include "tensor/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of positions read at a time. */
#define BLOCK_FLOATS ((size_t) 1 << 20)
/* Rows of the embedding between two looks at interrupts. */
#define LOOK_ROWS 1024

bool similarity_init(struct similarity *sim, const struct session *s, int value, int head,
                     struct err *err)
{
    const struct program *p = s->program;
    const struct value *v = &p->value[value];

    if (v->life == LIFE_TOKENS)
        return err_set(err, "tokens are ids and have no direction; compare embed");
    if (v->axis[0] != AXIS_POS)
        return err_set(err,
                       "%s has a row a head and query; positions are compared of values "
                       "like resid_post, attn.q or logits",
                       v->name);
    if (!reading_ready(s, value, 0, err))
        return false;
    size_t width = program_width(p, value);
    int axis = value_head_axis(p, value);
    if (head >= 0 && axis >= 0)
        width /= (size_t) program_axis(p, v->axis[axis], 1);
    *sim = (struct similarity){value, axis < 0 ? -1 : head, run_ready(s->run, value), 0};
    sim->width = (int) width;
    return true;
}

/* --- positions --- */

static double length_of(const float *x, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += (double) x[i] * (double) x[i];
    return sqrt(sum);
}

/* Positions [first, first + count) at length 1. */
static bool read_units(const struct similarity *sim, const struct session *s, int first,
                       int count, float *out, struct err *err)
{
    const struct value *v = &s->program->value[sim->value];
    struct region g = {{first, 0, 0}, {count, 1, 1}};
    int axis = value_head_axis(s->program, sim->value);

    for (int i = 1; i < v->n_axis; i++)
        g.count[i] = program_axis(s->program, v->axis[i], 1);
    if (sim->head >= 0) {
        g.first[axis] = sim->head;
        g.count[axis] = 1;
    }
    if (interrupt_pending())
        return err_set(err, "interrupted at position %d of %d", first, sim->n);
    if (!run_read(s->run, sim->value, &g, out, err))
        return false;
    for (int i = 0; i < count; i++) {
        float *x = out + (size_t) i * (size_t) sim->width;
        double length = length_of(x, sim->width);
        for (int j = 0; j < sim->width; j++)
            x[j] = length > 0 ? (float) ((double) x[j] / length) : NAN;
    }
    return true;
}

bool similarity_read(const struct similarity *sim, const struct session *s, int row, int rows,
                     int col, int cols, float *out, struct err *err)
{
    size_t w = (size_t) sim->width, most = BLOCK_FLOATS / w, ld = (size_t) cols;
    int step = most < 1 ? 1 : most > (size_t) sim->n ? sim->n : (int) most;
    float *a = xcalloc(2 * (size_t) step * w, sizeof *a), *b = a + (size_t) step * w;
    bool ok = true;

    for (int i = 0; ok && i < rows; i += step) {
        int n = rows - i < step ? rows - i : step;
        ok = read_units(sim, s, row + i, n, a, err);
        for (int j = 0; ok && j < cols; j += step) {
            int k = cols - j < step ? cols - j : step;
            ok = read_units(sim, s, col + j, k, b, err);
            if (ok)
                compute_gemm(s->compute, true, n, k, sim->width, 1, a, w, b, w, 0,
                             out + (size_t) i * ld + (size_t) j, ld);
        }
    }
    free(a);
    return ok;
}

/* --- tokens --- */

/* Into a falling list of at most n. */
static void insert(struct neighbour *list, int *used, int n, struct neighbour one)
{
    int at = *used;

    while (at > 0 && one.cosine > list[at - 1].cosine)
        at--;
    if (at == n)
        return;
    *used += *used < n;
    memmove(&list[at + 1], &list[at], (size_t) (*used - 1 - at) * sizeof *list);
    list[at] = one;
}

static double cosine_of(const float *a, double length, const float *b, int n)
{
    double sum = 0, squares = 0;

    for (int i = 0; i < n; i++) {
        sum += (double) a[i] * (double) b[i];
        squares += (double) b[i] * (double) b[i];
    }
    return squares > 0 ? sum / (length * sqrt(squares)) : NAN;
}

int similarity_nearest(const struct session *s, enum weight_role role, int id,
                       struct neighbour *out, int n, struct err *err)
{
    const struct matrix *w = model_matrix(s->model, role, -1);
    float *own = xcalloc(2 * (size_t) w->n_in, sizeof *own), *row = own + w->n_in;
    int used = 0;

    matrix_row(w, id, own);
    double length = length_of(own, w->n_in);
    bool ok = length > 0 || err_set(err, "token %d has an empty row there", id);
    for (int i = 0; ok && i < w->n_out; i++) {
        if (i % LOOK_ROWS == 0 && interrupt_pending())
            ok = err_set(err, "interrupted at token %d of %d", i, w->n_out);
        matrix_row(w, i, row);
        double cosine = cosine_of(own, length, row, w->n_in);
        if (ok && i != id && !isnan(cosine))
            insert(out, &used, n, (struct neighbour){i, cosine});
    }
    free(own);
    return ok ? used : -1;
}
