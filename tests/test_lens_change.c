/* Whatever happens to the tokens, the logit lens says the same as one that begins anew, and
 * does only what is asked of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session/lens.h"
#include "session_fixture.h"

#include <math.h>

#define CLOSE 1e-4

static void compute_all(struct session *s)
{
    OK(session_run(s, 0, NULL, &err));
}

/* Everything there is to see; returns the pieces that it took. */
static int work(struct lens *l, const struct session *s)
{
    struct err err = ERR_INIT;
    int n = 0;

    lens_look(l, s);
    while (lens_work(l, 0, s->ids.n, true, &err))
        n++;
    assert_string_equal(err.text, "");
    assert_false(lens_wants(l, 0, s->ids.n, true));
    return n;
}

static void same_float(float a, float b)
{
    if (isnan(a) != isnan(b) || (double) fabsf(a - b) > CLOSE * (1 + fabs((double) b)))
        fail_msg("%g is not %g", (double) a, (double) b);
}

/* The lens, brought up to date, and one that begins anew. */
static void as_fresh(struct lens *l, const struct session *s)
{
    struct lens *fresh = lens_new();

    work(l, s);
    work(fresh, s);
    for (int pos = 0; pos < s->ids.n; pos++)
        for (int point = 0; point < lens_n_points(l); point++) {
            struct lens_cell a, b;
            bool there = lens_cell(l, point, pos, &a);
            assert_int_equal(there, lens_cell(fresh, point, pos, &b));
            assert_int_equal(there, point < lens_ready(l, pos));
            if (!there)
                continue;
            assert_int_equal(a.top[0].id, b.top[0].id);
            assert_int_equal(a.rank_next > 0, b.rank_next > 0);
            assert_int_equal(a.rank > 0, b.rank > 0);
            same_float(a.top[0].prob, b.top[0].prob);
            same_float(a.kl, b.kl);
            same_float(a.surprisal, b.surprisal);
            same_float(a.norm, b.norm);
        }
    lens_free(fresh);
}

static void tokens_change(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], "Tom gave the red");
        struct lens *l = lens_new();
        compute_all(s);
        int all = work(l, s);
        assert_true(all > 0);
        assert_int_equal(work(l, s), 0);
        OK(session_append(s, 300, &err));
        compute_all(s);
        assert_in_range(work(l, s), 1, all - 1); /* the new one, and the one before */
        as_fresh(l, s);
        OK(give(s, "Tom gave a ball to Anna", &err));
        as_fresh(l, s); /* nothing is computed of the new end */
        compute_all(s);
        as_fresh(l, s);
        OK(give(s, "Anna gave a ball to Anna", &err));
        compute_all(s);
        as_fresh(l, s);
        session_truncate(s, 2);
        as_fresh(l, s);
        OK(give(s, "", &err));
        as_fresh(l, s);
        lens_free(l);
        session_free(s);
    }
}

/* Also when what is computed is computed again, with a head less. */
static void head_ablated(void **state)
{
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct lens *l = lens_new();
    struct lens_cell before, after;
    int z = program_value(s->program, 1, "attn.z");
    struct region head = {{0, 3, 0}, {-1, 1, -1}};

    (void) state;
    compute_all(s);
    work(l, s);
    assert_true(lens_cell(l, 8, 5, &before));
    OK(session_ablate(s, PATCH_ZERO, z, &head, 0, &err));
    compute_all(s);
    as_fresh(l, s);
    assert_true(lens_cell(l, 8, 5, &after));
    assert_true(before.top[0].prob != after.top[0].prob);
    session_restore(s, -1);
    compute_all(s);
    as_fresh(l, s);
    assert_true(lens_cell(l, 8, 5, &after));
    same_float(after.kl, before.kl);
    lens_free(l);
    session_free(s);
}

/* A pass on its way: what the stream has reached is seen, ranks and KL come with the end. */
static void half_way(void **state)
{
    struct session *s = open_plain("tiny-llama", "Tom gave the red");
    struct lens *l = lens_new();
    struct lens_cell c;
    struct err why = ERR_INIT;

    (void) state;
    work(l, s);
    assert_false(lens_cell(l, 0, 0, &c));
    for (int i = 0; session_step(s, &why); i++) {
        as_fresh(l, s);
        if (i == 0) {
            assert_int_equal(lens_ready(l, 1), 1);
            assert_true(lens_cell(l, 0, 1, &c));
            assert_true(isnan(c.kl) && c.rank == 0 && c.rank_next > 0);
            assert_false(lens_cell(l, 1, 1, &c));
        }
    }
    assert_true(lens_cell(l, 8, 1, &c));
    assert_int_equal(c.rank, 1);
    OK(session_back_layer(s, &err));
    OK(session_back_layer(s, &err));
    as_fresh(l, s);
    assert_false(lens_cell(l, 8, 1, &c));
    lens_free(l);
    session_free(s);
}

/* Between two pieces anything may happen. */
static void disturbed(void **state)
{
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct lens *l = lens_new();
    struct err why = ERR_INIT;

    (void) state;
    compute_all(s);
    for (int pieces = 1; pieces < 40; pieces += 3) {
        lens_look(l, s);
        for (int i = 0; i < pieces; i++)
            lens_work(l, 0, s->ids.n, true, &why);
        OK(give(s, pieces % 2 ? "Tom gave it" : TEXT, &err));
        if (pieces % 4 == 0)
            OK(session_load(s, pieces % 8 ? "tiny-llama" : "tiny-gpt2", &err));
        if (pieces % 3 != 0)
            compute_all(s);
    }
    compute_all(s);
    as_fresh(l, s);
    lens_free(l);
    session_free(s);
}

/* Positions that are not asked for are left alone. */
static void only_what_is_asked(void **state)
{
    struct session *s = open_plain("tiny-gpt2", TEXT);
    struct lens *l = lens_new();
    struct lens_cell c;
    struct err why = ERR_INIT;
    float nats;
    int rank;

    (void) state;
    compute_all(s);
    lens_look(l, s);
    while (lens_work(l, 3, 2, true, &why)) {
    }
    assert_false(lens_cell(l, 0, 2, &c));
    assert_true(lens_cell(l, 0, 3, &c));
    assert_true(lens_cell(l, 0, 4, &c));
    assert_false(lens_cell(l, 0, 5, &c));
    assert_false(lens_surprisal(l, 0, &nats, &rank));
    assert_false(lens_surprisal(l, 3, &nats, &rank));
    assert_true(lens_surprisal(l, 4, &nats, &rank));
    assert_true(lens_surprisal(l, 5, &nats, &rank));
    while (lens_work(l, -3, 1000, false, &why)) {
    }
    assert_true(lens_surprisal(l, 1, &nats, &rank));
    assert_false(lens_cell(l, 0, 2, &c));
    lens_free(l);
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_change),      cmocka_unit_test(head_ablated),
        cmocka_unit_test(half_way),           cmocka_unit_test(disturbed),
        cmocka_unit_test(only_what_is_asked),
    };

    return cmocka_run_group_tests_name("lens_change", tests, session_setup, session_teardown);
}
