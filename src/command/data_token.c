/* Tokens, candidates and branches as data. */
#include "command/data.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "view/cache.h"
#include "view/merges.h"
#include "view/view.h"

#include <math.h>

json_t *data_token_at(const struct session *s, int pos)
{
    if (pos < 0 || pos >= s->ids.n)
        return json_null();
    return data_join(json_pack("{s:i}", "position", pos), result_token(s, s->ids.id[pos]));
}

json_t *data_counts(const struct session *s)
{
    return json_pack("{s:i, s:i, s:i, s:i}", "n_tokens", s->ids.n, "n_prompt", s->n_prompt,
                     "n_computed", run_n_past(s->run), "n_pending", session_pending(s));
}

static json_t *tokens_from(const struct session *s, const struct ids *ids, int first)
{
    json_t *list = json_array();

    for (int i = first; i < ids->n; i++)
        json_array_append_new(list, result_token(s, ids->id[i]));
    return list;
}

json_t *data_prompt(const struct session *s)
{
    json_t *o = json_pack("{s:o, s:o}", "text", result_text(s->prompt.text, s->prompt.len),
                          "tokens", tokens_from(s, &s->ids, 0));

    return data_join(o, data_counts(s));
}

/* --- the list of tokens --- */

static json_t *token_row(const struct session *s, const struct lens *l, int i)
{
    int done = run_n_past(s->run), begun = done + run_n_new(s->run), rank;
    json_t *o = data_token_at(s, i);
    float nats;
    bool known = lens_surprisal(l, i, &nats, &rank);

    json_object_set_new(o, "surprisal", known ? result_number((double) nats) : json_null());
    json_object_set_new(o, "bits", known ? result_number((double) nats / M_LN2) : json_null());
    json_object_set_new(o, "rank", known ? json_integer(rank) : json_null());
    json_object_set_new(o, "state",
                        json_string(i < done    ? "computed"
                                    : i < begun ? "in_pass"
                                                : "waiting"));
    json_object_set_new(o, "added", json_boolean(i >= s->n_prompt));
    return o;
}

json_t *data_tokens(struct command_env *env, struct err *err)
{
    enum { BATCH = 32 };
    const struct session *s = env->session;
    const struct lens *l = NULL;
    json_t *list = json_array();

    cache_budget(env->screen->cache, 0);
    for (int i = 0; i < s->ids.n; i++) {
        struct err none = ERR_INIT; /* then there is no surprisal */
        if (interrupt_pending()) {
            err_set(err, "interrupted");
            json_decref(list);
            return NULL;
        }
        if (i % BATCH == 0)
            l = cache_lens(env->screen->cache, s, i - 1, BATCH, false, &none);
        json_array_append_new(list, token_row(s, l, i));
    }
    return data_join(json_pack("{s:o}", "tokens", list), data_counts(s));
}

/* --- candidates --- */

json_t *data_draw(const struct sample_draw *d)
{
    if (!d->drawn)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "u", result_number(d->u), "low",
                     result_number(d->low), "high", result_number(d->low + d->p), "p",
                     result_number(d->p));
}

json_t *data_candidate(const struct session *s, const struct sample_trace *t, int rank)
{
    const struct candidate *c = &t->candidate[rank];
    enum sample_stage stage[SAMPLE_STAGES];
    int n = sample_stages_on(&s->set.sampler, stage);
    json_t *o = json_pack("{s:i}", "rank", rank + 1), *prob = json_array();

    data_join(o, result_token(s, c->id));
    for (int i = 0; i < n; i++)
        json_array_append_new(prob, result_number(c->prob[stage[i]]));
    json_object_set_new(o, "logit", result_number((double) c->logit));
    json_object_set_new(o, "prob", prob);
    return o;
}

static json_t *stages(const struct session *s, const struct sample_trace *t)
{
    enum sample_stage stage[SAMPLE_STAGES];
    int n = sample_stages_on(&s->set.sampler, stage);
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:o}", "name", sample_stage_name(stage[i]), "kept",
                            t->kept[stage[i]], "entropy", result_number(t->entropy[stage[i]])));
    return list;
}

json_t *data_candidates(const struct session *s, const struct sample_trace *t, int at, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n && i < t->n; i++)
        json_array_append_new(list, data_candidate(s, t, i));
    return json_pack("{s:o, s:o, s:i, s:o, s:o}", "after", data_token_at(s, at), "follows",
                     data_token_at(s, at + 1), "n_vocab", t->n, "stages", stages(s, t),
                     "candidates", list);
}

/* --- branches --- */

static json_t *branch(const struct session *s, const struct branch *b)
{
    return json_pack("{s:i, s:o, s:i, s:b, s:i, s:i, s:o}", "id", b->id, "from",
                     b->parent ? json_integer(b->parent) : json_null(), "at", b->fork,
                     "present", b->id == s->branches.present, "n_tokens", b->ids.n, "n_prompt",
                     b->n_prompt, "tokens", tokens_from(s, &b->ids, b->fork));
}

json_t *data_branches(struct session *s)
{
    json_t *list = json_array();

    branches_note(s);
    for (int i = 0; i < s->branches.n; i++)
        json_array_append_new(list, branch(s, &s->branches.item[i]));
    return json_pack("{s:o, s:o, s:o}", "present",
                     s->branches.n ? json_integer(s->branches.present) : json_null(), "last",
                     data_token_at(s, s->ids.n - 1), "branches", list);
}

/* --- merges --- */

static json_t *merge_step(const struct session *s, const struct merge_log *log, int i)
{
    const struct merge_step *step = &log->step[i];
    json_t *pieces = json_array();

    for (int k = 0; k < step->n_pieces; k++)
        json_array_append_new(pieces,
                              result_text(log->text + step->cuts[k],
                                          (size_t) (step->cuts[k + 1] - step->cuts[k])));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "rank", data_index(step->rank), "left",
                     step->left < 0 ? json_null() : result_token(s, step->left), "right",
                     step->right < 0 ? json_null() : result_token(s, step->right), "result",
                     step->result < 0 ? json_null() : result_token(s, step->result), "pieces",
                     pieces);
}

json_t *data_merges(const struct session *s, struct err *err)
{
    struct merge_word w;
    json_t *o = NULL;

    if (merge_word_read(s, &w, err)) {
        json_t *list = json_array();
        for (int i = 0; i < w.log.n; i++)
            json_array_append_new(list, merge_step(s, &w.log, i));
        o = json_pack("{s:i, s:i, s:o, s:b, s:o}", "first", w.begin, "count", w.end - w.begin,
                      "text", result_text(w.text.text, w.text.len), "as_read", w.as_read,
                      "steps", list);
    }
    merge_word_release(&w);
    return o;
}
