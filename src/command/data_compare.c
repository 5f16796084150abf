/* The run less the mark, as data. */
#include "command/data.h"

#include "base/mem.h"
#include "session/diff.h"
#include "session/mark.h"
#include "view/cache.h"
#include "view/compare.h"
#include "view/view.h"

#include <stdlib.h>

json_t *data_mark(const struct session *s)
{
    if (!s->mark)
        return json_null();
    return json_pack("{s:o, s:i, s:i}", "label", data_string(s->mark->label), "n_tokens",
                     run_n_past(s->mark->run), "n_ablations", run_n_patches(s->mark->run));
}

json_t *data_sides(const struct session *s)
{
    struct err err = ERR_INIT;
    struct diff d = {0};
    bool both = s->mark && diff_open(&d, s, &err);

    return json_pack(
        "{s:b, s:o, s:o, s:o, s:o}", "comparing", s->comparing, "now",
        json_pack("{s:i, s:i}", "n_tokens", s->ids.n, "n_ablations", s->n_ablations), "mark",
        data_mark(s), "n_compared", data_index(both ? d.n : -1), "n_same",
        data_index(both ? d.n_same : -1));
}

static bool open_both(struct diff *d, const struct session *s, struct err *err)
{
    return (s->mark || mark_missing(err)) && diff_open(d, s, err);
}

/* --- the map of the selected head --- */

/* now - mark, [count, n_col] from query `first` and column `col` on. */
static json_t *read_map(const struct session *s, const struct diff *d, int value, int first,
                        int count, int col, int n_col, struct err *err)
{
    struct region part = {{s->at.head, first, col}, {1, count, n_col}};
    float *x = xcalloc((size_t) count * (size_t) n_col + 1, sizeof *x);
    json_t *o = NULL;

    if (s->at.stage == STAGE_MIX)
        part = (struct region){{first, s->at.head, col}, {count, 1, n_col}};
    if (diff_read(d, value, &part, x, err))
        o = data_table(x, count, n_col);
    free(x);
    return o;
}

json_t *data_compare_map(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;
    bool mix = s->at.stage == STAGE_MIX;
    int value = session_stage_value(s, s->at.layer, s->at.stage);
    struct diff d;

    if (!open_both(&d, s, err))
        return NULL;
    int ready = diff_ready(&d, value);
    if (ready < 1) {
        err_set(err, "%s is not computed in both yet", s->program->value[value].name);
        return NULL;
    }
    int n_col = mix ? s->program->hp.d_head : ready, count = data_most(rows, DATA_SIDE, ready);
    int cols = mix ? n_col : data_most(rows, DATA_SIDE, n_col);
    int first = data_window(s->at.query < ready ? s->at.query : ready - 1, count, ready);
    int col = mix ? 0 : data_window(s->at.key < n_col ? s->at.key : n_col - 1, cols, n_col);
    json_t *data = read_map(s, &d, value, first, count, col, cols, err);
    if (!data)
        return NULL;
    return data_join(
        data_value_name(s->program, value, s->at.head),
        json_pack("{s:s, s:o, s:o, s:o}", "stage", mix ? "z" : stage_name(s->at.stage),
                  "queries", data_part(NULL, d.n, first, count), mix ? "channels" : "keys",
                  data_part(NULL, mix ? n_col : d.n, col, cols), "difference", data));
}

/* --- heads, stream, logits --- */

json_t *data_compare_heads(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;

    (void) rows;
    if (!s->mark) {
        mark_missing(err);
        return NULL;
    }
    cache_budget(env->screen->cache, 0);
    const struct compare_heads *h = cache_compare_heads(env->screen->cache, s, err);
    if (!h)
        return NULL;
    json_t *list = json_array();
    for (int i = 0; i < h->n_layer * h->n_head; i++) {
        int layer = i / h->n_head;
        json_array_append_new(
            list,
            json_pack("{s:i, s:i, s:i, s:o}", "layer", layer, "head", i % h->n_head,
                      "n_queries", h->ready[layer], "largest",
                      h->ready[layer] > 0 ? result_number((double) h->most[i]) : json_null()));
    }
    return json_pack("{s:o, s:o}", "largest", result_number((double) h->largest), "heads",
                     list);
}

static json_t *residual(struct command_env *env, struct err *err)
{
    const struct session *s = env->session;
    const struct compare_resid *r = cache_compare_resid(env->screen->cache, s, err);
    json_t *list = json_array();

    for (int i = 0; r && i < r->n_layer; i++) {
        const struct diff_length *l = &r->length[i];
        bool known = l->change >= 0;
        json_array_append_new(list,
                              json_pack("{s:i, s:o, s:o}", "layer", i, "change",
                                        known ? result_number(l->change) : json_null(), "mark",
                                        known ? result_number(l->mark) : json_null()));
    }
    return json_pack("{s:o, s:o}", "at", data_token_at(s, r ? r->pos : -1), "layers", list);
}

static json_t *changes(const struct session *s, const struct logit_change *c, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(
            list,
            data_join(result_token(s, c[i].id),
                      json_pack("{s:o, s:o, s:o, s:o}", "now", result_number((double) c[i].now),
                                "mark", result_number((double) c[i].mark), "p_now",
                                result_number(c[i].p_now), "p_mark",
                                result_number(c[i].p_mark))));
    return list;
}

json_t *data_compare_logits(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;

    if (!s->mark) {
        mark_missing(err);
        return NULL;
    }
    cache_budget(env->screen->cache, 0);
    const struct logit_diff *d = cache_logit_diff(env->screen->cache, s, err);
    if (!d) {
        if (!err->text[0])
            err_set(err, "there are no logits to compare yet; run comes first");
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "after", data_token_at(s, d->pos), "kl",
                     result_number(d->kl), "top_now", result_token(s, d->top_now), "top_mark",
                     result_token(s, d->top_mark), "up",
                     changes(s, d->up, data_most(rows, DATA_ROWS, d->n_up)), "down",
                     changes(s, d->down, data_most(rows, DATA_ROWS, d->n_down)));
}

/* A part that is not there is null. */
static json_t *part(json_t *o)
{
    return o ? o : json_null();
}

json_t *data_compare(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;
    struct err none = ERR_INIT; /* parts that are still to do */

    if (!s->mark) {
        mark_missing(err);
        return NULL;
    }
    cache_budget(env->screen->cache, 0);
    return data_join(data_sides(s), json_pack("{s:o, s:o, s:o, s:o}", "map",
                                              part(data_compare_map(env, rows, &none)), "heads",
                                              part(data_compare_heads(env, rows, &none)),
                                              "residual", residual(env, &none), "logits",
                                              part(data_compare_logits(env, rows, &none))));
}
