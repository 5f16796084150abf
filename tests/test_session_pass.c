/* Sessions going through passes: by op, layer and pass, forward and back, interrupted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "session_fixture.h"

#include <stdio.h>

static void test_edit_in_pass(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);
    int n = s->ids.n;

    for (int i = 0; i < 7; i++)
        OK(session_step(s, &err));
    OK(give(s, TEXT " thanked Tom", &err)); /* behind the pass: it goes on */
    assert_true(run_in_pass(s->run));
    assert_int_equal(run_pc(s->run), 7);
    assert_int_equal(run_n_new(s->run), n);
    OK(give(s, "Tim gave", &err)); /* before it: it is dropped */
    assert_false(run_in_pass(s->run));
    assert_int_equal(session_pending(s), s->ids.n);
    FAILS(session_back(s, &err), "this is the beginning: nothing has been computed");
    OK(session_run(s, 0, NULL, &err));
    same_as_fresh(s, "edited in a pass");
    session_free(s);
}

static void test_steps(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        const struct program *p = s->program;
        char message[96];

        for (int i = 0; i < p->n_steps; i++) {
            assert_int_equal(run_in_pass(s->run) ? run_pc(s->run) : 0, i);
            assert_false(session_done(s));
            OK(session_step(s, &err));
        }
        assert_true(session_done(s));
        same_as_fresh(s, "op by op");
        snprintf(message, sizeof message,
                 "all %d tokens are computed; generate makes the next one", s->ids.n);
        FAILS(session_step(s, &err), message);

        session_forget(s, 2);
        assert_int_equal(session_pending(s), s->ids.n - 2);
        for (int l = 0; l <= p->hp.n_layer; l++) {
            OK(session_layer(s, &err));
            assert_int_equal(run_pc(s->run), p->block_begin[l]);
        }
        OK(session_layer(s, &err));
        assert_true(session_done(s));
        same_as_fresh(s, "layer by layer");
        session_free(s);
    }
}

static void test_until(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    int last = s->program->n_steps - 1;
    char message[96];

    OK(session_until(s, 9, &err));
    assert_int_equal(run_pc(s->run), 9);
    FAILS(session_until(s, 8, &err), "op 8 lies behind op 9, where the pass stands; use back");
    snprintf(message, sizeof message, "there is no op 9999; the program has ops 0 to %d", last);
    FAILS(session_until(s, 9999, &err), message);
    OK(session_until(s, last, &err));
    OK(session_step(s, &err));
    assert_true(session_done(s));
    same_as_fresh(s, "until");
    session_free(s);
}

static void test_back(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct settings set;
        settings_init(&set);
        set.chunk = 4;
        struct session *s = open_set(models[m], TEXT, &set);
        int steps = s->program->n_steps, passes = (s->ids.n + 3) / 4;

        OK(session_run(s, 0, NULL, &err));
        assert_int_equal(s->n_passes, passes);
        for (int i = 1; i <= steps + 2; i++) { /* into the pass before the last */
            OK(session_back(s, &err));
            assert_true(run_in_pass(s->run));
        }
        assert_int_equal(run_pc(s->run), steps - 2);
        assert_int_equal(run_n_past(s->run), 4 * (passes - 2));
        OK(session_back_layer(s, &err));
        assert_int_equal(run_pc(s->run), s->program->block_begin[s->program->hp.n_layer]);
        OK(session_back_layer(s, &err));
        assert_int_equal(run_pc(s->run), s->program->block_begin[s->program->hp.n_layer - 1]);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "back and on");
        for (int i = 0; i < passes; i++) {
            OK(session_back_pass(s, &err));
            assert_int_equal(run_pc(s->run), 0);
        }
        FAILS(session_back(s, &err), "this is the beginning: nothing has been computed");
        assert_int_equal(session_pending(s), s->ids.n);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "from the beginning");
        session_free(s);
    }
}

static void test_interrupt(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    char message[96];
    bool more = false;

    OK(session_run(s, 1e-9, &more, &err));
    assert_true(more);
    snprintf(message, sizeof message, "interrupted after 0 of %d tokens; run goes on",
             s->ids.n);
    interrupt_set();
    FAILS(session_run(s, 0, NULL, &err), message);
    interrupt_clear();
    OK(session_run(s, 0, &more, &err));
    assert_false(more);
    same_as_fresh(s, "interrupted");
    session_free(s);
}

static void test_follow(void **state)
{
    (void) state;
    static const enum stage after[] = {STAGE_RAW,     STAGE_SCALED, STAGE_MASKED,
                                       STAGE_PATTERN, STAGE_MIX,    STAGE_PATTERN};
    struct session *s = open_plain("tiny-llama", TEXT);
    int first = program_attention(s->program, 2, NULL);

    s->at.stage = STAGE_SCALED;
    OK(session_until(s, first, &err));
    session_follow(s, true);
    assert_int_equal(s->at.layer, 2);
    assert_int_equal(s->at.stage, STAGE_SCALED); /* what was chosen stays until attention */
    for (int i = 0; i < 6; i++) {
        OK(session_step(s, &err));
        session_follow(s, true);
        assert_int_equal(s->at.stage, after[i]);
    }
    s->at.stage = STAGE_RAW;
    OK(session_layer(s, &err) && session_layer(s, &err));
    session_follow(s, false);
    assert_int_equal(s->at.layer, 3);
    assert_int_equal(s->at.stage, STAGE_RAW);
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_in_pass), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_until),        cmocka_unit_test(test_back),
        cmocka_unit_test(test_interrupt),    cmocka_unit_test(test_follow),
    };

    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
