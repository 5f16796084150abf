/* The architecture as a column of ops, drawn from the program; the block at work is unfolded.
 */
#include "view/views.h"

#include <stdio.h>
#include <string.h>

/* A line: an op, or a whole block folded up. */
struct line {
    int op;    /* first op */
    int layer; /* the block of a folded line; -1: one op */
};

enum { MOST_LINES = 256 };

struct map {
    struct line line[MOST_LINES];
    int n, current;
};

static int open_layer(const struct session *s)
{
    int pc = run_pc(s->run);

    if (run_in_pass(s->run) && pc < s->program->n_steps && s->program->op[pc].layer >= 0)
        return s->program->op[pc].layer;
    return s->at.layer;
}

static void add_line(struct map *m, int op, int layer)
{
    if (m->n < MOST_LINES)
        m->line[m->n++] = (struct line){op, layer};
}

static void list_lines(struct map *m, const struct session *s)
{
    const struct program *p = s->program;
    int open = open_layer(s), n_layer = p->hp.n_layer;

    m->n = 0;
    for (int i = 0; i < p->block_begin[0]; i++)
        add_line(m, i, -1);
    for (int layer = 0; layer < n_layer; layer++) {
        add_line(m, p->block_begin[layer], layer);
        for (int i = p->block_begin[layer]; layer == open && i < p->block_begin[layer + 1]; i++)
            add_line(m, i, -1);
    }
    for (int i = p->block_begin[n_layer]; i < p->n_steps; i++)
        add_line(m, i, -1);
}

/* Ops done, in the pass there is or the one that comes next. */
static int done_ops(const struct session *s)
{
    if (run_in_pass(s->run))
        return run_pc(s->run);
    return session_done(s) ? s->program->n_steps : 0;
}

static int line_end(const struct session *s, const struct line *l)
{
    return l->layer >= 0 ? s->program->block_begin[l->layer + 1] : l->op + 1;
}

static enum style line_style(const struct session *s, const struct line *l)
{
    int done = done_ops(s);

    if (done >= line_end(s, l))
        return STYLE_DONE;
    return done >= l->op && s->ids.n > 0 ? STYLE_CURRENT : STYLE_TODO;
}

/* Positions that the pass there is, or the next one, works on. */
static int pass_rows(const struct session *s)
{
    int pending = session_pending(s), chunk = run_chunk(s->run);

    if (run_in_pass(s->run))
        return run_n_new(s->run);
    if (pending == 0)
        return s->ids.n;
    return pending < chunk ? pending : chunk;
}

static void op_shape(const struct session *s, const struct op *op, char *out, size_t size)
{
    const struct value *v = &s->program->value[op->out[0]];
    int rows = op->last_row ? 1 : pass_rows(s), at = 0;

    out[0] = 0;
    for (int i = 0; i < v->n_axis && at < (int) size; i++)
        at += snprintf(
            out + at, size - (size_t) at, "%s%d", i ? "×" : "",
            program_axis(s->program, v->axis[i], v->axis[i] == AXIS_KEY ? s->ids.n : rows));
}

static void draw_block(const struct session *s, struct canvas *c, struct rect r, int y,
                       const struct line *l, enum style style)
{
    bool open = l->layer == open_layer(s);

    canvas_text(c, r, r.x, y, STYLE_BUS, "┃");
    int x = r.x + 2;
    x += canvas_printf(c, r, x, y, l->layer == s->at.layer ? STYLE_SELECTED : style, "L%d",
                       l->layer);
    if (!open && r.w >= 20)
        canvas_text(c, r, x + 1, y, STYLE_DIM, "attn + mlp");
}

static void draw_op(const struct session *s, struct canvas *c, struct rect r, int y,
                    const struct line *l, enum style style)
{
    const struct op *op = &s->program->op[l->op];
    bool residual = op->code == OP_ADD || op->code == OP_EMBED || op->code == OP_POS_EMBED;
    int x = r.x + (op->layer >= 0 ? 4 : 2), end = r.x + r.w - 2;
    char shape[48];

    canvas_text(c, r, r.x, y, STYLE_BUS, residual ? "┣━" : "┃");
    x += canvas_text(c, r, x, y, style, op->label);
    op_shape(s, op, shape, sizeof shape);
    int width = 0;
    for (const char *p = shape; *p; p++)
        width += ((unsigned char) *p & 0xc0) != 0x80;
    if (s->ids.n > 0 && x + 1 + width <= end)
        canvas_text(c, r, end - width, y, STYLE_DIM, shape);
}

void map_draw(const struct session *s, const struct screen *st, struct canvas *c, struct rect r)
{
    static const char *const mark[] = {
        [STYLE_DONE] = "✓", [STYLE_CURRENT] = "▶", [STYLE_TODO] = " "};
    struct map m;
    int current = 0;

    list_lines(&m, s);
    for (int i = 0; i < m.n; i++)
        if (m.line[i].layer < 0 && m.line[i].op == done_ops(s))
            current = i;
    for (int i = 0; i < m.n && current == 0 && session_done(s); i++)
        if (m.line[i].layer == s->at.layer)
            current = i + r.h / 2 - 1; /* nothing is at work: show the cursor's block */
    int first = scroll_around(current, m.n, r.h) + st->scroll[view_find("map")];
    first = first > m.n - r.h ? m.n - r.h : first;
    first = first < 0 ? 0 : first;
    for (int i = first; i < m.n && i - first < r.h; i++) {
        const struct line *l = &m.line[i];
        enum style style = line_style(s, l);
        int y = r.y + i - first;
        if (l->layer >= 0)
            draw_block(s, c, r, y, l, style);
        else
            draw_op(s, c, r, y, l, style);
        canvas_text(c, r, r.x + r.w - 1, y, style, mark[style]);
    }
}

/* --- the same as a listing --- */

void program_draw(const struct session *s, const struct screen *st, struct canvas *c,
                  struct rect r)
{
    const struct program *p = s->program;
    int done = done_ops(s), first = scroll_around(done, p->n_steps, r.h);

    first += st->scroll[view_find("program")];
    first = first > p->n_steps - r.h ? p->n_steps - r.h : first;
    first = first < 0 ? 0 : first;
    for (int i = first; i < p->n_steps && i - first < r.h; i++) {
        const struct op *op = &p->op[i];
        const struct value *v = &p->value[op->out[0]];
        struct line l = {i, -1};
        enum style style = line_style(s, &l);
        int x = r.x, y = r.y + i - first;
        char shape[48];
        x += canvas_printf(c, r, x, y, style, "%s%3d ", i == done ? "▶" : " ", i);
        if (op->layer >= 0)
            x += canvas_printf(c, r, x, y, STYLE_BUS, "L%-2d ", op->layer);
        else
            x += 4;
        x += canvas_printf(c, r, x, y, style, "%-10s", op->label);
        if (r.w >= 50)
            x += canvas_printf(c, r, x, y, STYLE_TEXT, " %-18s", v->name + v->suffix);
        op_shape(s, op, shape, sizeof shape);
        canvas_printf(c, r, x + 1, y, STYLE_DIM, "%s", shape);
        if (r.w >= 90)
            canvas_printf(c, r, x + 16, y, STYLE_DIM, "%s", op_info(op->code)->formula);
    }
}
