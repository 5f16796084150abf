#include "session_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tensor/compute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const models[N_MODELS] = {"tiny-gpt2", "tiny-llama"};

static struct compute *compute;

int session_setup(void **state)
{
    (void) state;
    compute = compute_new(2);
    return 0;
}

int session_teardown(void **state)
{
    (void) state;
    compute_free(compute);
    return 0;
}

struct session *open_set(const char *model, const char *text, const struct settings *set)
{
    struct err err = ERR_INIT;
    struct session *s = session_new(model, compute, set, &err);

    if (!s)
        fail_msg("%s: %s", model, err.text);
    if (text && !session_prompt(s, text, strlen(text), &err))
        fail_msg("%s: %s", model, err.text);
    return s;
}

struct session *open_plain(const char *model, const char *text)
{
    struct settings set;

    settings_init(&set);
    return open_set(model, text, &set);
}

bool give(struct session *s, const char *text, struct err *err)
{
    return session_prompt(s, text, strlen(text), err);
}

struct session *open_computed(int model, const char *text)
{
    struct session *s = open_plain(models[model], text);

    OK(session_run(s, 0, NULL, &err));
    return s;
}

float *read_all(const struct run *r, int value, size_t *n)
{
    int shape[3];

    run_shape(r, value, shape);
    *n = (size_t) shape[0] * (size_t) shape[1] * (size_t) shape[2];
    float *x = xcalloc(*n + 1, sizeof *x);
    OK(run_read(r, value, NULL, x, &err));
    return x;
}

float *logits_of(const struct session *s)
{
    float *x = xcalloc((size_t) s->program->hp.n_vocab, sizeof *x);

    assert_true(session_logits(s, x));
    return x;
}

void same_as_fresh(const struct session *s, const char *what)
{
    struct session *fresh = open_plain(model_path(s->model), NULL);
    double worst = 0;

    OK(session_prompt_ids(fresh, s->ids.id, s->ids.n, &err));
    OK(session_run(fresh, 0, NULL, &err));
    float *a = logits_of(s), *b = logits_of(fresh);
    for (int i = 0; i < s->program->hp.n_vocab; i++)
        worst = fmax(worst, fabs((double) a[i] - (double) b[i]));
    print_message("%s, %s: largest difference %.2g\n", model_path(s->model), what, worst);
    assert_true(worst < 1e-4);
    free(a);
    free(b);
    session_free(fresh);
}
