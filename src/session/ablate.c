/* Ablations: patches of the run that the session remembers. */
#include "session/session.h"

#include "base/mem.h"
#include "engine/function.h"
#include "session/mark.h"

#include <stdio.h>

/* First position that a patch changes: what comes before it stays as it is. */
static int first_position(const struct program *p, const struct ablation *a)
{
    const struct value *v = &p->value[a->value];

    if (a->kind == PATCH_REPLACE)
        return 0;
    for (int i = 0; i < v->n_axis; i++)
        if (v->axis[i] == AXIS_POS)
            return a->region.first[i];
    return 0;
}

/* The run has the patch: what it changes is forgotten, so that it comes again with it. */
static bool remember(struct session *s, const struct ablation *a)
{
    if (a->id < 0)
        return false;
    session_forget(s, first_position(s->program, a));
    VEC_ROOM(s->ablation, s->n_ablations, s->cap_ablations);
    s->ablation[s->n_ablations++] = *a;
    return true;
}

bool session_ablate(struct session *s, enum patch_kind kind, int value,
                    const struct region *region, float factor, struct err *err)
{
    struct ablation a = {-1, kind, value, *region, factor, ""};

    a.id = run_patch(s->run, kind, value, region, factor, NULL, err);
    return remember(s, &a);
}

/* The part of a region that lies in the first n positions and keys; false when none does. */
static bool cut_region(struct region *r, const struct value *v, int n)
{
    for (int i = 0; i < v->n_axis; i++) {
        if (v->axis[i] != AXIS_POS && v->axis[i] != AXIS_KEY)
            continue;
        if (r->first[i] >= n)
            return false;
        if (r->count[i] < 0 || r->count[i] > n - r->first[i])
            r->count[i] = n - r->first[i];
    }
    return true;
}

bool session_patch_from_mark(struct session *s, int value, const struct region *region,
                             struct err *err)
{
    struct ablation a = {-1, PATCH_SET, value, *region, 0, "from the mark"};
    int n = s->mark ? run_n_past(s->mark->run) : 0;

    if (!s->mark)
        return mark_missing(err);
    if (!cut_region(&a.region, &s->program->value[value], n < s->ids.n ? n : s->ids.n))
        return err_set(err, "the mark has %d tokens, and nothing there to take", n);
    a.id = run_patch_from(s->run, s->mark->run, value, &a.region, err);
    return remember(s, &a);
}

bool session_patch_data(struct session *s, int value, const struct region *region,
                        const float *data, const char *note, struct err *err)
{
    struct ablation a = {-1, PATCH_SET, value, *region, 0, ""};

    snprintf(a.note, sizeof a.note, "%s", note);
    a.id = run_patch(s->run, PATCH_SET, value, region, 0, data, err);
    return remember(s, &a);
}

bool session_add_row(struct session *s, int layer, float factor, const float *row,
                     const char *note, struct err *err)
{
    static const struct region all = {{0, 0, 0}, {-1, -1, -1}};
    int value = program_value(s->program, layer, "resid_post");
    struct ablation a = {-1, PATCH_ADD, value, all, factor, ""};

    snprintf(a.note, sizeof a.note, "%s", note);
    a.id = run_patch_row(s->run, value, &all, factor, row, err);
    return remember(s, &a);
}

bool session_put(struct session *s, int layer, const char *name, const struct function *f,
                 double number, struct err *err)
{
    static const struct region all = {{0, 0, 0}, {-1, -1, -1}};
    struct ablation a = {-1, PATCH_REPLACE, 0, all, (float) number, ""};
    int before = run_put_find(s->run, layer, name);

    a.id = run_put(s->run, layer, name, f, number, err);
    if (a.id < 0)
        return false;
    if (before >= 0)
        session_restore(s, before);
    for (int op = s->program->n_steps - 1; op >= 0; op--)
        if (function_reaches(s->program, op, layer, name))
            a.value = s->program->op[op].out[0];
    return remember(s, &a);
}

void session_restore(struct session *s, int i)
{
    if (i < 0) {
        while (s->n_ablations > 0)
            session_restore(s, s->n_ablations - 1);
        return;
    }
    if (i >= s->n_ablations)
        return;
    run_unpatch(s->run, s->ablation[i].id);
    session_forget(s, first_position(s->program, &s->ablation[i]));
    for (s->n_ablations--; i < s->n_ablations; i++)
        s->ablation[i] = s->ablation[i + 1];
}
