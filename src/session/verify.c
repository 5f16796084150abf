#include "session/verify.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "session/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void verify_release(struct verify *v)
{
    run_free(v->other);
    free(v->k);
    free(v->v);
    memset(v, 0, sizeof *v);
}

/* The largest |difference| of a region, a NaN on one side only counting as infinite. */
static float largest_difference(const float *a, const float *b, size_t n)
{
    float most = 0;

    for (size_t i = 0; i < n; i++) {
        float d = fabsf(a[i] - b[i]);
        if (isnan(d))
            d = a[i] == b[i] || (isnan(a[i]) && isnan(b[i])) ? 0 : INFINITY;
        most = d > most ? d : most;
    }
    return most;
}

/* Of the positions [first, first + count) of a value that both runs have. */
static bool compare(const struct session *s, const struct run *other, int value, int first,
                    int count, float *most, struct err *err)
{
    size_t n = program_width(s->program, value) * (size_t) count;
    const struct value *v = &s->program->value[value];
    struct region g = {{first, 0, 0}, {count, 1, 1}};
    float *a = xmalloc(2 * n * sizeof *a), *b = a + n;

    for (int i = 1; i < v->n_axis; i++)
        g.count[i] = program_axis(s->program, v->axis[i], 1);
    bool ok = run_read(s->run, value, &g, a, err) && run_read(other, value, &g, b, err);
    if (ok)
        *most = largest_difference(a, b, n);
    free(a);
    return ok;
}

static bool compare_all(struct verify *v, const struct session *s, const struct run *other,
                        struct err *err)
{
    char name[32];

    for (int l = 0; l < v->n_layer; l++) {
        snprintf(name, sizeof name, "cache.%d.k", l);
        if (!compare(s, other, program_find(s->program, name), 0, v->n_pos, &v->k[l], err))
            return false;
        snprintf(name, sizeof name, "cache.%d.v", l);
        if (!compare(s, other, program_find(s->program, name), 0, v->n_pos, &v->v[l], err))
            return false;
        v->k_layer = v->k[l] > v->k[v->k_layer] ? l : v->k_layer;
        v->v_layer = v->v[l] > v->v[v->v_layer] ? l : v->v_layer;
    }
    return compare(s, other, program_find(s->program, "logits"), v->n_pos - 1, 1, &v->logits,
                   err);
}

bool session_verify_begin(struct session *s, struct err *err)
{
    struct verify *v = &s->verify;
    int n = run_n_past(s->run);
    struct run_options o = {.n_ctx = run_n_ctx(s->run), .chunk = n};

    verify_release(v);
    if (n == 0)
        return err_set(err, "the cache is empty; run first");
    v->other = run_new(s->model, s->program, s->compute, &o, err);
    if (!v->other || !run_patches_of(v->other, s->run, err) ||
        !run_begin(v->other, s->ids.id, n, err)) {
        verify_release(v);
        return false;
    }
    v->n_pos = n;
    v->n_layer = s->program->hp.n_layer;
    v->k = xcalloc((size_t) v->n_layer, sizeof *v->k);
    v->v = xcalloc((size_t) v->n_layer, sizeof *v->v);
    v->generation = s->generation;
    v->version = run_version(s->run);
    return true;
}

bool session_verifying(const struct session *s)
{
    return s->verify.other != NULL;
}

void session_verify_stop(struct session *s)
{
    if (session_verifying(s))
        verify_release(&s->verify);
}

static bool unchanged(const struct session *s)
{
    const struct verify *v = &s->verify;

    return v->n_pos > 0 && v->generation == s->generation && v->version == run_version(s->run);
}

/* Ops of the other run until the time is over; *more: not all are done. */
static bool compute_again(const struct session *s, double seconds, bool *more, struct err *err)
{
    struct run *r = s->verify.other;
    double end = clock_measure() + seconds;

    while (run_pc(r) < s->program->n_steps) {
        if (interrupt_pending())
            return err_set(err, "interrupted at op %d of %d; verify begins again", run_pc(r),
                           s->program->n_steps);
        run_until(r, run_pc(r) + 1);
        if (seconds > 0 && clock_measure() >= end)
            break;
    }
    *more = run_pc(r) < s->program->n_steps;
    return true;
}

bool session_verify_step(struct session *s, double seconds, bool *more, struct err *err)
{
    struct verify *v = &s->verify;
    bool ok;

    *more = false;
    if (!unchanged(s))
        ok = err_set(err, "the run has changed; verify begins again");
    else
        ok = compute_again(s, seconds, more, err);
    if (ok && *more)
        return true;
    if (ok) {
        run_commit(v->other);
        ok = compare_all(v, s, v->other, err);
    }
    if (!ok) {
        verify_release(v);
        return false;
    }
    run_free(v->other);
    v->other = NULL;
    return true;
}

const struct verify *session_verified(const struct session *s)
{
    return unchanged(s) && !s->verify.other ? &s->verify : NULL;
}
