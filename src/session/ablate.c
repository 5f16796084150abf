/* Ablations: patches of the run that the session remembers. */
#include "session/session.h"

#include "base/mem.h"

/* First position that a patch changes: what comes before it stays as it is. */
static int first_position(const struct program *p, const struct ablation *a)
{
    const struct value *v = &p->value[a->value];

    for (int i = 0; i < v->n_axis; i++)
        if (v->axis[i] == AXIS_POS)
            return a->region.first[i];
    return 0;
}

/* A patch acts on positions computed after it was added. So it is added once to see that the
 * run takes it, and again when what it shall change is forgotten. */
bool session_ablate(struct session *s, enum patch_kind kind, int value,
                    const struct region *region, float factor, struct err *err)
{
    struct ablation a = {-1, kind, value, *region, factor};

    a.id = run_patch(s->run, kind, value, region, factor, NULL, err);
    if (a.id < 0)
        return false;
    run_unpatch(s->run, a.id);
    session_forget(s, first_position(s->program, &a));
    a.id = run_patch(s->run, kind, value, region, factor, NULL, err);
    if (a.id < 0)
        return false;
    VEC_ROOM(s->ablation, s->n_ablations, s->cap_ablations);
    s->ablation[s->n_ablations++] = a;
    return true;
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
