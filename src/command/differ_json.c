/* A comparison as JSON. */
#include "command/differ_report.h"
#include "command/result.h"

#include <stdlib.h>
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

static json_t *at_json(const struct differ *d, const struct differ_row *row, const int x[3])
{
    int axis[3], n = differ_axes(d, row, axis), shown[3] = {0, 0, 0};
    for (int i = 0; i < n; i++)
        shown[i] = x[axis[i]];
    return ints(shown, n);
}

static json_t *row_json(const struct differ *d, const struct differ_row *row)
{
    static const char *const state[] = {"same", "differs", "misfit"};
    json_t *o = json_pack("{s:o, s:s}", "name", text(row->name), "state", state[row->state]);
    if (row->state == DIFFER_MISFIT) {
        json_object_set_new(o, "why", json_string(row->why));
        return o;
    }
    json_object_set_new(o, "shape", at_json(d, row, row->shape));
    json_object_set_new(o, "largest", result_number(row->most));
    json_object_set_new(o, "largest_at", at_json(d, row, row->most_at));
    json_object_set_new(o, "at", at_json(d, row, row->at));
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
    json_t *o = row_json(d, differ_at(d, i)), *agree = json_array(), *suspects = json_array();
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
    const char **names;
    json_t *list = json_array();
    int n = differ_only_names(r, side, &names);
    for (int i = 0; i < n; i++)
        json_array_append_new(list, text(names[i]));
    free(names);
    return list;
}

static json_t *models_json(const struct differ_report *r)
{
    struct str models = STR_INIT;
    json_t *o = differ_models(r, &models) ? json_string(models.text) : json_null();
    str_release(&models);
    return o;
}

json_t *differ_json(struct differ_report *r, struct err *err)
{
    struct differ *d = r->differ;
    const struct differ_row *row;
    json_t *values = json_array();
    int positions;
    while ((row = differ_next(d, err)))
        json_array_append_new(values, row_json(d, row));
    json_t *first = *err->text ? NULL : first_json(d, err);
    if (!*err->text && differ_compared(d, &positions) == 0)
        differ_nothing(r, err);
    if (*err->text) {
        json_decref(first);
        json_decref(values);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o, s:b, s:i, s:f, s:o, s:o, s:o, s:o}", "a",
                     text(r->name[0]), "b", text(r->name[1]), "models", models_json(r), "same",
                     differ_same(d), "positions", positions ? positions : differ_positions(d),
                     "tolerance", differ_tol(d), "first", first, "only_a", only_json(r, 0),
                     "only_b", only_json(r, 1), "values", values);
}
