/* Making and keeping the candidates of the next token; the other summaries have files of their
 * own. */
#include "view/cache_parts.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct view_cache *cache_new(void)
{
    return xcalloc(1, sizeof(struct view_cache));
}

void cache_free(struct view_cache *c)
{
    if (!c)
        return;
    grid_cache_release(&c->grid);
    heads_cache_release(&c->heads);
    compare_cache_free(c->compare);
    mlp_cache_release(&c->mlp);
    tensor_cache_release(&c->tensor);
    worked_cache_release(&c->worked);
    kv_cache_release(&c->kv);
    if (c->next_made)
        sample_trace_release(&c->next);
    lens_free(c->lens);
    free(c);
}

void cache_budget(struct view_cache *c, double seconds)
{
    c->deadline = seconds > 0 ? clock_measure() + seconds : 0;
    c->goes_on = c->stopped;
    c->stopped = false;
}

bool cache_late(struct view_cache *c)
{
    if (c->deadline > 0 && clock_measure() >= c->deadline)
        c->stopped = true;
    return c->stopped;
}

bool cache_late_for_much(struct view_cache *c)
{
    if (c->deadline > 0 && !c->goes_on)
        c->stopped = true;
    return cache_late(c);
}

bool cache_more(const struct view_cache *c)
{
    return c->stopped;
}

static bool same_sampler(const struct sampler *a, const struct sampler *b)
{
    return a->temp == b->temp && a->top_k == b->top_k && a->top_p == b->top_p &&
           a->min_p == b->min_p;
}

const struct sample_trace *cache_next(struct view_cache *c, const struct session *s)
{
    int at = session_candidates_at(s), n = s->program->hp.n_vocab;
    if (c->next_made && at >= 0 && at == c->next_at && c->next_stamp == run_stamp(s->run, at) &&
        c->next_generation == s->generation && same_sampler(&c->next_sampler, &s->set.sampler))
        return &c->next;
    if (c->next_made)
        sample_trace_release(&c->next);
    c->next_made = false;
    float *logits = xmalloc((size_t) n * sizeof *logits);
    if (session_logits_after(s, at, logits)) {
        sample_trace_of(&c->next, logits, n, &s->set.sampler);
        c->next_made = true;
        c->next_at = at;
        c->next_stamp = run_stamp(s->run, at);
        c->next_generation = s->generation;
        c->next_sampler = s->set.sampler;
    }
    free(logits);
    return c->next_made ? &c->next : NULL;
}

void cache_scrolled(struct view_cache *c, int view, int least, int most)
{
    c->scroll[view].drawn = true;
    c->scroll[view].least = least;
    c->scroll[view].most = most;
}

bool cache_scroll(const struct view_cache *c, int view, int *least, int *most)
{
    *least = c->scroll[view].least;
    *most = c->scroll[view].most;
    return c->scroll[view].drawn;
}
