/* The working of the subject, kept while neither the run nor the subject changes. */
#include "view/cache_parts.h"

#include <string.h>

void worked_cache_release(struct worked_cache *w)
{
    if (w->made)
        worked_release(&w->worked);
    w->made = false;
}

const struct worked *cache_worked(struct view_cache *c, const struct session *s,
                                  struct err *err)
{
    struct worked_cache *w = &c->worked;
    int value, cell[3];

    if (!session_subject(s, &value, cell)) {
        err_set(err, "there are no tokens yet");
        return NULL;
    }
    if (w->made && w->run == s->run && w->program == s->program &&
        w->version == run_version(s->run) && w->hide_sink == s->set.hide_sink &&
        w->worked.value == value && !memcmp(w->worked.cell, cell, sizeof cell))
        return &w->worked;
    worked_cache_release(w);
    if (!worked_cell(s, value, cell, &w->worked, err))
        return NULL;
    w->made = true;
    w->run = s->run;
    w->program = s->program;
    w->version = run_version(s->run);
    w->hide_sink = s->set.hide_sink;
    return &w->worked;
}
