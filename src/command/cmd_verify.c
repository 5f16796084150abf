/* verify: the cache against computing everything again. */
#include "command/commands.h"

#include "command/data.h"

#define NOTHING "the cache is empty: there is nothing to compare"

static void verify_print(const struct verify *v, struct str *out)
{
    str_addf(out, "%d position%s computed again in one pass; largest differences:\n", v->n_pos,
             v->n_pos == 1 ? "" : "s");
    for (int l = 0; l < v->n_layer; l++)
        str_addf(out, "L%d  K %.2g  V %.2g\n", l, (double) v->k[l], (double) v->v[l]);
    str_addf(out, "logits after %d  %.2g\n", v->n_pos - 1, (double) v->logits);
}

void verify_sum(const struct verify *v, struct str *out)
{
    str_addf(out, "%d positions computed again: K %.1g, V %.1g, logits %.1g off at most",
             v->n_pos, (double) v->k[v->k_layer], (double) v->v[v->v_layer],
             (double) v->logits);
}

bool cmd_verify(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    (void) arg;
    if (run_n_past(s->run) == 0 && result_wanted(env))
        return result_put(
            env, json_pack("{s:i, s:[], s:[], s:n}", "n_positions", 0, "k", "v", "logits"));
    if (run_n_past(s->run) == 0) {
        if (env->live)
            session_say(s, NOTHING);
        else
            str_adds(env->out, NOTHING "\n");
        return true;
    }
    bool more = session_verify_begin(s, err);
    if (!more || env->live) /* the program's loop goes on */
        return more;
    if (!session_verify_step(s, 0, &more, err))
        return false;
    if (result_wanted(env))
        return result_put(env, data_verify(s));
    verify_print(session_verified(s), env->out);
    return true;
}
