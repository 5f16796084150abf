#include "session/mark.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/safe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool mark_missing(struct err *err)
{
    return err_set(err, "nothing is marked; mark keeps the present run to compare with");
}

void mark_free(struct mark *m)
{
    if (!m)
        return;
    run_free(m->run);
    free(m->logits);
    free(m);
}

void mark_clear(struct session *s)
{
    mark_free(s->mark);
    s->mark = NULL;
    s->comparing = false;
}

static bool read_logits(struct mark *m, struct err *err)
{
    const struct program *p = run_program(m->run);
    struct region last = {{run_n_past(m->run) - 1, 0, 0}, {1, p->hp.n_vocab, 1}};

    m->logits = xcalloc((size_t) p->hp.n_vocab, sizeof *m->logits);
    return run_read(m->run, program_find(p, "logits"), &last, m->logits, err);
}

static void name_mark(struct mark *m, const char *label, const char *how)
{
    int n = run_n_past(m->run), patches = run_n_patches(m->run), at;

    if (label && *label) {
        safe_copy(m->label, sizeof m->label, label, strlen(label), SAFE_SPACE_KEEP);
        return;
    }
    at = snprintf(m->label, sizeof m->label, "%d token%s%s", n, n == 1 ? "" : "s", how);
    if (patches > 0)
        snprintf(m->label + at, sizeof m->label - (size_t) at, ", %d ablated", patches);
}

/* Takes the run over, on failure too. */
static bool keep(struct session *s, struct run *run, const char *label, const char *how,
                 struct err *err)
{
    struct mark *m = xcalloc(1, sizeof *m);

    m->run = run;
    if (!read_logits(m, err)) {
        mark_free(m);
        return false;
    }
    name_mark(m, label, how);
    m->number = ++s->marks_made;
    mark_free(s->mark);
    s->mark = m;
    return true;
}

static bool need_computed(const struct session *s, struct err *err)
{
    return run_n_past(s->run) > 0 || err_set(err, "nothing is computed yet; run first");
}

bool mark_take(struct session *s, const char *label, struct err *err)
{
    struct run *copy = need_computed(s, err) ? run_copy(s->run, err) : NULL;

    return copy && keep(s, copy, label, "", err);
}

static bool compute_all(struct run *run, const int32_t *ids, int n, struct err *err)
{
    if (!run_begin(run, ids, n, err))
        return false;
    while (run_step(run))
        if (interrupt_pending())
            return err_set(err, "interrupted; the mark is as it was");
    run_commit(run);
    return true;
}

bool mark_recompute(struct session *s, struct err *err)
{
    int n = run_n_past(s->run);
    struct run_options o = {.n_ctx = run_n_ctx(s->run), .chunk = n};

    if (!need_computed(s, err))
        return false;
    struct run *fresh = run_new(s->model, s->program, s->compute, &o, err);
    if (!fresh || !run_patches_of(fresh, s->run, err) ||
        !compute_all(fresh, run_tokens(s->run), n, err)) {
        run_free(fresh);
        return false;
    }
    return keep(s, fresh, NULL, " recomputed", err);
}
