/* exercise: writing functions of the model oneself, and having them checked. */
#include "command/commands.h"

#include "base/file.h"
#include "base/path.h"
#include "command/exercise_print.h"
#include "command/parse.h"
#include "command/result.h"

#include <stdlib.h>
#include <string.h>

static bool list(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct exercises *all = exercises_all(err);

    (void) arg;
    if (!all)
        return false;
    if (result_wanted(env))
        return result_put(env, exercise_list_json(env->session, all));
    exercise_list_print(env, all);
    return true;
}

/* The exercise that the second word names. */
static const struct exercise *named(const struct arg *arg, struct err *err)
{
    if (arg[1].given)
        return exercise_find(arg[1].text, err);
    err_set(err, "which exercise? 'exercise list' names them");
    return NULL;
}

static bool start(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct exercise *e = named(arg, err);
    enum lang lang = env->session->set.lang;
    const char *dir = e && !arg[2].given ? e->name : arg[2].text;

    if (!e || !exercise_start(e, dir, lang, err))
        return false;
    char *shown = path_shown(dir);
    if (result_wanted(env)) {
        result_put(env, json_pack("{s:s, s:s, s:[s++, s, s]}", "exercise", e->name, "folder",
                                  shown, "files", e->name, ".c", "", "exercise.h", "Makefile"));
    } else {
        str_addf(env->out,
                 in_lang(lang, "Exercise %d: %s. Fill in the TODOs of %s/%s.c\n\n",
                         "练习 %d：%s。请填写 %s/%s.c 里的 TODO\n\n"),
                 e->number, e->title[lang], shown, e->name);
        exercise_prose(env, e->about[lang], 2);
        struct str quoted = STR_INIT;
        if (strpbrk(dir, " ;#\"'\\"))
            quote_print(dir, strlen(dir), &quoted);
        else
            str_adds(&quoted, shown);
        str_addf(
            env->out,
            in_lang(lang, "\nthen: exercise check %s%s%s\n", "\n然后：exercise check %s%s%s\n"),
            e->name, arg[2].given ? " " : "", arg[2].given ? quoted.text : "");
        str_release(&quoted);
    }
    free(shown);
    return true;
}

static bool check(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct exercise *e = named(arg, err);
    char *path = e ? exercise_path(e, arg[2].given ? arg[2].text : NULL, err) : NULL;
    struct exercise_report r;
    bool ok = path && exercise_check(&r, e, path, env->session->set.lang, err);

    free(path);
    if (!ok)
        return false;
    exercise_state_note(exercise_state_of(env->session), &r);
    if (result_wanted(env))
        result_put(env, exercise_report_json(&r));
    else
        exercise_report_print(env, &r);
    exercise_report_release(&r);
    return true;
}

static bool hint(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct exercise *e = named(arg, err);
    struct exercise_state *st = exercise_state_of(env->session);
    enum lang lang = env->session->set.lang;
    int todo = -1;

    if (e)
        todo =
            arg[2].given ? exercise_todo_find(e, arg[2].text, err) : exercise_state_next(st, e);
    if (todo < 0)
        return false;
    int *read = &st->hints[e->number - 1][todo];
    int at = *read < EXERCISE_HINTS ? *read : EXERCISE_HINTS - 1;
    *read = at + 1;
    st->changed = true;
    if (result_wanted(env))
        return result_put(env,
                          json_pack("{s:s, s:s, s:i, s:i, s:s}", "exercise", e->name, "todo",
                                    e->todo[todo].name, "hint", at + 1, "hints", EXERCISE_HINTS,
                                    "words", e->todo[todo].hint[lang][at]));
    exercise_hint_print(env, e, todo, at);
    return true;
}

static bool solution(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct exercise *e = named(arg, err);
    struct str code = STR_INIT;

    if (!e)
        return false;
    exercise_solution(e, env->session->set.lang, &code);
    if (result_wanted(env))
        result_put(env, json_pack("{s:s, s:s}", "exercise", e->name, "code", code.text));
    else
        str_adds(env->out, code.text);
    str_release(&code);
    return true;
}

/* A word that is none of those was taken for the name. */
static bool unknown(const char *word, struct err *err)
{
    static const char words[] = "list start check hint solution";
    struct str list = STR_INIT, near = STR_INIT;

    choice_print(words, &list);
    if (choice_near(words, word, &near))
        err_set(err, "'%s' is not %s; did you mean '%s'?", word, list.text, near.text);
    else
        err_set(err, "'%s' is not %s", word, list.text);
    str_release(&list);
    str_release(&near);
    return false;
}

bool cmd_exercise(struct command_env *env, const struct arg *arg, struct err *err)
{
    static bool (*const run[])(struct command_env * env, const struct arg *arg,
                               struct err *err) = {list, start, check, hint, solution};

    env->journal.skip = true; /* nothing of the session changes */
    if (!arg[0].given && arg[1].given)
        return unknown(arg[1].text, err);
    return run[arg[0].given ? arg[0].i : 0](env, arg, err);
}
