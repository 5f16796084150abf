/* What the workings of all ops share: lines, names, numbers, rows read, tables of terms. */
#include "session/worked_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *worked_number(char out[WORKED_NUMBER], double x)
{
    double size = fabs(x);
    const char *fmt = size >= 1e5 || !isfinite(x) ? "%.4g"
                      : size >= 1000              ? "%.1f"
                      : size >= 100               ? "%.2f"
                      : size >= 10                ? "%.3f"
                      : size >= 0.1               ? "%.4f"
                                                  : "%.4g";

    snprintf(out, WORKED_NUMBER, fmt, x);
    return out;
}

char *worked_operand(char out[WORKED_NUMBER], double x)
{
    char text[WORKED_NUMBER - 2];

    worked_number(out, x);
    if (out[0] == '-') {
        snprintf(text, sizeof text, "%.*s", (int) sizeof text - 1, out);
        snprintf(out, WORKED_NUMBER, "(%s)", text);
    }
    return out;
}

void work_say(struct working *k, bool detail, const char *fmt, ...)
{
    struct worked *w = k->w;
    struct str text = STR_INIT;
    va_list ap;

    va_start(ap, fmt);
    str_vaddf(&text, fmt, ap);
    va_end(ap);
    VEC_ROOM(w->line, w->n_lines, w->cap_lines);
    w->line[w->n_lines++] = (struct worked_line){str_steal(&text), detail};
}

void work_fact(struct working *k, const char *name, double x)
{
    struct worked *w = k->w;

    VEC_ROOM(w->fact, w->n_facts, w->cap_facts);
    w->fact[w->n_facts++] = (struct worked_fact){name, x};
}

/* --- names --- */

/* "attn.q" without the "attn.". */
static const char *part_name(const struct value *v)
{
    const char *name = v->name + v->suffix;

    return strncmp(name, "attn.", 5) == 0 ? name + 5 : name;
}

char *work_name(const struct working *k, int value, char out[WORK_NAME])
{
    const struct value *v = &k->p->value[value];

    if (v->suffix > 0)
        snprintf(out, WORK_NAME, "L%d.%s", v->layer, part_name(v));
    else
        snprintf(out, WORK_NAME, "%s", v->name);
    return out;
}

char *work_label(const struct working *k, int id, char out[WORK_LABEL])
{
    out[0] = 0;
    if (k->s->tokenizer)
        tokenizer_label(k->s->tokenizer, id, out, WORK_LABEL);
    return out;
}

void worked_place(const struct session *s, int value, const int cell[3], struct str *out)
{
    const struct value *v = &s->program->value[value];
    bool stage = program_is_stage(s->program, value);
    char label[64];

    if (v->n_axis == 3) /* a head has a name inside a block only: not cache.1.k */
        v = &s->program->value[program_resolve(s->program, value)];
    if (v->suffix > 0)
        str_addf(out, "L%d.", v->layer);
    if (v->n_axis == 3)
        str_addf(out, "H%d.", cell[stage ? 0 : 1]);
    str_adds(out, v->suffix > 0 ? part_name(v) : v->name);
    str_addf(out, " %d", cell[stage ? 1 : 0]);
    if (v->n_axis == 1 || v->axis[v->n_axis - 1] == AXIS_ONE)
        return;
    int last = cell[v->n_axis - 1];
    if (v->axis[v->n_axis - 1] == AXIS_VOCAB && s->tokenizer)
        str_addf(out, ",%s", tokenizer_label(s->tokenizer, last, label, sizeof label));
    else
        str_addf(out, ",%d", last);
}

void work_next(struct working *k, int value, int at)
{
    int n_axis = k->p->value[value].n_axis;

    k->w->next = value;
    k->w->next_cell[0] = k->pos;
    k->w->next_cell[1] = n_axis == 3 ? k->head : at;
    k->w->next_cell[2] = n_axis == 3 ? at : 0;
}

int work_kv_head(const struct working *k, int head)
{
    return head / (k->p->hp.n_head / k->p->hp.n_kv_head);
}

/* --- reading --- */

float *work_row(struct working *k, int value, int pos, int head, int *n)
{
    const struct value *v = &k->p->value[value];
    struct region g = {{pos, head, 0}, {1, 1, 1}};

    if (v->n_axis < 3)
        g.first[1] = 0;
    *n = program_axis(k->p, v->axis[v->n_axis - 1], 0);
    g.count[v->n_axis - 1] = *n;
    float *x = xmalloc((size_t) *n * sizeof *x);
    if (run_read(k->s->run, value, &g, x, k->err))
        return x;
    free(x);
    return NULL;
}

float *work_stage_row(struct working *k, int value, int n)
{
    struct region g = {{k->head, k->pos, 0}, {1, 1, n}};
    float *x = xmalloc((size_t) n * sizeof *x);

    if (run_ready(k->s->run, value) > k->pos && run_read(k->s->run, value, &g, x, k->err))
        return x;
    free(x);
    return NULL;
}

bool work_one(struct working *k, int value, int pos, int head, int at, double *x)
{
    const struct value *v = &k->p->value[value];
    struct region g = {{pos, at, 0}, {1, 1, 1}};
    float y;

    if (v->n_axis == 3)
        g = (struct region){{pos, head, at}, {1, 1, 1}};
    if (program_is_stage(k->p, value))
        g = (struct region){{head, pos, at}, {1, 1, 1}};
    if (!run_read(k->s->run, value, &g, &y, k->err))
        return false;
    *x = (double) y;
    return true;
}

/* --- tables --- */

struct worked_table *work_table(struct working *k, int n)
{
    struct worked_table *t = &k->w->table[k->w->n_tables++];

    t->axis = AXIS_ONE;
    t->from = -1;
    t->join[0] = "×";
    t->join[1] = "=";
    t->term = xcalloc((size_t) n, sizeof *t->term);
    t->n = t->n_all = n;
    t->is_signed = true;
    return t;
}

void work_from(struct worked_table *t, const struct working *k, int value, int head)
{
    bool stage = program_is_stage(k->p, value);

    t->from = value;
    t->from_cell[0] = stage ? head : k->pos;
    t->from_cell[1] = stage ? k->pos : k->p->value[value].n_axis == 3 ? head : 0;
}

bool worked_origin(const struct session *s, const struct worked_table *t, int term, int *value,
                   int cell[3])
{
    if (t->from < 0 || term < 0 || term >= t->n)
        return false;
    const struct value *v = &s->program->value[t->from];
    int index = t->term[term].index, last = v->n_axis - 1;
    int n = program_axis(s->program, v->axis[last], s->ids.n);
    *value = t->from;
    memcpy(cell, t->from_cell, sizeof t->from_cell);
    cell[last] = index % n;
    if (index >= n)
        cell[1] = index / n;
    return true;
}

static int by_size(const void *a, const void *b)
{
    const struct worked_term *x = a, *y = b;
    double p = fabs(x->product), q = fabs(y->product);

    if (p != q)
        return p > q ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void work_table_done(struct worked_table *t)
{
    t->part = xmalloc((size_t) (t->n > 0 ? t->n : 1) * sizeof *t->part);
    t->n_part = t->n;
    for (int i = 0; i < t->n; i++) {
        t->part[i] = (float) t->term[i].product;
        t->sum += t->term[i].product;
    }
    qsort(t->term, (size_t) t->n, sizeof *t->term, by_size);
}

struct worked_table *work_products(struct working *k, const float *a, const float *b, int n,
                                   const char *name_a, const char *name_b)
{
    struct worked_table *t = work_table(k, n);

    t->axis = AXIS_D_MODEL;
    t->col[0] = name_a;
    t->col[1] = name_b;
    t->col[2] = "product";
    for (int i = 0; i < n; i++) {
        t->term[i] = (struct worked_term){i, a[i], b[i], (double) a[i] * (double) b[i]};
        k->w->size += fabs(t->term[i].product);
    }
    work_table_done(t);
    return t;
}
