/* What attention weights say beyond one row: rollout and entropy. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/place.h"
#include "command/result.h"
#include "session/reading.h"
#include "session/rollout.h"
#include "session/row_entropy.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- rollout --- */

#define BAR_CELLS 40

static void rollout_print(const struct session *s, const double *weight, int pos, int layer,
                          struct str *out)
{
    double most = 0, sum = 0;

    str_adds(out, "attention rollout of ");
    position_print(s, pos, out);
    str_addf(out, " from layer %d down to the tokens\n", layer);
    for (int i = 0; i < rollout_tokens(s, pos); i++) {
        most = fmax(most, weight[i]);
        sum += weight[i];
    }
    for (int i = 0; i < rollout_tokens(s, pos); i++) {
        struct str name = STR_INIT;
        position_print(s, i, &name);
        pad_print(name.text, 20, out);
        str_release(&name);
        str_addf(out, "%9.5f ", weight[i]);
        for (int n = most > 0 ? (int) lround(weight[i] / most * BAR_CELLS) : 0; n > 0; n--)
            str_addc(out, '#');
        str_addc(out, '\n');
    }
    str_addf(out, "%-20s%9.5f\n", "sum", sum);
}

static json_t *rollout_json(const struct session *s, const double *weight, int pos, int layer)
{
    json_t *list = json_array();

    for (int i = 0; i < rollout_tokens(s, pos); i++) {
        json_t *o = position_json(s, i);
        json_object_set_new(o, "weight", result_number(weight[i]));
        json_array_append_new(list, o);
    }
    return json_pack("{s:o, s:i, s:o}", "query", position_json(s, pos), "layer", layer,
                     "tokens", list);
}

bool cmd_rollout(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    int pos, n_layer = s->program->hp.n_layer, layer = n_layer - 1;

    if (!position_of(s, &arg[0], "rollout", &pos, err))
        return false;
    if (arg[1].given && (arg[1].i < 0 || arg[1].i >= n_layer))
        return err_set(err, "there is no layer %s; the model has layers 0 to %d", arg[1].text,
                       n_layer - 1);
    if (arg[1].given)
        layer = (int) arg[1].i;
    double *weight = xcalloc((size_t) s->ids.n, sizeof *weight);
    bool ok = rollout(s, pos, layer, weight, err);
    if (ok && result_wanted(env))
        result_put(env, rollout_json(s, weight, pos, layer));
    else if (ok)
        rollout_print(s, weight, pos, layer, env->out);
    free(weight);
    return ok;
}

/* --- entropy --- */

/* Of one query and of all, a number a head. */
static bool all_heads(struct command_env *env, int pos, struct err *err)
{
    const struct session *s = env->session;
    size_t n = (size_t) s->program->hp.n_layer * (size_t) s->program->hp.n_head;
    double *at = xcalloc(2 * n, sizeof *at), *mean = at + n, most;
    int queries;
    bool ok =
        row_entropy_at(s, pos, at, err) && row_entropy_mean(s, mean, &queries, &most, err);

    if (ok && result_wanted(env)) {
        result_put(env, json_pack("{s:o, s:o, s:o, s:i, s:o, s:o}", "query",
                                  position_json(s, pos), "entropy", head_grid_json(s, at),
                                  "most", result_number(row_entropy_most(s, -1, pos)),
                                  "queries", queries, "mean", head_grid_json(s, mean),
                                  "mean_most", result_number(most)));
    } else if (ok) {
        str_adds(env->out, "entropy of the attention of query ");
        position_print(s, pos, env->out);
        str_addf(env->out, "; at most log %d = %.4f nats\n", run_seen(s->run, -1, pos),
                 row_entropy_most(s, -1, pos));
        head_grid_print(env, at, 8, 4);
        str_addf(env->out, "\nmean over queries 0 to %d; at most %.4f nats\n", queries - 1,
                 most);
        head_grid_print(env, mean, 8, 4);
    }
    free(at);
    return ok;
}

static json_t *head_json(const struct session *s, int layer, int head, const double *x, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++) {
        json_t *o = position_json(s, i);
        json_object_set_new(o, "entropy", result_number(x[i]));
        json_object_set_new(o, "most", result_number(row_entropy_most(s, layer, i)));
        json_array_append_new(list, o);
    }
    return json_pack("{s:i, s:i, s:o}", "layer", layer, "head", head, "queries", list);
}

/* A row a query. */
static bool one_head(struct command_env *env, int layer, int head, struct err *err)
{
    const struct session *s = env->session;
    int value = program_value(s->program, layer, "attn.pattern"), n = run_ready(s->run, value);

    if (!reading_ready(s, value, 0, err))
        return false;
    double *x = xcalloc((size_t) n, sizeof *x), sum = 0, most = 0;
    bool ok = row_entropy_head(s, layer, head, x, err);
    if (ok && result_wanted(env)) {
        result_put(env, head_json(s, layer, head, x, n));
    } else if (ok) {
        str_addf(env->out, "entropy of the attention in L%d.H%d, nats\n%-20s%9s%9s\n", layer,
                 head, "query", "entropy", "at most");
        for (int i = 0; i < n; i++) {
            struct str name = STR_INIT;
            position_print(s, i, &name);
            pad_print(name.text, 20, env->out);
            str_release(&name);
            str_addf(env->out, "%9.4f%9.4f\n", x[i], row_entropy_most(s, layer, i));
            sum += x[i];
            most += row_entropy_most(s, layer, i);
        }
        str_addf(env->out, "%-20s%9.4f%9.4f\n", "mean", sum / n, most / n);
    }
    free(x);
    return ok;
}

bool cmd_entropy(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    const char *text = arg[0].given ? arg[0].text : "", *rest = "";
    int layer = s->at.layer, head = s->at.head, pos;

    if (!*text || !strchr("LHlh", *text) || !isdigit((unsigned char) text[1]))
        return position_of(s, &arg[0], "entropy", &pos, err) && all_heads(env, pos, err);
    if (!place_parse(s, text, &layer, &head, &rest, err))
        return false;
    if (*rest)
        return err_set(err, "'%s' is more than a head; a head is like L2.H3", text);
    return one_head(env, layer, head, err);
}
