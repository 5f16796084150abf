/* The map and the program view: their cursor, breakpoints set there, running to the cursor,
 * what opens, and what a click on them means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command_fixture.h"
#include "view/candidates.h"
#include "view/views.h"

#include <stdio.h>
#include <string.h>

static void run_line(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    if (!command_run(&f->env, line, &f->err))
        fail_msg("%s: %s", line, f->err.text);
}

static void test_cursor(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    struct session *s = f.session;
    struct screen *st = &f.screen;
    int last = s->program->n_steps - 1;
    run_line(&f, "view program");
    assert_int_equal(screen_op(s, st), 0); /* follows the pass */
    run_line(&f, "step op 3");
    assert_int_equal(screen_op(s, st), 3);
    run_line(&f, "move down 4; move up");
    assert_int_equal(screen_op(s, st), 6);
    run_line(&f, "move down 1000");
    assert_int_equal(screen_op(s, st), last);
    run_line(&f, "layer 2");
    assert_int_equal(screen_op(s, st), s->program->block_begin[2]);
    run_line(&f, "op L1.softmax");
    assert_int_equal(screen_op(s, st), program_attention(s->program, 1, NULL) + 3);
    run_line(&f, "op -1");
    assert_int_equal(screen_op(s, st), program_attention(s->program, 1, NULL) + 2);
    run_line(&f, "op next");
    assert_int_equal(screen_op(s, st), 3);
    run_line(&f, "op last; step op");
    assert_int_equal(screen_op(s, st), 4); /* stepping takes it along */
    run_line(&f, "op 9; load tiny-llama; run; select L3");
    st->op = -1;
    assert_int_equal(screen_op(s, st), s->program->block_begin[3]); /* nothing is at work */
    run_line(&f, "op last; load tiny-gpt2");
    assert_true(screen_op(s, st) < s->program->n_steps);
    close_fixture(&f);
}

static void test_here(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    struct session *s = f.session;
    int softmax = program_attention(s->program, 2, NULL) + 3;
    run_line(&f, "view program; op L2.softmax; break here; op first; until L3.q");
    assert_int_equal(run_pc(s->run), softmax);
    assert_string_equal(s->breaks.hit, "breakpoint 1: L2.softmax");
    run_line(&f, "view map; break here"); /* the cursor followed: the same op */
    assert_int_equal(s->breaks.n, 0);
    run_line(&f, "break softmax; break here"); /* what is marked goes */
    assert_int_equal(s->breaks.n, 0);
    run_line(&f, "view heads; select L1.H2; break here");
    assert_int_equal(s->breaks.item[0].kind, BREAK_HEAD);
    assert_int_equal(s->breaks.item[0].layer, 1);
    assert_int_equal(s->breaks.item[0].head, 2);
    run_line(&f, "view attention; break 3 off; break here"); /* turned on, not doubled */
    assert_int_equal(s->breaks.n, 1);
    assert_false(s->breaks.item[0].off);
    run_line(&f, "break here");
    assert_int_equal(s->breaks.n, 0);
    run_line(&f, "view program; op L2.mix; until");
    assert_int_equal(run_pc(s->run), softmax + 1);
    assert_false(command_run(&f.env, "op 3; until", &f.err));
    assert_non_null(strstr(f.err.text, "op 3 lies behind op "));
    close_fixture(&f);
}

static const char *focused(const struct fixture *f)
{
    return screen_focused(&f->screen)->name;
}

static void test_open(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    struct session *s = f.session;
    run_line(&f, "run; view program; op L1.mlp_up; open");
    assert_string_equal(focused(&f), "tensor");
    assert_int_equal(f.screen.value, program_value(s->program, 1, "mlp.pre"));
    run_line(&f, "view map; op L2.mask; open");
    assert_string_equal(focused(&f), "attention");
    assert_int_equal(s->at.layer, 2);
    assert_int_equal(s->at.stage, STAGE_MASKED);
    run_line(&f, "view map; op lm_head; open");
    assert_string_equal(focused(&f), "tensor");
    assert_int_equal(f.screen.value, program_find(s->program, "logits"));
    close_fixture(&f);
}

/* A click on any row of either view puts the cursor on what is drawn there. */
static void test_hits(void **state)
{
    (void) state;
    static const char *const views[] = {"program", "map"};
    static const struct caps caps = {.colors = 256};
    struct rect r = {3, 2, 60, 30};
    struct fixture f;

    open_fixture(&f, TEXT, false);
    struct session *s = f.session;
    run_line(&f, "run");
    struct canvas *c = canvas_new(70, 40, &caps, NULL);
    for (int v = 0; v < 2; v++) {
        const struct view *view = &view_table[view_find(views[v])];
        int hits = 0;
        for (int y = 0; y < 40; y++) {
            struct hit h = {.line = ""};
            struct str row = STR_INIT, name = STR_INIT;
            f.screen.op = 20;
            f.screen.focus = view->home;
            f.screen.panel[view->home] = view_find(views[v]);
            canvas_clear(c);
            view->draw(s, &f.screen, c, r);
            view->hit(s, &f.screen, c, r, r.x + 5, y, &h);
            if (!*h.line)
                continue;
            hits++;
            assert_true(y >= r.y && y < r.y + r.h && *h.tip);
            for (int x = r.x; x < r.x + r.w; x++)
                if (canvas_at(c, x, y)->cp < 128)
                    str_addc(&row, (char) canvas_at(c, x, y)->cp);
            run_line(&f, h.line);
            if (!strncmp(h.line, "layer", 5))
                str_addf(&name, " L%d", s->at.layer);
            else
                str_adds(&name, s->program->op[screen_op(s, &f.screen)].label);
            assert_non_null(strstr(row.text, name.text));
            str_release(&row);
            str_release(&name);
        }
        assert_true(hits > 20);
    }
    struct hit h = {.line = ""};
    program_hit(s, &f.screen, c, r, r.x, r.y, &h); /* the column of breakpoints */
    assert_non_null(strstr(h.line, "; break here"));
    canvas_free(c);
    close_fixture(&f);
}

/* A click on a candidate puts the cursor on it; a takes it, on an earlier place as a branch. */
static void test_candidates(void **state)
{
    (void) state;
    static const struct caps caps = {.colors = 256};
    struct fixture f;

    open_fixture(&f, TEXT, false);
    struct session *s = f.session;
    run_line(&f, "run; set top-k 3; view logits");
    for (int w = 12; w < 130; w += 13) {
        struct rect r = {2, 1, w, 17};
        struct canvas *c = canvas_new(140, 20, &caps, NULL);
        int hits = 0;
        for (int y = 0; y < 20; y++) {
            struct hit h = {.line = ""};
            f.screen.candidate = 0;
            logits_draw(s, &f.screen, c, r);
            logits_hit(s, &f.screen, c, r, r.x + 3, y, &h);
            if (!*h.line)
                continue;
            run_line(&f, h.line);
            assert_int_equal(f.screen.candidate, hits); /* none is left out */
            hits++;
        }
        assert_true(hits >= 9);
        canvas_free(c);
    }
    run_line(&f, "candidate 2; set logits-at cursor; query 4");
    const struct sample_trace *t = candidates_trace(s, &f.screen);
    int second = t->candidate[1].id;
    run_line(&f, "branch");
    assert_int_equal(s->ids.n, 6);
    assert_int_equal(s->ids.id[5], second);
    assert_int_equal(s->branches.n, 2);
    assert_int_equal(f.screen.candidate, 0);
    run_line(&f, "branches back; run; candidate 1; move down 3; move up");
    assert_int_equal(f.screen.candidate, 2);
    run_line(&f, "move down 100000");
    assert_int_equal(f.screen.candidate, s->program->hp.n_vocab - 1);
    close_fixture(&f);
}

/* Live: keys toggle it, the loop steps. */
static void test_play(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, true);
    run_line(&f, "speed 0; play");
    assert_true(f.screen.playing);
    assert_true(settings_speed(&f.session->set) < 0.6);
    run_line(&f, "speed last; speed +1");
    assert_true(settings_speed(&f.session->set) > 29);
    run_line(&f, "play");
    assert_false(f.screen.playing);
    run_line(&f, "play; close");
    assert_false(f.screen.playing);
    run_line(&f, "prompt \"\"");
    assert_false(command_run(&f.env, "play", &f.err));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cursor),     cmocka_unit_test(test_here),
        cmocka_unit_test(test_open),       cmocka_unit_test(test_hits),
        cmocka_unit_test(test_candidates), cmocka_unit_test(test_play),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
