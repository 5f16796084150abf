#include "session/exercise_state.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exercise_state *exercise_state_of(struct session *s)
{
    if (!s->exercises)
        s->exercises = xcalloc(1, sizeof *s->exercises);
    return s->exercises;
}

void exercise_state_free(struct exercise_state *st)
{
    free(st);
}

bool exercise_is_done(const struct session *s, const char *name)
{
    struct err unheard = ERR_INIT;
    const struct exercises *all = exercises_all(&unheard);

    for (int i = 0; all && s->exercises && i < all->n; i++)
        if (!strcmp(all->item[i].name, name))
            return s->exercises->done[i];
    return false;
}

void exercise_state_note(struct exercise_state *st, const struct exercise_report *r)
{
    int e = r->exercise->number - 1;

    for (int i = 0; r->compiled && i < r->exercise->n_todos; i++)
        st->passed[e][i] = r->todo[i].state == TODO_PASSED;
    st->done[e] = st->done[e] || r->passed;
    st->failed = !r->passed;
    st->changed = true;
}

int exercise_state_next(const struct exercise_state *st, const struct exercise *e)
{
    for (int i = 0; i < e->n_todos; i++)
        if (!st->passed[e->number - 1][i])
            return i;
    return e->n_todos - 1;
}

void exercise_state_save(const struct exercise_state *st, struct str *out)
{
    struct err unheard = ERR_INIT;
    const struct exercises *all = exercises_all(&unheard);

    for (int e = 0; all && e < all->n; e++) {
        const struct exercise *x = &all->item[e];
        if (st->done[e])
            str_addf(out, "done %s\n", x->name);
        for (int i = 0; i < x->n_todos; i++) {
            if (st->passed[e][i])
                str_addf(out, "passed %s %s\n", x->name, x->todo[i].name);
            if (st->hints[e][i] > 0)
                str_addf(out, "hints %s %s %d\n", x->name, x->todo[i].name, st->hints[e][i]);
        }
    }
}

/* Lines that say nothing to this version are left out. */
static void load_line(struct exercise_state *st, const char *line)
{
    char what[16], name[64], todo[64];
    struct err unheard = ERR_INIT;
    int hints = 0, n = sscanf(line, "%15s %63s %63s %d", what, name, todo, &hints);
    const struct exercise *e = n >= 2 ? exercise_find(name, &unheard) : NULL;

    if (!e)
        return;
    if (!strcmp(what, "done"))
        st->done[e->number - 1] = true;
    int i = n >= 3 ? exercise_todo_find(e, todo, &unheard) : -1;
    if (i >= 0 && !strcmp(what, "passed"))
        st->passed[e->number - 1][i] = true;
    if (i >= 0 && !strcmp(what, "hints") && hints > 0 && hints <= EXERCISE_HINTS)
        st->hints[e->number - 1][i] = hints;
}

void exercise_state_load(struct exercise_state *st, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        char *line = xstrndup(text, n);
        load_line(st, line);
        free(line);
        text += n + (text[n] == '\n');
    }
}
