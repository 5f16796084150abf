/* Commands that compare two runs, and steer one toward the other: mark, compare, steer. */
#include "command/commands.h"

#include "command/data.h"
#include "session/diff.h"
#include "session/mark.h"
#include "session/steer.h"

#include <math.h>
#include <string.h>

/* "now 13 tokens; the mark 13 tokens, 1 ablated; both have 13, of which the first 6 are the
 * same" */
static void sides_print(const struct session *s, struct str *out)
{
    struct err err = ERR_INIT;
    struct diff d;

    if (!diff_open(&d, s, &err))
        return;
    str_addf(out, "now %d token%s", s->ids.n, s->ids.n == 1 ? "" : "s");
    if (s->n_ablations > 0)
        str_addf(out, ", %d ablated", s->n_ablations);
    str_addf(out, "; the mark: %s; %d compared", s->mark->label, d.n);
    if (d.n_same < d.n)
        str_addf(out, ", tokens differ from %d on", d.n_same);
    str_addc(out, '\n');
}

bool cmd_mark(struct command_env *env, const struct arg *arg, struct err *err)
{
    enum { RECOMPUTED, CLEAR };
    struct session *s = env->session;
    int how = arg[0].given ? (int) arg[0].i : -1;

    if (how >= 0 && arg[1].given)
        return err_set(err, "mark %s takes no label", arg[0].text);
    if (how == CLEAR && !s->mark)
        return mark_missing(err);
    if (how == CLEAR) {
        mark_clear(s);
        if (result_wanted(env))
            return result_put(env, json_pack("{s:n}", "mark"));
        str_adds(env->out, "the mark is forgotten\n");
        return true;
    }
    if (!(how == RECOMPUTED ? mark_recompute(s, err)
                            : mark_take(s, arg[1].given ? arg[1].text : NULL, err)))
        return false;
    if (result_wanted(env))
        return result_put(env, json_pack("{s:o}", "mark", data_mark(s)));
    str_addf(env->out, "marked: %s; compare shows what changes\n", s->mark->label);
    return true;
}

bool cmd_compare(struct command_env *env, const struct arg *arg, struct err *err)
{
    enum { ON, OFF, TOGGLE };
    struct session *s = env->session;
    int how = arg[0].given ? (int) arg[0].i : TOGGLE;
    bool on = how == ON || (how == TOGGLE && !s->comparing);

    if (on && !s->mark)
        return mark_missing(err);
    s->comparing = on;
    if (result_wanted(env))
        return result_put(env, data_sides(s));
    if (on)
        sides_print(s, env->out);
    else
        str_adds(env->out, "not comparing\n");
    return true;
}

bool cmd_steer(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    bool was_done = session_done(s);
    int n_layer = s->program->hp.n_layer, layer = (int) arg[0].i;
    bool token = arg[2].given && (arg[2].quoted || strcmp(arg[2].text, "mark"));

    if (arg[0].i < 0 || arg[0].i >= n_layer)
        return err_set(err, "there is no layer %s; the model has layers 0 to %d", arg[0].text,
                       n_layer - 1);
    if (!isfinite(arg[1].x) || arg[1].x == 0)
        return err_set(err, "a direction is added X times; X is a number other than 0");
    if (token && (arg[2].i < 0 || arg[2].i >= s->program->hp.n_vocab))
        return err_set(err, "there is no token %s; ids go from 0 to %d", arg[2].text,
                       s->program->hp.n_vocab - 1);
    if (!(token ? steer_to_token(s, layer, (float) arg[1].x, (int) arg[2].i, err)
                : steer_to_mark(s, layer, (float) arg[1].x, s->at.query, err)))
        return false;
    return ablations_done(env, was_done, err);
}
