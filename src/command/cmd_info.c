/* logits and info: the next token, and the model. */
#include "command/commands.h"

#include "base/mem.h"
#include "base/safe.h"
#include "command/data.h"
#include "model/parts.h"
#include "tensor/compute.h"

#include <stdlib.h>
#include <string.h>

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
    int n_stages = sample_stages_on(&s->set.sampler, stage);

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

int candidates_at(const struct session *s, struct err *err)
{
    int at = session_candidates_at(s);

    if (at < 0 && s->set.logits_at == LOGITS_CURSOR && run_n_past(s->run) > 0)
        err_set(err, "token %d, where the cursor is, is not computed yet; run comes first",
                s->at.query);
    else if (at < 0)
        err_set(err, "no logits are computed yet; run comes first");
    return at;
}

bool cmd_logits(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    size_t n_vocab = (size_t) s->program->hp.n_vocab;
    struct sample_trace trace;
    int n;

    if (!count_of(&arg[0], LOGITS_ROWS, &n, err))
        return false;
    float *logits = xcalloc(n_vocab, sizeof *logits);
    int at = candidates_at(s, err);
    bool ok = session_logits_after(s, at, logits);
    if (ok) {
        sample_trace_of(&trace, logits, (int) n_vocab, &s->set.sampler);
        if (result_wanted(env))
            result_put(env, data_candidates(s, &trace, at, n));
        else
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
    if (result_wanted(env))
        return result_put(env, data_info(s));
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
