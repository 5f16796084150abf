#include "session/timing.h"

#include "base/clock.h"
#include "base/interrupt.h"

static const double patience = 0.5; /* seconds */

static bool pass(struct run *r, const int32_t *ids, int n, struct err *err)
{
    if (interrupt_pending())
        return err_set(err, "interrupted while measuring");
    if (!run_begin(r, ids, n, err))
        return false;
    run_commit(r);
    return true;
}

static bool measure(struct run *r, const int32_t *ids, int n_past, int n_new, double *least,
                    struct err *err)
{
    double end = clock_measure() + patience;

    if (n_past > 0 && !pass(r, ids, n_past, err))
        return false;
    for (int i = 0; i < TIMING_PASSES; i++) {
        run_truncate(r, n_past);
        double begin = clock_measure();
        if (!pass(r, ids + n_past, n_new, err))
            return false;
        double now = clock_measure();
        *least = i == 0 || now - begin < *least ? now - begin : *least;
        if (now >= end)
            break;
    }
    return true;
}

bool timing_of(const struct session *s, int n_past, int n_new, double *seconds, struct err *err)
{
    struct run_options o = {.lean = true};

    if (n_past < 0 || n_new < 1 || n_past > s->ids.n - n_new)
        return err_set(err, "there are %d tokens to measure with; %d + %d are asked for",
                       s->ids.n, n_past, n_new);
    o.n_ctx = run_n_ctx(s->run); /* patches may reach that far */
    o.chunk = n_past > n_new ? n_past : n_new;
    struct run *r = run_new(s->model, s->program, s->compute, &o, err);
    bool ok = r && run_patches_of(r, s->run, err) &&
              measure(r, s->ids.id, n_past, n_new, seconds, err);
    run_free(r);
    return ok;
}
