/* The logit lens of the positions that a view shows. The lens itself keeps what it has seen. */
#include "view/cache_parts.h"

const struct lens *cache_lens(struct view_cache *c, const struct session *s, int first,
                              int count, bool all, struct err *err)
{
    if (!c->lens)
        c->lens = lens_new();
    lens_look(c->lens, s);
    while (lens_wants(c->lens, first, count, all)) {
        bool late = cache_late(c);
        if (late && c->lens_deadline == c->deadline) /* a piece at least in each drawing */
            break;
        c->lens_deadline = c->deadline;
        if (!lens_work(c->lens, first, count, all, err))
            break;
    }
    return c->lens;
}
