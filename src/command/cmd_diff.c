/* Dumps and the present run: diff compares them, patch ... from FILE takes numbers out of one.
 */
#include "command/commands.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/safe.h"
#include "command/differ_report.h"
#include "command/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- diff --- */

static void flush_lines(struct str *out, void *user)
{
    struct command_env *env = user;
    (void) out;
    if (env->flush)
        env->flush(env);
}

static bool report(struct command_env *env, struct differ_report *r, struct err *err)
{
    if (!result_wanted(env))
        return differ_report(r, env->out, flush_lines, env, err);
    json_t *data = differ_json(r, err);
    return data && result_put(env, data);
}

static bool compare_dump(struct command_env *env, struct dumped *d, double tol, struct err *err)
{
    const struct session *s = env->session;
    int ready = run_n_past(s->run) + run_n_new(s->run);
    struct differ_side side[2] = {{d, NULL}, {NULL, s->run}};
    struct differ_options o = {.tol = tol};
    struct differ_report r = {.name = {arrays_path(d->arrays), "the present run"},
                              .arrays = {d->arrays, NULL},
                              .tokenizer = s->tokenizer,
                              .tokens = run_tokens(s->run),
                              .n_tokens = ready};
    if (differ_tokens(d->tokens, d->n_tokens, r.tokens, ready, s->tokenizer, err) < 0)
        return false;
    if (!d->tokens && d->n_pos > 1 && d->n_pos != ready)
        return err_set(err,
                       "'%s' has %d positions, the present run %d; it holds no tokens to "
                       "tell which are the same",
                       r.name[0], d->n_pos, ready);
    r.differ = differ_new(side, s->program, &o, err);
    bool ok = r.differ && report(env, &r, err);
    differ_free(r.differ);
    return ok;
}

bool cmd_diff(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;

    if (arg[1].given && !(arg[1].x > 0))
        return err_set(err, "a tolerance is a number above 0, as in 'diff %s 1e-3'",
                       arg[0].text);
    if (run_n_past(s->run) + run_n_new(s->run) == 0)
        return err_set(err, "nothing is computed yet; run first");
    struct arrays *a = arrays_open(arg[0].text, NULL, err);
    if (a && arrays_npy(a)) {
        arrays_free(a);
        return err_set(err,
                       "'%s' does not say which value it holds; dump it as npz, or compare "
                       "it with 'gptscope diff --value NAME'",
                       arg[0].text);
    }
    struct dumped *d = dumped_open(a, s->program, err);
    bool ok = d && compare_dump(env, d, arg[1].given ? arg[1].x : 0, err);
    dumped_free(d);
    return ok;
}

/* --- patch ... from FILE --- */

/* Positions that the file has and the tokens, or the one that is asked for. */
static bool find_positions(const struct layout *l, const struct session *s, int pos, int *first,
                           int *count, struct err *err)
{
    int end = l->first_pos + l->n_pos;
    if (pos < 0) {
        *first = l->first_pos;
        *count = (end < s->ids.n ? end : s->ids.n) - *first;
        return *count > 0 || err_set(err, "it begins with position %d, and there are %d tokens",
                                     *first, s->ids.n);
    }
    *first = pos;
    *count = 1;
    return l->n_pos == 1 || (pos >= l->first_pos && pos < end) ||
           err_set(err, "it has no position %d, only %d to %d", pos, l->first_pos, end - 1);
}

static bool no_such_value(const struct dumped *d, const struct value *v, struct err *err)
{
    char *shown = path_shown(arrays_path(d->arrays));
    err_set(err, "'%s' has no array that is %s", shown, v->name);
    free(shown);
    return false;
}

static bool does_not_fit(const struct dumped *d, int item, const struct value *v,
                         struct err *err)
{
    struct str text = STR_INIT;
    const struct array *x = arrays_at(d->arrays, d->item[item].array);
    array_shape_print(x, &text);
    str_adds(&text, " does not fit [");
    for (int i = 0; i < v->n_axis; i++)
        str_addf(&text, "%s%s %d", i ? ", " : "", axis_name(v->axis[i]),
                 program_axis(d->program, v->axis[i], d->n_pos));
    err_set(err, "array '%s': shape %s]", x->name, text.text);
    str_release(&text);
    return path_add(err, arrays_path(d->arrays));
}

/* The item that is the value under any of its names, or -1. */
static int find_any(const struct dumped *d, int value)
{
    int item = dumped_find(d, value, 0), resolved = program_resolve(d->program, value);
    for (int i = 0; item < 0 && i < d->n; i++)
        if (program_resolve(d->program, d->item[i].value) == resolved)
            item = i;
    return item;
}

static bool patch_region(struct session *s, struct dumped *d, int item, const struct layout *l,
                         int pos, struct region *g, struct err *err)
{
    int value = d->item[item].value, axis = program_is_stage(s->program, value) ? 1 : 0;
    const struct value *v = &s->program->value[value];
    char note[40], *shown = path_shown(arrays_path(d->arrays));
    if (!find_positions(l, s, pos, &g->first[axis], &g->count[axis], err)) {
        free(shown);
        return path_add(err, arrays_path(d->arrays));
    }
    for (int i = 0; i < 3; i++) {
        if (g->count[i] >= 0)
            continue;
        int n = d->n_pos < s->ids.n ? d->n_pos : s->ids.n;
        g->count[i] = i < v->n_axis ? program_axis(s->program, v->axis[i], n) : 1;
    }
    struct region from = *g;
    if (pos >= 0 && l->n_pos == 1)
        from.first[axis] = l->first_pos;
    size_t n = (size_t) g->count[0] * (size_t) g->count[1] * (size_t) g->count[2];
    float *data = xcalloc(n + 1, sizeof *data);
    const char *slash = strrchr(shown, '/');
    snprintf(note, sizeof note, "from %.30s", slash ? slash + 1 : shown);
    bool ok = dumped_read(d, item, l, 0, &from, data, err) &&
              session_patch_data(s, value, g, data, note, err);
    free(data);
    free(shown);
    return ok;
}

bool patch_from_dump(struct session *s, struct dumped *d, const struct selected *sel, int pos,
                     struct err *err)
{
    struct region g = {{0, 0, 0}, {-1, -1, -1}};
    const struct value *v = &s->program->value[sel->value];
    int item = find_any(d, sel->value);
    struct layout way[LAYOUTS];
    if (d->n_pos == 0)
        d->n_pos = s->ids.n;
    if (item < 0)
        return no_such_value(d, v, err);
    if (dumped_layouts(d, item, way, LAYOUTS) == 0)
        return does_not_fit(d, item, v, err);
    for (int i = 0; sel->head >= 0 && i < v->n_axis; i++)
        if (v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD) {
            g.first[i] = sel->head;
            g.count[i] = 1;
        }
    return patch_region(s, d, item, &way[0], pos, &g, err);
}
