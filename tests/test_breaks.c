/* Breakpoints: every kind stops where it says and nowhere else, going on goes on, and what is
 * computed stays the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "session_fixture.h"
#include "tensor/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct session *open_chunks(const char *model, const char *text, int chunk)
{
    struct settings set;

    settings_init(&set);
    set.chunk = chunk;
    return open_set(model, text, &set);
}

static void run_to_stop(struct session *s)
{
    OK(session_run(s, 0, NULL, &err));
}

/* --- at an op --- */

static void test_op(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int chunk = 0; chunk <= 3; chunk += 3) {
            struct session *s = open_chunks(models[m], TEXT, chunk);
            struct breakpoint b = {.kind = BREAK_OP};
            int passes = chunk ? (s->ids.n + chunk - 1) / chunk : 1;
            for (b.op = 0; b.op < s->program->n_steps; b.op += 5) {
                bool more = false;
                session_forget(s, 0);
                int id = breaks_add(s, &b);
                for (int i = 0; i < passes; i++) {
                    OK(session_run(s, 0, &more, &err));
                    assert_true(more);
                    assert_true(run_in_pass(s->run));
                    assert_int_equal(run_pc(s->run), b.op);
                    assert_int_equal(run_n_past(s->run), i * chunk);
                    assert_non_null(strstr(s->breaks.hit, "breakpoint "));
                }
                OK(session_run(s, 0, &more, &err));
                assert_false(more);
                assert_true(session_done(s));
                assert_string_equal(s->breaks.hit, "");
                breaks_remove(s, id);
            }
            same_as_fresh(s, "with breakpoints");
            session_free(s);
        }
}

/* The other ways to go stop, too; one op does not. Time slices miss none. */
static void test_ways(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);
    struct breakpoint b = {.kind = BREAK_OP, .op = s->program->block_begin[1] + 2};
    bool more = true;
    char hit[64];

    int id = breaks_add(s, &b);
    snprintf(hit, sizeof hit, "breakpoint %d: L1.k", id);
    OK(session_layer(s, &err) && session_layer(s, &err));
    assert_int_equal(run_pc(s->run), s->program->block_begin[1]);
    assert_string_equal(s->breaks.hit, "");
    OK(session_layer(s, &err));
    assert_int_equal(run_pc(s->run), b.op);
    assert_string_equal(s->breaks.hit, hit);
    OK(session_back_pass(s, &err));
    assert_string_equal(s->breaks.hit, "");
    OK(session_pass(s, &err));
    assert_int_equal(run_pc(s->run), b.op);
    OK(session_back_pass(s, &err));
    OK(session_until(s, b.op + 3, &err));
    assert_int_equal(run_pc(s->run), b.op);
    OK(session_until(s, b.op + 3, &err));
    assert_int_equal(run_pc(s->run), b.op + 3);
    OK(session_back_pass(s, &err));
    for (int i = 0; more && !s->breaks.hit[0] && i < 1000; i++)
        OK(session_run(s, 1e-9, &more, &err));
    assert_int_equal(run_pc(s->run), b.op);
    OK(session_back_pass(s, &err));
    for (int i = 0; i < b.op; i++) {
        assert_string_equal(s->breaks.hit, "");
        OK(session_step(s, &err));
    }
    assert_string_equal(s->breaks.hit, hit); /* says so */
    OK(session_step(s, &err));
    assert_int_equal(run_pc(s->run), b.op + 1);
    OK(session_back_pass(s, &err));
    breaks_find(s, id)->off = true;
    OK(session_run(s, 0, &more, &err));
    assert_true(session_done(s));
    session_free(s);
}

static void test_interrupted(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct breakpoint b = {.kind = BREAK_OP, .op = 9};
    struct err err = ERR_INIT;

    breaks_add(s, &b);
    interrupt_set();
    assert_false(session_run(s, 0, NULL, &err));
    interrupt_clear();
    assert_int_equal(run_pc(s->run), 0);
    run_to_stop(s);
    assert_int_equal(run_pc(s->run), 9);
    session_free(s);
}

static void test_label(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_chunks(models[m], TEXT, 5);
        struct breakpoint b = {.kind = BREAK_LABEL, .label = "softmax"};
        int n_layer = s->program->hp.n_layer, after;

        breaks_add(s, &b);
        for (int begin = 0; begin < s->ids.n; begin += 5)
            for (int layer = 0; layer < n_layer; layer++) {
                run_to_stop(s);
                assert_int_equal(run_n_past(s->run), begin);
                assert_int_equal(run_pc(s->run),
                                 program_attention(s->program, layer, &after) + 3);
            }
        run_to_stop(s);
        assert_true(session_done(s)); /* the softmax of the logits is in no block */
        same_as_fresh(s, "broken into");
        session_free(s);
    }
}

/* The run's version counts what was executed: an attention that runs as one counts once, stage
 * by stage five times. Only attention that is broken into runs stage by stage. */
static uint64_t count_run(struct session *s)
{
    session_forget(s, 0);
    uint64_t before = run_version(s->run);
    while (!session_done(s))
        run_to_stop(s);
    return run_version(s->run) - before;
}

static void test_fused(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);
    struct breakpoint b = {.kind = BREAK_OP};
    uint64_t plain = count_run(s);

    b.op = program_attention(s->program, 1, NULL);
    breaks_add(s, &b);
    assert_int_equal(count_run(s), plain);
    b.op += 5;
    breaks_add(s, &b);
    assert_int_equal(count_run(s), plain);
    b.op -= 1;
    breaks_add(s, &b);
    assert_int_equal(count_run(s), plain + 4);
    session_free(s);
}

/* --- heads and their weights --- */

static void test_head(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        struct breakpoint b = {.kind = BREAK_HEAD, .layer = 1, .head = 3};
        int after;

        int id = breaks_add(s, &b);
        s->at.query = 2;
        run_to_stop(s);
        program_attention(s->program, 1, &after);
        assert_int_equal(run_pc(s->run), after - 1);
        assert_int_equal(s->at.layer, 1);
        assert_int_equal(s->at.head, 3);
        assert_int_equal(s->at.query, s->ids.n - 1);
        assert_string_equal(s->breaks.hit, "breakpoint 1: L1.H3, after L1.softmax");
        run_to_stop(s);
        assert_true(session_done(s));
        b.layer = -1; /* this head of every layer */
        breaks_remove(s, id);
        id = breaks_add(s, &b);
        session_forget(s, 0);
        for (int layer = 0; layer < s->program->hp.n_layer; layer++) {
            run_to_stop(s);
            assert_int_equal(s->program->op[run_pc(s->run)].layer, layer);
            assert_int_equal(s->program->op[run_pc(s->run)].code, OP_MIX);
        }
        breaks_remove(s, id);
        run_to_stop(s);
        same_as_fresh(s, "head by head");
        session_free(s);
    }
}

/* The entropy of a query's row, from the scores: not the way that the condition takes. */
static double entropy_of(const struct session *s, int layer, int head, int query)
{
    int value = session_stage_value(s, layer, STAGE_MASKED), n = query + 1;
    struct region row = {{head, query, 0}, {1, 1, n}};
    float *x = xcalloc((size_t) n, sizeof *x);
    double max = -INFINITY, sum = 0, h = 0;

    OK(run_read(s->run, value, &row, x, &err));
    for (int i = 0; i < n; i++)
        max = fmax(max, (double) x[i]);
    for (int i = 0; i < n; i++)
        sum += exp((double) x[i] - max);
    for (int i = 0; i < n; i++) {
        double p = exp((double) x[i] - max) / sum;
        h -= p > 0 ? p * log(p) : 0;
    }
    free(x);
    return h;
}

/* Every place where it must stop, found independently on a session that has run already. */
static void check_entropy(const char *model, int chunk, struct breakpoint b)
{
    struct session *s = open_chunks(model, TEXT, chunk), *done = open_plain(model, TEXT);
    const struct hparams *hp = &s->program->hp;
    int stops = 0;

    run_to_stop(done);
    breaks_add(s, &b);
    for (int begin = 0; begin < s->ids.n; begin += chunk) {
        int query = begin + chunk < s->ids.n ? begin + chunk - 1 : s->ids.n - 1;
        for (int layer = 0; layer < hp->n_layer; layer++) {
            int found = -1;
            for (int h = 0; h < hp->n_head && found < 0; h++) {
                double nats = entropy_of(done, layer, h, query);
                assert_true(fabs(nats - b.limit) > 1e-4); /* a limit that is not near one */
                if ((b.layer < 0 || b.layer == layer) && (b.head < 0 || b.head == h) &&
                    (b.above ? nats > b.limit : nats < b.limit))
                    found = h;
            }
            if (found < 0)
                continue;
            run_to_stop(s);
            assert_true(run_in_pass(s->run));
            assert_int_equal(run_n_past(s->run), begin);
            assert_int_equal(s->program->op[run_pc(s->run)].layer, layer);
            assert_int_equal(s->program->op[run_pc(s->run)].code, OP_MIX);
            assert_int_equal(s->at.layer, layer);
            assert_int_equal(s->at.head, found);
            stops++;
        }
    }
    run_to_stop(s);
    assert_true(session_done(s));
    print_message("%s, chunks of %d: %d stops\n", model, chunk, stops);
    same_as_fresh(s, "entropy");
    session_free(s);
    session_free(done);
}

static void test_entropy(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int chunk = 4; chunk <= 64; chunk *= 16) {
            struct breakpoint b = {.kind = BREAK_ENTROPY, .layer = -1, .head = -1};
            b.limit = 0.4321;
            check_entropy(models[m], chunk, b);
            b.limit = 1.2345;
            b.above = true;
            b.layer = 2;
            check_entropy(models[m], chunk, b);
            b.head = 1;
            check_entropy(models[m], chunk, b);
            b.layer = -1;
            b.above = false;
            check_entropy(models[m], chunk, b);
        }
}

/* --- the lens --- */

/* What the stream says if it is read as the last: the final norm and the unembedding in plain
 * C, from the weights. */
static int plain_lens(const struct session *s, int value, int pos)
{
    const struct hparams *hp = &s->program->hp;
    int d = hp->d_model, best = 0;
    struct region row = {{pos, 0, 0}, {1, d, 1}};
    const float *gain = model_vector(s->model, W_LN_FINAL_GAIN, -1);
    const float *bias =
        hp->norm == NORM_LAYER ? model_vector(s->model, W_LN_FINAL_BIAS, -1) : NULL;
    const struct matrix *head = model_matrix(s->model, W_LM_HEAD, -1);
    float *x = xcalloc((size_t) d, sizeof *x), *w = xcalloc((size_t) d, sizeof *w);
    double mean = 0, square = 0, most = -INFINITY;

    OK(run_read(s->run, value, &row, x, &err));
    for (int i = 0; i < d && hp->norm == NORM_LAYER; i++)
        mean += (double) x[i] / d;
    for (int i = 0; i < d; i++)
        square += ((double) x[i] - mean) * ((double) x[i] - mean) / d;
    for (int i = 0; i < d; i++)
        x[i] = (float) (((double) x[i] - mean) / sqrt(square + (double) hp->norm_eps) *
                            (double) gain[i] +
                        (bias ? (double) bias[i] : 0));
    for (int id = 0; id < hp->n_vocab; id++) {
        double sum = 0;
        matrix_row(head, id, w);
        for (int i = 0; i < d; i++)
            sum += (double) x[i] * (double) w[i];
        if (sum > most) {
            most = sum;
            best = id;
        }
    }
    free(x);
    free(w);
    return best;
}

static void test_top(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int chunk = 3; chunk <= 48; chunk *= 16) {
            struct session *s = open_chunks(models[m], TEXT, chunk);
            struct session *done = open_plain(models[m], TEXT);
            int stops = 0;
            breaks_add(s, &(struct breakpoint){.kind = BREAK_TOP});
            run_to_stop(done);
            for (int begin = 0; begin < s->ids.n; begin += chunk) {
                int pos = begin + chunk < s->ids.n ? begin + chunk - 1 : s->ids.n - 1;
                int top = plain_lens(done, program_value(done->program, 0, "resid_pre"), pos);
                for (int layer = 0; layer < s->program->hp.n_layer; layer++) {
                    int was = top;
                    top = plain_lens(done, program_value(done->program, layer, "resid_post"),
                                     pos);
                    if (top == was)
                        continue;
                    run_to_stop(s);
                    assert_int_equal(run_n_past(s->run), begin);
                    assert_int_equal(run_pc(s->run), s->program->block_begin[layer + 1]);
                    assert_non_null(strstr(s->breaks.hit, ": top was "));
                    stops++;
                }
            }
            run_to_stop(s);
            assert_true(session_done(s));
            print_message("%s, chunks of %d: %d stops\n", models[m], chunk, stops);
            assert_true(stops > 0);
            same_as_fresh(s, "top");
            session_free(s);
            session_free(done);
        }
}

/* --- tokens --- */

static void test_token(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_chunks(models[m], TEXT, 4);
        struct breakpoint b = {.kind = BREAK_TOKEN, .token = s->ids.id[5]};
        int id, next, n = s->ids.n;

        s->set.sampler.temp = 0;
        breaks_add(s, &b);
        run_to_stop(s);
        assert_int_equal(run_n_past(s->run), 4); /* the second pass holds position 5 */
        assert_int_equal(run_pc(s->run), 0);
        assert_true(run_in_pass(s->run));
        breaks_remove(s, -1);
        OK(session_generate(s, &next, &err));
        session_truncate(s, n);
        b.token = next;
        breaks_add(s, &b);
        while (!session_done(s)) /* it may stand in the prompt, too */
            run_to_stop(s);
        OK(session_generate(s, &id, &err));
        assert_int_equal(id, next);
        assert_int_equal(s->ids.n, n + 1);
        assert_non_null(strstr(s->breaks.hit, "breakpoint 2: token "));
        assert_true(run_in_pass(s->run));
        assert_int_equal(run_pc(s->run), 0);
        assert_int_equal(run_n_new(s->run), 1);
        b = (struct breakpoint){.kind = BREAK_OP, .op = 6};
        breaks_add(s, &b);
        OK(session_generate(s, &id, &err)); /* stops before it generates */
        assert_int_equal(id, -1);
        assert_int_equal(run_pc(s->run), 6);
        assert_int_equal(s->ids.n, n + 1);
        OK(session_generate(s, &id, &err));
        assert_int_equal(s->ids.n, n + 2);
        session_free(s);
    }
}

/* --- the list --- */

static void test_list(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct breakpoint b = {.kind = BREAK_ENTROPY, .layer = 2, .head = 3, .limit = 0.5};
    struct str text = STR_INIT;
    int scores = program_attention(s->program, 2, NULL);

    assert_int_equal(breaks_add(s, &b), 1);
    assert_int_equal(breaks_add(s, &b), 1);
    break_print(s, &s->breaks.item[0], &text);
    assert_string_equal(text.text, "entropy L2.H3 < 0.5");
    assert_int_equal(breaks_mark(s, scores + 4), BREAK_MAYBE);
    assert_int_equal(breaks_mark(s, scores + 3), BREAK_NONE);
    assert_true(breaks_inside(s, 2));
    assert_false(breaks_inside(s, 1));
    b = (struct breakpoint){.kind = BREAK_OP, .op = scores};
    assert_int_equal(breaks_add(s, &b), 2);
    breaks_find(s, 1)->off = true;
    assert_int_equal(breaks_mark(s, scores), BREAK_SURE);
    assert_false(breaks_inside(s, 2)); /* before the attention, not in it */
    assert_int_equal(breaks_add(s, &(struct breakpoint){.kind = BREAK_HEAD, .layer = 1}), 3);
    assert_null(breaks_find(s, 4));
    OK(session_set(s, "ctx", "64", &err)); /* a remade run keeps them */
    assert_int_equal(s->breaks.n, 3);
    OK(session_load(s, "tiny-llama", &err)); /* another model has other ops and tokens */
    assert_int_equal(s->breaks.n, 0);
    str_release(&text);
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_op),          cmocka_unit_test(test_ways),
        cmocka_unit_test(test_interrupted), cmocka_unit_test(test_label),
        cmocka_unit_test(test_fused),       cmocka_unit_test(test_head),
        cmocka_unit_test(test_entropy),     cmocka_unit_test(test_top),
        cmocka_unit_test(test_token),       cmocka_unit_test(test_list),
    };

    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
