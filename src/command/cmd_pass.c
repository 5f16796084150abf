/* Commands that go through the program: step, run, until, back. */
#include "command/commands.h"

#include "base/interrupt.h"
#include "command/data.h"
#include "command/place.h"
#include "view/view.h"

enum { UNIT_OP, UNIT_LAYER, UNIT_TOKEN };

void where_print(const struct session *s, struct str *out)
{
    if (s->breaks.hit[0])
        str_addf(out, "%s\n", s->breaks.hit);
    if (s->ids.n == 0)
        str_adds(out, "there are no tokens yet; give a prompt first\n");
    else if (session_done(s))
        str_addf(out, s->ids.n > 1 ? "all %d tokens are computed\n" : "the token is computed\n",
                 s->ids.n);
    else
        op_line(s, run_in_pass(s->run) ? run_pc(s->run) : 0, out);
}

static bool say_where(struct command_env *env)
{
    if (result_wanted(env))
        return result_put(env, data_where(env->session));
    where_print(env->session, env->out);
    return true;
}

/* The map's and the program's cursor goes where the pass stands; the layer cursor, too. */
static void follow(struct command_env *env, bool stage)
{
    session_follow(env->session, stage);
    env->screen->op = -1;
}

static bool step_once(struct command_env *env, int unit, struct err *err)
{
    struct session *s = env->session;
    int op = run_in_pass(s->run) ? run_pc(s->run) : 0;

    if (unit == UNIT_LAYER)
        return session_layer(s, err);
    if (unit == UNIT_TOKEN)
        return session_pass(s, err);
    if (!session_step(s, err))
        return false;
    if (result_wanted(env))
        json_array_append_new(json_object_get(env->result, "ops"), data_op(s, op));
    else
        op_line(s, op, env->out);
    return true;
}

/* Where the pass stands now, after the ops that were stepped. */
static bool say_stepped(struct command_env *env)
{
    if (result_wanted(env))
        data_join(env->result, data_where(env->session));
    else
        where_print(env->session, env->out);
    return true;
}

static void begin_steps(struct command_env *env)
{
    if (result_wanted(env))
        result_put(env, json_pack("{s:[]}", "ops"));
}

bool cmd_step(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    int unit = arg[0].given ? (int) arg[0].i : UNIT_OP, n;
    bool ok = count_of(&arg[1], 1, &n, err);

    begin_steps(env);
    for (int i = 0; ok && i < n; i++) {
        ok = step_once(env, unit, err);
        if (ok && s->breaks.hit[0])
            break;
        if (!ok && i > 0 && session_done(s)) {
            ok = true; /* fewer were left than asked for */
            err->text[0] = '\0';
            break;
        }
    }
    follow(env, unit == UNIT_OP || s->breaks.hit[0]);
    if (ok && (unit != UNIT_OP || s->breaks.hit[0] || result_wanted(env)))
        say_stepped(env);
    return ok;
}

/* Op by op to the end of all tokens or a breakpoint; no waiting. */
static bool play_all(struct command_env *env, struct err *err)
{
    struct session *s = env->session;
    bool ok = true;

    begin_steps(env);
    do {
        if (interrupt_pending())
            return err_set(err, "interrupted; play goes on");
        ok = step_once(env, UNIT_OP, err);
    } while (ok && !session_done(s) && !s->breaks.hit[0]);
    follow(env, true);
    return ok && say_stepped(env);
}

bool cmd_play(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    (void) arg;
    if (!works_later(env))
        return play_all(env, err);
    if (!env->screen->playing && !session_can_step(s, err))
        return false;
    env->journal.skip = true; /* its steps are noted */
    env->screen->playing = !env->screen->playing;
    str_addf(env->out,
             env->screen->playing ? "playing %g operations a second; + - p\n" : "paused\n",
             settings_speed(&s->set));
    return true;
}

bool cmd_speed(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    struct settings set = s->set;
    int n = 0;

    while (setting_find("speed")->words[n])
        n++;
    if (arg->given && !move_to(&set.speed, n, arg, "speed", err))
        return false;
    if (!session_set_all(s, &set, err))
        return false;
    if (result_wanted(env))
        return result_put(env, data_setting(s, setting_find("speed"), false));
    str_addf(env->out, "%g operations a second\n", settings_speed(&set));
    return true;
}

bool cmd_run(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    (void) arg;
    if (s->ids.n == 0)
        return err_set(err, "there are no tokens yet; give a prompt first");
    env->screen->op = -1;
    if (works_later(env) && !session_done(s)) {
        env->screen->running = true;
        env->journal.skip = true; /* noted when it is done */
        return true;
    }
    if (!session_run(s, 0, NULL, err))
        return false;
    if (s->breaks.hit[0])
        follow(env, true);
    return say_where(env);
}

bool cmd_until(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    int op = arg[0].given ? (int) arg[0].i : screen_op(s, env->screen);
    bool stopped = false;

    /* An op that lies behind is reached in the next pass, when there is one. */
    if (run_in_pass(s->run) && run_pc(s->run) >= op && session_pending(s) > 0) {
        if (!session_pass(s, err))
            return false;
        stopped = s->breaks.hit[0];
    }
    if (!stopped && !session_until(s, op, err))
        return false;
    follow(env, s->breaks.hit[0]);
    return say_where(env);
}

bool cmd_back(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    int unit = arg[0].given ? (int) arg[0].i : UNIT_OP, n;
    bool ok = count_of(&arg[1], 1, &n, err);

    for (int i = 0; ok && i < n; i++) {
        ok = unit == UNIT_OP      ? session_back(s, err)
             : unit == UNIT_LAYER ? session_back_layer(s, err)
                                  : session_back_pass(s, err);
        if (!ok && i > 0 && session_pending(s) == s->ids.n) {
            ok = true; /* the beginning came first */
            err->text[0] = '\0';
            break;
        }
    }
    follow(env, unit == UNIT_OP);
    return ok && say_where(env);
}

bool works_later(const struct command_env *env)
{
    return env->live && env->depth == 0;
}

bool run_again(struct command_env *env, bool was_done, struct err *err)
{
    if (!was_done)
        return true;
    if (works_later(env)) {
        env->screen->running = true;
        return true;
    }
    return session_run(env->session, 0, NULL, err);
}
