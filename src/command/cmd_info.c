/* logits and info: the next token, and the model. */
#include "command/commands.h"

#include "base/mem.h"
#include "base/safe.h"
#include "model/parts.h"
#include "tensor/compute.h"

#include <stdlib.h>
#include <string.h>

/* Stages that change something, besides the raw probabilities. */
static int active_stages(const struct sampler *p, enum sample_stage out[SAMPLE_STAGES])
{
    int n = 0;

    out[n++] = SAMPLE_RAW;
    if (p->temp != 1)
        out[n++] = SAMPLE_TEMP;
    if (p->top_k > 0)
        out[n++] = SAMPLE_TOP_K;
    if (p->top_p < 1)
        out[n++] = SAMPLE_TOP_P;
    if (p->min_p > 0)
        out[n++] = SAMPLE_MIN_P;
    return n;
}

#define TOKEN_CELLS 20

static void candidate_row(const struct session *s, const struct candidate *c, int rank,
                          const enum sample_stage *stage, int n_stages, struct str *out)
{
    char label[128];

    str_addf(out, "%4d %7d  ", rank, c->id);
    pad_print(tokenizer_label(s->tokenizer, c->id, label, sizeof label), TOKEN_CELLS, out);
    str_addf(out, " %9.4f", (double) c->logit);
    for (int i = 0; i < n_stages; i++) {
        if (c->prob[stage[i]] > 0)
            str_addf(out, " %11.6f", c->prob[stage[i]]);
        else
            str_addf(out, " %11s", "-");
    }
    str_addc(out, '\n');
}

static void trace_print(const struct session *s, const struct sample_trace *t, int n,
                        struct str *out)
{
    enum sample_stage stage[SAMPLE_STAGES];
    int n_stages = active_stages(&s->set.sampler, stage);

    str_addf(out, "rank      id  %-*s %9s", TOKEN_CELLS, "token", "logit");
    for (int i = 0; i < n_stages; i++)
        str_addf(out, " %11s", sample_stage_name(stage[i]));
    str_addc(out, '\n');
    for (int i = 0; i < n && i < t->n; i++)
        candidate_row(s, &t->candidate[i], i + 1, stage, n_stages, out);
    for (int i = 0; i < n_stages; i++)
        str_addf(out, "%s: %d of %d tokens, entropy %.4f nats\n", sample_stage_name(stage[i]),
                 t->kept[stage[i]], t->n, t->entropy[stage[i]]);
}

bool cmd_logits(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    size_t n_vocab = (size_t) s->program->hp.n_vocab;
    struct sample_trace trace;
    int n;

    if (!count_of(&arg[0], 10, &n, err))
        return false;
    float *logits = xcalloc(n_vocab, sizeof *logits);
    bool ok = session_logits(s, logits) ||
              err_set(err, "no logits are computed yet; run comes first");
    if (ok) {
        sample_trace_of(&trace, logits, (int) n_vocab, &s->set.sampler);
        trace_print(s, &trace, n, env->out);
        sample_trace_release(&trace);
    }
    free(logits);
    return ok;
}

bool cmd_info(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    const struct hparams *hp = &s->program->hp;
    const char *path = model_path(s->model);
    struct run_memory mem;
    struct str *out = env->out;
    struct parts parts;

    (void) arg;
    (void) err;
    str_addf(out, "model      %s (%s)\nfile       ", hp->name, arch_name(hp->arch));
    safe_add(out, path, strlen(path), SAFE_SPACE_KEEP);
    str_addf(out, "\nlayers     %d\nheads      %d", hp->n_layer, hp->n_head);
    if (hp->n_kv_head != hp->n_head)
        str_addf(out, ", %d for keys and values", hp->n_kv_head);
    str_addf(out, "\nsizes      d_model %d, d_head %d, d_mlp %d\n", hp->d_model, hp->d_head,
             hp->d_mlp);
    str_addf(out, "vocabulary %d tokens, %s\n", hp->n_vocab, tokenizer_kind(s->tokenizer));
    str_addf(out, "context    %d of the model's %d\n", run_n_ctx(s->run), hp->n_ctx);
    parts_count(&parts, s->model);
    str_addf(out, "parameters %llu in %.1f MB\n", (unsigned long long) parts.total,
             (double) parts.bytes / 1e6);
    run_memory(s->run, &mem);
    str_addf(out, "memory     cache %.2f MB, kept %.2f MB, pass %.2f MB\n",
             (double) mem.cache / 1e6, (double) mem.kept / 1e6,
             (double) (mem.arena + mem.scratch) / 1e6);
    str_addf(out, "threads    %d\n", compute_threads(s->compute));
    return true;
}
