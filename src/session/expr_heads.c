/* Parameters of the model and jobs of its heads in expressions: params("mlp"),
 * headscore("L0.H3", "previous"). */
#include "session/expr_parts.h"

#include "base/near.h"
#include "model/parts.h"
#include "session/heads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool expr_params(const struct session *s, const struct expr_value *arg, int n,
                 struct expr_value *out, struct err *err)
{
    struct parts parts;
    struct near near;

    (void) n;
    if (arg->kind != EXPR_TEXT)
        return err_set(err, "params takes a name in quotes, like \"attention\" or \"total\"");
    near_init(&near, arg->text);
    parts_count(&parts, s->model);
    for (int i = 0; i <= PART_COUNT; i++) {
        const char *name = i < PART_COUNT ? part_name((enum part) i) : "total";
        if (!strcmp(name, arg->text)) {
            expr_number(out, (double) (i < PART_COUNT ? parts.params[i] : parts.total));
            return true;
        }
        near_try(&near, name);
    }
    return err_set(err, "a model has no part '%.20s'; did you mean '%s'?", arg->text,
                   near_best(&near) ? near_best(&near) : "total");
}

/* "L0.H3" */
static bool head_of(const struct session *s, const char *text, int *layer, int *head,
                    struct err *err)
{
    char rest;

    if (sscanf(text, "L%9d.H%9d%c", layer, head, &rest) != 2)
        return err_set(err, "a head is like L0.H3, not '%.20s'", text);
    return (*layer >= 0 && *layer < s->program->hp.n_layer && *head >= 0 &&
            *head < s->program->hp.n_head) ||
           err_set(err, "the last head is L%d.H%d", s->program->hp.n_layer - 1,
                   s->program->hp.n_head - 1);
}

/* Of the tokens computed; with a length, of random ids given twice. */
static bool scores_of(const struct session *s, const struct expr_value *arg, int n,
                      struct heads *heads, struct err *err)
{
    struct heads_random how = {.sequences = 1, .seed = (uint64_t) s->set.seed};

    if (n < 3)
        return heads_of_session(heads, s, err);
    for (int i = 2; i < n; i++)
        if (arg[i].kind != EXPR_NUMBER || arg[i].x != floor(arg[i].x) || arg[i].x < 1 ||
            arg[i].x > 1e6)
            return err_set(err, "headscore takes a length and a number of sequences from 1 on");
    how.length = (int) arg[2].x;
    how.sequences = n > 3 ? (int) arg[3].x : 1;
    return heads_of_random(heads, s, &how, err);
}

bool expr_headscore(const struct session *s, const struct expr_value *arg, int n,
                    struct expr_value *out, struct err *err)
{
    static const char *const names[JOB_COUNT] = {"previous", "induction", "duplicate", "sink",
                                                 "self"};
    struct heads heads;
    int layer, head, job = 0;

    if (arg[0].kind != EXPR_TEXT || arg[1].kind != EXPR_TEXT)
        return err_set(err, "headscore takes a head and a job in quotes");
    while (job < JOB_COUNT && strcmp(names[job], arg[1].text))
        job++;
    if (job == JOB_COUNT)
        return err_set(err, "a job is previous, induction, duplicate, sink or self");
    if (!head_of(s, arg[0].text, &layer, &head, err) || !scores_of(s, arg, n, &heads, err))
        return false;
    const struct head_summary *h = &heads.head[layer * heads.n_head + head];
    bool ok =
        h->ready || err_set(err, "layer %d is not computed yet; step or run first", layer);
    if (ok)
        expr_number(out, (double) h->job[job]);
    heads_release(&heads);
    return ok;
}
