#include "session/attribution.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "session/reading.h"
#include "tensor/matrix.h"

#include <stdlib.h>
#include <string.h>

/* An attribution being made. */
struct making {
    const struct session *s;
    const struct program *p;
    struct attribution *a;
    const struct op *head, *norm; /* unembedding, final norm */
    size_t d;
    double *u;     /* [d] the unembedding's row */
    double *sees;  /* [d] what a part of the stream is multiplied with: gain, centring, scale */
    float *row[4]; /* [d] each */
    float *result; /* [n_head, d] */
    struct err *err;
};

static double product(const double *w, const float *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += w[i] * (double) x[i];
    return sum;
}

static void add_part(struct making *m, enum from_kind kind, int layer, int head, double amount)
{
    struct attribution *a = m->a;

    VEC_ROOM(a->part, a->n, a->cap);
    a->part[a->n++] = (struct attribution_part){kind, layer, head, -1, amount};
    a->sum += amount;
}

static void add_patch(struct making *m, int value, double amount)
{
    add_part(m, FROM_PATCH, m->p->value[value].layer, -1, amount);
    m->a->part[m->a->n - 1].value = value;
}

static bool read_row(struct making *m, int value, float *out)
{
    return reading_row(m->s->run, value, m->a->pos, out, m->err);
}

/* A patch acts on a cell of the value at this position, or its op does something else. */
static bool is_changed(const struct making *m, int value, int from, int to)
{
    const struct run *r = m->s->run;

    value = program_resolve(m->p, value);
    if (run_replaced(r, m->p->value[value].op))
        return true;
    for (int i = 0; i < run_n_patches(r); i++)
        for (int j = from; j < to; j++) {
            const int cell[3] = {m->a->pos, j, 0};
            float x = 0;
            if (run_patch_cell(r, i, value, cell, &x))
                return true;
        }
    return false;
}

/* --- the direction --- */

static void take_row(struct making *m, int token, double sign)
{
    matrix_row(model_matrix(m->s->model, m->head->weight, m->head->layer), token, m->row[0]);
    for (size_t i = 0; i < m->d; i++)
        m->u[i] += sign * (double) m->row[0][i];
}

/* (c - mean c) / scale * gain . u is c . sees: taking the mean away from c or from the other
 * side of the product is the same. */
static bool find_direction(struct making *m)
{
    const struct model *model = m->s->model;
    const float *gain = model_vector(model, m->norm->weight, m->norm->layer);
    int scale = program_find(m->p, "ln_final.scale");
    double mean = 0;
    float x;

    take_row(m, m->a->token, 1);
    if (m->a->against >= 0)
        take_row(m, m->a->against, -1);
    if (!read_row(m, scale, &x))
        return false;
    m->a->scale = (double) x;
    for (size_t i = 0; i < m->d; i++) {
        m->sees[i] = m->u[i] * (double) gain[i];
        mean += m->sees[i] / (double) m->d;
    }
    for (size_t i = 0; i < m->d; i++)
        m->sees[i] = (m->sees[i] - (m->norm->code == OP_LAYERNORM ? mean : 0)) / m->a->scale;
    if (m->a->scale == 0) /* another function in its place lets nothing through */
        memset(m->sees, 0, m->d * sizeof *m->sees);
    return true;
}

/* --- the stream --- */

/* What a changed value has at this position beyond the sum of what makes it. */
static bool patch_part(struct making *m, int value, const float *a, const float *b)
{
    float *x = m->row[3];
    double amount = 0;

    if (!is_changed(m, value, 0, (int) m->d))
        return true;
    if (!read_row(m, value, x))
        return false;
    for (size_t i = 0; i < m->d; i++)
        amount += m->sees[i] * ((double) x[i] - (double) a[i] - (b ? (double) b[i] : 0));
    add_patch(m, value, amount);
    return true;
}

static bool embeddings(struct making *m)
{
    int embed = program_find(m->p, "embed"), pos = program_find(m->p, "pos_embed");
    int stream = program_value(m->p, 0, "resid_pre");

    if (!read_row(m, embed, m->row[0]))
        return false;
    add_part(m, FROM_EMBED, -1, -1, product(m->sees, m->row[0], m->d));
    if (pos < 0)
        return true;
    if (!read_row(m, pos, m->row[1]))
        return false;
    add_part(m, FROM_POS_EMBED, -1, -1, product(m->sees, m->row[1], m->d));
    return patch_part(m, stream, m->row[0], m->row[1]);
}

/* The heads, the bias of the output projection, and what attn_out has beyond both. */
static bool attention(struct making *m, int layer)
{
    int n_head = m->p->hp.n_head, out = program_value(m->p, layer, "attn_out");
    const struct op *op = &m->p->op[m->p->value[program_resolve(m->p, out)].op];
    const float *bias = op->bias < W_COUNT ? model_vector(m->s->model, op->bias, layer) : NULL;
    float *sum = m->row[1];

    if (!read_row(m, program_value(m->p, layer, "attn.result"), m->result))
        return false;
    memset(sum, 0, m->d * sizeof *sum);
    for (int head = 0; head < n_head; head++) {
        const float *x = m->result + (size_t) head * m->d;
        add_part(m, FROM_HEAD, layer, head, product(m->sees, x, m->d));
        for (size_t i = 0; i < m->d; i++)
            sum[i] += x[i];
    }
    if (bias)
        add_part(m, FROM_ATTN_BIAS, layer, -1, product(m->sees, bias, m->d));
    return patch_part(m, out, sum, bias);
}

static bool layer_parts(struct making *m, int layer)
{
    int pre = program_value(m->p, layer, "resid_pre"),
        attn = program_value(m->p, layer, "attn_out"),
        mid = program_value(m->p, layer, "resid_mid"),
        mlp = program_value(m->p, layer, "mlp_out"),
        post = program_value(m->p, layer, "resid_post");

    if (interrupt_pending())
        return err_set(m->err, "interrupted at layer %d", layer);
    if (!attention(m, layer) || !read_row(m, pre, m->row[0]) || !read_row(m, attn, m->row[1]) ||
        !patch_part(m, mid, m->row[0], m->row[1]))
        return false;
    if (!read_row(m, mid, m->row[0]) || !read_row(m, mlp, m->row[1]))
        return false;
    add_part(m, FROM_MLP, layer, -1, product(m->sees, m->row[1], m->d));
    return patch_part(m, post, m->row[0], m->row[1]);
}

/* --- after the stream --- */

/* ln_final.out . u beyond what the parts give there so far. */
static bool norm_parts(struct making *m, double *before_head)
{
    const float *bias = m->norm->bias < W_COUNT
                            ? model_vector(m->s->model, m->norm->bias, m->norm->layer)
                            : NULL;
    int value = m->norm->out[0], stream = m->norm->in[0];
    double normed;

    if (bias)
        add_part(m, FROM_NORM_BIAS, -1, -1, product(m->u, bias, m->d));
    if (!read_row(m, stream, m->row[0]) || !read_row(m, value, m->row[1]))
        return false;
    *before_head = product(m->u, m->row[1], m->d);
    if (!is_changed(m, value, 0, (int) m->d))
        return true;
    normed = product(m->sees, m->row[0], m->d) + (bias ? product(m->u, bias, m->d) : 0);
    add_patch(m, value, *before_head - normed);
    return true;
}

static bool read_logit(struct making *m, int token, double *x)
{
    struct region g = {{m->a->pos, token, 0}, {1, 1, 1}};
    float logit;

    if (!run_read(m->s->run, m->head->out[0], &g, &logit, m->err))
        return false;
    *x = (double) logit;
    return true;
}

static bool head_parts(struct making *m, double before_head)
{
    const float *bias = m->head->bias < W_COUNT
                            ? model_vector(m->s->model, m->head->bias, m->head->layer)
                            : NULL;
    int value = m->head->out[0], token = m->a->token, against = m->a->against;
    double amount = 0, other = 0;

    if (bias) {
        amount = (double) bias[token] - (against < 0 ? 0 : (double) bias[against]);
        add_part(m, FROM_HEAD_BIAS, -1, -1, amount);
    }
    if (!read_logit(m, token, &m->a->actual) ||
        (against >= 0 && !read_logit(m, against, &other)))
        return false;
    m->a->actual -= other;
    if (is_changed(m, value, token, token + 1) ||
        (against >= 0 && is_changed(m, value, against, against + 1)))
        add_patch(m, value, m->a->actual - before_head - amount);
    return true;
}

static bool make(struct making *m)
{
    double before_head;
    bool ok = find_direction(m) && embeddings(m);

    for (int layer = 0; ok && layer < m->p->hp.n_layer; layer++)
        ok = layer_parts(m, layer);
    return ok && norm_parts(m, &before_head) && head_parts(m, before_head);
}

bool attribution_of(struct attribution *a, const struct session *s, int pos, int token,
                    int against, struct err *err)
{
    const struct program *p = s->program;
    int logits = program_find(p, "logits");
    struct making m = {.s = s, .p = p, .a = a, .d = (size_t) p->hp.d_model, .err = err};

    *a = (struct attribution){.pos = pos, .token = token, .against = against};
    if (!reading_ready(s, logits, pos, err))
        return false;
    m.head = &p->op[p->value[logits].op];
    m.norm = &p->op[p->value[m.head->in[0]].op];
    m.u = xcalloc(2 * m.d, sizeof *m.u);
    m.sees = m.u + m.d;
    m.result = xcalloc((size_t) p->hp.n_head * m.d, sizeof *m.result);
    for (int i = 0; i < 4; i++)
        m.row[i] = xcalloc(m.d, sizeof *m.row[i]);
    bool ok = make(&m);
    for (int i = 0; i < 4; i++)
        free(m.row[i]);
    free(m.result);
    free(m.u);
    if (!ok)
        attribution_release(a);
    return ok;
}

void attribution_release(struct attribution *a)
{
    free(a->part);
    *a = (struct attribution){0};
}

void attribution_name(const struct session *s, const struct attribution_part *part,
                      struct str *out)
{
    static const char *const name[] = {
        [FROM_EMBED] = "embed",           [FROM_POS_EMBED] = "pos_embed",
        [FROM_ATTN_BIAS] = "attn bias",   [FROM_MLP] = "mlp",
        [FROM_PATCH] = "patch of ",       [FROM_NORM_BIAS] = "final norm bias",
        [FROM_HEAD_BIAS] = "lm head bias"};

    if (part->kind == FROM_PATCH)
        str_adds(out, name[part->kind]);
    if (part->layer >= 0)
        str_addf(out, "L%d%c", part->layer, part->kind == FROM_HEAD ? '.' : ' ');
    if (part->kind == FROM_HEAD)
        str_addf(out, "H%d", part->head);
    else if (part->kind == FROM_PATCH)
        str_adds(out, value_short_name(&s->program->value[part->value]));
    else
        str_adds(out, name[part->kind]);
}

double attribution_sum(const struct attribution *a, enum from_kind kind, int layer, int head)
{
    double sum = 0;

    for (int i = 0; i < a->n; i++) {
        const struct attribution_part *part = &a->part[i];
        if (part->kind == kind && (layer < 0 || part->layer == layer) &&
            (head < 0 || part->head == head))
            sum += part->amount;
    }
    return sum;
}
