/* What views show of a layer's MLP, of the residual stream, and of the KV cache. */
#include "command/data.h"

#include "session/cost.h"
#include "view/cache.h"
#include "view/view.h"

#include <stdio.h>

/* --- neurons --- */

json_t *data_neuron(const struct neuron_row *row, int rank)
{
    int i = row->order[rank];

    return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o}", "neuron", i, "rank", rank + 1, "pre",
                     result_number((double) row->pre[i]), "linear",
                     row->linear ? result_number((double) row->linear[i]) : json_null(), "act",
                     result_number((double) row->act[i]), "post",
                     result_number((double) row->post[i]));
}

/* The tokens that it makes likelier with the activation it has. */
static json_t *promoted(const struct session *s, const struct neuron_effect *e, float post)
{
    const struct neuron_token *list = post < 0 ? e->down : e->up;
    json_t *tokens = json_array();

    for (int k = 0; k < NEURON_TOKENS && list[k].id >= 0; k++) {
        double effect = (double) list[k].effect * (double) post;
        json_array_append_new(tokens,
                              data_join(result_token(s, list[k].id),
                                        json_pack("{s:o}", "effect", result_number(effect))));
    }
    return tokens;
}

static json_t *strongest(struct command_env *env, const struct neuron_row *row, int n)
{
    const struct session *s = env->session;
    const struct neuron_tokens *tokens =
        cache_neuron_tokens(env->screen->cache, s, row->layer, row->order, n);
    json_t *list = json_array();

    for (int i = 0; i < n; i++) {
        const struct neuron_effect *e = neuron_tokens_find(tokens, row->layer, row->order[i]);
        json_t *o = data_neuron(row, i);
        json_object_set_new(o, "promotes",
                            e ? promoted(s, e, row->post[row->order[i]]) : json_null());
        json_array_append_new(list, o);
    }
    return list;
}

static bool need_tokens(const struct session *s, struct err *err)
{
    return s->ids.n > 0 || err_set(err, "there are no tokens yet; give a prompt first");
}

json_t *data_mlp(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;

    if (!need_tokens(s, err))
        return NULL;
    cache_budget(env->screen->cache, 0);
    const struct neuron_row *row = cache_neurons(env->screen->cache, s, err);
    if (!row)
        return NULL;
    return json_pack("{s:i, s:o, s:i, s:i, s:s, s:b, s:o, s:o}", "layer", row->layer, "at",
                     data_token_at(s, row->pos), "n_neurons", row->n, "n_active", row->n_active,
                     "activation", neuron_act_name(&s->program->hp), "gated",
                     row->linear != NULL, "selected",
                     data_neuron(row, neuron_row_rank(row, s->at.neuron)), "strongest",
                     strongest(env, row, data_most(rows, DATA_ROWS, row->n)));
}

/* --- the residual stream through the logit lens --- */

static json_t *lens_top(const struct session *s, const struct lens_cell *cell)
{
    json_t *list = json_array();

    for (int i = 0; i < LENS_TOP && cell->top[i].id >= 0; i++)
        json_array_append_new(
            list,
            data_join(result_token(s, cell->top[i].id),
                      json_pack("{s:o}", "p", result_number((double) cell->top[i].prob))));
    return list;
}

static json_t *rank_of(int rank)
{
    return rank > 0 ? json_integer(rank) : json_null();
}

static json_t *lens_data(const struct session *s, const struct lens *l, int point, int pos)
{
    struct lens_cell c;

    if (!lens_cell(l, point, pos, &c))
        return json_null();
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "top", lens_top(s, &c), "entropy",
        result_number((double) c.entropy), "kl", result_number((double) c.kl), "rank",
        rank_of(c.rank), "surprisal", result_number((double) c.surprisal), "rank_next",
        rank_of(c.rank_next), "norm", result_number((double) c.norm), "added",
        result_number((double) c.added), "cosine", result_number((double) c.cosine));
}

static json_t *lens_point(const struct session *s, const struct lens *l, int point, int first,
                          int n)
{
    json_t *cells = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(cells, lens_data(s, l, point, first + i));
    return data_join(data_point(point), json_pack("{s:o}", "cells", cells));
}

json_t *data_residual(struct command_env *env, int rows, struct err *err)
{
    enum { MOST = 64 };
    const struct session *s = env->session;
    int n = data_most(rows, MOST, s->ids.n), first = data_window(s->at.query, n, s->ids.n);

    if (!need_tokens(s, err))
        return NULL;
    cache_budget(env->screen->cache, 0);
    const struct lens *l = cache_lens(env->screen->cache, s, first, n, true, err);
    if (err->text[0])
        return NULL;
    json_t *points = json_array(), *tokens = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(tokens, data_token_at(s, first + i));
    for (int point = 0; point < lens_n_points(l); point++)
        json_array_append_new(points, lens_point(s, l, point, first, n));
    return json_pack("{s:o, s:o, s:o}", "positions", data_part(NULL, s->ids.n, first, n),
                     "tokens", tokens, "points", points);
}

/* --- the cache --- */

/* K or V of a layer: bytes of all kv heads, the length of each position's row by kv head. */
static json_t *cache_side(struct command_env *env, int layer, bool v)
{
    const struct session *s = env->session;
    const struct hparams *hp = &s->program->hp;
    const struct kv_side *side = cache_kv(env->screen->cache, s, layer, v);
    json_t *heads = json_array();
    char name[32];

    for (int h = 0; h < hp->n_kv_head; h++) {
        json_t *length = json_array();
        for (int i = 0; i < side->ready; i++)
            json_array_append_new(length,
                                  result_number((double) side->length[i * hp->n_kv_head + h]));
        json_array_append_new(heads, length);
    }
    snprintf(name, sizeof name, "cache.%d.%c", layer, v ? 'v' : 'k');
    return json_pack("{s:s, s:[i, i, i], s:I, s:o}", "value", name, "shape", side->ready,
                     hp->n_kv_head, hp->d_head, "bytes",
                     (json_int_t) side->ready * hp->n_kv_head * hp->d_head *
                         (json_int_t) sizeof(float),
                     "lengths", heads);
}

static json_t *last_pass(const struct session *s)
{
    int n_past, n_new;

    session_last_pass(s, &n_past, &n_new);
    if (n_new == 0)
        return json_null();
    double cost = cost_of(s->program, n_past, n_new).total;
    double all = cost_of(s->program, 0, n_past + n_new).total;
    return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o}", "first", n_past, "count", n_new,
                     "multiplications", result_number(cost), "multiplications_uncached",
                     result_number(all), "multiplications_saved", result_number(all - cost),
                     "times", result_number(all / cost));
}

json_t *data_verify(const struct session *s)
{
    const struct verify *v = session_verified(s);

    if (!v)
        return json_null();
    return json_pack("{s:i, s:o, s:o, s:o}", "n_positions", v->n_pos, "k",
                     result_floats(v->k, (size_t) v->n_layer), "v",
                     result_floats(v->v, (size_t) v->n_layer), "logits",
                     result_number((double) v->logits));
}

json_t *data_cache(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;
    const struct hparams *hp = &s->program->hp;
    json_int_t each =
        (json_int_t) 2 * hp->n_layer * hp->n_kv_head * hp->d_head * (json_int_t) sizeof(float);
    json_t *layers = json_array();
    struct run_memory m;

    (void) rows;
    (void) err;
    cache_budget(env->screen->cache, 0);
    run_memory(s->run, &m);
    for (int l = 0; l < hp->n_layer; l++)
        json_array_append_new(layers, json_pack("{s:i, s:o, s:o}", "layer", l, "k",
                                                cache_side(env, l, false), "v",
                                                cache_side(env, l, true)));
    return json_pack("{s:i, s:i, s:I, s:I, s:I, s:i, s:i, s:o, s:o, s:o}", "n_positions",
                     run_n_past(s->run) + run_n_new(s->run), "n_ctx", run_n_ctx(s->run),
                     "bytes", (json_int_t) m.cache, "bytes_per_token", each, "bytes_full",
                     each * run_n_ctx(s->run), "n_head", hp->n_head, "n_kv_head", hp->n_kv_head,
                     "pass", last_pass(s), "verified", data_verify(s), "layers", layers);
}
