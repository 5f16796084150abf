/* A comparison as JSON. */
#include "command/differ_report.h"
#include "command/result.h"

#include <string.h>

static json_t *text(const char *s)
{
    return result_text(s, strlen(s));
}

static json_t *ints(const int *x, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_integer(x[i]));
    return list;
}

static json_t *fits(unsigned fit)
{
    json_t *list = json_array();
    for (int i = 0; i < FITS; i++)
        if (fit >> i & 1)
            json_array_append_new(list, json_string(fit_name(i)));
    return list;
}

static json_t *row_json(const struct differ_row *row)
{
    static const char *const state[] = {"same", "differs", "misfit"};
    json_t *o = json_pack("{s:o, s:s}", "name", text(row->name), "state", state[row->state]);
    if (row->state == DIFFER_MISFIT) {
        json_object_set_new(o, "why", json_string(row->why));
        return o;
    }
    json_object_set_new(o, "shape", ints(row->shape, row->n_axis));
    json_object_set_new(o, "largest", result_number(row->most));
    json_object_set_new(o, "largest_at", ints(row->most_at, row->n_axis));
    json_object_set_new(o, "at", ints(row->at, row->n_axis));
    json_object_set_new(o, "a", result_number((double) row->a));
    json_object_set_new(o, "b", result_number((double) row->b));
    json_object_set_new(o, "relative", result_number(row->ratio));
    json_object_set_new(o, "tolerance", result_number(row->allowed));
    json_object_set_new(o, "rms", result_number(row->rms));
    json_object_set_new(o, "cosine", result_number(row->cosine));
    json_object_set_new(o, "masked", json_integer((json_int_t) row->masked));
    if (row->fit[0])
        json_object_set_new(o, "read_a", fits(row->fit[0]));
    if (row->fit[1])
        json_object_set_new(o, "read_b", fits(row->fit[1]));
    return o;
}

static json_t *op_json(const struct program *p, int op)
{
    struct str name = STR_INIT;
    op_name(p, op, &name);
    json_t *o =
        json_pack("{s:s, s:s}", "op", name.text, "formula", op_info(p->op[op].code)->formula);
    str_release(&name);
    return o;
}

static json_t *first_json(const struct differ *d, struct err *err)
{
    const struct program *p = differ_program(d);
    struct differ_why why;
    int i = differ_first(d);
    if (i < 0)
        return json_null();
    if (!differ_explain(d, i, &why, err)) {
        differ_why_release(&why);
        return NULL;
    }
    json_t *o = row_json(differ_at(d, i)), *agree = json_array(), *suspects = json_array();
    for (int k = 0; k < why.n_agree; k++)
        json_array_append_new(agree, json_string(p->value[why.agree[k]].name));
    for (int k = 0; k < why.n_suspects; k++)
        json_array_append_new(suspects, op_json(p, why.suspect[k]));
    if (why.op >= 0)
        json_object_update_new(o, op_json(p, why.op));
    json_object_set_new(o, "agree", agree);
    json_object_set_new(o, "suspects", suspects);
    if (*why.hint)
        json_object_set_new(o, "hint", json_string(why.hint));
    differ_why_release(&why);
    return o;
}

static json_t *only_json(const struct differ_report *r, int side)
{
    const struct arrays *a = r->arrays[side];
    json_t *list = json_array();
    for (int i = 0; a && i < arrays_count(a); i++)
        if (differ_only(r->differ, side, i))
            json_array_append_new(list, text(arrays_at(a, i)->name));
    return list;
}

json_t *differ_json(struct differ_report *r, struct err *err)
{
    struct differ *d = r->differ;
    const struct differ_row *row;
    json_t *values = json_array();
    while ((row = differ_next(d, err)))
        json_array_append_new(values, row_json(row));
    json_t *first = *err->text ? NULL : first_json(d, err);
    if (!*err->text && differ_count(d) == 0)
        err_set(err, "A and B have no value in common; 'gptscope help values' lists the names "
                     "that are known");
    if (*err->text) {
        json_decref(first);
        json_decref(values);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:b, s:i, s:f, s:o, s:o, s:o, s:o}", "a", text(r->name[0]),
                     "b", text(r->name[1]), "same", differ_same(d), "positions",
                     differ_positions(d), "tolerance", differ_tol(d), "first", first, "only_a",
                     only_json(r, 0), "only_b", only_json(r, 1), "values", values);
}
