/* Attention as data: the selected head's numbers, and what every head does. */
#include "command/data.h"

#include "view/cache.h"
#include "view/view.h"

#include <string.h>

/* --- the map of one head --- */

json_t *data_attention(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;
    bool mix = s->at.stage == STAGE_MIX;
    int value = session_stage_value(s, s->at.layer, s->at.stage), n = s->ids.n;
    int n_col = mix ? s->program->hp.d_head : n;
    struct attn_want want = {.rows = data_most(rows, DATA_SIDE, n), .window = true};

    want.cols = mix ? n_col : data_most(rows, DATA_SIDE, n_col);
    want.first_q = data_window(s->at.query, want.rows, n);
    want.first_k = mix ? 0 : data_window(s->at.key, want.cols, n_col);
    cache_budget(env->screen->cache, 0);
    const struct attn_grid *g = cache_attention(env->screen->cache, s, &want, err);
    if (!g)
        return NULL;
    if (g->ready == 0) {
        err_set(err, "%s is not computed yet; step or run first",
                s->program->value[value].name);
        return NULL;
    }
    int done = g->done - g->first_q;
    return data_join(data_value_name(s->program, value, s->at.head),
                     json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}", "stage",
                               mix ? "z" : stage_name(s->at.stage), "hide_sink",
                               s->set.hide_sink, "queries",
                               data_part(NULL, n, g->first_q, done), mix ? "channels" : "keys",
                               data_part(NULL, n_col, g->first_k, g->cols), "cursor",
                               json_pack("[i, i]", s->at.query, s->at.key), "data",
                               data_table(g->v, done, g->cols)));
}

/* --- all heads --- */

/* "previous token" as a key. */
static void set_job(json_t *o, enum head_job job, json_t *v)
{
    char key[32];
    size_t n = strlen(head_job_name(job));

    memcpy(key, head_job_name(job), n + 1);
    for (size_t i = 0; i < n; i++)
        key[i] = key[i] == ' ' ? '_' : key[i];
    json_object_set_new(o, key, v);
}

static json_t *head(const struct session *s, const struct head_summary *h, int layer, int i)
{
    json_t *share = json_object(), *counted = json_object();

    if (!h->ready) {
        json_decref(share);
        json_decref(counted);
        return json_pack("{s:i, s:i, s:b}", "layer", layer, "head", i, "computed", false);
    }
    for (int k = 0; k < JOB_COUNT; k++) {
        set_job(share, (enum head_job) k,
                h->n[k] > 0 ? result_number((double) h->job[k]) : json_null());
        set_job(counted, (enum head_job) k, json_integer(h->n[k]));
    }
    return json_pack("{s:i, s:i, s:b, s:s?, s:o, s:o, s:o, s:o, s:o, s:o}", "layer", layer,
                     "head", i, "computed", true, "job",
                     h->tag < 0 ? NULL : head_job_name((enum head_job) h->tag), "weight_on",
                     share, "n_queries", counted, "max", result_number((double) h->max),
                     "entropy", result_number((double) h->entropy), "strongest",
                     data_token_at(s, h->strongest), "strongest_weight",
                     result_number((double) h->strongest_weight));
}

json_t *data_heads(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;
    json_t *list = json_array();

    (void) rows;
    cache_budget(env->screen->cache, 0);
    const struct heads_summary *sum = cache_heads(env->screen->cache, s, 0, err);
    for (int i = 0; sum && i < sum->n_layer * sum->n_head; i++)
        json_array_append_new(list, head(s, &sum->head[i], i / sum->n_head, i % sum->n_head));
    json_t *o = json_pack("{s:i, s:o}", "n_queries", sum ? sum->n_query : 0, "heads", list);
    if (sum)
        return o;
    json_decref(o);
    return NULL;
}
