/* explain: chooses what the explain view works out. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/data.h"
#include "command/place.h"
#include "session/neurons.h"
#include "session/sheet.h"
#include "session/worked.h"
#include "view/candidates.h"
#include "view/view.h"
#include "view/views.h"

#include <stdlib.h>
#include <string.h>

/* --- what is meant --- */

static bool one_value(const struct session *s, const char *text, struct selected *out,
                      struct err *err)
{
    struct selection sel;

    if (!values_parse(s, text, &sel, err))
        return false;
    *out = sel.item[0];
    bool one = sel.n == 1;
    selection_release(&sel);
    return one ||
           err_set(err, "'%s' is more than one value; one cell is explained at a time", text);
}

/* The likeliest token after a position, which must be computed. */
static bool likeliest(const struct session *s, int pos, int *id, struct err *err)
{
    int value = program_find(s->program, "logits");
    struct region g = {{pos, 0, 0}, {1, s->program->hp.n_vocab, 1}};

    if (run_ready(s->run, value) <= pos)
        return err_set(err, "logits is not computed at position %d yet; step on or run", pos);
    float *x = xmalloc((size_t) s->program->hp.n_vocab * sizeof *x);
    bool ok = run_read(s->run, value, &g, x, err);

    *id = 0;
    for (int i = 1; ok && i < s->program->hp.n_vocab; i++)
        *id = x[i] > x[*id] ? i : *id;
    free(x);
    return ok;
}

/* The axes from `first` on, which were not given: under the cursor. */
static bool default_cell(const struct session *s, struct subject *what, int first,
                         struct err *err)
{
    struct sheet t;

    sheet_init(&t, s, what->value, -1);
    if (t.row_axis >= first)
        what->cell[t.row_axis] = s->at.query;
    if (t.col_axis < first)
        return true;
    what->cell[t.col_axis] = sheet_col(&t, s);
    return sheet_col_kind(&t, s) != AXIS_VOCAB ||
           likeliest(s, what->cell[t.row_axis], &what->cell[t.col_axis], err);
}

static bool cell_usage(const struct value *v, const char *text, struct err *err)
{
    struct str axes = STR_INIT;

    for (int i = 0; i < v->n_axis; i++)
        if (v->axis[i] != AXIS_HEAD && v->axis[i] != AXIS_KV_HEAD && v->axis[i] != AXIS_ONE)
            str_addf(&axes, "%s%s", axes.len ? "," : "",
                     v->axis[i] == AXIS_VOCAB ? "token" : axis_name(v->axis[i]));
    err_set(err, "'%s' is no cell of %s; its cells are %s", text, v->name, axes.text);
    str_release(&axes);
    return false;
}

/* "8,17", "12,·Anna": an index for each axis but the head's, from the first on; *next is the
 * axis after those given. */
static bool parse_cell(const struct session *s, const char *text, struct subject *what,
                       int *next, struct err *err)
{
    const struct value *v = &s->program->value[what->value];
    const char *at = text;

    for (int i = 0; i < v->n_axis; i++) {
        char *end;
        if (v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD || v->axis[i] == AXIS_ONE)
            continue;
        *next = i;
        if (at != text && *at == '\0')
            return true;
        if (at != text && *at++ != ',')
            return cell_usage(v, text, err);
        *next = 3;
        if (v->axis[i] == AXIS_VOCAB)
            return token_parse(s, at, false, &what->cell[i], err);
        long x = strtol(at, &end, 10);
        if (end == at || x < 0 || x > 1 << 30)
            return cell_usage(v, text, err);
        what->cell[i] = (int) x;
        at = end;
    }
    return *at == '\0' || cell_usage(v, text, err);
}

/* A value that was named, at a cell that may be. */
bool subject_parse(const struct session *s, const char *name, const struct arg *cell,
                   struct subject *what, struct err *err)
{
    struct selected sel;
    bool own = !strcmp(name, "this");

    if (!one_value(s, name, &sel, err))
        return false;
    int head = sel.head >= 0 ? sel.head : value_head(s, sel.value);
    int axis = value_head_axis(s->program, sel.value), next = 0;
    *what = (struct subject){.kind = SUBJECT_VALUE, .value = sel.value};
    if (axis >= 0)
        what->cell[axis] = head;
    if (own && !cell->given)
        what->kind = SUBJECT_ATTENTION;
    else if (cell->given && !parse_cell(s, cell->text, what, &next, err))
        return false;
    return default_cell(s, what, next, err);
}

/* The number under the tensor view's cursor. */
static void table_cell(const struct session *s, int value, struct subject *what)
{
    struct sheet t;

    *what = (struct subject){.kind = SUBJECT_VALUE, .value = value};
    sheet_init(&t, s, value, -1);
    if (t.head_axis >= 0)
        what->cell[t.head_axis] = t.head;
    if (t.row_axis >= 0)
        what->cell[t.row_axis] = s->at.query;
    if (t.col_axis >= 0)
        what->cell[t.col_axis] = sheet_col(&t, s);
}

/* The neuron that the MLP view has its cursor on. */
static bool mlp_cell(const struct session *s, struct subject *what, struct err *err)
{
    struct neuron_row row = {0};
    bool ok = true;

    while (ok && !row.ready)
        ok = neuron_row_step(&row, s, s->at.layer, s->at.query, err);
    *what = (struct subject){.kind = SUBJECT_VALUE,
                             .value = program_value(s->program, s->at.layer, "mlp.post")};
    what->cell[0] = s->at.query;
    if (ok)
        what->cell[1] = row.order[neuron_row_rank(&row, s->at.neuron)];
    neuron_row_release(&row);
    return ok;
}

static void stream_cell(const struct session *s, struct subject *what)
{
    static const char *const suffix[] = {"resid_pre", "resid_mid", "resid_post"};
    int value = program_value(s->program, s->at.layer, suffix[s->at.stream]);

    table_cell(s, value, what);
}

/* The element that makes most of the subject; the subject itself while the
 * live view says that it is to do. */
static bool largest(const struct command_env *env, struct subject *what, struct err *err)
{
    struct session *s = env->session;
    struct worked w;
    int value, cell[3];

    *what = s->subject;
    session_subject(s, &value, cell);
    if (!worked_cell(s, value, cell, &w, err))
        return env->live;
    *what = (struct subject){.kind = SUBJECT_VALUE, .value = w.next};
    memcpy(what->cell, w.next_cell, sizeof w.next_cell);
    worked_release(&w);
    return what->value >= 0 || err_set(err, "this is made of nothing further");
}

/* The logit of the candidate that the list of logits has its cursor on. */
static bool candidate_cell(const struct command_env *env, struct subject *what, struct err *err)
{
    const struct sample_trace *t = candidates_of(env, err);

    if (!t)
        return false;
    *what = (struct subject){.kind = SUBJECT_LOGIT};
    what->cell[0] = session_candidates_at(env->session);
    what->cell[1] = t->candidate[candidates_cursor(env->screen, t)].id;
    return true;
}

/* What the panel with the focus has under its cursor. */
static bool under_cursor(const struct command_env *env, struct subject *what, struct err *err)
{
    struct session *s = env->session;
    const char *view = screen_focused(env->screen)->name;

    *what = (struct subject){.kind = SUBJECT_ATTENTION};
    if (!strcmp(view, "explain"))
        *what = s->subject;
    else if (!strcmp(view, "tensor"))
        table_cell(s, tensor_value(s, env->screen), what);
    else if (!strcmp(view, "residual"))
        stream_cell(s, what);
    else if (!strcmp(view, "mlp"))
        return mlp_cell(s, what, err);
    else if (!strcmp(view, "logits"))
        return candidate_cell(env, what, err);
    return true;
}

void explain_follow(struct command_env *env)
{
    static const char *const views[] = {"attention", "compare",  "tensor",
                                        "mlp",       "residual", "logits"};
    const char *view = screen_focused(env->screen)->name;
    struct err err = ERR_INIT;
    struct subject what;

    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (!strcmp(view, views[i]) && env->session->ids.n > 0 &&
            under_cursor(env, &what, &err))
            env->session->subject = what;
}

/* --- the command --- */

/* Whether it can be worked now. The live view says itself what is to do, and follows the cursor
 * when it moves on. */
static bool check(struct command_env *env, const struct subject *what, bool typed,
                  struct err *err)
{
    struct session *s = env->session;
    struct subject old = s->subject;
    struct worked w;
    int value, cell[3];

    s->subject = *what;
    session_subject(s, &value, cell);
    if (what->kind == SUBJECT_VALUE)
        memcpy(cell, what->cell, sizeof cell); /* as typed, also outside */
    if (worked_cell(s, value, cell, &w, err)) {
        worked_release(&w);
        return true;
    }
    if (env->live && !typed)
        return true;
    s->subject = old;
    return false;
}

/* The cursor goes along, so that other views show the same place. */
static void take_cursor(struct session *s)
{
    const struct subject *what = &s->subject;
    const struct hparams *hp = &s->program->hp;
    const struct value *v;
    struct sheet t;
    int value, cell[3];

    if (what->kind != SUBJECT_VALUE || !session_subject(s, &value, cell))
        return;
    v = &s->program->value[value];
    if (v->suffix > 0)
        s->at.layer = v->layer;
    sheet_init(&t, s, value, -1);
    if (t.row_axis >= 0)
        s->at.query = cell[t.row_axis];
    if (t.col_axis >= 0)
        *sheet_col_cursor(&t, s) = cell[t.col_axis];
    if (t.head_axis >= 0 && t.head != cell[t.head_axis])
        s->at.head = cell[t.head_axis] *
                     (v->axis[t.head_axis] == AXIS_KV_HEAD ? hp->n_head / hp->n_kv_head : 1);
}

bool cmd_explain(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    struct subject what;

    if (s->ids.n == 0)
        return err_set(err, "there are no tokens yet; give a prompt first");
    bool ok = !arg[0].given ? under_cursor(env, &what, err)
              : !strcmp(arg[0].text, "largest")
                  ? largest(env, &what, err)
                  : subject_parse(s, arg[0].text, &arg[1], &what, err);
    bool typed = arg[0].given && strcmp(arg[0].text, "this") && strcmp(arg[0].text, "largest");
    if (!ok || !check(env, &what, typed, err))
        return false;
    take_cursor(s);
    env->screen->scroll[view_find("explain")] = 0;
    if (result_wanted(env))
        return result_put(env, data_subject(env, err));
    if (env->live)
        screen_open(env->screen, view_find("explain"), env->screen_w, env->screen_h);
    else
        explain_print(env);
    return true;
}
