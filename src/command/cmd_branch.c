/* Commands about candidates for the next token, and branches: candidate, branch, branches. */
#include "command/commands.h"

#include "command/data.h"
#include "command/parse.h"
#include "view/candidates.h"

#include <stdlib.h>
#include <string.h>

const struct sample_trace *candidates_of(const struct command_env *env, struct err *err)
{
    if (candidates_at(env->session, err) < 0)
        return NULL;
    return candidates_trace(env->session, env->screen);
}

static void candidate_print(const struct session *s, const struct sample_trace *t, int rank,
                            struct str *out)
{
    const struct candidate *c = &t->candidate[rank];

    str_addf(out, "rank %d  ", rank + 1);
    token_print(s, c->id, out);
    str_addf(out, "  logit %.4f  p %.6f\n", (double) c->logit, c->prob[SAMPLE_RAW]);
}

/* The rank of the token that follows; -1 with err. */
static int next_rank(const struct session *s, const struct sample_trace *t, struct err *err)
{
    int at = session_candidates_at(s) + 1;
    int rank = at < s->ids.n ? candidates_rank(t, s->ids.id[at]) : -1;

    if (rank < 0)
        err_set(err, "nothing comes after position %d yet", at - 1);
    return rank;
}

bool cmd_candidate(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct sample_trace *t = candidates_of(env, err);
    const char *text = "";
    int rank;

    if (!t || (arg->given && !(text = arg_expand(arg, "first last next", err))))
        return false;
    rank = candidates_cursor(env->screen, t);
    if (!strcmp(text, "next")) {
        if ((rank = next_rank(env->session, t, err)) < 0)
            return false;
    } else if (*text >= '0' && *text <= '9') {
        rank = atoi(text) - 1;
        if (rank < 0 || rank >= t->n || text[strspn(text, "0123456789")])
            return err_set(err, "ranks go from 1 to %d, not %s", t->n, text);
    } else if (*text && !move_to(&rank, t->n, arg, "candidate", err)) {
        return false;
    }
    env->screen->candidate = rank;
    if (result_wanted(env))
        return result_put(
            env, data_join(json_pack("{s:o}", "after",
                                     data_token_at(env->session,
                                                   session_candidates_at(env->session))),
                           data_candidate(env->session, t, rank)));
    if (!env->live)
        candidate_print(env->session, t, rank, env->out);
    return true;
}

static void say_where(struct command_env *env)
{
    const struct session *s = env->session;

    str_addf(env->out, "[%d] ", s->ids.n - 1);
    token_print(s, s->ids.id[s->ids.n - 1], env->out);
    if (s->branches.present)
        str_addf(env->out, "  branch %d of %d", s->branches.present, s->branches.n);
    str_addc(env->out, '\n');
}

/* In the program all is computed again at once, as after every change there. */
static bool changed(struct command_env *env, bool was_done, struct err *err)
{
    env->screen->candidate = 0;
    env->screen->op = -1;
    if (result_wanted(env))
        result_put(env, data_branches(env->session));
    say_where(env);
    return !env->live || run_again(env, was_done, err);
}

bool cmd_branch(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    bool was_done = session_done(s);
    int at = arg[1].given ? (int) arg[1].i : candidates_at(s, err);
    int token = (int) arg[0].i;

    if (at < 0 && !arg[1].given)
        return false;
    if (!arg[0].given) {
        const struct sample_trace *t = candidates_of(env, err);
        if (!t)
            return false;
        token = t->candidate[candidates_cursor(env->screen, t)].id;
    }
    return branch_fork(s, token, at, err) && changed(env, was_done, err);
}

bool cmd_branches(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    bool was_done = session_done(s), ok;
    const char *text;
    char *end;

    if (!arg->given && result_wanted(env))
        return result_put(env, data_branches(s));
    if (!arg->given) {
        branches_print(s, env->out);
        return true;
    }
    if (!(text = arg_expand(arg, "back", err)))
        return false;
    long id = strtol(text, &end, 10);
    if (!strcmp(text, "back"))
        ok = branch_back(s, err);
    else if (end != text && !*end && id > 0 && id < 1000000)
        ok = branch_go(s, (int) id, err);
    else
        return err_set(err, "branches takes the number of a branch or back, not '%s'",
                       arg->text);
    return ok && changed(env, was_done, err);
}
