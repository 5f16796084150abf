/* Every value of made-up models of many shapes against the oracle. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N(a) ((int) (sizeof(a) / sizeof *(a)))

enum { CHUNK = 5, CTX = 16 };

/* Through every op by itself. */
static void step_through(struct run *run, const int32_t *ids, int n)
{
    struct err err = ERR_INIT;
    for (int done = 0; done < n; done += CHUNK) {
        assert_true(run_begin(run, ids + done, n - done < CHUNK ? n - done : CHUNK, &err));
        while (run_step(run))
            ;
        run_commit(run);
    }
}

/* Prompts of 1, 2, chunk - 1, chunk, chunk + 1 and n_ctx tokens. */
static void check_lengths(struct rig *g, bool stepped, struct worst *w)
{
    static const int length[] = {1, 2, CHUNK - 1, CHUNK, CHUNK + 1, CTX};
    int32_t ids[CTX];
    struct err err = ERR_INIT;
    struct ref ref = {0};
    rig_ids(ids, CTX, g->program->hp.n_vocab, 9);
    ref_forward(&ref, g->model, ids, CTX, NULL, NULL);
    for (int i = 0; i < N(length); i++) {
        run_truncate(g->run, 0);
        if (stepped)
            step_through(g->run, ids, length[i]);
        else
            rig_feed(g->run, ids, length[i]);
        assert_int_equal(run_n_past(g->run), length[i]);
        rig_compare(g->run, &ref, w);
    }
    /* the last position is taken: the context is full, and nothing is lost by asking */
    assert_false(run_begin(g->run, ids, 1, &err));
    assert_non_null(strstr(err.text, "full"));
    rig_compare(g->run, &ref, w);
    ref_release(&ref);
}

static void check_model(const struct hparams *hp, enum dtype dtype, const char *what)
{
    struct rig g;
    struct worst w = {.n = 0};
    char title[96];
    rig_make(&g, hp, dtype, &(struct run_options){.chunk = CHUNK});
    check_lengths(&g, false, &w);
    rig_renew(&g, &(struct run_options){.chunk = CHUNK, .staged = true});
    check_lengths(&g, true, &w);
    snprintf(title, sizeof title, "%s, %s, %s", arch_name(hp->arch), what,
             dtype_info(dtype)->name);
    assert_true(worst_report(&w, title, TOLERANCE, false));
    rig_close(&g);
}

static void test_gpt2_shapes(void **state)
{
    (void) state;
    static const struct {
        int layers, heads, d_head;
        bool tied;
    } row[] = {{2, 4, 6, true},  {1, 1, 10, false}, {3, 3, 24, true},
               {2, 1, 64, true}, {1, 7, 10, false}, {2, 5, 3, true}};
    for (int i = 0; i < N(row); i++) {
        struct hparams hp;
        char what[64];
        rig_gpt2(&hp, row[i].layers, row[i].heads, row[i].d_head);
        hp.tied = row[i].tied;
        snprintf(what, sizeof what, "%d layers, %d heads of %d, %s", row[i].layers,
                 row[i].heads, row[i].d_head, row[i].tied ? "tied" : "untied");
        check_model(&hp, DTYPE_F32, what);
    }
}

static void test_llama_shapes(void **state)
{
    (void) state;
    static const struct {
        int layers, heads, kv_heads, d_head, d_model, rope_dim;
        bool tied, interleaved;
    } row[] = {
        {2, 4, 2, 6, 24, 6, true, true},    {2, 6, 1, 10, 60, 10, false, true},
        {1, 1, 1, 24, 24, 24, true, false}, {2, 8, 8, 6, 48, 6, false, false},
        {3, 6, 3, 10, 40, 10, true, true},  {2, 12, 2, 24, 32, 24, true, false},
        {2, 4, 2, 10, 40, 4, true, true},   {1, 3, 1, 16, 20, 8, false, false},
    };
    for (int i = 0; i < N(row); i++) {
        struct hparams hp;
        char what[80];
        rig_llama(&hp, row[i].layers, row[i].heads, row[i].kv_heads, row[i].d_head);
        hp.d_model = row[i].d_model;
        hp.rope_dim = row[i].rope_dim;
        hp.tied = row[i].tied;
        hp.qk_interleaved = row[i].interleaved;
        snprintf(what, sizeof what, "%d layers, %d/%d heads of %d, d_model %d, rope %d%s%s",
                 row[i].layers, row[i].heads, row[i].kv_heads, row[i].d_head, row[i].d_model,
                 row[i].rope_dim, row[i].tied ? ", tied" : "",
                 row[i].interleaved ? ", interleaved" : "");
        check_model(&hp, DTYPE_F32, what);
    }
}

static void test_dtypes(void **state)
{
    (void) state;
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct hparams hp;
        rig_gpt2(&hp, 2, 4, 8);
        check_model(&hp, (enum dtype) dtype, "4 heads of 8");
        rig_llama(&hp, 2, 4, 2, 16);
        hp.tied = true;
        check_model(&hp, (enum dtype) dtype, "4/2 heads of 16");
    }
}

static void test_exact_gelu(void **state)
{
    (void) state;
    struct hparams hp;
    rig_gpt2(&hp, 2, 2, 8);
    hp.act = ACT_GELU_ERF;
    check_model(&hp, DTYPE_F32, "exact GELU");
}

/* More positions than any block of a kernel or of a derivation has; with a patch that changes
 * nothing, too, so that the attention of one layer is done stage by stage. */
static void check_long(const struct hparams *hp, int chunk)
{
    enum { LONG = 600 };
    static int32_t ids[LONG];
    struct rig g;
    struct err err = ERR_INIT;
    struct ref ref = {0};
    struct worst w = {.n = 0};
    char title[64];
    rig_make(&g, hp, DTYPE_F32, &(struct run_options){.chunk = chunk});
    rig_ids(ids, LONG, hp->n_vocab, 31);
    ref_forward(&ref, g.model, ids, LONG, NULL, NULL);
    rig_feed(g.run, ids, LONG);
    rig_compare(g.run, &ref, &w);
    run_truncate(g.run, 250);
    int pattern = rig_value(g.run, "blocks.0.attn.pattern");
    assert_true(run_patch(g.run, PATCH_SCALE, pattern, NULL, 1, NULL, &err) >= 0);
    rig_feed(g.run, ids + 250, LONG - 250);
    rig_compare(g.run, &ref, &w);
    snprintf(title, sizeof title, "%s, %d tokens, chunks of %d", arch_name(hp->arch), LONG,
             chunk);
    assert_true(worst_report(&w, title, TOLERANCE, false));
    ref_release(&ref);
    rig_close(&g);
}

static void test_long(void **state)
{
    (void) state;
    struct hparams hp;
    rig_gpt2(&hp, 2, 2, 8);
    hp.n_ctx = 600;
    check_long(&hp, 512);
    rig_llama(&hp, 2, 2, 1, 8);
    hp.n_ctx = 600;
    check_long(&hp, 170);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gpt2_shapes), cmocka_unit_test(test_llama_shapes),
        cmocka_unit_test(test_dtypes),      cmocka_unit_test(test_exact_gelu),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
