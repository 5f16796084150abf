#include "command/dump_slice.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 99999999L

/* A number of at most eight digits at *at; moves past it. */
static bool take_number(const char **at, int *v)
{
    char *end;
    long n;

    if (!isdigit((unsigned char) **at))
        return false;
    n = strtol(*at, &end, 10);
    if (n > NUMBER_MAX || n < 0)
        n = NUMBER_MAX;
    *at = end;
    *v = (int) n;
    return true;
}

static bool no_list(const char *text, const char *what, struct err *err)
{
    return err_set(err, "'%s' is no list of %s; lists are like 0-3,5", text, what);
}

static bool none_such(const char *what, int v, int n, struct err *err)
{
    return err_set(err, "there is no %.*s %d; the model has %s 0 to %d", (int) strlen(what) - 1,
                   what, v, what, n - 1);
}

/* "0-3,5" of `n` `what` ("layers") into in[n]; in NULL: only whether it is a list. */
static bool parse_list(const char *text, const char *what, bool *in, int n, struct err *err)
{
    const char *at = text;
    int first, last;

    do {
        if (!take_number(&at, &first))
            return no_list(text, what, err);
        last = first;
        if (*at == '-' && (at++, !take_number(&at, &last)))
            return no_list(text, what, err);
        if (last < first || (*at && *at != ','))
            return no_list(text, what, err);
        if (in && last >= n)
            return none_such(what, first >= n ? first : last, n, err);
        for (int i = first; in && i <= last; i++)
            in[i] = true;
    } while (*at++ == ',');
    return true;
}

/* Positions as typed: [first, last]; last -1: to the end; first -1: the last `last` ones. */
static bool parse_positions(const char *text, int *first, int *last, struct err *err)
{
    const char *at = text;
    bool ok;

    if (!strncmp(text, "last", 4)) {
        at += 4;
        *first = -1;
        *last = 1;
        ok = *at == '\0' || (take_number(&at, last) && *last > 0);
    } else {
        ok = take_number(&at, first);
        *last = *first;
        if (ok && *at == '-') {
            at++;
            *last = -1;
            ok = *at == '\0' || (take_number(&at, last) && *last >= *first);
        }
    }
    return (ok && *at == '\0') ||
           err_set(err, "'%s' says no positions; they are like 4, 4-9, 4-, last or last5",
                   text);
}

bool dump_slice_check(const struct dump_slice *slice, struct err *err)
{
    int first, last;

    return (!slice->layers || parse_list(slice->layers, "layers", NULL, 0, err)) &&
           (!slice->heads || parse_list(slice->heads, "heads", NULL, 0, err)) &&
           (!slice->positions || parse_positions(slice->positions, &first, &last, err));
}

static bool take_positions(struct dump_part *p, const char *text, int n, struct err *err)
{
    int first, last;

    if (!parse_positions(text, &first, &last, err))
        return false;
    if (first < 0) {
        first = last < n ? n - last : 0;
        last = n - 1;
    }
    if (last < 0)
        last = n - 1;
    if (first >= n || last >= n)
        return err_set(err, "there is no position %d; the prompt has positions 0 to %d",
                       first >= n ? first : last, n - 1);
    p->some = true;
    p->first = first;
    p->count = last - first + 1;
    return true;
}

bool dump_part_init(struct dump_part *p, const struct hparams *hp,
                    const struct dump_slice *slice, int n_pos, struct err *err)
{
    int group = hp->n_head / hp->n_kv_head;

    *p = (struct dump_part){.hp = hp, .count = n_pos};
    if (slice->layers) {
        p->layer = xcalloc((size_t) hp->n_layer, sizeof *p->layer);
        if (!parse_list(slice->layers, "layers", p->layer, hp->n_layer, err))
            return false;
    }
    if (slice->heads) {
        p->head = xcalloc((size_t) hp->n_head, sizeof *p->head);
        p->kv_head = xcalloc((size_t) hp->n_kv_head, sizeof *p->kv_head);
        if (!parse_list(slice->heads, "heads", p->head, hp->n_head, err))
            return false;
        for (int h = 0; h < hp->n_head; h++)
            if (p->head[h])
                p->kv_head[h / group] = true;
    }
    return !slice->positions || take_positions(p, slice->positions, n_pos, err);
}

void dump_part_release(struct dump_part *p)
{
    free(p->layer);
    free(p->head);
    free(p->kv_head);
    *p = (struct dump_part){0};
}

/* The heads that are wanted of a value with this axis; NULL: all, or it has none. */
static const bool *heads_of(const struct dump_part *p, enum axis axis, int *n)
{
    if (axis == AXIS_HEAD) {
        *n = p->hp->n_head;
        return p->head;
    }
    *n = p->hp->n_kv_head;
    return axis == AXIS_KV_HEAD ? p->kv_head : NULL;
}

/* What comes into the first block is made before it, but has the block's name. */
static int layer_of(const struct value *v)
{
    int layer;

    return v->layer < 0 && sscanf(v->name, "blocks.%5d.", &layer) == 1 ? layer : v->layer;
}

static bool wanted(const struct dump_part *p, const struct value *v, int head)
{
    const bool *heads;
    int n, layer = layer_of(v);

    if (p->layer && layer >= 0 && !p->layer[layer])
        return false;
    for (int i = 0; head >= 0 && i < v->n_axis; i++)
        if ((heads = heads_of(p, v->axis[i], &n)) && !heads[head])
            return false;
    return true;
}

bool dump_part_select(const struct dump_part *p, const struct program *program,
                      const struct selection *sel, struct selection *out, struct err *err)
{
    *out = (struct selection){0};
    for (int i = 0; i < sel->n; i++) {
        const struct selected *item = &sel->item[i];
        if (!wanted(p, &program->value[item->value], item->head))
            continue;
        VEC_ROOM(out->item, out->n, out->cap);
        out->item[out->n++] = *item;
    }
    if (out->n > 0)
        return true;
    return err_set(err, "nothing of what is selected is in these %s",
                   p->layer && p->head ? "layers and heads"
                   : p->layer          ? "layers"
                                       : "heads");
}

/* The heads from the first to the last that is wanted; those between that are not are left out
 * as the array is read. */
static void narrow_heads(struct dump_array *a, int axis, int shape_axis, const bool *heads,
                         int n)
{
    int first = 0, last = n - 1, count = 0;

    while (!heads[first])
        first++;
    while (!heads[last])
        last--;
    for (int h = first; h <= last; h++)
        count += heads[h];
    a->region.first[axis] = first;
    a->region.count[axis] = last - first + 1;
    a->shape[shape_axis] = count;
    if (count < last - first + 1) {
        a->keep = heads + first;
        a->keep_axis = axis;
    }
}

bool dump_part_narrow(const struct dump_part *p, struct dump_array *a, const struct value *v,
                      struct err *err)
{
    int at = 0, n; /* at: the axis in the file, where a single head's is missing */

    for (int i = 0; i < v->n_axis; i++) {
        bool lost = at >= a->n_axis || a->axis[at] != v->axis[i];
        const bool *heads = heads_of(p, v->axis[i], &n);
        if (!lost && heads)
            narrow_heads(a, i, at, heads, n);
        if (v->axis[i] == AXIS_POS && p->some) {
            if (p->first + p->count > a->region.count[i])
                return err_set(err, "%s is not computed at position %d yet: run first", v->name,
                               p->first + p->count - 1);
            a->region.first[i] = p->first;
            a->region.count[i] = a->shape[at] = p->count;
        }
        at += !lost;
    }
    return true;
}

static json_t *list_json(const bool *in, int n)
{
    json_t *list = in ? json_array() : json_null();

    for (int i = 0; in && i < n; i++)
        if (in[i])
            json_array_append_new(list, json_integer(i));
    return list;
}

json_t *dump_part_json(const struct dump_part *p)
{
    json_t *positions =
        p->some ? json_pack("{s:i, s:i}", "first", p->first, "count", p->count) : json_null();

    return json_pack("{s:o, s:o, s:o}", "layers", list_json(p->layer, p->hp->n_layer), "heads",
                     list_json(p->head, p->hp->n_head), "positions", positions);
}
