/* The data behind each view's picture. */
#include "command/data.h"

#include "base/interrupt.h"
#include "command/commands.h"
#include "session/game.h"
#include "view/ops.h"
#include "view/view.h"
#include "view/views.h"

#include <string.h>

static json_t *view_ops(struct command_env *env, int rows, struct err *err)
{
    const struct session *s = env->session;
    bool next = s->ids.n > 0 && !session_done(s);

    (void) rows;
    (void) err;
    return json_pack("{s:o, s:i, s:o}", "next", data_index(next ? ops_done(s) : -1), "cursor",
                     screen_op(s, env->screen), "ops", data_ops(s, 0, s->program->n_steps));
}

static json_t *view_logits(struct command_env *env, int rows, struct err *err)
{
    const struct sample_trace *t = candidates_of(env, err);

    if (!t)
        return NULL;
    return data_candidates(env->session, t, session_candidates_at(env->session),
                           data_most(rows, LOGITS_ROWS, t->n));
}

static json_t *view_explain(struct command_env *env, int rows, struct err *err)
{
    (void) rows;
    return data_subject(env, err);
}

static json_t *view_tensor(struct command_env *env, int rows, struct err *err)
{
    return data_value(env->session, tensor_value(env->session, env->screen), -1, rows, err);
}

static json_t *view_model(struct command_env *env, int rows, struct err *err)
{
    (void) rows;
    (void) err;
    return data_join(data_info(env->session),
                     json_pack("{s:o}", "weights", data_weights(env->session->model)));
}

static json_t *view_tokens(struct command_env *env, int rows, struct err *err)
{
    json_t *o = data_tokens(env, err);

    (void) rows;
    if (o && env->session->set.merges && env->session->ids.n > 0) {
        struct err why = ERR_INIT;
        json_t *merges = data_merges(env->session, &why);
        json_object_set_new(o, "merges", merges ? merges : json_null());
    }
    return o;
}

static json_t *view_lesson(struct command_env *env, int rows, struct err *err)
{
    (void) rows;
    if (course_lesson(env->session->course))
        return data_lesson(env->session->course);
    err_set(err, "no lesson is open; 'lesson' opens one");
    return NULL;
}

static json_t *view_game(struct command_env *env, int rows, struct err *err)
{
    (void) rows;
    if (game_is_on(env->session->game))
        return data_game(env->session);
    err_set(err, "no game is on; 'game' begins one");
    return NULL;
}

static json_t *view_log(struct command_env *env, int rows, struct err *err)
{
    const struct str *log = &env->session->log;

    (void) rows;
    (void) err;
    return json_pack("{s:o}", "lines", data_lines(log->len ? log->text : ""));
}

static json_t *view_help(struct command_env *env, int rows, struct err *err)
{
    (void) env;
    (void) rows;
    (void) err;
    return data_keys();
}

// clang-format off
const struct data_view data_view_table[] = {
    {"map", view_ops, NULL, "next cursor ops"},
    {"attention", data_attention, data_compare_map,
     "value layer head stage [hide_sink] queries [keys] [channels] [cursor] [data] [difference]"},
    {"heads", data_heads, data_compare_heads, "[n_queries] [largest] heads"},
    {"logits", view_logits, data_compare_logits,
     "after [follows] [n_vocab] [stages] [candidates] [kl] [top_now] [top_mark] [up] [down]"},
    {"explain", view_explain, NULL,
     "value layer head cell place result actual replaced differs numbers tables lines largest"},
    {"program", view_ops, NULL, "next cursor ops"},
    {"mlp", data_mlp, NULL, "layer at n_neurons n_active activation gated selected strongest"},
    {"compare", data_compare, NULL,
     "comparing now mark n_compared n_same map heads residual logits"},
    {"cache", data_cache, NULL,
     "n_positions n_ctx bytes bytes_per_token bytes_full n_head n_kv_head pass verified layers"},
    {"tensor", view_tensor, NULL, "value layer head axes statistics data"},
    {"model", view_model, NULL,
     "name architecture path hyper_parameters parameters memory dtypes tokenizer context threads "
     "weights"},
    {"tokens", view_tokens, NULL, "tokens n_tokens n_prompt n_computed n_pending [merges]"},
    {"residual", data_residual, NULL, "positions tokens points"},
    {"lesson", view_lesson, NULL,
     "[lesson] [title] [step] [steps] [heading] [text] [holds] [question] [choices] [answered] "
     "[verdict] [reveal] [ended]"},
    {"game", view_game, NULL,
     "[model] [n_layer] [n_ops] [placed] [cards] [verdict] [wrong] [hints] [over]"},
    {"log", view_log, NULL, "lines"},
    {"help", view_help, NULL, "keys"},
    {NULL, NULL, NULL, NULL},
};
// clang-format on

static const struct data_view *find(const char *view)
{
    const struct data_view *row = data_view_table;

    while (strcmp(row->view, view))
        row++;
    return row;
}

json_t *data_view(struct command_env *env, int view, int rows, struct err *err)
{
    const struct data_view *row = find(view_table[view].name);
    struct err why = ERR_INIT;
    bool other = env->session->comparing && row->comparing;
    json_t *data = (other ? row->comparing : row->data)(env, rows, &why);

    if (!data && interrupt_pending()) {
        err_set(err, "%s", why.text);
        return NULL;
    }
    if (!data)
        data = json_pack("{s:o}", "missing", data_string(why.text));
    return data_join(json_pack("{s:s}", "view", row->view), data);
}
