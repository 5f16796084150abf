#include "session/watch.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/path.h"
#include "session/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- in the pass --- */

/* A failed function is left out until watch_look takes it back. */
static void break_watch(struct watch *w, const struct watch_op *op, const struct tried *t)
{
    struct todo_report r = {.where = STR_INIT, .element = STR_INIT, .reason = STR_INIT};

    w->broken = true;
    reason_outcome(&r, t, LANG_EN);
    str_clear(&w->why);
    str_addf(&w->why, "TODO %s: %s", op->row->todo, r.element.text);
    str_release(&r.where);
    str_release(&r.element);
    str_release(&r.reason);
}

static void call_learner(const struct op_call *call, void *user)
{
    const struct program *p = run_program(call->run);
    const struct function *f = run_function(call->run, (int) (call->op - p->op), NULL);
    const struct watch_op *op = (const struct watch_op *) f;
    struct watch *w = op->watch;
    struct tried t = {.c = {.m = &w->material}};
    struct err err = ERR_INIT;

    (void) user;
    if (!w->on || w->broken) {
        run_own(call);
        return;
    }
    bool ok = op->row->ask(call, &t.c, &err) &&
              worker_call(&w->worker, &t.c.call, EXERCISE_SECONDS, &t.result, &err);
    if (ok && t.result.outcome == CALL_OK) {
        op->row->take(call, &t.c, t.result.got[0]);
    } else {
        if (ok)
            break_watch(w, op, &t);
        else if (!interrupt_pending()) {
            w->broken = true;
            str_clear(&w->why);
            str_adds(&w->why, err.text);
        }
        run_own(call);
    }
    case_release(&t.c);
    call_result_release(&t.result);
}

/* --- putting in place --- */

static bool row_fits(const struct session *s, const struct watch_row *row)
{
    for (int op = 0; op < s->program->n_steps; op++)
        if (s->program->op[op].code == row->code &&
            function_reaches(s->program, op, -1, row->op))
            return true;
    return false;
}

static int todo_index(const struct exercise *e, const char *name)
{
    for (int i = 0; i < e->n_todos; i++)
        if (!strcmp(e->todo[i].name, name))
            return i;
    return -1;
}

/* Begun, and it comes back. */
static bool usable(const struct todo_report *t)
{
    return t->state != TODO_OPEN && !t->broken;
}

/* Takes those back that are in place; others' ablations stay. Returns how many there were. */
static int take_back(struct session *s, struct watch *w)
{
    int n = 0;

    for (int k = 0; k < w->n_ops; k++) {
        for (int i = s->n_ablations - 1; i >= 0 && w->op[k].id >= 0; i--)
            if (s->ablation[i].id == w->op[k].id) {
                session_restore(s, i);
                n++;
                break;
            }
        w->op[k].id = -1;
    }
    return n;
}

static bool put_op(struct session *s, struct watch *w, const struct watch_row *row,
                   struct err *err)
{
    struct watch_op *op = &w->op[w->n_ops++];
    int layer = row->layers == WATCH_LAST ? s->program->hp.n_layer - 1 : -1;

    *op = (struct watch_op){.watch = w, .row = row, .id = -1};
    snprintf(op->name, sizeof op->name, "exercise %s, TODO %s", w->exercise->name, row->todo);
    op->function = (struct function){.name = op->name,
                                     .codes = FUNCTION_OF(row->code),
                                     .ahead = row->ahead,
                                     .formula = "the function in your file",
                                     .help = "what the watched exercise computes",
                                     .fn = call_learner};
    if (!session_put(s, layer, row->op, &op->function, 0, err))
        return false;
    for (int k = 0; k + 1 < w->n_ops; k++) /* session_put has taken it away */
        if (!strcmp(w->op[k].row->op, row->op))
            w->op[k].id = -1;
    op->id = s->ablation[s->n_ablations - 1].id;
    return true;
}

/* A later row that means the same op takes the place of an earlier one. */
static bool put_all(struct session *s, struct watch *w, struct err *err)
{
    w->n_ops = 0;
    for (const struct watch_row *row = watch_rows; row->exercise; row++) {
        if (strcmp(row->exercise, w->exercise->name) || w->n_ops == WATCH_OPS)
            continue;
        int todo = todo_index(w->exercise, row->todo);
        if (todo >= 0 && row_fits(s, row) && usable(&w->report.todo[todo]) &&
            !put_op(s, w, row, err))
            return false;
    }
    return true;
}

/* --- the file --- */

static bool note_file(struct watch *w, struct err *err)
{
    struct stat st;

    if (stat(w->path, &st) != 0)
        return path_error(err, "cannot read", w->path, errno);
    w->saved = st.st_mtim;
    w->size = (long long) st.st_size;
    return true;
}

static bool was_saved(const struct watch *w)
{
    struct stat st;

    return stat(w->path, &st) == 0 &&
           (st.st_mtim.tv_sec != w->saved.tv_sec || st.st_mtim.tv_nsec != w->saved.tv_nsec ||
            (long long) st.st_size != w->size);
}

/* Compiles and checks; what was there before is released only when this works. */
static bool build(struct session *s, struct watch *w, struct err *err)
{
    struct exercise_build b;
    struct worker worker = {0};
    struct exercise_report report;

    if (!note_file(w, err) || !exercise_build(&b, w->exercise, w->path, err))
        return false;
    if (!b.program) {
        err_set(err, "%s does not compile: %s", b.source, b.error.text);
        exercise_build_release(&b);
        return false;
    }
    if (!worker_start(&worker, &b, err) ||
        !exercise_check_built(&report, w->exercise, &b, &worker, &w->material, s->set.lang,
                              err)) {
        worker_release(&worker);
        exercise_build_release(&b);
        return false;
    }
    worker_release(&w->worker);
    exercise_build_release(&w->build);
    exercise_report_release(&w->report);
    w->build = b;
    w->worker = worker;
    w->worker.build = &w->build;
    w->report = report;
    w->broken = false;
    return true;
}

/* --- beginning and ending --- */

static void watch_stop(struct watch *w)
{
    w->on = false;
    worker_release(&w->worker);
    exercise_build_release(&w->build);
    material_release(&w->material);
}

static bool in_this_model(const struct session *s, const struct exercise *e, struct err *err)
{
    bool any = false;

    for (const struct watch_row *row = watch_rows; row->exercise; row++) {
        if (strcmp(row->exercise, e->name))
            continue;
        any = true;
        if (row_fits(s, row))
            return true;
    }
    if (!any)
        return err_set(
            err,
            "exercise %s is not watched: it works on what the model gives, and takes "
            "the place of no op",
            e->name);
    return err_set(err, "this model has no op of exercise %s; 'load %s' has", e->name,
                   e->model);
}

bool watch_begin(struct session *s, const struct exercise *e, const char *path, struct err *err)
{
    struct watch *w;

    if (!in_this_model(s, e, err))
        return false;
    w = xcalloc(1, sizeof *w);
    w->exercise = e;
    w->path = xstrdup(path);
    w->why = (struct str) STR_INIT;
    watch_end(s);
    w->next = s->watch;
    s->watch = w;
    w->on = true;
    if (material_open(&w->material, err) && build(s, w, err) && put_all(s, w, err))
        return true;
    take_back(s, w);
    watch_stop(w);
    return false;
}

const struct watch *watch_of(const struct session *s)
{
    return s->watch && s->watch->on ? s->watch : NULL;
}

void watch_end(struct session *s)
{
    if (!watch_of(s))
        return;
    take_back(s, s->watch);
    watch_stop(s->watch);
}

void watches_free(struct watch *w)
{
    while (w) {
        struct watch *next = w->next;
        watch_stop(w);
        exercise_report_release(&w->report);
        str_release(&w->why);
        free(w->path);
        free(w);
        w = next;
    }
}

/* --- looking --- */

static bool any_in_place(const struct session *s, const struct watch *w)
{
    bool any = false, put = false;

    for (int k = 0; k < w->n_ops; k++) {
        put = put || w->op[k].id >= 0;
        for (int i = 0; i < s->n_ablations; i++)
            any = any || (w->op[k].id >= 0 && s->ablation[i].id == w->op[k].id);
    }
    return any || !put;
}

/* The function that failed goes, and all others of the file with it. */
static void give_up(struct session *s, struct watch *w, struct str *say)
{
    take_back(s, w);
    w->broken = false;
    w->n_ops = 0;
    str_addf(say, "%s; taken back until the file is saved again", w->why.text);
}

bool watch_look(struct session *s, struct str *say)
{
    struct watch *w = s->watch;
    struct err err = ERR_INIT;

    if (!watch_of(s))
        return false;
    if (w->broken) {
        give_up(s, w, say);
        return true;
    }
    if (!any_in_place(s, w)) {
        watch_stop(w);
        return false;
    }
    if (!was_saved(w))
        return false;
    if (!build(s, w, &err)) {
        str_adds(say, err.text);
        return false;
    }
    take_back(s, w);
    put_all(s, w, &err);
    exercise_sum(&w->report, s->set.lang, say);
    return true;
}

void watch_print(const struct watch *w, struct str *out)
{
    for (int i = 0; i < w->n_ops; i++)
        if (w->op[i].id >= 0)
            str_addf(out, "%s%s (%s)", out->len > 0 ? ", " : "", w->op[i].row->todo,
                     w->op[i].row->op);
}
