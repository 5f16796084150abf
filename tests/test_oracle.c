/* The oracle against the golden values: what the engine is measured with is measured first. */
#include "base/mem.h"
#include "golden.h"
#include "ref_forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static float *fetch(void *user, const char *name, size_t *n)
{
    const struct ref_value *v = ref_find(user, name);
    if (!v)
        return NULL;
    float *out = xcalloc(v->n, sizeof *out);
    for (size_t i = 0; i < v->n; i++)
        out[i] = (float) v->data[i];
    *n = v->n;
    return out;
}

static int largest(const double *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++) {
        if (x[i] > x[best])
            best = i;
    }
    return best;
}

static void check(const char *model, const char *prompt)
{
    struct err err = ERR_INIT;
    struct golden g;
    struct ref ref = {0};
    struct worst worst = {.n = 0};
    char title[96];
    struct model *m = model_open(model, &err);
    if (!m)
        fail_msg("%s", err.text);
    assert_true(golden_open(&g, model, prompt));

    ref_forward(&ref, m, g.ids, g.n_ids, NULL, NULL);
    golden_compare(&g, fetch, &ref, &worst);
    snprintf(title, sizeof title, "%s, %s prompt, oracle", model, prompt);
    assert_true(worst_report(&worst, title, TOLERANCE, true));
    int n_vocab = model_hparams(m)->n_vocab;
    const double *logits = ref_find(&ref, "logits")->data;
    assert_int_equal(largest(logits + (size_t) (g.n_ids - 1) * n_vocab, n_vocab), g.greedy[0]);

    ref_release(&ref);
    golden_release(&g);
    model_free(m);
}

static void test_gpt2(void **state)
{
    (void) state;
    check("tiny-gpt2", "short");
    check("tiny-gpt2", "long");
}

static void test_llama(void **state)
{
    (void) state;
    check("tiny-llama", "short");
    check("tiny-llama", "long");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gpt2),
        cmocka_unit_test(test_llama),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
