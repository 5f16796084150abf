/* watch: the whole model with the functions of an exercise in it. */
#include "command/commands.h"

#include "base/safe.h"
#include "command/exercise_print.h"
#include "command/result.h"
#include "session/watch.h"

#include <stdlib.h>
#include <string.h>

static json_t *watch_json(const struct session *s)
{
    const struct watch *w = watch_of(s);
    json_t *ops = json_array();

    for (int i = 0; w && i < w->n_ops; i++)
        if (w->op[i].id >= 0)
            json_array_append_new(ops, json_pack("{s:s, s:s}", "todo", w->op[i].row->todo, "op",
                                                 w->op[i].row->op));
    return json_pack("{s:s?, s:o?, s:o}", "watching", w ? w->exercise->name : NULL, "check",
                     w ? exercise_report_json(&w->report) : NULL, "replaced", ops);
}

static void print_watch(struct command_env *env)
{
    const struct watch *w = watch_of(env->session);
    enum lang lang = env->session->set.lang;
    struct str line = STR_INIT, ops = STR_INIT;

    if (!w) {
        str_adds(env->out, in_lang(lang,
                                   "nothing is watched; watch NAME runs the model with an "
                                   "exercise in it\n",
                                   "没有在观察；watch NAME 用练习里的函数来运行模型\n"));
        return;
    }
    exercise_sum(&w->report, lang, &line);
    exercise_prose(env, line.text, 0);
    str_clear(&line);
    watch_print(w, &ops);
    str_addf(&line, in_lang(lang, "in place of the model's own: %s", "代替模型自己的：%s"),
             ops.len > 0 ? ops.text : in_lang(lang, "nothing yet", "还没有"));
    exercise_prose(env, line.text, 0);
    str_release(&line);
    str_release(&ops);
}

static bool begin(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct exercise *e = exercise_find(arg[0].text, err);
    char *path = e ? exercise_path(e, arg[1].given ? arg[1].text : NULL, err) : NULL;
    bool ok = path && watch_begin(env->session, e, path, err);

    free(path);
    if (ok)
        exercise_state_note(exercise_state_of(env->session), &watch_of(env->session)->report);
    return ok;
}

bool cmd_watch(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    bool was_done = session_done(s);

    if (arg[0].given && !strcmp(arg[0].text, "end"))
        watch_end(s);
    else if (arg[0].given && !begin(env, arg, err))
        return false;
    if (arg[0].given && !run_again(env, was_done, err))
        return false;
    watch_settle(env);
    if (result_wanted(env))
        return result_put(env, watch_json(s));
    print_watch(env);
    return true;
}

bool watch_settle(struct command_env *env)
{
    struct session *s = env->session;
    struct str say = STR_INIT;
    struct err err = ERR_INIT;
    bool was_done = session_done(s), changed = watch_look(s, &say), any = say.len > 0;

    if (say.len > 0) {
        if (!env->live && !env->json) {
            str_adds(env->out, "watch: ");
            safe_add(env->out, say.text, say.len, SAFE_SPACE_KEEP);
            str_addc(env->out, '\n');
        }
        session_say(s, "%s", say.text);
    }
    if (changed)
        run_again(env, was_done, &err);
    str_release(&say);
    return changed || any;
}
