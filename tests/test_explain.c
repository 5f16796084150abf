/* The command explain: what it means where, and how keys move what is explained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command_fixture.h"

#include <string.h>

static void run(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    if (!command_run(&f->env, line, &f->err))
        fail_msg("%s: %s", line, f->err.text);
}

static void draw(struct fixture *f)
{
    struct canvas *c = canvas_new(120, 40, &(struct caps){.colors = 256}, NULL);

    screen_draw(f->session, &f->screen, c);
    canvas_free(c);
}

static void compute(struct fixture *f)
{
    if (!session_run(f->session, 0, NULL, &f->err))
        fail_msg("%s", f->err.text);
}

static void at(const struct fixture *f, const char *title)
{
    char got[160];

    view_table[view_find("explain")].title(f->session, got, sizeof got);
    assert_string_equal(got, title);
}

/* What the panel with the focus shows under its cursor. */
static void test_focus(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, true);
    compute(&f);
    run(&f, "select L2.H3.softmax 8,6; explain");
    at(&f, "explain L2.H3.pattern 8,6");
    assert_string_equal(screen_focused(&f.screen)->name, "explain");
    run(&f, "select 7,5; stage raw");
    at(&f, "explain L2.H3.scores_raw 7,5");
    run(&f, "stage z");
    at(&f, "explain L2.H3.z 7,5");
    run(&f, "view logits; explain");
    at(&f, "explain logits 9,·thanked");
    run(&f, "view logits; move down");
    at(&f, "explain logits 9,·was");
    assert_int_equal(f.session->subject.kind, SUBJECT_LOGIT);
    run(&f, "show L1.mlp.post; column 5; explain");
    at(&f, "explain L1.mlp.post 7,5");
    run(&f, "explain"); /* from its own panel: what there is */
    at(&f, "explain L1.mlp.post 7,5");
    run(&f, "view tensor; column 7");
    at(&f, "explain L1.mlp.post 7,7");
    run(&f, "view attention; move up");
    at(&f, "explain L1.H3.z 6,5");
    close_fixture(&f);
}

static void test_moves(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, true);
    compute(&f);
    run(&f, "explain L1.H3.q 4,12");
    assert_int_equal(f.session->at.layer, 1);
    assert_int_equal(f.session->at.head, 3);
    assert_int_equal(f.session->at.query, 4);
    run(&f, "move right; move down 2");
    at(&f, "explain L1.H3.q 6,13");
    run(&f, "head +1; layer -1");
    at(&f, "explain L0.H4.q 6,13");
    run(&f, "move right 99; move down 99");
    at(&f, "explain L0.H4.q 9,31");
    run(&f, "maximise");
    draw(&f);
    run(&f, "move down 3");
    at(&f, "explain L0.H4.q 9,31");
    assert_int_equal(f.screen.scroll[view_find("explain")], 3);
    run(&f, "maximise; truncate 5"); /* the nearest there is */
    at(&f, "explain L0.H4.q 4,31");
    run(&f, "explain this");
    at(&f, "explain L0.H4.pattern 4,4");
    run(&f, "move left; move up");
    at(&f, "explain L0.H4.pattern 3,3");
    run(&f, "explain L0.resid_mid 2,3; load tiny-llama");
    assert_int_equal(f.session->subject.kind, SUBJECT_ATTENTION);
    close_fixture(&f);
}

/* From a number to what it is made of, by key and by pointer. */
static void test_terms(void **state)
{
    (void) state;
    const struct view *v = &view_table[view_find("explain")];
    struct canvas *c = canvas_new(120, 30, &(struct caps){.colors = 256}, NULL);
    struct fixture f;
    struct hit h = {.line = ""};

    open_fixture(&f, TEXT, true);
    compute(&f);
    run(&f, "explain L1.attn_out 4,12");
    for (int y = 0; y < c->h && !*h.line; y++)
        v->hit(f.session, &f.screen, c, canvas_all(c), 2, y, &h);
    run(&f, "explain largest"); /* the head and channel of z that the first row is */
    at(&f, h.tip);
    assert_int_equal(strncmp(h.line, "explain L1.H", 12), 0);
    run(&f, h.line);
    at(&f, h.tip);
    run(&f, "explain largest");
    assert_int_equal(f.session->subject.cell[1], 4); /* the same query's weights */
    run(&f, "explain L1.resid_mid 3,4; explain largest");
    assert_int_equal(f.session->subject.cell[1], 4);
    run(&f, "explain embed 3,4");
    assert_false(command_run(&f.env, "explain largest", &f.err));
    run(&f, "view mlp; neuron 7; explain");
    assert_int_equal(f.session->subject.cell[1], 7);
    run(&f, "view residual; column 9; explain");
    assert_int_equal(f.session->subject.cell[1], 9);
    close_fixture(&f);
    canvas_free(c);
}

/* Part of a cell, ids and texts of tokens, heads that are shared. */
static void test_cells(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    run(&f, "load tiny-llama; run; select L2.H7 8,6; explain probs 8");
    at(&f, "explain probs 8,\xc2\xb7"
           "Anna");
    run(&f, "explain logits 3, ball");
    at(&f, "explain logits 3,\xc2\xb7"
           "ball");
    run(&f, "explain logits 3,\xc2\xb7"
            "ball");
    at(&f, "explain logits 3,\xc2\xb7"
           "ball");
    run(&f, "explain logits 3,259");
    at(&f, "explain logits 3,\xc2\xb7the");
    run(&f, "select H7; explain v 4,2");
    at(&f, "explain L2.H1.v 4,2");
    run(&f, "explain cache.2.k 4");
    at(&f, "explain L2.H1.rot_k 4,2");
    run(&f, "explain ln_final.scale 4");
    at(&f, "explain ln_final.scale 4");
    run(&f, "explain tokens 4");
    at(&f, "explain tokens 4");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_focus),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_cells),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
