/* Breakpoints: the list of them, and whether one stops here. */
#include "session/breaks.h"

#include "base/mem.h"
#include "session/lens.h"
#include "session/session.h"
#include "tensor/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the list --- */

static bool same(const struct breakpoint *a, const struct breakpoint *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case BREAK_OP:
        return a->op == b->op;
    case BREAK_LABEL:
        return !strcmp(a->label, b->label);
    case BREAK_ENTROPY:
        return a->layer == b->layer && a->head == b->head && a->above == b->above &&
               !(a->limit < b->limit) && !(a->limit > b->limit);
    case BREAK_HEAD:
        return a->layer == b->layer && a->head == b->head;
    case BREAK_TOKEN:
        return a->token == b->token;
    case BREAK_TOP:
        break;
    }
    return true;
}

struct breakpoint *breaks_find(struct session *s, int id)
{
    for (int i = 0; i < s->breaks.n; i++)
        if (s->breaks.item[i].id == id)
            return &s->breaks.item[i];
    return NULL;
}

struct breakpoint *breaks_same(struct session *s, const struct breakpoint *b)
{
    for (int i = 0; i < s->breaks.n; i++)
        if (same(&s->breaks.item[i], b))
            return &s->breaks.item[i];
    return NULL;
}

int breaks_add(struct session *s, const struct breakpoint *b)
{
    struct breaks *all = &s->breaks;
    struct breakpoint *old = breaks_same(s, b);

    if (old) {
        old->off = false;
        return old->id;
    }
    VEC_ROOM(all->item, all->n, all->cap);
    all->item[all->n] = *b;
    all->item[all->n].id = ++all->last_id;
    return all->item[all->n++].id;
}

void breaks_remove(struct session *s, int id)
{
    struct breaks *all = &s->breaks;
    int n = 0;

    for (int i = 0; i < all->n; i++)
        if (id >= 0 && all->item[i].id != id)
            all->item[n++] = all->item[i];
    all->n = n;
    all->hit[0] = '\0';
}

void breaks_release(struct breaks *b)
{
    free(b->item);
    lens_free(b->lens);
    memset(b, 0, sizeof *b);
}

static void place_print(int layer, int head, struct str *out)
{
    if (layer >= 0)
        str_addf(out, "L%d%s", layer, head >= 0 ? "." : "");
    if (head >= 0)
        str_addf(out, "H%d", head);
}

void break_print(const struct session *s, const struct breakpoint *b, struct str *out)
{
    char label[64];

    switch (b->kind) {
    case BREAK_OP:
        op_name(s->program, b->op, out);
        break;
    case BREAK_LABEL:
        str_adds(out, b->label);
        break;
    case BREAK_HEAD:
        place_print(b->layer, b->head, out);
        break;
    case BREAK_ENTROPY:
        str_adds(out, "entropy ");
        place_print(b->layer, b->head, out);
        str_addf(out, "%s%c %g", b->layer >= 0 || b->head >= 0 ? " " : "", b->above ? '>' : '<',
                 b->limit);
        break;
    case BREAK_TOP:
        str_adds(out, "top");
        break;
    case BREAK_TOKEN:
        str_addf(out, "token %s", tokenizer_label(s->tokenizer, b->token, label, sizeof label));
        break;
    }
}

/* --- places --- */

/* The block that has just ended when op comes next, or -1. */
static int block_before(const struct program *p, int op)
{
    for (int layer = 0; layer < p->hp.n_layer; layer++)
        if (p->block_begin[layer + 1] == op)
            return layer;
    return -1;
}

/* Could it stop before op, whatever the numbers are? */
static bool place_fits(const struct session *s, const struct breakpoint *b, int op)
{
    const struct program *p = s->program;

    if (b->off || op >= p->n_steps)
        return false;
    switch (b->kind) {
    case BREAK_OP:
        return op == b->op;
    case BREAK_LABEL:
        return p->op[op].layer >= 0 && op_is(p, op, b->label);
    case BREAK_HEAD:
    case BREAK_ENTROPY:
        return p->op[op].code == OP_MIX && (b->layer < 0 || b->layer == p->op[op].layer);
    case BREAK_TOP:
        return block_before(p, op) >= 0;
    case BREAK_TOKEN:
        return op == 0;
    }
    return false;
}

static bool is_sure(const struct breakpoint *b)
{
    return b->kind == BREAK_OP || b->kind == BREAK_LABEL || b->kind == BREAK_HEAD;
}

enum break_mark breaks_mark(const struct session *s, int op)
{
    enum break_mark mark = BREAK_NONE;

    for (int i = 0; i < s->breaks.n && mark != BREAK_SURE; i++)
        if (place_fits(s, &s->breaks.item[i], op))
            mark = is_sure(&s->breaks.item[i]) ? BREAK_SURE : BREAK_MAYBE;
    return mark;
}

struct breakpoint *breaks_before(struct session *s, int op)
{
    for (int i = 0; i < s->breaks.n; i++)
        if (is_sure(&s->breaks.item[i]) && place_fits(s, &s->breaks.item[i], op))
            return &s->breaks.item[i];
    return NULL;
}

bool breaks_inside(const struct session *s, int layer)
{
    int after, first = program_attention(s->program, layer, &after);

    for (int i = 0; i < s->breaks.n; i++)
        for (int op = first + 1; op < after; op++)
            if (place_fits(s, &s->breaks.item[i], op))
                return true;
    return false;
}

bool breaks_on_token(const struct session *s, int id)
{
    for (int i = 0; i < s->breaks.n; i++) {
        const struct breakpoint *b = &s->breaks.item[i];
        if (!b->off && b->kind == BREAK_TOKEN && b->token == id)
            return true;
    }
    return false;
}

/* --- conditions --- */

static int last_position(const struct session *s)
{
    return run_n_past(s->run) + run_n_new(s->run) - 1;
}

/* The first head (b's own, or any) whose weights fit; -1: none. */
static int entropy_head(const struct session *s, const struct breakpoint *b, int layer,
                        double *nats)
{
    int query = last_position(s), n = query + 1, n_head = s->program->hp.n_head, found = -1;
    int value = session_stage_value(s, layer, STAGE_PATTERN);
    int first = b->head >= 0 ? b->head : 0, heads = b->head >= 0 ? 1 : n_head;
    struct region row = {{first, query, 0}, {heads, 1, n}};
    struct err err = ERR_INIT;
    float *p = xcalloc((size_t) heads * (size_t) n, sizeof *p);

    bool ok = run_read(s->run, value, &row, p, &err);
    for (int h = 0; ok && found < 0 && h < heads; h++) {
        *nats = entropy(p + (size_t) h * (size_t) n, (size_t) n);
        if (b->above ? *nats > b->limit : *nats < b->limit)
            found = first + h;
    }
    free(p);
    return found;
}

/* The lens' top token at the pass's last position after this block (-1: of the embedding); -1
 * when there is none. */
static int lens_top(const struct lens *l, int layer, int pos)
{
    struct lens_cell cell;

    return lens_cell(l, 2 * (layer + 1), pos, &cell) ? cell.top[0].id : -1;
}

static bool top_changed(struct session *s, int layer, struct str *out)
{
    struct err err = ERR_INIT;
    char label[64];
    int pos = last_position(s), before, now;

    if (!s->breaks.lens)
        s->breaks.lens = lens_new();
    lens_look(s->breaks.lens, s);
    while (lens_work(s->breaks.lens, pos, 1, true, &err))
        ;
    before = lens_top(s->breaks.lens, layer - 1, pos);
    now = lens_top(s->breaks.lens, layer, pos);
    if (now == before)
        return false;
    str_addf(out, " was %s", tokenizer_label(s->tokenizer, before, label, sizeof label));
    str_addf(out, ", is %s after L%d", tokenizer_label(s->tokenizer, now, label, sizeof label),
             layer);
    return true;
}

static bool holds_token(const struct session *s, int id, int *at)
{
    for (*at = run_n_past(s->run); *at <= last_position(s); ++*at)
        if (s->ids.id[*at] == id)
            return true;
    return false;
}

static void select_head(struct session *s, int layer, int head)
{
    s->at.layer = layer;
    if (head >= 0)
        s->at.head = head;
    s->at.query = last_position(s);
    session_clamp(s);
}

/* Adds what was found to out; false when the condition does not hold. */
static bool condition_holds(struct session *s, const struct breakpoint *b, int op,
                            struct str *out)
{
    int layer = s->program->op[op].layer, head, at;
    double nats;

    switch (b->kind) {
    case BREAK_OP:
        return true;
    case BREAK_LABEL:
        str_adds(out, " at ");
        op_name(s->program, op, out);
        return true;
    case BREAK_HEAD:
        select_head(s, layer, b->head);
        str_addf(out, ", after L%d.softmax", layer);
        return true;
    case BREAK_ENTROPY:
        if ((head = entropy_head(s, b, layer, &nats)) < 0)
            return false;
        select_head(s, layer, head);
        str_addf(out, ": L%d.H%d has %.4f nats", layer, head, nats);
        return true;
    case BREAK_TOP:
        return top_changed(s, block_before(s->program, op), out);
    case BREAK_TOKEN:
        if (!holds_token(s, b->token, &at))
            return false;
        str_addf(out, " at position %d", at);
        return true;
    }
    return false;
}

bool breaks_stop(struct session *s)
{
    int op = run_pc(s->run);
    bool stop = false;

    for (int i = 0; i < s->breaks.n && !stop; i++) {
        const struct breakpoint *b = &s->breaks.item[i];
        struct str text = STR_INIT;
        if (!place_fits(s, b, op))
            continue;
        str_addf(&text, "breakpoint %d: ", b->id);
        break_print(s, b, &text);
        stop = condition_holds(s, b, op, &text);
        if (stop)
            snprintf(s->breaks.hit, sizeof s->breaks.hit, "%s", text.text);
        str_release(&text);
    }
    return stop;
}
