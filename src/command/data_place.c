/* Places in the program and what was set at them: ops, the pass, the cursor, breakpoints,
 * ablations. */
#include "command/data.h"

#include "command/place.h"
#include "view/ops.h"
#include "view/view.h"

#include <stdio.h>

json_t *data_value_name(const struct program *p, int value, int head)
{
    const struct value *v = &p->value[value];

    return json_pack("{s:s, s:o, s:o}", "value", v->name, "layer", data_index(v->layer), "head",
                     data_index(head));
}

/* --- ops and the pass --- */

static json_t *names(const struct program *p, const int *value, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_string(p->value[value[i]].name));
    return list;
}

static json_t *shape_of(const struct session *s, int value)
{
    int shape[3], n = value_shape(s, value, shape);
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_integer(shape[i]));
    return list;
}

/* "done", "next" or "waiting", in the pass there is or the one that comes next. */
static const char *op_state(const struct session *s, int op)
{
    int done = s->ids.n > 0 ? ops_done(s) : 0;

    return op < done ? "done" : op == done && s->ids.n > 0 ? "next" : "waiting";
}

static json_t *op_mark(const struct session *s, int op)
{
    static const char *const name[] = {[BREAK_MAYBE] = "condition", [BREAK_SURE] = "set"};
    enum break_mark mark = breaks_mark(s, op);

    return mark == BREAK_NONE ? json_null() : json_string(name[mark]);
}

json_t *data_op(const struct session *s, int op)
{
    const struct program *p = s->program;
    const struct op *o = &p->op[op];
    struct str name = STR_INIT, call = STR_INIT;

    op_name(p, op, &name);
    op_call_print(p, op, &call);
    json_t *j = json_pack(
        "{s:i, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:o}", "index", op,
        "name", name.text, "label", o->label, "layer", data_index(o->layer), "opcode",
        op_info(o->code)->name, "value", p->value[o->out[0]].name, "inputs",
        names(p, o->in, o->n_in), "outputs", names(p, o->out, o->n_out), "shape",
        shape_of(s, o->out[0]), "call", call.text, "formula", op_info(o->code)->formula,
        "state", op_state(s, op), "breakpoint", op_mark(s, op));
    str_release(&name);
    str_release(&call);
    return j;
}

json_t *data_ops(const struct session *s, int first, int count)
{
    json_t *list = json_array();

    for (int i = first; i < first + count; i++)
        json_array_append_new(list, data_op(s, i));
    return list;
}

static json_t *open_pass(const struct session *s)
{
    if (!run_in_pass(s->run))
        return json_null();
    return json_pack("{s:i, s:i, s:i, s:i}", "first", run_n_past(s->run), "count",
                     run_n_new(s->run), "ops_done", run_pc(s->run), "n_ops",
                     s->program->n_steps);
}

json_t *data_where(const struct session *s)
{
    bool next = s->ids.n > 0 && !session_done(s);

    return data_join(
        json_pack("{s:b, s:o, s:o, s:o}", "done", session_done(s) && s->ids.n > 0, "breakpoint",
                  s->breaks.hit[0] ? data_string(s->breaks.hit) : json_null(), "pass",
                  open_pass(s), "next", next ? data_op(s, ops_done(s)) : json_null()),
        data_counts(s));
}

/* --- the cursor --- */

json_t *data_point(int point)
{
    static const char *const suffix[] = {"resid_mid", "resid_post"};
    char name[24], value[64];
    int layer = point > 0 ? (point - 1) / 2 : 0;

    snprintf(value, sizeof value, "blocks.%d.%s", layer,
             point > 0 ? suffix[(point - 1) % 2] : "resid_pre");
    return json_pack("{s:i, s:s, s:s, s:i}", "point", point, "name",
                     point_name(point, name, sizeof name), "value", value, "layer", layer);
}

/* As the command stage takes it. */
static const char *stage_word(enum stage stage)
{
    return stage == STAGE_MIX ? "z" : stage_name(stage);
}

json_t *data_cursor(const struct command_env *env)
{
    const struct session *s = env->session;
    int value = session_stage_value(s, s->at.layer, s->at.stage);
    bool tokens = s->ids.n > 0;

    return data_join(data_value_name(s->program, value, s->at.head),
                     json_pack("{s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:i}", "stage",
                               stage_word(s->at.stage), "query", data_token_at(s, s->at.query),
                               "key", data_token_at(s, s->at.key), "column", s->at.column,
                               "neuron", data_index(s->at.neuron), "point",
                               data_point(session_point(s)), "op",
                               tokens ? json_integer(screen_op(s, env->screen)) : json_null(),
                               "candidate", env->screen->candidate + 1));
}

/* --- breakpoints --- */

static json_t *limit_of(const struct breakpoint *b)
{
    if (b->kind != BREAK_ENTROPY)
        return json_null();
    return json_pack("{s:s, s:o}", "sign", b->above ? ">" : "<", "nats",
                     result_number(b->limit));
}

json_t *data_breakpoint(const struct session *s, const struct breakpoint *b)
{
    static const char *const kind[] = {"op", "label", "head", "entropy", "top", "token"};
    bool place = b->kind == BREAK_HEAD || b->kind == BREAK_ENTROPY;
    struct str text = STR_INIT;

    break_print(s, b, &text);
    json_t *o = json_pack("{s:i, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "id", b->id, "kind",
                          kind[b->kind], "text", result_text(text.text, text.len), "on",
                          !b->off, "op", data_index(b->kind == BREAK_OP ? b->op : -1), "layer",
                          data_index(place ? b->layer : -1), "head",
                          data_index(place ? b->head : -1), "limit", limit_of(b), "token",
                          b->kind == BREAK_TOKEN ? result_token(s, b->token) : json_null());
    str_release(&text);
    return o;
}

json_t *data_breakpoints(const struct session *s, const struct breakpoint *b, json_t *removed)
{
    json_t *list = json_array();

    for (int i = 0; i < s->breaks.n; i++)
        json_array_append_new(list, data_breakpoint(s, &s->breaks.item[i]));
    return json_pack("{s:o, s:o, s:o}", "breakpoint", b ? data_breakpoint(s, b) : json_null(),
                     "removed", removed ? removed : json_array(), "breakpoints", list);
}

/* --- ablations --- */

/* The region, an axis each; a count that is null goes to the end. */
static json_t *region_axes(const struct value *v, const struct region *r)
{
    json_t *list = json_array();

    for (int i = 0; i < v->n_axis; i++)
        json_array_append_new(list, json_pack("{s:s, s:i, s:o}", "name", axis_name(v->axis[i]),
                                              "first", r->first[i], "count",
                                              data_index(r->count[i])));
    return list;
}

/* The one head that a region lies in, or -1. */
static int region_head(const struct value *v, const struct region *r)
{
    for (int i = 0; i < v->n_axis; i++)
        if ((v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD) && r->count[i] == 1)
            return r->first[i];
    return -1;
}

static json_t *ablation(const struct session *s, int i)
{
    static const char *const kind[] = {
        [PATCH_ZERO] = "zero", [PATCH_SCALE] = "scale", [PATCH_SET] = "set",
        [PATCH_MEAN] = "mean", [PATCH_ADD] = "add",     [PATCH_REPLACE] = "replace"};
    const struct ablation *a = &s->ablation[i];
    const struct value *v = &s->program->value[a->value];
    bool number = a->kind != PATCH_ZERO && a->kind != PATCH_MEAN && !a->note[0];
    json_t *o = json_pack("{s:i, s:s}", "number", i + 1, "kind", kind[a->kind]);

    data_join(o, data_value_name(s->program, a->value, region_head(v, &a->region)));
    return data_join(o, json_pack("{s:o, s:o, s:o, s:o}", "axes", region_axes(v, &a->region),
                                  "x", number ? result_number((double) a->factor) : json_null(),
                                  "note", a->note[0] ? data_string(a->note) : json_null(),
                                  "text", data_string(run_patch_text(s->run, i, NULL))));
}

json_t *data_ablations(const struct session *s)
{
    json_t *list = json_array();

    for (int i = 0; i < s->n_ablations; i++)
        json_array_append_new(list, ablation(s, i));
    return json_pack("{s:o}", "ablations", list);
}
