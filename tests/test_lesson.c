/* Every lesson in both languages, from its first step to its end: with right answers, with
 * wrong ones and without; each claim holds, each question has one right answer, each step is as
 * short as it should be. And what the reader of lesson files refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/wrap.h"
#include "command_fixture.h"
#include "session/course.h"
#include "session/expr.h"
#include "session/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 78, TEXT_LEAST = 3, TEXT_MOST = 6, PAGE_MOST = 16 };

static void say(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    f->err.text[0] = '\0';
    if (!command_run(&f->env, line, &f->err))
        fail_msg("'%s': %s", line, f->err.text);
    assert_safe(f->out.text);
}

static struct course *open_course(struct fixture *f, enum lang lang)
{
    open_fixture(f, TEXT, false);
    say(f, lang == LANG_ZH ? "set lang zh" : "set lang en");
    struct course *c = course_of(f->session, &f->err);
    if (!c)
        fail_msg("%s", f->err.text);
    return c;
}

/* The choice that is right, by the claims; exactly one must be. */
static int only_right(const struct session *s, const struct lesson *l, int step)
{
    const struct lesson_step *st = &l->step[step];
    int right = -1, n = 0;

    for (int i = 0; i < st->n_choices; i++) {
        struct expr_claim claim;
        struct err err = ERR_INIT;
        if (!expr_check(s, st->choice[i].claim, &claim, &err))
            fail_msg("%s, step %d: %s", l->name, step + 1, err.text);
        if (claim.holds) {
            right = i;
            n++;
        }
    }
    if (n != 1)
        fail_msg("%s, step %d: %d choices are right", l->name, step + 1, n);
    return right;
}

/* The line that answers the question rightly or wrongly. */
static void guess(const struct session *s, const struct lesson *l, int step, bool right,
                  char *line, size_t size)
{
    const struct lesson_step *st = &l->step[step];
    struct expr_value v;
    struct err err = ERR_INIT;

    if (st->n_choices > 0) {
        int at = only_right(s, l, step);
        snprintf(line, size, "answer %c", 'a' + (right ? at : (at + 1) % st->n_choices));
        return;
    }
    if (!expr_eval(s, st->answer, &v, &err))
        fail_msg("%s, step %d: %s", l->name, step + 1, err.text);
    assert_int_equal(v.kind, EXPR_NUMBER);
    snprintf(line, size, "answer %.12g", v.x + (right ? 0 : 10 * st->within + 1));
    expr_release(&v);
}

static void check_length(const struct course *c, const struct lesson *l, int step)
{
    struct page page;
    int lines = 0;

    page_of(&page, c, WIDTH);
    for (int i = 0; i < page.n; i++)
        lines += page.line[i].kind == PAGE_TEXT || page.line[i].kind == PAGE_FORMULA;
    bool asks = l->step[step].question != NULL;
    if (lines > TEXT_MOST || (!asks && lines < TEXT_LEAST) || page.n > PAGE_MOST)
        fail_msg("%s, step %d: %d lines of text, %d in all", l->name, step + 1, lines, page.n);
    page_release(&page);
}

/* The heading stands whole in the frame, on the smallest screen that lessons are made for. */
static void check_screen(struct fixture *f, const struct lesson *l, int step)
{
    struct caps caps = {.colors = 256};
    struct canvas *c = canvas_new(80, 24, &caps, NULL);
    struct str shown = STR_INIT;

    screen_draw(f->session, &f->screen, c);
    canvas_plain(c, &shown);
    assert_safe(shown.text);
    if (!strstr(shown.text, l->step[step].heading))
        fail_msg("%s, step %d: the heading is cut\n%s", l->name, step + 1, shown.text);
    str_release(&shown);
    canvas_free(c);
}

static void check_step(struct fixture *f, const struct lesson *l, int step, int how)
{
    struct course *c = f->session->course;
    const struct lesson_step *st = &l->step[step];
    char line[64];

    assert_int_equal(c->step, step);
    if (c->broken.len > 0)
        fail_msg("%s, step %d: %s", l->name, step + 1, c->broken.text);
    check_length(c, l, step);
    check_screen(f, l, step);
    if (!st->question)
        return;
    if (how == COURSE_SHOWN) {
        say(f, "lesson next");
    } else {
        guess(f->session, l, step, how == COURSE_RIGHT, line, sizeof line);
        say(f, line);
    }
    assert_int_equal(c->answered, how);
    assert_true(c->verdict.len > 0);
    check_length(c, l, step);
}

static void take_lesson(struct fixture *f, int i, int how)
{
    struct course *c = f->session->course;
    const struct lesson *l = &c->lessons.lesson[i];
    char line[80];

    snprintf(line, sizeof line, "lesson %s", l->name);
    say(f, line);
    for (int step = 0; step < l->n_steps; step++) {
        check_step(f, l, step, how);
        say(f, "lesson next");
    }
    assert_null(course_step(c));
    assert_true(course_is_done(c, i));
    assert_int_equal(c->right, how == COURSE_RIGHT ? c->asked : 0);
}

static void take_course(enum lang lang, int how)
{
    struct fixture f;
    struct course *c = open_course(&f, lang);

    for (int i = 0; i < c->lessons.n; i++)
        take_lesson(&f, i, how);
    assert_false(command_run(&f.env, "lesson next", &f.err));
    assert_string_equal(f.err.text, "this was the last lesson; 'lesson list' shows them all");
    close_fixture(&f);
}

static void test_right(void **state)
{
    (void) state;
    take_course(LANG_EN, COURSE_RIGHT);
    take_course(LANG_ZH, COURSE_RIGHT);
}

static void test_wrong(void **state)
{
    (void) state;
    take_course(LANG_EN, COURSE_WRONG);
    take_course(LANG_ZH, COURSE_WRONG);
}

static void test_shown(void **state)
{
    (void) state;
    take_course(LANG_EN, COURSE_SHOWN);
    take_course(LANG_ZH, COURSE_SHOWN);
}

/* --- both languages teach the same --- */

static void same_list(const char *what, char **a, int n, char **b, int m)
{
    if (n != m)
        fail_msg("%s: %d and %d", what, n, m);
    for (int i = 0; i < n; i++)
        assert_string_equal(a[i], b[i]);
}

static void same_step(const char *what, const struct lesson_step *a,
                      const struct lesson_step *b)
{
    same_list(what, a->command, a->n_commands, b->command, b->n_commands);
    same_list(what, a->claim, a->n_claims, b->claim, b->n_claims);
    assert_int_equal(a->question != NULL, b->question != NULL);
    assert_int_equal(a->reveal != NULL, b->reveal != NULL);
    assert_int_equal(a->n_choices, b->n_choices);
    for (int i = 0; i < a->n_choices; i++)
        assert_string_equal(a->choice[i].claim, b->choice[i].claim);
    assert_int_equal(a->answer != NULL, b->answer != NULL);
    if (a->answer)
        assert_string_equal(a->answer, b->answer);
}

static void test_languages(void **state)
{
    (void) state;
    static const char *const words[] = {"list", "next", "back", "end", NULL};
    struct lessons en, zh;
    struct err err = ERR_INIT;
    char what[96];

    assert_true(lessons_open(&en, LANG_EN, &err));
    if (!lessons_open(&zh, LANG_ZH, &err))
        fail_msg("%s", err.text);
    assert_int_equal(en.n, zh.n);
    assert_true(en.n <= 64); /* bits of what is done */
    for (int i = 0; i < en.n; i++) {
        const struct lesson *a = &en.lesson[i], *b = &zh.lesson[i];
        assert_string_equal(a->name, b->name);
        for (int k = 0; words[k]; k++) /* 'lesson next' would never open it */
            assert_string_not_equal(a->name, words[k]);
        assert_string_equal(a->model, b->model);
        assert_string_equal(a->prompt, b->prompt);
        if (a->n_steps != b->n_steps)
            fail_msg("%s has %d and %d steps", a->name, a->n_steps, b->n_steps);
        for (int k = 0; k < a->n_steps; k++) {
            snprintf(what, sizeof what, "%s, step %d", a->name, k + 1);
            same_step(what, &a->step[k], &b->step[k]);
        }
    }
    lessons_release(&en);
    lessons_release(&zh);
}

/* --- going about --- */

static void test_going(void **state)
{
    (void) state;
    struct fixture f;
    struct course *c = open_course(&f, LANG_EN);
    struct str text = STR_INIT;

    say(&f, "ablate L1.H2; set temp 0.5; lesson 1 3; lesson back");
    assert_int_equal(c->step, 1);
    assert_int_equal(f.session->n_ablations, 0);
    say(&f, "lesson 1 2");
    assert_int_equal(c->step, 1);
    course_save(c, &text);
    assert_string_equal(text.text, "at text 2\n");
    say(&f, "lesson end");
    assert_null(course_lesson(c));
    assert_string_equal(f.session->prompt.text, TEXT);
    assert_true(f.session->set.sampler.temp == 0.5);
    assert_false(f.screen.dock);
    say(&f, "lesson"); /* goes on where it was */
    assert_int_equal(c->step, 1);
    str_clear(&text);
    str_adds(&text, "done text\nat nothing 3\ndone nothing\nrubbish\nat text 9999\n");
    course_load(c, text.text);
    assert_true(course_is_done(c, 0));
    assert_int_equal(c->at_step, 1);
    str_release(&text);
    close_fixture(&f);
}

static struct str printed = STR_INIT;

static void print_out(struct command_env *env)
{
    str_add(&printed, env->out->text, env->out->len);
    str_clear(env->out);
}

/* Of the scene's commands nothing is printed, also where each command's output is printed at
 * once. */
static void test_quiet_scene(void **state)
{
    (void) state;
    struct fixture f;

    open_course(&f, LANG_EN);
    str_clear(&f.out);
    f.env.flush = print_out;
    assert_true(command_run(&f.env, "lesson qkv", &f.err));
    assert_memory_equal(printed.text, "Lesson 5: ", 10);
    str_release(&printed);
    close_fixture(&f);
}

/* What a learner changes is told when a claim no longer holds; the next step is whole again. */
static void test_broken_scene(void **state)
{
    (void) state;
    struct fixture f;
    struct course *c = open_course(&f, LANG_EN);

    say(&f, "lesson 1; prompt Hello there");
    assert_true(course_show(f.session, &f.err));
    assert_string_equal(c->broken.text, "n = 10 and n_vocab = 2048 (4, 10)");
    say(&f, "lesson 1");
    assert_int_equal(c->broken.len, 0);
    close_fixture(&f);
}

// clang-format off
static const struct {
    const char *text, *message;
} faults[] = {
    {"title: a\n", "x:1: a lesson begins with 'lesson: NAME'"},
    {"lesson: a\nhello\n", "x:2: 'hello' is neither title, model nor prompt, and no step has begun"},
    {"lesson: a\n== s\n- a :: 1 = 1\n", "x:3: a choice without a question"},
    {"lesson: a\n== s\n? q\n- a\n", "x:4: a choice is followed by its claim: - text :: claim"},
    {"lesson: a\n== s\n= 1 ~ 0\n", "x:3: an answer without a question"},
    {"lesson: a\n== s\n? q\n= 1\n", "x:4: an answer says how near one must come: = expression ~ 0.1"},
    {"lesson: a\n== s\n? q\n= 1 ~ x\n", "x:4: ' x' is no distance"},
    {"lesson: a\n== s\n? q\n- a :: 1=1\n- b :: 1=1\n- c :: 1=1\n- d :: 1=1\n- e :: 1=1\n",
     "x:8: a question has at most 4 choices"},
};
// clang-format on

static void test_faults(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct lessons l;
        struct err err = ERR_INIT;
        assert_false(lessons_parse(&l, "x", faults[i].text, strlen(faults[i].text), &err));
        assert_string_equal(err.text, faults[i].message);
    }
}

static void test_fill(void **state)
{
    (void) state;
    struct fixture f;
    struct str out = STR_INIT;

    open_fixture(&f, TEXT, false);
    assert_true(lesson_fill(f.session, "{n} tokens, {n/3:2}, {at(7)} {{x}", &out, &f.err));
    assert_string_equal(out.text, "10 tokens, 3.33, \xc2\xb7"
                                  "Anna {x}");
    assert_false(lesson_fill(f.session, "{n", &out, &f.err));
    assert_string_equal(f.err.text, "a brace is not closed in '{n'");
    str_release(&out);
    close_fixture(&f);
}

/* Lines of mixed Latin and Chinese text, none wider than asked for, nothing lost. */
static void test_wrap(void **state)
{
    (void) state;
    static const char *const lines[] = {"The 模型看", "不到字母，", "它 reads", "numbers。",
                                        NULL};
    const char *p = "The 模型看不到字母，它 reads numbers。", *next;

    for (int i = 0; lines[i]; i++, p = next) {
        size_t n = wrap_line(p, strlen(p), 10, &next);
        assert_int_equal(n, strlen(lines[i]));
        assert_memory_equal(p, lines[i], n);
    }
    assert_int_equal(*p, '\0');
    p = "abcdefghij klm";
    assert_int_equal(wrap_line(p, strlen(p), 4, &next), 4);
    assert_string_equal(next, "efghij klm");
    assert_int_equal(wrap_line("ab\ncd", 5, 4, &next), 2);
    assert_string_equal(next, "cd");
}

static void test_wrap_rows(void **state)
{
    (void) state;
    static const struct {
        const char *text, *wrapped;
    } row[] = {
        {"kept: one two three\n\n  name      what it is and more\n",
         "kept: one two three\n\n  name      what it\n            is and\n            more\n"},
        {"  name  first words  then more than that\n",
         "  name  first words\n        then more\n        than that\n"},
        {"    one two three four five\n", "    one two three\n    four five\n"},
        {"abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst\nuvwxyz\n"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct str out = STR_INIT;
        str_adds(&out, "what is there before stays as it is\n");
        size_t from = out.len;
        str_adds(&out, row[i].text);
        wrap_rows(&out, from, 20);
        assert_int_equal(strncmp(out.text, "what is there before stays", 26), 0);
        assert_string_equal(out.text + from, row[i].wrapped);
        str_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),       cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_shown),       cmocka_unit_test(test_languages),
        cmocka_unit_test(test_going),       cmocka_unit_test(test_broken_scene),
        cmocka_unit_test(test_quiet_scene), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_fill),        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_wrap_rows),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
