#include "change.h"

#include <string.h>

static bool is_square(const struct ref_value *v)
{
    return strstr(v->name, ".attn.scores") || strstr(v->name, ".attn.pattern");
}

bool change_inside(const struct region *g, const int cell[3])
{
    for (int i = 0; i < 3; i++) {
        if (cell[i] < g->first[i] || (g->count[i] >= 0 && cell[i] >= g->first[i] + g->count[i]))
            return false;
    }
    return true;
}

/* Of a square, keys after the query stay as they are: what is hidden cannot be shown. */
static void change_cells(struct ref_value *v, const struct change *c, int from)
{
    int shape[3] = {1, 1, 1}, cell[3];
    const double *data = c->data;
    double *x = v->data;
    for (int i = 0; i < v->n_axis; i++)
        shape[i] = v->shape[i];
    for (cell[0] = 0; cell[0] < shape[0]; cell[0]++)
        for (cell[1] = 0; cell[1] < shape[1]; cell[1]++)
            for (cell[2] = 0; cell[2] < shape[2]; cell[2]++, x++) {
                if (!change_inside(&c->region, cell))
                    continue;
                double set = data ? *data++ : c->factor;
                if (cell[is_square(v)] < from || (is_square(v) && cell[2] > cell[1]))
                    continue;
                if (c->kind == PATCH_ZERO)
                    *x = 0;
                else if (c->kind == PATCH_SCALE)
                    *x *= c->factor;
                else if (c->kind == PATCH_ADD)
                    *x += data ? c->factor * set : c->factor;
                else
                    *x = set;
            }
}

void change_value(struct ref *r, struct ref_value *v, void *user)
{
    const struct changes *list = user;
    (void) r;
    for (int i = 0; i < list->n; i++) {
        if (strcmp(v->name, list->item[i].name) == 0)
            change_cells(v, &list->item[i], list->from);
    }
}
