/* Commands that change values: ablate, patch, clear. */
#include "command/commands.h"

#include "command/data.h"
#include "command/parse.h"
#include "command/place.h"
#include "engine/dumped.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* All of a value, or one head of it. */
static struct region region_of(const struct program *p, int value, int head)
{
    struct region r = {{0, 0, 0}, {-1, -1, -1}};
    int axis = value_head_axis(p, value);

    if (head >= 0 && axis >= 0) {
        r.first[axis] = head;
        r.count[axis] = 1;
    }
    return r;
}

static int find_ablation(const struct session *s, enum patch_kind kind, int value,
                         const struct region *r)
{
    for (int i = 0; i < s->n_ablations; i++) {
        const struct ablation *a = &s->ablation[i];
        if (a->kind == kind && a->value == value && !memcmp(&a->region, r, sizeof *r))
            return i;
    }
    return -1;
}

bool ablations_done(struct command_env *env, bool was_done, struct err *err)
{
    if (!run_again(env, was_done, err))
        return false;
    if (result_wanted(env))
        return result_put(env, data_ablations(env->session));
    ablations_print(env->session, env->out);
    return true;
}

/* --- ablate --- */

enum part { HEAD, MLP, ATTN, EDGE, MEAN };

#define PARTS "mlp attn edge mean"

/* What an ablate line asks for. */
struct wanted {
    enum part part;
    enum patch_kind kind;
    int layer, head, query, key;
    bool cell; /* query and key were given */
    enum { TOGGLE, OFF, ON } turn;
};

/* Zeroed already when the mean is wanted, or the other way round: one has to go first, for the
 * mean is taken of what is there. */
static bool other_kind(const struct session *s, enum patch_kind kind, int value,
                       const struct region *r, struct err *err)
{
    int i = find_ablation(s, kind == PATCH_MEAN ? PATCH_ZERO : PATCH_MEAN, value, r);

    if (i < 0 || kind == PATCH_SET)
        return false;
    err_set(err, "there is '%s' already; 'clear %d' takes it back",
            run_patch_text(s->run, i, NULL), i + 1);
    return true;
}

/* Adds it, or takes it back. */
static bool toggle(struct command_env *env, const struct wanted *w, struct err *err)
{
    static const char *const suffix[] = {
        [HEAD] = "attn.z", [MLP] = "mlp_out", [ATTN] = "attn_out", [EDGE] = "attn.scores"};
    struct session *s = env->session;
    int value = program_value(s->program, w->layer, suffix[w->part]);
    int head = w->part == HEAD || w->part == EDGE ? w->head : -1;
    struct region r = region_of(s->program, value, head);
    enum patch_kind kind = w->part == EDGE ? PATCH_SET : w->kind;
    bool was_done = session_done(s);

    if (w->part == EDGE)
        r = (struct region){{head, w->query, w->key}, {1, 1, 1}};
    int i = find_ablation(s, kind, value, &r);
    if (i < 0 && w->turn == ON)
        return err_set(err, "the edge %d,%d of L%d.H%d is not knocked out", w->query, w->key,
                       w->layer, head);
    if (i >= 0 && w->turn == OFF)
        was_done = false; /* nothing changes */
    else if (i >= 0)
        session_restore(s, i);
    else if (other_kind(s, kind, value, &r, err) ||
             !session_ablate(s, kind, value, &r, w->part == EDGE ? -INFINITY : 0, err))
        return false;
    return ablations_done(env, was_done, err);
}

/* "mlp", "attn", "edge", "mean"; false for other words. */
static bool take_part(struct wanted *w, const char *text)
{
    static const char *const name[] = {
        [MLP] = "mlp", [ATTN] = "attn", [EDGE] = "edge", [MEAN] = "mean"};

    for (int i = MLP; i <= MEAN; i++) {
        if (strcmp(text, name[i]))
            continue;
        if (i == MEAN)
            w->kind = PATCH_MEAN;
        else
            w->part = (enum part) i;
        return true;
    }
    return false;
}

static bool take_place(struct wanted *w, const struct session *s, const char *text,
                       struct err *err)
{
    const char *rest;

    if (take_part(w, text))
        return true;
    if (!place_parse(s, text, &w->layer, &w->head, &rest, err)) {
        struct str near = STR_INIT;
        if (choice_near(PARTS, text, &near))
            err_set(err, "'%s' is nothing to ablate; did you mean '%s'?", text, near.text);
        str_release(&near);
        return false;
    }
    if (*rest ? take_part(w, rest) : strpbrk(text, "Hh") != NULL)
        return true;
    return err_set(err,
                   "'%s' is nothing to ablate; that is a head (L2.H3), mlp, attn or an edge "
                   "(L2.mlp, L2.H3.edge)",
                   text);
}

/* What follows the place: "mean", a layer, or an edge's cell. */
static bool take_more(struct wanted *w, const struct session *s, const char *text,
                      struct err *err)
{
    int n_layer = s->program->hp.n_layer;
    char *end;
    long x = strtol(text, &end, 10);

    if (!strcmp(text, "mean")) {
        w->kind = PATCH_MEAN;
        return true;
    }
    if (w->part == EDGE) {
        w->cell = true;
        return cell_parse(s, text, &w->query, &w->key, err);
    }
    if (end == text || *end)
        return err_set(err, "'%s' is neither mean nor a layer", text);
    if (x < 0 || x >= n_layer)
        return err_set(err, "there is no layer %s; the model has layers 0 to %d", text,
                       n_layer - 1);
    w->layer = (int) x;
    return true;
}

static bool check_edge(const struct session *s, const struct wanted *w, struct err *err)
{
    if (w->kind == PATCH_MEAN)
        return err_set(err, "an edge is knocked out, it has no mean");
    if (s->ids.n == 0)
        return err_set(err, "there are no tokens yet; give a prompt first");
    if (!w->cell && s->at.stage == STAGE_MIX)
        return err_set(err, "the cursor is on a channel of weighted V; choose an edge in an "
                            "earlier stage, or name it as in 'ablate edge 8,6'");
    if (w->key > w->query)
        return err_set(err, "key %d comes after query %d: the mask hides it", w->key, w->query);
    return true;
}

bool cmd_ablate(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    struct wanted w = {.part = HEAD, .kind = PATCH_ZERO};

    w.layer = s->at.layer;
    w.head = s->at.head;
    w.query = s->at.query;
    w.key = s->at.key;
    for (int i = 0; i < 3 && arg[i].given; i++) {
        const char *text = arg_expand(&arg[i], i ? "mean" : PARTS, err);
        if (!text || !(i ? take_more : take_place)(&w, s, text, err))
            return false;
    }
    if (w.part == EDGE && !check_edge(s, &w, err))
        return false;
    return toggle(env, &w, err);
}

/* A head, an edge's cell, on or off, in any order. */
static bool take_edge(struct wanted *w, const struct session *s, const struct arg *arg,
                      struct err *err)
{
    const char *rest, *text = arg->text;

    if (isdigit((unsigned char) *text)) {
        w->cell = true;
        return cell_parse(s, text, &w->query, &w->key, err);
    }
    if (!(text = arg_expand(arg, "on off", err)))
        return false;
    if (!strcmp(text, "on") || !strcmp(text, "off")) {
        w->turn = strcmp(text, "on") ? OFF : ON;
        return true;
    }
    if (!place_parse(s, text, &w->layer, &w->head, &rest, err))
        return false;
    return !*rest || err_set(err, "'%s' is no head; heads are like L2.H3", text);
}

bool cmd_edge(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    struct wanted w = {.part = EDGE, .kind = PATCH_ZERO};

    w.layer = s->at.layer;
    w.head = s->at.head;
    w.query = s->at.query;
    w.key = s->at.key;
    for (int i = 0; i < 3 && arg[i].given; i++)
        if (!take_edge(&w, s, &arg[i], err))
            return false;
    return check_edge(s, &w, err) && toggle(env, &w, err);
}

/* --- patch --- */

enum how { HOW_ZERO, HOW_SCALE, HOW_SET, HOW_ADD, HOW_MEAN, HOW_FROM };

/* How a value is to be changed, and at which positions. */
struct change {
    enum how how;
    float x;
    int pos;             /* -1: all */
    struct dumped *dump; /* HOW_FROM: of a file; NULL: of the mark */
};

static bool take_number(const char *text, float *x, struct err *err)
{
    char *end;

    *x = strtof(text, &end);
    return (end != text && *end == '\0') || err_set(err, "'%s' is not a number", text);
}

static bool take_change(struct change *c, const struct arg *arg, struct err *err)
{
    const struct arg *x = &arg[2];

    *c = (struct change){.how = (enum how) arg[1].i, .pos = arg[3].given ? (int) arg[3].i : -1};
    if (c->how == HOW_FROM)
        return x->given || err_set(err,
                                   "from takes numbers of the mark or of a dump, as in 'patch "
                                   "%s from mark' or 'patch %s from pass.npz'",
                                   arg[0].text, arg[0].text);
    if ((c->how == HOW_ZERO || c->how == HOW_MEAN) && x->given)
        return err_set(err, "%s takes no number; scale, set and add do", arg[1].text);
    if (c->how == HOW_ZERO || c->how == HOW_MEAN)
        return true;
    if (!x->given)
        return err_set(err, "%s needs a number, as in 'patch %s %s 0.5'", arg[1].text,
                       arg[0].text, arg[1].text);
    return take_number(x->text, &c->x, err);
}

static bool change_one(struct session *s, const struct selected *sel, const struct change *c,
                       struct err *err)
{
    static const enum patch_kind kind[] = {[HOW_ZERO] = PATCH_ZERO,
                                           [HOW_SCALE] = PATCH_SCALE,
                                           [HOW_SET] = PATCH_SET,
                                           [HOW_ADD] = PATCH_ADD,
                                           [HOW_MEAN] = PATCH_MEAN};
    struct region r = region_of(s->program, sel->value, sel->head);
    int axis = program_is_stage(s->program, sel->value) ? 1 : 0;

    if (c->pos >= 0) {
        r.first[axis] = c->pos;
        r.count[axis] = 1;
    }
    if (c->how == HOW_FROM && c->dump)
        return patch_from_dump(s, c->dump, sel, c->pos, err);
    if (c->how == HOW_FROM)
        return session_patch_from_mark(s, sel->value, &r, err);
    return session_ablate(s, kind[c->how], sel->value, &r, c->x, err);
}

/* The file that `from` names, unless that is the mark. An .npy file holds the one value. */
static bool open_dump(const struct session *s, struct change *c, const struct selection *sel,
                      const struct arg *arg, struct err *err)
{
    if (c->how != HOW_FROM || (!strcmp(arg[2].text, "mark") && !arg[2].quoted))
        return true;
    struct arrays *a =
        arrays_open(arg[2].text, s->program->value[sel->item[0].value].name, err);
    if (a && arrays_npy(a) && sel->n > 1) {
        arrays_free(a);
        return err_set(err, "an .npy file holds one value, and %d are to be changed", sel->n);
    }
    c->dump = dumped_open(a, s->program, err);
    return c->dump != NULL;
}

bool cmd_patch(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    bool was_done = session_done(s);
    int before = s->n_ablations;
    struct selection sel;
    struct change c;

    if (!take_change(&c, arg, err))
        return false;
    if (arg[3].given && (c.pos < 0 || c.pos >= s->ids.n))
        return err_set(err, "there is no position %s; there are %d tokens", arg[3].text,
                       s->ids.n);
    if (!values_parse(s, arg[0].text, &sel, err))
        return false;
    bool ok = open_dump(s, &c, &sel, arg, err);
    for (int i = 0; ok && i < sel.n; i++)
        ok = change_one(s, &sel.item[i], &c, err);
    dumped_free(c.dump);
    selection_release(&sel);
    while (!ok && s->n_ablations > before)
        session_restore(s, s->n_ablations - 1);
    return ok && ablations_done(env, was_done, err);
}

bool cmd_clear(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    bool was_done = session_done(s);

    if (s->n_ablations == 0)
        return err_set(err, "there are no ablations to clear");
    if (arg[0].given && (arg[0].i < 1 || arg[0].i > s->n_ablations))
        return err_set(err, "there is no ablation %s; they go from 1 to %d", arg[0].text,
                       s->n_ablations);
    session_restore(s, arg[0].given ? (int) arg[0].i - 1 : -1);
    return ablations_done(env, was_done, err);
}
