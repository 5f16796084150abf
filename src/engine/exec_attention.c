/*
 * The attention stages one by one, on [head, query, key] matrices, and as one kernel.
 */
#include "engine/run_state.h"
#include "tensor/attention.h"
#include "tensor/kernels.h"

#include <math.h>
#include <string.h>

static const struct hparams *hparams_of(const struct op_call *call)
{
    return &call->run->program->hp;
}

static float head_scale(const struct hparams *hp)
{
    return 1.0f / sqrtf((float) hp->d_head);
}

/* Where head h's rows of a stage lie. */
static size_t stage_at(const struct op_call *call, int head)
{
    return (size_t) head * (size_t) call->rows * (size_t) call->n_key;
}

static void scores_head(void *arg, int head, float *scratch)
{
    const struct op_call *call = arg;
    const struct hparams *hp = hparams_of(call);
    size_t d = (size_t) hp->d_head, ldq = (size_t) hp->n_head * d,
           ldk = (size_t) hp->n_kv_head * d;
    int kv = head / (hp->n_head / hp->n_kv_head);
    (void) scratch;
    compute_gemm(call->run->compute, true, call->rows, call->n_key, hp->d_head, 1.0f,
                 call->in[0] + (size_t) head * d, ldq, call->in[1] + (size_t) kv * d, ldk, 0.0f,
                 call->out[0] + stage_at(call, head), (size_t) call->n_key);
}

void exec_scores(const struct op_call *call)
{
    compute_each(call->run->compute, hparams_of(call)->n_head, scores_head, (void *) call);
}

static void scale_head(void *arg, int head, float *scratch)
{
    const struct op_call *call = arg;
    float scale = head_scale(hparams_of(call));
    size_t at = stage_at(call, head), n = (size_t) call->rows * (size_t) call->n_key;
    (void) scratch;
    for (size_t i = at; i < at + n; i++)
        call->out[0][i] = call->in[0][i] * scale;
}

void exec_scale(const struct op_call *call)
{
    compute_each(call->run->compute, hparams_of(call)->n_head, scale_head, (void *) call);
}

static void mask_head(void *arg, int head, float *scratch)
{
    const struct op_call *call = arg;
    (void) scratch;
    for (int i = 0; i < call->rows; i++) {
        size_t at = stage_at(call, head) + (size_t) i * (size_t) call->n_key;
        int seen = call->pos0 + i + 1;
        memmove(call->out[0] + at, call->in[0] + at, (size_t) seen * sizeof(float));
        for (int j = seen; j < call->n_key; j++)
            call->out[0][at + (size_t) j] = -INFINITY;
    }
}

void exec_mask(const struct op_call *call)
{
    compute_each(call->run->compute, hparams_of(call)->n_head, mask_head, (void *) call);
}

static void softmax_head(void *arg, int head, float *scratch)
{
    const struct op_call *call = arg;
    int n_head = hparams_of(call)->n_head;
    (void) scratch;
    for (int i = 0; i < call->rows; i++) {
        size_t at = stage_at(call, head) + (size_t) i * (size_t) call->n_key;
        float *row = call->out[0] + at;
        memmove(row, call->in[0] + at, (size_t) call->n_key * sizeof *row);
        float lse = softmax_row(row, call->n_key);
        if (call->lse)
            call->lse[(size_t) i * (size_t) n_head + (size_t) head] = lse;
    }
}

static void softmax_logits(const struct op_call *call, int first, int rows)
{
    int n = hparams_of(call)->n_vocab;
    for (int i = first; i < first + rows; i++) {
        float *row = call->out[0] + (size_t) i * (size_t) n;
        memcpy(row, call->in[0] + (size_t) i * (size_t) n, (size_t) n * sizeof *row);
        softmax_row(row, n);
    }
}

void exec_softmax(const struct op_call *call)
{
    if (call->op->layer < 0)
        exec_rows(call, (size_t) call->rows * (size_t) hparams_of(call)->n_vocab,
                  softmax_logits);
    else
        compute_each(call->run->compute, hparams_of(call)->n_head, softmax_head, (void *) call);
}

static void mix_head(void *arg, int head, float *scratch)
{
    const struct op_call *call = arg;
    const struct hparams *hp = hparams_of(call);
    size_t d = (size_t) hp->d_head, ldz = (size_t) hp->n_head * d,
           ldv = (size_t) hp->n_kv_head * d;
    int kv = head / (hp->n_head / hp->n_kv_head);
    (void) scratch;
    compute_gemm(call->run->compute, false, call->rows, hp->d_head, call->n_key, 1.0f,
                 call->in[0] + stage_at(call, head), (size_t) call->n_key,
                 call->in[1] + (size_t) kv * d, ldv, 0.0f, call->out[0] + (size_t) head * d,
                 ldz);
}

void exec_mix(const struct op_call *call)
{
    compute_each(call->run->compute, hparams_of(call)->n_head, mix_head, (void *) call);
}

void exec_fused(const struct run *r, int layer, int pos0, int rows, const float *q, float *z,
                float *lse)
{
    const struct hparams *hp = &r->program->hp;
    const struct op *scores = &r->program->op[program_attention(r->program, layer, NULL)];
    const struct op *mix = scores + (OP_MIX - OP_SCORES);
    struct attention_dims dims = {.n_head = hp->n_head,
                                  .n_kv_head = hp->n_kv_head,
                                  .d_head = hp->d_head,
                                  .n_query = rows,
                                  .pos0 = pos0,
                                  .scale = head_scale(hp)};
    attention(r->compute, z, lse, q, run_slot(r, scores->in[1], 0), run_slot(r, mix->in[1], 0),
              &dims);
    if (r->n_patches > 0)
        patch_apply(r, mix->out[0], pos0, rows, pos0 + rows, z);
}

/* With another function in the place of the output projection, it makes each head's part. */
static void result_replaced(const struct op_call *call, int projection)
{
    const struct hparams *hp = hparams_of(call);
    size_t d = (size_t) hp->d_head, n = (size_t) hp->n_head * d, dm = (size_t) hp->d_model;

    for (int i = 0; i < call->rows; i++)
        for (int head = 0; head < hp->n_head; head++) {
            size_t at = (size_t) i * n + (size_t) head * d;
            memset(call->work, 0, n * sizeof *call->work);
            memcpy(call->work + (size_t) head * d, call->in[0] + at, d * sizeof *call->work);
            run_apply(call->run, projection, call->pos0 + i, 1, call->work,
                      call->out[0] + ((size_t) i * (size_t) hp->n_head + (size_t) head) * dm);
        }
}

/* The other heads' z as zeros: works for every layout of W_O. */
static const float *head_alone(const struct op_call *call, int head)
{
    const struct hparams *hp = hparams_of(call);
    size_t d = (size_t) hp->d_head, n = (size_t) hp->n_head * d;
    memset(call->work, 0, (size_t) call->rows * n * sizeof *call->work);
    for (int i = 0; i < call->rows; i++) {
        size_t at = (size_t) i * n + (size_t) head * d;
        memcpy(call->work + at, call->in[0] + at, d * sizeof *call->work);
    }
    return call->work;
}

/* One head at a time. Derived only. */
void exec_result(const struct op_call *call)
{
    int after;
    program_attention(call->run->program, call->op->layer, &after);
    if (call->run->function[after]) { /* the op after the mix reads z */
        result_replaced(call, after);
        return;
    }
    const struct run *r = call->run;
    const struct hparams *hp = &r->program->hp;
    const struct matrix *w = model_matrix(r->model, W_O, call->op->layer);
    size_t d = (size_t) hp->d_head, n = (size_t) hp->n_head * d, dm = (size_t) hp->d_model;
    for (int head = 0; head < hp->n_head; head++) {
        float *out = call->out[0] + (size_t) head * dm;
        struct matrix part;
        if (matrix_inputs(&part, w, head * hp->d_head, hp->d_head))
            matmul(r->compute, out, (size_t) hp->n_head * dm, call->in[0] + (size_t) head * d,
                   n, call->rows, &part, NULL);
        else
            matmul(r->compute, out, (size_t) hp->n_head * dm, head_alone(call, head), n,
                   call->rows, w, NULL);
    }
}
