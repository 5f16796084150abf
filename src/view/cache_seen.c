#include "view/cache_parts.h"

#include "base/mem.h"

bool seen_same_run(const struct seen_tokens *t, const struct session *s)
{
    return t->generation == s->generation && t->run == s->run;
}

int seen_update(struct seen_tokens *t, const struct session *s)
{
    int n = run_n_past(s->run) + run_n_new(s->run), same = 0;

    if (!seen_same_run(t, s))
        t->n = 0;
    while (same < t->n && same < n && t->stamp[same] == run_stamp(s->run, same))
        same++;
    while (t->cap < n)
        VEC_ROOM(t->stamp, t->cap, t->cap);
    for (int i = same; i < n; i++)
        t->stamp[i] = run_stamp(s->run, i);
    t->run = s->run;
    t->generation = s->generation;
    t->n = n;
    return same;
}
