/* checklist: what the course is for, how far the learner is, and what to do next. */
#include "command/commands.h"

#include "base/wrap.h"
#include "command/data.h"
#include "command/result.h"
#include "session/checklist.h"
#include "session/course.h"

#include <string.h>

enum { COLUMNS = 80, INDENT = 6 };

static int ticked(struct session *s, struct err *err)
{
    struct checklist_state st;
    int n = 0;

    for (int i = 0; i < CHECKLIST_ITEMS; i++) {
        if (!checklist_read(&st, s, i, err))
            return -1;
        n += st.next == NULL;
    }
    return n;
}

static void print_wrapped(struct command_env *env, const char *text)
{
    int cells = (env->width < COLUMNS ? env->width : COLUMNS) - INDENT;
    const char *next;

    for (; *text; text = next) {
        size_t n = wrap_line(text, strlen(text), cells > 20 ? cells : 20, &next);
        str_addf(env->out, "%*s%.*s\n", INDENT, "", (int) n, text);
    }
}

static void print_item(struct command_env *env, int i, const struct checklist_state *st)
{
    enum lang lang = env->session->set.lang;
    struct str text = STR_INIT;

    str_addf(env->out, "%s %2d  %s\n", st->next ? " " : "✓", i + 1,
             checklist_table[i].title[lang]);
    checklist_print(st, lang, &text);
    print_wrapped(env, text.text);
    str_release(&text);
}

static bool print_list(struct command_env *env, struct err *err)
{
    enum lang lang = env->session->set.lang;
    struct checklist_state st;
    int n = ticked(env->session, err);

    if (n < 0)
        return false;
    if (result_wanted(env))
        return result_put(env, data_checklist(env->session));
    str_addf(env->out,
             in_lang(lang,
                     "%d of %d are ticked; 'checklist 1' opens what is next for the first\n",
                     "已完成 %d / %d 项；checklist 1 打开第 1 项接下来要做的\n"),
             n, CHECKLIST_ITEMS);
    for (int i = 0; i < CHECKLIST_ITEMS && checklist_read(&st, env->session, i, err); i++)
        print_item(env, i, &st);
    return true;
}

/* An exercise is written outside: its line for the shell. */
static bool say_exercise(struct command_env *env, const struct checklist_part *next)
{
    enum lang lang = env->session->set.lang;

    str_addf(env->out,
             in_lang(lang, "next, in a shell: gptscope exercise start %s\n",
                     "接下来，在 shell 里：gptscope exercise start %s\n"),
             next->name);
    return true;
}

/* At the step where it was left, when it was left in the midst. */
static bool open_lesson(struct command_env *env, const char *name, struct err *err)
{
    const struct course *c = env->session->course;
    bool left = c->at_lesson >= 0 && c->at_lesson == lessons_find(&c->lessons, name);
    struct arg arg[COMMAND_ARGS] = {{.given = true, .text = name},
                                    {.given = left, .i = c->at_step + 1}};

    return cmd_lesson(env, arg, err);
}

static bool open_part(struct command_env *env, const struct checklist_part *next,
                      struct err *err)
{
    static const struct arg none[COMMAND_ARGS];

    switch (next->kind) {
    case CHECKLIST_LESSON:
        return open_lesson(env, next->name, err);
    case CHECKLIST_GAME:
        journal_note(&env->journal, "game");
        return cmd_game(env, none, err);
    case CHECKLIST_EXERCISE:
        break;
    }
    return say_exercise(env, next);
}

/* As data always the item: `lesson` and `game` give what was opened. */
static bool open_next(struct command_env *env, int item, struct err *err)
{
    struct checklist_state st;
    json_t *data;

    if (!checklist_read(&st, env->session, item, err))
        return false;
    data = result_wanted(env) ? data_checklist_item(env->session, item) : NULL;
    if (!st.next && !data)
        print_item(env, item, &st);
    bool ok = !st.next || open_part(env, st.next, err);
    if (data && ok)
        return result_put(env, data);
    json_decref(data);
    return ok;
}

bool cmd_checklist(struct command_env *env, const struct arg *arg, struct err *err)
{
    env->journal.skip = true; /* what it means depends on the learner; what it opens is noted */
    if (!arg[0].given)
        return print_list(env, err);
    int item = checklist_find(arg[0].text);
    if (item < 0)
        return err_set(err, "there is no item '%s'; the checklist has 1 to %d", arg[0].text,
                       CHECKLIST_ITEMS);
    return open_next(env, item, err);
}
