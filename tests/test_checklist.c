/* The checklist: its table names what there is; doing things ticks items, step by step, in this
 * process and from one to the next; both languages; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "command_fixture.h"
#include "session/checklist.h"
#include "session/course.h"
#include "session/exercise_state.h"
#include "session/game.h"
#include "shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    f->err.text[0] = '\0';
    if (!command_run(&f->env, line, &f->err))
        fail_msg("'%s': %s", line, f->err.text);
    assert_safe(f->out.text);
}

static void read_item(struct fixture *f, const char *name, struct checklist_state *st)
{
    int i = checklist_find(name);

    assert_true(i >= 0);
    assert_true(checklist_read(st, f->session, i, &f->err));
}

/* --- the table --- */

static void test_table(void **state)
{
    (void) state;
    for (enum lang lang = LANG_EN; lang <= LANG_ZH; lang++) {
        struct fixture f;
        open_fixture(&f, TEXT, false);
        say(&f, lang == LANG_ZH ? "set lang zh" : "set lang en");
        for (int i = 0; i < CHECKLIST_ITEMS; i++) {
            struct checklist_state st;
            char number[8];
            assert_true(checklist_read(&st, f.session, i, &f.err));
            assert_true(st.n > 0 && st.n_done == 0 && st.next == &st.part[0]);
            for (int k = 0; k < st.n; k++) {
                const struct checklist_part *p = &st.part[k];
                if (p->kind == CHECKLIST_LESSON &&
                    lessons_find(&f.session->course->lessons, p->name) < 0)
                    fail_msg("item %d: there is no lesson '%s'", i + 1, p->name);
                if (p->kind == CHECKLIST_EXERCISE && !exercise_find(p->name, &f.err))
                    fail_msg("item %d: %s", i + 1, f.err.text);
            }
            snprintf(number, sizeof number, "%d", i + 1);
            assert_int_equal(checklist_find(number), i);
            assert_int_equal(checklist_find(checklist_table[i].name), i);
        }
        close_fixture(&f);
    }
    assert_int_equal(checklist_find("0"), -1);
    assert_int_equal(checklist_find("11"), -1);
    assert_int_equal(checklist_find("-1"), -1);
    assert_int_equal(checklist_find("1x"), -1);
    assert_int_equal(checklist_find("99999999999999999999"), -1);
    assert_int_equal(checklist_find(""), -1);
}

/* --- lessons, the game, an exercise --- */

/* Through the lesson that is open, with every answer shown. */
static void take_lesson(struct fixture *f)
{
    while (course_step(f->session->course))
        say(f, "lesson next");
}

static void test_lessons(void **state)
{
    (void) state;
    struct fixture f;
    struct checklist_state st;
    struct str text = STR_INIT;

    open_fixture(&f, TEXT, false);
    say(&f, "checklist mask");
    assert_string_equal(course_lesson(f.session->course)->name, "mask");
    say(&f, "lesson next; lesson next; lesson next");
    int left = f.session->course->step;
    assert_true(left > 0);
    say(&f, "lesson end; checklist 3"); /* goes on where it was left */
    assert_int_equal(f.session->course->step, left);
    take_lesson(&f);
    read_item(&f, "mask", &st);
    checklist_print(&st, LANG_EN, &text);
    assert_string_equal(text.text, "1 of 2: lesson mask done; lesson triangle open");
    str_clear(&text);
    checklist_print(&st, LANG_ZH, &text);
    assert_string_equal(text.text, "1 / 2：lesson mask 已完成；lesson triangle 未完成");
    say(&f, "checklist 3");
    assert_string_equal(course_lesson(f.session->course)->name, "triangle");
    take_lesson(&f);
    read_item(&f, "mask", &st);
    assert_null(st.next);
    say(&f, "checklist mask");
    assert_string_equal(f.out.text, "✓  3  Say why there is a causal mask\n"
                                    "      2 of 2: lesson mask, lesson triangle done\n");
    say(&f, "checklist");
    assert_non_null(strstr(f.out.text, "1 of 10 are ticked"));
    assert_non_null(strstr(f.out.text, "\n✓  3  Say why"));
    say(&f, "set lang zh; checklist");
    assert_non_null(strstr(f.out.text, "已完成 1 / 10 项"));
    assert_non_null(strstr(f.out.text, "\n✓  3  说明为什么需要因果掩码\n"));
    str_release(&text);
    close_fixture(&f);
}

static void test_game(void **state)
{
    (void) state;
    struct fixture f;
    struct checklist_state st;
    struct err err = ERR_INIT;

    open_fixture(&f, TEXT, false);
    for (read_item(&f, "architecture", &st); st.next && st.next->kind == CHECKLIST_LESSON;
         read_item(&f, "architecture", &st)) {
        say(&f, "checklist architecture");
        take_lesson(&f);
    }
    assert_int_equal(st.next->kind, CHECKLIST_GAME);
    say(&f, "checklist 1");
    struct game *g = f.session->game;
    assert_true(game_is_on(g));
    for (int i = 0; i < g->n; i++) {
        read_item(&f, "architecture", &st);
        assert_non_null(st.next);
        assert_true(game_pick(g, g->program->op[i].label, &err));
    }
    read_item(&f, "architecture", &st);
    assert_null(st.next);
    close_fixture(&f);
}

/* The solution in a file, checked by the command. */
static void test_exercise(void **state)
{
    (void) state;
    struct fixture f;
    struct checklist_state st;
    struct str code = STR_INIT;

    open_fixture(&f, TEXT, false);
    const struct exercise *e = exercise_find("mlp", &f.err);
    assert_non_null(e);
    say(&f, "checklist mlp");
    take_lesson(&f);
    say(&f, "checklist mlp");
    assert_string_equal(f.out.text, "next, in a shell: gptscope exercise start mlp\n");
    say(&f, "set lang zh");
    say(&f, "checklist mlp");
    assert_string_equal(f.out.text, "接下来，在 shell 里：gptscope exercise start mlp\n");
    exercise_template(e, LANG_EN, &code);
    put_file("mlp.c", code.text);
    say(&f, "exercise check mlp mlp.c");
    read_item(&f, "mlp", &st);
    assert_int_equal(st.n_done, 1);
    str_clear(&code);
    exercise_solution(e, LANG_EN, &code);
    put_file("mlp.c", code.text);
    say(&f, "exercise check mlp mlp.c");
    read_item(&f, "mlp", &st);
    assert_null(st.next);
    unlink("mlp.c");
    str_release(&code);
    close_fixture(&f);
}

/* --- the program --- */

static void expect(const char *line, int status, const char *begins)
{
    struct ran r = shell("%s", line);

    if (r.status != status)
        fail_msg("%s: status %d, %s%s", line, r.status, r.out.text, r.err.text);
    const char *text = status ? r.err.text : r.out.text;
    if (begins && strncmp(text, begins, strlen(begins)))
        fail_msg("%s: '%s'", line, text);
    ran_release(&r);
}

/* As data: of the drawing only the game is done; the mask is done. */
static void check_ticks(void)
{
    static const bool drawn[] = {false, false, false, true};
    struct err err = ERR_INIT;
    struct ran r = shell("XDG_STATE_HOME=$PWD/state gptscope checklist --json");
    json_t *o = json_parse(r.out.text, r.out.len, &err);

    assert_non_null(o);
    const json_t *items = json_object_get(json_object_get(o, "result"), "items");
    const json_t *parts = json_object_get(json_array_get(items, 0), "parts");
    const json_t *mask = json_array_get(items, 2);
    assert_int_equal(json_array_size(parts), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_is_true(json_object_get(json_array_get(parts, i), "done")),
                         drawn[i]);
    assert_true(json_is_true(json_object_get(mask, "done")));
    assert_true(json_is_null(json_object_get(mask, "next")));
    json_decref(o);
    ran_release(&r);
}

/* What is done in one process is ticked in the next. */
static void test_verb(void **state)
{
    (void) state;
    struct str line = STR_INIT;

    shell_enter(state);
    setenv("XDG_STATE_HOME", "/dev/null/none", 1);
    expect("gptscope checklist", 0, "0 of 10 are ticked");
    expect(
        "export XDG_STATE_HOME=$PWD/state; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do"
        " echo lesson next; done >next; gptscope lesson mask <next >/dev/null &&"
        " gptscope lesson triangle <next >/dev/null && gptscope checklist | grep ✓",
        0, "✓  3  Say why there is a causal mask\n");
    str_adds(&line, "export XDG_STATE_HOME=$PWD/state; printf '%s\\n' game ");
    static const char *const order[] = {
        "embed", "pos_embed", "add",     "ln1",      "v",        "k",    "q",   "scores",
        "scale", "mask",      "softmax", "mix",      "out_proj", "add",  "ln2", "mlp_up",
        "gelu",  "mlp_down",  "add",     "ln_final", "lm_head",  "probs"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        str_addf(&line, "'game %s' ", order[i]);
    str_adds(&line, "| gptscope repl | grep ^All");
    expect(line.text, 0, "All 22 are in order. Wrong picks: 0, hints: 0.\n");
    check_ticks();
    expect("XDG_STATE_HOME=$PWD/state gptscope checklist mask --lang zh", 0,
           "✓  3  说明为什么需要因果掩码\n");
    expect("XDG_STATE_HOME=$PWD/state gptscope checklist --clean | grep -c ✓", 1, NULL);
    expect("gptscope checklist 11", 2,
           "gptscope: there is no item '11'; the checklist has 1 to 10");
    expect("gptscope checklist 1 2", 2, "gptscope: '2' is too much");
    str_release(&line);
    shell_leave(state);
}

int main(void)
{
    const struct CMUnitTest here[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_lessons),
        cmocka_unit_test(test_game),
        cmocka_unit_test(test_exercise),
    };
    const struct CMUnitTest apart[] = {cmocka_unit_test(test_verb)};
    int failed = cmocka_run_group_tests(apart, NULL, NULL);

    return failed + cmocka_run_group_tests(here, fixture_setup, fixture_teardown);
}
