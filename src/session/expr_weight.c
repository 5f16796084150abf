/* Weights in expressions: weight("q", layer, row), weight("tok_embd", token). */
#include "session/expr_parts.h"

#include "base/mem.h"
#include "base/near.h"
#include "model/roles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool find_role(const struct session *s, const char *name, enum weight_role *role,
                      struct err *err)
{
    struct near near;

    near_init(&near, name);
    for (int i = 0; i < W_COUNT; i++) {
        if (!role_in((enum weight_role) i, s->program->hp.arch))
            continue;
        *role = (enum weight_role) i;
        if (!strcmp(roles[i].name, name))
            return true;
        near_try(&near, roles[i].name);
    }
    return err_set(err, "this model has no weight '%.20s'; did you mean '%s'?", name,
                   near_best(&near) ? near_best(&near) : "tok_embd");
}

static bool whole(const struct expr_value *v, int n, const char *what, int *out,
                  struct err *err)
{
    if (v->kind != EXPR_NUMBER || v->x != floor(v->x) || v->x < 0 || v->x >= n)
        return err_set(err, "%s is a whole number from 0 to %d", what, n - 1);
    *out = (int) v->x;
    return true;
}

static void give(struct expr_value *out, const float *x, int n)
{
    *out = (struct expr_value){.kind = EXPR_ROW, .n = (size_t) n};
    out->row = xcalloc(out->n, sizeof *out->row);
    for (int i = 0; i < n; i++)
        out->row[i] = (double) x[i];
}

static bool of_vector(const float *x, int n_all, const struct expr_value *arg, int n,
                      struct expr_value *out, struct err *err)
{
    int at;

    if (n > 1)
        return err_set(err, "this weight is one row: weight takes no more than a place in it");
    if (n == 1 && !whole(arg, n_all, "the place in this weight", &at, err))
        return false;
    if (n == 1)
        expr_number(out, (double) x[at]);
    else
        give(out, x, n_all);
    return true;
}

static bool of_matrix(const struct matrix *w, const struct expr_value *arg, int n,
                      struct expr_value *out, struct err *err)
{
    int row, col = 0;

    if (n < 1)
        return err_set(err, "this weight has %d rows: weight takes the number of one",
                       w->n_out);
    if (!whole(arg, w->n_out, "the row of this weight", &row, err) ||
        (n > 1 && !whole(arg + 1, w->n_in, "the column of this weight", &col, err)))
        return false;
    float *x = xcalloc((size_t) w->n_in, sizeof *x);
    matrix_row(w, row, x);
    if (n > 1)
        expr_number(out, (double) x[col]);
    else
        give(out, x, w->n_in);
    free(x);
    return true;
}

bool expr_weight(const struct session *s, const struct expr_value *arg, int n,
                 struct expr_value *out, struct err *err)
{
    const struct hparams *hp = &s->program->hp;
    enum weight_role role = W_TOK_EMBD;
    int layer = -1, used = 1;

    if (arg->kind != EXPR_TEXT)
        return err_set(err, "weight takes a name in quotes, like \"q\" or \"tok_embd\"");
    if (!find_role(s, arg->text, &role, err))
        return false;
    if (!roles[role].global) {
        if (n < 2)
            return err_set(err, "'%s' is in each layer: weight(\"%s\", layer, ...)", arg->text,
                           arg->text);
        if (!whole(&arg[used++], hp->n_layer, "the layer", &layer, err))
            return false;
    }
    if (roles[role].vector) {
        const float *x = model_vector(s->model, role, layer);
        return x ? of_vector(x, role_dim(hp, roles[role].rows), arg + used, n - used, out, err)
                 : err_set(err, "this model's file has no weight '%s'", arg->text);
    }
    const struct matrix *w = model_matrix(s->model, role, layer);
    return w ? of_matrix(w, arg + used, n - used, out, err)
             : err_set(err, "this model's file has no weight '%s'", arg->text);
}
