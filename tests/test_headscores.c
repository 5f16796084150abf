/* Head scores against plain C in double; the heads that the two models are known for, on random
 * tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis_fixture.h"
#include "base/interrupt.h"
#include "session/heads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void check_heads(const struct session *s)
{
    struct heads h;
    int n;

    OK(heads_of_session(&h, s, &err));
    assert_int_equal(h.n_query, s->ids.n);
    for (int i = 0; i < h.n_layer * h.n_head; i++) {
        float *p = pattern_of(s, i / h.n_head, &n);
        const float *row = p + (size_t) (i % h.n_head) * (size_t) n * (size_t) n;
        double previous = 0, sink = 0, share = 0;
        for (int q = 1; q < n; q++) {
            previous += (double) row[q * n + q - 1] / (n - 1);
            sink += (double) row[q * n] / (n - 1);
            share += plain_entropy(row + (size_t) (q * n), q + 1) / log(q + 1.0) / (n - 1);
        }
        near_by((double) h.head[i].job[JOB_PREVIOUS], previous, 1e-5, "previous");
        near_by((double) h.head[i].job[JOB_SINK], sink, 1e-5, "sink");
        near_by((double) h.head[i].entropy, share, 1e-5, "entropy");
        assert_int_equal(h.head[i].n[JOB_PREVIOUS], n - 1);
        free(p);
    }
    heads_release(&h);
}

static void heads_of_tokens(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int i = 0; i < 3; i++) {
            struct session *s = open_case(m, i);
            check_heads(s);
            printf("%d tokens, ", s->ids.n);
            say(models[m], "heads", 1e-5);
            session_free(s);
        }
}

static const struct {
    int model, layer, head;
    enum head_job job;
    double weight;
} known[] = {
    {0, 0, 3, JOB_PREVIOUS, 0.97},  {0, 2, 0, JOB_INDUCTION, 0.92},
    {0, 2, 5, JOB_INDUCTION, 0.88}, {0, 2, 3, JOB_INDUCTION, 0.82},
    {1, 1, 4, JOB_PREVIOUS, 0.99},  {1, 1, 7, JOB_PREVIOUS, 0.99},
    {1, 3, 5, JOB_INDUCTION, 0.95}, {1, 3, 7, JOB_INDUCTION, 0.94},
    {1, 3, 4, JOB_INDUCTION, 0.94}, {1, 2, 3, JOB_INDUCTION, 0.87},
};

static const struct head_summary *at(const struct heads *h, int layer, int head)
{
    return &h->head[layer * h->n_head + head];
}

/* The scores that the models were made with, for any seed; the session stays as it is. */
static void known_heads(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        uint64_t version = run_version(s->run);
        struct rng rng = s->rng;
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct heads h;
            OK(heads_of_random(&h, s, &(struct heads_random){50, 8, seed}, &err));
            for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (known[i].model == m)
                    near_by((double) at(&h, known[i].layer, known[i].head)->job[known[i].job],
                            known[i].weight, 0.03, head_job_name(known[i].job));
            assert_int_equal(at(&h, 0, 0)->n[JOB_INDUCTION], 8 * 50);
            assert_int_equal(at(&h, 0, 0)->n[JOB_PREVIOUS], 8 * 99);
            heads_release(&h);
        }
        assert_true(run_version(s->run) == version && run_n_past(s->run) == s->ids.n);
        assert_memory_equal(&rng, &s->rng, sizeof rng);
        say(models[m], "known heads", 0.03);
        session_free(s);
    }
}

/* The same seed gives the same scores; ablations act there, too: without the previous-token
 * head there is no induction. */
static void random_tokens(void **state)
{
    (void) state;
    struct session *s = open_plain(models[0], "");
    struct region head = {{0, 3, 0}, {-1, 1, -1}};
    struct heads a, b;

    OK(heads_of_random(&a, s, &(struct heads_random){20, 2, 7}, &err));
    OK(heads_of_random(&b, s, &(struct heads_random){20, 2, 7}, &err));
    for (int i = 0; i < a.n_layer * a.n_head; i++)
        near_by((double) a.head[i].job[JOB_SINK], (double) b.head[i].job[JOB_SINK], 1e-6,
                "seed");
    heads_release(&b);
    OK(heads_of_random(&b, s, &(struct heads_random){20, 2, 8}, &err));
    assert_true(fabsf(at(&a, 2, 0)->job[JOB_SINK] - at(&b, 2, 0)->job[JOB_SINK]) > 1e-5F);
    heads_release(&b);
    assert_true(at(&a, 2, 0)->job[JOB_INDUCTION] > 0.8F);
    OK(session_ablate(s, PATCH_ZERO, value_of(s, 0, "attn.z"), &head, 0, &err));
    OK(heads_of_random(&b, s, &(struct heads_random){20, 2, 7}, &err));
    printf("induction of L2H0 %.2f, without L0H3 %.2f\n",
           (double) at(&a, 2, 0)->job[JOB_INDUCTION],
           (double) at(&b, 2, 0)->job[JOB_INDUCTION]);
    assert_true(at(&b, 2, 0)->job[JOB_INDUCTION] < 0.3F);
    heads_release(&b);
    assert_int_equal(heads_random_most(s), run_n_ctx(s->run) / 2);
    FAILS(heads_of_random(&b, s, &(struct heads_random){129, 1, 0}, &err),
          "a sequence has 2 to 128 ids here, which are then repeated, not 129");
    interrupt_set();
    FAILS(heads_of_random(&b, s, &(struct heads_random){20, 2, 7}, &err),
          "sequence 1 of 2: interrupted at op 0 of 70");
    interrupt_clear();
    heads_release(&a);
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_of_tokens),
        cmocka_unit_test(known_heads),
        cmocka_unit_test(random_tokens),
    };

    return cmocka_run_group_tests_name("headscores", tests, session_setup, session_teardown);
}
