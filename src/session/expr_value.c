/* What names in expressions stand for. */
#include "session/expr_parts.h"

#include "base/mem.h"
#include "engine/select.h"
#include "session/sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void expr_number(struct expr_value *out, double x)
{
    *out = (struct expr_value){.kind = EXPR_NUMBER, .x = x};
}

bool expr_constant(const struct session *s, const char *name, double *x)
{
    const struct hparams *hp = &s->program->hp;
    const struct {
        const char *name;
        double x;
    } all[] = {
        {"n", s->ids.n},
        {"last", s->ids.n - 1},
        {"d_model", hp->d_model},
        {"d_head", hp->d_head},
        {"d_mlp", hp->d_mlp},
        {"n_head", hp->n_head},
        {"n_layer", hp->n_layer},
        {"n_vocab", hp->n_vocab},
        {"n_ctx", run_n_ctx(s->run)},
        {"n_kv_head", hp->n_kv_head},
        {"norm_eps", (double) hp->norm_eps},
        {"rope_theta", hp->rope_dim > 0 ? (double) hp->rope_theta : NAN},
        {"pi", 3.14159265358979323846},
        {"inf", INFINITY},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, name)) {
            *x = all[i].x;
            return true;
        }
    return false;
}

static bool one_value(const struct session *s, const char *name, struct selected *one,
                      struct err *err)
{
    struct selection sel;

    if (!selection_parse(&sel, s->program, name, err))
        return false;
    bool ok = sel.n == 1 ||
              err_set(err, "'%s' is %d values; an expression takes one at a time", name, sel.n);
    *one = sel.item[0];
    selection_release(&sel);
    return ok;
}

/* The part of the value that is left when indices are given, and how many numbers it has. */
static bool place(const struct session *s, const char *name, const struct selected *one,
                  const long *index, int n_index, struct region *g, size_t *count,
                  struct err *err)
{
    const struct value *v = &s->program->value[one->value];
    int shape[3], head = one->head >= 0 ? value_head_axis(s->program, one->value) : -1, at = 0;
    int n_axis = run_shape(s->run, one->value, shape);

    *count = 1;
    for (int i = 0; i < n_axis; i++) {
        bool given = i == head || at < n_index;
        long x = i == head ? one->head : given ? index[at++] : 0;
        if (given && (x < 0 || x >= shape[i]))
            return err_set(err, "%s has %s 0 to %d, not %ld", name, axis_name(v->axis[i]),
                           shape[i] - 1, x);
        g->first[i] = given ? (int) x : 0;
        g->count[i] = given ? 1 : shape[i];
        *count *= (size_t) g->count[i];
    }
    if (at < n_index)
        return err_set(err, "%s takes %d indices, not %d", name, at, n_index);
    return *count <= EXPR_ROW_MOST ||
           err_set(err, "%s has %zu numbers there; give more indices", name, *count);
}

/* The ids are there before anything is computed. */
static bool read_tokens(const struct session *s, const long *index, int n_index,
                        struct expr_value *out, struct err *err)
{
    if (n_index > 1)
        return err_set(err, "tokens takes 1 indices, not %d", n_index);
    if (n_index == 1 && (index[0] < 0 || index[0] >= s->ids.n))
        return err_set(err, "tokens has pos 0 to %d, not %ld", s->ids.n - 1, index[0]);
    if (n_index == 1) {
        expr_number(out, s->ids.id[index[0]]);
        return true;
    }
    *out = (struct expr_value){.kind = EXPR_ROW, .n = (size_t) s->ids.n};
    out->row = xcalloc(out->n + 1, sizeof *out->row);
    for (size_t i = 0; i < out->n; i++)
        out->row[i] = s->ids.id[i];
    return true;
}

bool expr_read(const struct session *s, const char *name, const long *index, int n_index,
               struct expr_value *out, struct err *err)
{
    struct region g = {{0, 0, 0}, {1, 1, 1}};
    struct selected one;
    size_t n;

    if (!one_value(s, name, &one, err))
        return false;
    if (s->program->value[one.value].life == LIFE_TOKENS)
        return read_tokens(s, index, n_index, out, err);
    if (run_ready(s->run, one.value) == 0)
        return err_set(err, "%s is not computed yet; step or run first",
                       s->program->value[one.value].name);
    if (!place(s, name, &one, index, n_index, &g, &n, err))
        return false;
    float *x = xcalloc(n, sizeof *x);
    bool ok = run_read(s->run, one.value, &g, x, err);
    if (ok && n == 1) {
        expr_number(out, (double) x[0]);
    } else if (ok) {
        *out = (struct expr_value){.kind = EXPR_ROW, .n = n};
        out->row = xcalloc(n, sizeof *out->row);
        for (size_t i = 0; i < n; i++)
            out->row[i] = (double) x[i];
    }
    free(x);
    return ok;
}
