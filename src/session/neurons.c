/* What one position's MLP did. */
#include "session/neurons.h"

#include "base/mem.h"
#include "engine/function.h"
#include "tensor/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MOST = 4 };

/* The values of the row, in the order in which they are read; post is the last. */
static int parts_of(const struct session *s, int layer, int value[PARTS_MOST])
{
    static const char *const plain[] = {"mlp.pre", "mlp.post", NULL};
    static const char *const gated[] = {"mlp.pre", "mlp.pre_linear", "mlp.act", "mlp.post",
                                        NULL};
    const char *const *name = s->program->hp.gated ? gated : plain;
    int n = 0;

    for (; name[n]; n++)
        value[n] = program_value(s->program, layer, name[n]);
    return n;
}

void neuron_row_release(struct neuron_row *row)
{
    free(row->pre);
    free(row->linear);
    if (row->act != row->post)
        free(row->act);
    free(row->post);
    free(row->order);
    memset(row, 0, sizeof *row);
}

static float *floats(int n)
{
    return xcalloc((size_t) n, sizeof(float));
}

static void begin(struct neuron_row *row, const struct session *s, int layer, int pos)
{
    neuron_row_release(row);
    row->layer = layer;
    row->pos = pos;
    row->n = s->program->hp.d_mlp;
    row->generation = s->generation;
    row->version = run_version(s->run);
    row->pre = floats(row->n);
    row->post = floats(row->n);
    row->act = s->program->hp.gated ? floats(row->n) : row->post;
    row->linear = s->program->hp.gated ? floats(row->n) : NULL;
    row->order = xcalloc((size_t) row->n, sizeof *row->order);
}

struct rank {
    float size;
    int neuron;
};

static int by_size(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;

    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->neuron < y->neuron ? -1 : 1;
}

static void conclude(struct neuron_row *row)
{
    struct rank *rank = xcalloc((size_t) row->n, sizeof *rank);

    for (int i = 0; i < row->n; i++) {
        float size = fabsf(row->post[i]);
        rank[i] = (struct rank){isnan(size) ? -1 : size, i};
        row->n_active += row->act[i] > 0;
    }
    qsort(rank, (size_t) row->n, sizeof *rank, by_size);
    for (int i = 0; i < row->n; i++)
        row->order[i] = rank[i].neuron;
    free(rank);
    row->ready = true;
}

bool neuron_row_step(struct neuron_row *row, const struct session *s, int layer, int pos,
                     struct err *err)
{
    int value[PARTS_MOST], n = parts_of(s, layer, value);

    if (pos < 0 || run_ready(s->run, value[n - 1]) <= pos) {
        neuron_row_release(row);
        return err_set(err, "the MLP of layer %d is not computed yet for position %d", layer,
                       pos);
    }
    if (!row->n || row->generation != s->generation || row->version != run_version(s->run) ||
        row->layer != layer || row->pos != pos)
        begin(row, s, layer, pos);
    if (row->ready)
        return true;
    float *plain[] = {row->pre, row->post};
    float *gated[] = {row->pre, row->linear, row->act, row->post};
    struct region g = {{pos, 0, 0}, {1, row->n, 1}};
    if (!run_read(s->run, value[row->parts], &g, (row->linear ? gated : plain)[row->parts],
                  err))
        return false;
    if (++row->parts == n)
        conclude(row);
    return true;
}

int neuron_row_rank(const struct neuron_row *row, int neuron)
{
    for (int i = 0; i < row->n; i++)
        if (row->order[i] == neuron)
            return i;
    return 0;
}

float neuron_act(const struct hparams *hp, float x)
{
    float y;

    (hp->act == ACT_SILU ? silu : hp->act == ACT_GELU_ERF ? gelu_erf : gelu_tanh)(&y, &x, 1);
    return y;
}

static int act_op(const struct session *s, int layer)
{
    int act = program_value(s->program, layer, "mlp.act");

    return s->program->value[act >= 0 ? act : program_value(s->program, layer, "mlp.post")].op;
}

const char *neuron_function(const struct session *s, int layer)
{
    const struct function *f = run_function(s->run, act_op(s, layer), NULL);

    return f ? f->name : s->program->hp.act == ACT_SILU ? "silu" : "gelu";
}

void neuron_curve(const struct session *s, int layer, const float *x, float *y, int n)
{
    int op = act_op(s, layer), d = s->program->hp.d_mlp;
    float *row = xcalloc((size_t) d * 2, sizeof *row); /* ops work on whole rows */

    for (int i = 0; i < n; i += d) {
        int count = n - i < d ? n - i : d;
        memcpy(row, x + i, (size_t) count * sizeof *row);
        run_apply(s->run, op, 0, 1, row, row + d);
        memcpy(y + i, row + d, (size_t) count * sizeof *row);
    }
    free(row);
}

const char *neuron_act_name(const struct hparams *hp)
{
    static const char *const name[] = {
        [ACT_GELU_TANH] = "GELU (tanh)", [ACT_GELU_ERF] = "GELU (erf)", [ACT_SILU] = "SiLU"};

    return name[hp->act];
}
