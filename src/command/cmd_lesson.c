/* lesson, answer: going through the course. The scene of a step is made by its commands. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/data.h"
#include "command/result.h"
#include "session/mark.h"
#include "session/page.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the scene --- */

/* How the screen and the computation are set where nothing is said: what the user has chosen of
 * colours, language and speed stays. */
static bool plain_settings(struct session *s, struct err *err)
{
    struct settings set;

    settings_init(&set);
    set.threads = s->set.threads;
    set.ascii = s->set.ascii;
    set.mouse = s->set.mouse;
    set.color = s->set.color;
    set.lang = s->set.lang;
    set.speed = s->set.speed;
    memcpy(set.theme, s->set.theme, sizeof set.theme);
    return session_set_all(s, &set, err);
}

/* The views of the beginning; sizes stay as they are. */
static void plain_screen(struct screen *st)
{
    struct screen fresh = *st;

    screen_default(&fresh);
    memcpy(st->panel, fresh.panel, sizeof st->panel);
    st->side = fresh.side;
    st->maximised = st->help = false;
    memset(st->scroll, 0, sizeof st->scroll);
    st->value = st->op = -1;
    st->candidate = 0;
}

/* The lesson's model and prompt, nothing computed, nothing changed. */
static bool begin_scene(struct command_env *env, struct err *err)
{
    struct session *s = env->session;
    const struct lesson *l = course_lesson(s->course);

    if (strcmp(model_path(s->model), l->model) && !session_load(s, l->model, err))
        return false;
    session_restore(s, -1);
    breaks_remove(s, -1);
    mark_clear(s);
    branches_forget(s);
    if (!plain_settings(s, err) || !session_prompt(s, l->prompt, strlen(l->prompt), err))
        return false;
    session_forget(s, 0);
    s->at = (struct cursor_at){.stage = STAGE_PATTERN, .neuron = -1, .stream = STREAM_POST};
    s->subject = (struct subject){.kind = SUBJECT_ATTENTION};
    s->chosen = (struct chosen){0};
    plain_screen(env->screen);
    return true;
}

/* The commands of one step, as a script whose output nobody reads. */
static bool run_scene(struct command_env *env, int step, struct err *err)
{
    const struct lesson *l = course_lesson(env->session->course);
    struct str unread = STR_INIT, *out = env->out;
    void (*flush)(struct command_env * env) = env->flush;
    bool json = env->json, ok = true;

    env->out = &unread;
    env->flush = NULL;
    env->json = false;
    env->depth++;
    for (int i = 0; ok && i < l->step[step].n_commands; i++)
        ok = command_run(env, l->step[step].command[i], err);
    env->depth--;
    env->json = json;
    env->flush = flush;
    env->out = out;
    str_release(&unread);
    return ok || err_add(err, "lesson %s, step %d", l->name, step + 1);
}

static void focus_lesson(struct screen *st)
{
    if (!st->dock)
        screen_dock(st, true);
    screen_focus(st, SLOT_DOCK);
}

/* To step `to`: on from where the scene is, or from its beginning. */
static bool go(struct command_env *env, int to, struct err *err)
{
    struct session *s = env->session;
    struct course *c = s->course;
    bool afresh = to != c->step + 1 || to == 0;

    focus_lesson(env->screen); /* before the scene moves views about */
    if (afresh && !begin_scene(env, err))
        return false;
    for (int i = afresh ? 0 : to; i <= to; i++)
        if (!run_scene(env, i, err))
            return false;
    c->step = to;
    focus_lesson(env->screen);
    return course_show(s, err);
}

/* --- printing --- */

static void heading(const struct course *c, struct str *out)
{
    const struct lesson *l = course_lesson(c);

    course_title(c, out);
    if (course_step(c))
        str_addf(out, "  %d/%d", c->step + 1, l->n_steps);
    str_addc(out, '\n');
}

static bool print_page(struct command_env *env)
{
    const struct course *c = env->session->course;
    struct page page;

    if (result_wanted(env))
        return result_put(env, data_lesson(c));
    if (env->live)
        return true; /* the view shows it */
    heading(c, env->out);
    page_of(&page, c, env->width < 100 ? env->width - 2 : 98);
    for (int i = 0; i < page.n; i++)
        str_addf(env->out, "%s\n", page.line[i].text);
    page_release(&page);
    return true;
}

static bool print_list(struct command_env *env)
{
    const struct course *c = env->session->course;
    json_t *list = json_array();

    for (int i = 0; i < c->lessons.n; i++) {
        const struct lesson *l = &c->lessons.lesson[i];
        bool done = course_is_done(c, i);
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:b}", "number", i + 1, "name",
                                              l->name, "title", l->title, "done", done));
        if (!result_wanted(env))
            str_addf(env->out, "%s %2d  %-12s %s\n",
                     done                ? "✓"
                     : i == c->at_lesson ? "▶"
                                         : " ",
                     i + 1, l->name, l->title);
    }
    if (result_wanted(env))
        return result_put(env, json_pack("{s:o}", "lessons", list));
    json_decref(list);
    return true;
}

/* --- going --- */

static bool open_lesson(struct command_env *env, int lesson, int step, struct err *err)
{
    struct session *s = env->session;
    struct course *c = s->course;

    if (!course_lesson(c)) {
        c->before = s->set;
        free(c->model);
        free(c->prompt);
        c->model = xstrdup(model_path(s->model));
        c->prompt = xstrdup(s->prompt.len > 0 ? s->prompt.text : "");
    }
    c->lesson = lesson;
    c->step = -1;
    c->right = c->asked = 0;
    return go(env, step, err) && print_page(env);
}

static bool open_named(struct command_env *env, const struct arg *name, const struct arg *step,
                       struct err *err)
{
    struct course *c = env->session->course;
    int i = lessons_find(&c->lessons, name->text);

    if (i < 0)
        return err_set(err, "there is no lesson '%s'; 'lesson list' names the %d there are",
                       name->text, c->lessons.n);
    int at = step->given ? (int) step->i : 1;
    if (step->given && (step->i < 1 || step->i > c->lessons.lesson[i].n_steps))
        return err_set(err, "lesson %s has steps 1 to %d", c->lessons.lesson[i].name,
                       c->lessons.lesson[i].n_steps);
    return open_lesson(env, i, at - 1, err);
}

/* Where the learner left off, or the first lesson that is not done. */
static bool resume(struct command_env *env, struct err *err)
{
    const struct course *c = env->session->course;
    int i = 0;

    if (c->at_lesson >= 0)
        return open_lesson(env, c->at_lesson, c->at_step, err);
    while (i + 1 < c->lessons.n && course_is_done(c, i))
        i++;
    return open_lesson(env, i, 0, err);
}

static bool need_open(const struct course *c, struct err *err)
{
    return course_lesson(c) || err_set(err, "no lesson is open; 'lesson' opens one");
}

static bool go_next(struct command_env *env, struct err *err)
{
    struct course *c = env->session->course;
    const struct lesson_step *step = course_step(c);

    if (!need_open(c, err))
        return false;
    if (step && step->question && c->answered == COURSE_OPEN)
        return course_reveal(env->session, err) && print_page(env);
    if (step && c->step + 1 < course_lesson(c)->n_steps)
        return go(env, c->step + 1, err) && print_page(env);
    if (step) {
        course_finish(c);
        c->step++;
        return print_page(env);
    }
    if (c->lesson + 1 == c->lessons.n)
        return err_set(err, "this was the last lesson; 'lesson list' shows them all");
    return open_lesson(env, c->lesson + 1, 0, err);
}

static bool go_back(struct command_env *env, struct err *err)
{
    const struct course *c = env->session->course;

    if (!need_open(c, err))
        return false;
    if (c->step == 0)
        return err_set(err, "this is the first step of the lesson");
    return go(env, c->step - 1, err) && print_page(env);
}

/* What was there before the lessons comes back. */
static bool end(struct command_env *env, struct err *err)
{
    struct session *s = env->session;
    struct course *c = s->course;

    if (!need_open(c, err))
        return false;
    c->lesson = c->step = -1;
    screen_dock(env->screen, false);
    session_restore(s, -1);
    if (strcmp(model_path(s->model), c->model) && !session_load(s, c->model, err))
        return false;
    return session_set_all(s, &c->before, err) &&
           session_prompt(s, c->prompt, strlen(c->prompt), err);
}

bool cmd_lesson(struct command_env *env, const struct arg *arg, struct err *err)
{
    static const struct {
        const char *word;
        bool (*run)(struct command_env *env, struct err *err);
    } words[] = {{"next", go_next}, {"back", go_back}, {"end", end}};
    struct course *c = course_of(env->session, err);

    if (!c)
        return false;
    env->journal.skip = true; /* the commands of the scenes are noted */
    if (!arg[0].given)
        return course_lesson(c) ? print_page(env) : resume(env, err);
    if (!strcmp(arg[0].text, "list"))
        return print_list(env);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(arg[0].text, words[i].word))
            return words[i].run(env, err);
    return open_named(env, &arg[0], &arg[1], err);
}

bool cmd_answer(struct command_env *env, const struct arg *arg, struct err *err)
{
    env->journal.skip = true;
    if (!need_open(env->session->course, err))
        return false;
    return course_answer(env->session, arg[0].text, err) && print_page(env);
}
