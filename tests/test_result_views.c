/* The numbers behind the pictures of views are those of the session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "result_fixture.h"
#include "session/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_attention(void **state)
{
    (void) state;
    struct fixture f;

    open_json(&f, "tiny-llama", TEXT);
    json_decref(result_of(&f, "run"));
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        static const char *const names[] = {"raw", "scaled", "masked", "softmax", "z"};
        char line[64];
        snprintf(line, sizeof line, "select L1.H3.%s; show attention", names[stage]);
        json_t *got = result_of(&f, line);
        int value = program_find(f.session->program, text_at(got, "value"));
        bool mix = stage == STAGE_MIX;
        struct sheet t;
        sheet_init(&t, f.session, value, 3);
        assert_string_equal(text_at(got, "stage"), names[stage]);
        assert_int_equal(int_at(got, mix ? "channels/count" : "keys/count"), t.cols);
        assert_int_equal(json_array_size(at(got, "data")), t.rows);
        for (int q = 0; q < t.rows; q++) /* what the mask hides is null, also weights of 0 */
            for (int k = 0; k < t.cols; k++) {
                struct err err = ERR_INIT;
                const json_t *cell =
                    json_array_get(json_array_get(at(got, "data"), (size_t) q), (size_t) k);
                float x;
                assert_true(sheet_read(&t, f.session, q, 1, k, 1, &x, &err));
                bool hidden = k > q && (stage == STAGE_MASKED || stage == STAGE_PATTERN);
                near_float(line, cell, hidden ? NAN : x);
            }
        json_decref(got);
    }
    json_t *got = result_of(&f, "select 5,2; show attention 3");
    assert_int_equal(int_at(got, "queries/first"), 3);
    assert_int_equal(int_at(got, "queries/count"), 3);
    assert_int_equal(int_at(got, "channels/count"), f.session->program->hp.d_head);
    json_decref(got);
    close_fixture(&f);
}

static void check_head(const struct session *s, const json_t *head)
{
    int n = s->ids.n, layer = (int) int_at(head, "layer"), h = (int) int_at(head, "head");
    struct region g = {{h, 0, 0}, {1, n, n}};
    float *p = read_region(s, program_value(s->program, layer, "attn.pattern"), &g);
    double previous = 0, max = 0;

    for (int q = 1; q < n; q++) {
        double most = 0;
        for (int k = 0; k <= q; k++)
            most = fmax(most, (double) p[q * n + k]);
        previous += (double) p[q * n + q - 1];
        max += most;
    }
    near("max", number_at(head, "max"), max / (n - 1));
    near("previous", number_at(head, "weight_on/previous_token"), previous / (n - 1));
    assert_int_equal(int_at(head, "n_queries/self"), n - 1);
    int key = (int) int_at(head, "strongest/position");
    same_float("strongest", at(head, "strongest_weight"), p[(n - 1) * n + key]);
    free(p);
}

static void test_heads(void **state)
{
    (void) state;
    struct fixture f;

    open_json(&f, "tiny-gpt2", TEXT);
    json_t *got = result_of(&f, "run; show heads");
    const struct hparams *hp = &f.session->program->hp;
    assert_int_equal(json_array_size(at(got, "heads")), hp->n_layer * hp->n_head);
    for (size_t i = 0; i < json_array_size(at(got, "heads")); i++)
        check_head(f.session, json_array_get(at(got, "heads"), i));
    json_decref(got);
    close_fixture(&f);
    print_worst("heads");
}

static double length(const float *x, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += (double) x[i] * (double) x[i];
    return sqrt(sum);
}

static void test_residual(void **state)
{
    (void) state;
    struct fixture f;

    open_json(&f, "tiny-llama", TEXT);
    json_t *got = result_of(&f, "run; show residual");
    const struct hparams *hp = &f.session->program->hp;
    assert_int_equal(json_array_size(at(got, "points")), 2 * hp->n_layer + 1);
    for (size_t i = 0; i < json_array_size(at(got, "points")); i++) {
        const json_t *point = json_array_get(at(got, "points"), i);
        int value = program_find(f.session->program, text_at(point, "value"));
        struct region row = {{6, 0, 0}, {1, hp->d_model, 1}};
        float *x = read_region(f.session, value, &row);
        near("norm", number_at(point, "cells/6/norm"), length(x, hp->d_model));
        free(x);
    }
    json_t *logits = result_of(&f, "logits 1"), *tokens = result_of(&f, "tokens");
    const json_t *last = json_array_get(at(got, "points"), (size_t) (2 * hp->n_layer));
    assert_int_equal(int_at(last, "cells/9/top/0/id"), int_at(logits, "candidates/0/id"));
    near("top", number_at(last, "cells/9/top/0/p"), number_at(logits, "candidates/0/prob/0"));
    near("entropy", number_at(last, "cells/9/entropy"), number_at(logits, "stages/0/entropy"));
    near("kl", number_at(last, "cells/9/kl"), 0);
    near("next", number_at(last, "cells/4/surprisal"), number_at(tokens, "tokens/5/surprisal"));
    assert_true(null_at(last, "cells/9/surprisal") && null_at(last, "cells/9/rank_next"));
    json_decref(logits);
    json_decref(tokens);
    json_decref(got);
    close_fixture(&f);
    print_worst("residual");
}

static void test_mlp_and_cache(void **state)
{
    (void) state;
    struct fixture f;

    open_json(&f, "tiny-llama", TEXT);
    const struct hparams *hp = &f.session->program->hp;
    json_t *got = result_of(&f, "run; layer 2; query 5; show mlp 7");
    struct region row = {{5, 0, 0}, {1, hp->d_mlp, 1}};
    float *post =
        read_region(f.session, program_value(f.session->program, 2, "mlp.post"), &row);
    double before = INFINITY;
    assert_int_equal(json_array_size(at(got, "strongest")), 7);
    for (size_t i = 0; i < 7; i++) {
        const json_t *n = json_array_get(at(got, "strongest"), i);
        same_float("post", at(n, "post"), post[int_at(n, "neuron")]);
        assert_true(fabs(number_at(n, "post")) <= before);
        before = fabs(number_at(n, "post"));
        near("gated", number_at(n, "act") * number_at(n, "linear"), number_at(n, "post"));
        assert_int_equal(json_array_size(at(n, "promotes")), 5);
    }
    free(post);
    json_decref(got);
    got = result_of(&f, "show cache");
    struct region key = {{4, 1, 0}, {1, 1, hp->d_head}};
    float *k = read_region(f.session, program_find(f.session->program, "cache.3.k"), &key);
    near("length", number_at(got, "layers/3/k/lengths/1/4"), length(k, hp->d_head));
    free(k);
    json_int_t each = 8LL * hp->n_layer * hp->n_kv_head * hp->d_head;
    assert_int_equal(int_at(got, "bytes_per_token"), each);
    assert_int_equal(int_at(got, "bytes"), each * 10);
    assert_int_equal(int_at(got, "layers/0/v/bytes"), each * 10 / hp->n_layer / 2);
    json_decref(got);
    close_fixture(&f);
    print_worst("mlp and cache");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_residual),
        cmocka_unit_test(test_mlp_and_cache),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
