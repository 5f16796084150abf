#include "command/exercise_print.h"

#include "base/utf8.h"
#include "base/wrap.h"
#include "command/result.h"

#include <string.h>

enum { COLUMNS = 80, LOG_LINES = 12, PRINTED_LINES = 10 };

static const struct {
    const char *name, *en, *zh, *tick, *color;
} states[] = {
    [TODO_PASSED] = {"passed", "passed", "通过", "✓ ", "\033[32m"},
    [TODO_FAILED] = {"failed", "wrong ", "不对", "✗ ", "\033[31m"},
    [TODO_OPEN] = {"open", "open  ", "未做", "· ", "\033[2m"},
    [TODO_WAITS] = {"waits", "waits ", "等待", "· ", "\033[33m"},
};

static enum lang lang_of(const struct command_env *env)
{
    return env->session->set.lang;
}

static int columns_of(const struct command_env *env)
{
    return env->width < COLUMNS ? env->width : COLUMNS;
}

void exercise_prose(struct command_env *env, const char *text, int indent)
{
    int cells = columns_of(env) - indent > 20 ? columns_of(env) - indent : 20;

    while (*text) {
        size_t all = strcspn(text, "\n"), n;
        const char *next;
        for (const char *at = text; at < text + all; at = next) {
            n = wrap_line(at, (size_t) (text + all - at), cells, &next);
            str_addf(env->out, "%*s%.*s\n", indent, "", (int) n, at);
        }
        text += all + (text[all] == '\n');
    }
}

/* --- the list --- */

void exercise_list_print(struct command_env *env, const struct exercises *all)
{
    const struct exercise_state *st = exercise_state_of(env->session);
    enum lang lang = lang_of(env);

    for (int e = 0; e < all->n; e++) {
        const struct exercise *x = &all->item[e];
        int n = 0;
        for (int i = 0; i < x->n_todos; i++)
            n += st->passed[e][i];
        const char *how = st->done[e] ? in_lang(lang, "done", "完成")
                          : n > 0     ? in_lang(lang, "begun", "进行中")
                                      : "";
        str_addf(env->out, "%s%2d  %-10s %s", env->color && st->done[e] ? "✓ " : "  ",
                 x->number, x->name, x->title[lang]);
        str_addf(env->out, in_lang(lang, "  (%d TODOs", "（%d 处 TODO"), x->n_todos);
        str_addf(env->out, "%s%s%s\n", *how ? in_lang(lang, ", ", "，") : "", how,
                 in_lang(lang, ")", "）"));
    }
    str_adds(env->out, in_lang(lang, "exercise start NAME writes the file to fill in\n",
                               "exercise start NAME 写出要填写的文件\n"));
}

json_t *exercise_list_json(const struct session *s, const struct exercises *all)
{
    enum lang lang = s->set.lang;
    json_t *list = json_array();

    for (int e = 0; e < all->n; e++) {
        const struct exercise *x = &all->item[e];
        json_t *todos = json_array();
        for (int i = 0; i < x->n_todos; i++)
            json_array_append_new(todos, json_string(x->todo[i].name));
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:o, s:b}", "number", x->number,
                                              "name", x->name, "title", x->title[lang], "todos",
                                              todos, "done", exercise_is_done(s, x->name)));
    }
    return json_pack("{s:o}", "exercises", list);
}

/* --- a report --- */

static void print_head(struct command_env *env, const struct exercise_report *r)
{
    enum lang lang = lang_of(env);

    str_addf(env->out, in_lang(lang, "Exercise %d: %s  (%s)\n", "练习 %d：%s（%s）\n"),
             r->exercise->number, r->exercise->title[lang], r->source);
}

/* The first lines of a text, each cut to the width. */
static void print_lines(struct command_env *env, const char *text, int most, int indent)
{
    for (int i = 0; *text && i < most; i++) {
        size_t all = strcspn(text, "\n");
        size_t n = utf8_fit(text, all, columns_of(env) - indent, NULL);
        str_addf(env->out, "%*s%.*s\n", indent, "", (int) n, text);
        text += all + (text[all] == '\n');
    }
}

static void print_refused(struct command_env *env, const struct exercise_report *r)
{
    enum lang lang = lang_of(env);

    str_adds(env->out, in_lang(lang, "It does not compile:\n", "编译不通过：\n"));
    exercise_prose(env, r->error.text, 2);
    if (r->reason.len > 0)
        exercise_prose(env, r->reason.text, 2);
    str_adds(env->out, in_lang(lang, "What the compiler said:\n", "编译器的输出：\n"));
    print_lines(env, r->log.text, LOG_LINES, 2);
}

static void print_wrong(struct command_env *env, const struct todo_report *t)
{
    enum lang lang = lang_of(env);

    if (t->state == TODO_FAILED) {
        struct str where = STR_INIT;
        str_addf(&where, in_lang(lang, "with %s:", "情形：%s"), t->where.text);
        exercise_prose(env, where.text, 10);
        str_release(&where);
        exercise_prose(env, t->element.text, 10);
    }
    exercise_prose(env, t->reason.text, 10);
}

static void print_todo(struct command_env *env, const struct exercise_report *r, int i)
{
    const struct todo_report *t = &r->todo[i];
    enum lang lang = lang_of(env);

    str_addf(env->out, "%s%s%s%s", env->color ? states[t->state].color : "",
             env->color ? states[t->state].tick : "  ",
             in_lang(lang, states[t->state].en, states[t->state].zh),
             env->color ? "\033[0m" : "");
    str_addf(env->out, "  %d %s%*s", i + 1, r->exercise->todo[i].name,
             t->state == TODO_PASSED || t->state == TODO_OPEN
                 ? 14 - (int) strlen(r->exercise->todo[i].name)
                 : 0,
             "");
    if (t->state == TODO_PASSED)
        str_addf(env->out, in_lang(lang, "%d cases", "%d 种情形"), t->n_cases);
    if (t->state == TODO_OPEN)
        str_adds(env->out, in_lang(lang, "nothing is written yet", "还没有写"));
    str_addc(env->out, '\n');
    if (t->note.len > 0)
        exercise_prose(env, t->note.text, 10);
    if (t->state == TODO_FAILED || t->state == TODO_WAITS)
        print_wrong(env, t);
}

static void print_end(struct command_env *env, const struct exercise_report *r)
{
    enum lang lang = lang_of(env);
    const char *name = r->exercise->name;
    struct str line = STR_INIT;
    int next = 0;

    while (next + 1 < r->exercise->n_todos && r->todo[next].state == TODO_PASSED)
        next++;
    if (r->passed)
        str_addf(&line,
                 in_lang(lang, "All %d TODOs pass. To see the model run with it: watch %s",
                         "%d 处 TODO 全部通过。用它来运行模型：watch %s"),
                 r->exercise->n_todos, name);
    else
        str_addf(
            &line,
            in_lang(lang, "%d of %d TODOs pass. Next: TODO %d, %s; a hint: exercise hint %s",
                    "%d/%d 处 TODO 通过。下一步：TODO %d，%s；需要提示：exercise hint %s"),
            r->n_passed, r->exercise->n_todos, next + 1, r->exercise->todo[next].name, name);
    exercise_prose(env, line.text, 0);
    str_release(&line);
}

void exercise_report_print(struct command_env *env, const struct exercise_report *r)
{
    enum lang lang = lang_of(env);

    print_head(env, r);
    if (!r->compiled) {
        print_refused(env, r);
        return;
    }
    for (int i = 0; i < r->exercise->n_todos; i++)
        print_todo(env, r, i);
    if (!r->passed && r->error.len > 0) {
        str_adds(env->out, in_lang(lang, "The compiler warns:\n", "编译器警告：\n"));
        exercise_prose(env, r->error.text, 2);
    }
    if (r->printed.len > 0) {
        str_adds(env->out, in_lang(lang, "Your functions printed:\n", "你的函数打印了：\n"));
        print_lines(env, r->printed.text, PRINTED_LINES, 2);
    }
    print_end(env, r);
}

static json_t *todo_json(const struct exercise *e, const struct todo_report *t, int i)
{
    bool wrong = t->state == TODO_FAILED;

    return json_pack("{s:s, s:s, s:i, s:i, s:s?, s:s?, s:s?, s:s?, s:i}", "todo",
                     e->todo[i].name, "state", states[t->state].name, "cases", t->n_cases,
                     "cases_passed", t->n_passed, "mistake", *t->name ? t->name : NULL, "case",
                     wrong ? t->where.text : NULL, "element", wrong ? t->element.text : NULL,
                     "reason", t->reason.len > 0 ? t->reason.text : NULL, "line", t->line);
}

json_t *exercise_report_json(const struct exercise_report *r)
{
    json_t *todos = json_array();

    for (int i = 0; r->compiled && i < r->exercise->n_todos; i++)
        json_array_append_new(todos, todo_json(r->exercise, &r->todo[i], i));
    return json_pack("{s:s, s:s, s:b, s:b, s:o, s:s?, s:s}", "exercise", r->exercise->name,
                     "file", r->source, "compiled", r->compiled, "passed", r->passed, "todos",
                     todos, "compiler", r->error.len > 0 ? r->error.text : NULL, "printed",
                     r->printed.text);
}

/* --- a hint --- */

void exercise_hint_print(struct command_env *env, const struct exercise *e, int todo, int hint)
{
    enum lang lang = lang_of(env);
    const struct exercise_todo *t = &e->todo[todo];

    str_addf(env->out,
             in_lang(lang, "%s, TODO %d, %s; hint %d of %d\n",
                     "%s，TODO %d，%s；第 %d 条提示，共 %d 条\n"),
             e->name, todo + 1, t->name, hint + 1, EXERCISE_HINTS);
    exercise_prose(env, t->hint[lang][hint], 2);
}
