#include "view/cache_parts.h"

#include "base/mem.h"

#include <string.h>

/* A run made anew may lie where the old one lay: the model's file tells them apart. */
static uint64_t model_of(const struct session *s)
{
    uint64_t hash = 1469598103934665603u ^ (uint64_t) (uintptr_t) s->program;

    for (const char *c = model_path(s->model); *c; c++)
        hash = (hash ^ (unsigned char) *c) * 1099511628211u;
    return hash;
}

bool seen_same_run(const struct seen_tokens *t, const struct session *s)
{
    return t->run == s->run && t->model == model_of(s);
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
    t->model = model_of(s);
    t->n = n;
    return same;
}
