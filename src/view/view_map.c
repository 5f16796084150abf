/* The architecture as a column of ops, drawn from the program. The heavy bar is the residual
 * stream: what reads it has an arrow that leaves, what adds to it one that comes in. One block
 * is unfolded: the cursor's. */
#include "view/ops.h"
#include "view/views.h"

#include "base/utf8.h"
#include "session/game.h"

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
    int n, first; /* first: drawn at the top */
    int open;     /* the block that is unfolded */
    int cursor;   /* line of the op under the cursor */
};

static int op_layer(const struct session *s, int op)
{
    return s->program->op[op].layer;
}

/* The cursor's block, or at the ends of the program the selected one. */
static int open_layer(const struct session *s, const struct screen *st)
{
    int layer = op_layer(s, screen_op(s, st));

    return layer >= 0 ? layer : s->at.layer;
}

static void add_line(struct map *m, int op, int layer, int cursor)
{
    if (m->n == MOST_LINES)
        return;
    if (layer < 0 && op == cursor)
        m->cursor = m->n;
    m->line[m->n++] = (struct line){op, layer};
}

static void map_fit(struct map *m, const struct session *s, const struct screen *st, int h)
{
    const struct program *p = s->program;
    int n_layer = p->hp.n_layer, at = screen_op(s, st), middle;

    m->n = m->cursor = 0;
    m->open = open_layer(s, st);
    for (int i = 0; i < p->block_begin[0]; i++)
        add_line(m, i, -1, at);
    for (int layer = 0; layer < n_layer; layer++) {
        add_line(m, p->block_begin[layer], layer, at);
        for (int i = p->block_begin[layer]; layer == m->open && i < p->block_begin[layer + 1];
             i++)
            add_line(m, i, -1, at);
    }
    for (int i = p->block_begin[n_layer]; i < p->n_steps; i++)
        add_line(m, i, -1, at);
    middle = m->cursor;
    if (st->op < 0 && session_done(s))
        middle += h / 2 - 1; /* nothing is at work: from the selected block's begin on */
    m->first = scroll_around(middle, m->n, h);
}

static int line_end(const struct session *s, const struct line *l)
{
    return l->layer >= 0 ? s->program->block_begin[l->layer + 1] : l->op + 1;
}

/* --- the residual stream --- */

static bool in_stream(const struct program *p, int value)
{
    const struct value *v = &p->value[value];
    int begin = program_value(p, 0, "resid_pre");

    return !strncmp(v->name + v->suffix, "resid_", 6) ||
           (begin >= 0 && program_resolve(p, begin) == value);
}

/* What the op has to do with the stream, drawn at the left: it lets it begin, adds to it, reads
 * it, ends it, or runs beside it. */
static const char *stream_glyph(const struct program *p, int op)
{
    const struct op *o = &p->op[op];
    int begin = program_value(p, 0, "resid_pre");
    int first = begin < 0 ? 0 : p->value[program_resolve(p, begin)].op;
    bool reads = false;

    if (op < first)
        return " ";
    for (int i = 0; i < o->n_in; i++)
        reads = reads || in_stream(p, o->in[i]);
    if (in_stream(p, o->out[0]))
        return op == first ? "┏←" : "┣←";
    if (reads)
        return o->layer < 0 ? "┗→" : "┠→";
    return o->layer < 0 ? " " : "┃";
}

/* --- lines --- */

static void draw_block(const struct session *s, struct canvas *c, struct rect r, int y,
                       const struct line *l, const struct map *m, enum style style)
{
    int x = r.x + 2;

    canvas_text(c, r, r.x, y, STYLE_BUS, "┃");
    x += canvas_printf(c, r, x, y, l->layer == s->at.layer ? STYLE_SELECTED : style, "L%d",
                       l->layer);
    if (l->layer != m->open && r.w >= 20)
        canvas_text(c, r, x + 1, y, STYLE_DIM, "attn + mlp");
}

static void draw_op(const struct session *s, struct canvas *c, struct rect r, int y, int op,
                    enum style style)
{
    const struct op *o = &s->program->op[op];
    int x = r.x + (o->layer >= 0 ? 4 : 3), end = r.x + r.w - 3;
    char shape[48];

    canvas_text(c, r, r.x, y, STYLE_BUS, stream_glyph(s->program, op));
    x += canvas_text(c, r, x, y, style, o->label);
    ops_shape(s, op, shape, sizeof shape);
    int width = utf8_width(shape, strlen(shape));
    if (s->ids.n > 0 && x + 1 + width <= end)
        canvas_text(c, r, end - width, y, STYLE_DIM, shape);
}

/* The marks at the right: breakpoint, and done or at work. A folded block shows its ops'. */
static void draw_marks(const struct session *s, struct canvas *c, struct rect r, int y,
                       const struct line *l, bool folded, enum style style)
{
    const char *mark = " ";

    for (int i = l->op; i < (folded || l->layer < 0 ? line_end(s, l) : l->op); i++)
        if (*mark == ' ' || breaks_mark(s, i) == BREAK_SURE)
            mark = ops_break_mark(s, i);
    canvas_text(c, r, r.x + r.w - 2, y, STYLE_ERROR, mark);
    canvas_text(c, r, r.x + r.w - 1, y, style, ops_style_mark(style));
}

/* --- while the ordering game is played: the column that grows --- */

static bool is_played(const struct session *s, const struct screen *st)
{
    return game_is_on(s->game) && st->panel[SLOT_MAIN] == view_find("game");
}

static void draw_column(const struct game *g, struct canvas *c, struct rect r)
{
    int n = g->n_placed + !game_is_over(g), first = n > r.h ? n - r.h : 0;

    for (int i = first; i < n; i++) {
        int y = r.y + i - first, x = r.x + 4;
        if (i == g->n_placed) {
            canvas_text(c, r, x, y, STYLE_CURRENT, "?");
            canvas_text(c, r, r.x + r.w - 1, y, STYLE_CURRENT, ops_style_mark(STYLE_CURRENT));
            break;
        }
        const struct op *o = &g->program->op[g->column[i]];
        canvas_text(c, r, r.x, y, STYLE_BUS, stream_glyph(g->program, g->column[i]));
        canvas_text(c, r, x - (o->layer < 0), y, STYLE_DONE, o->label);
        canvas_text(c, r, r.x + r.w - 1, y, STYLE_DONE, ops_style_mark(STYLE_DONE));
    }
}

void map_draw(const struct session *s, const struct screen *st, struct canvas *c, struct rect r)
{
    struct map m;
    bool focused = !strcmp(screen_focused(st)->name, "map");

    if (is_played(s, st)) {
        draw_column(s->game, c, r);
        return;
    }

    map_fit(&m, s, st, r.h);
    for (int i = m.first; i < m.n && i - m.first < r.h; i++) {
        const struct line *l = &m.line[i];
        enum style style = ops_style(s, l->op, line_end(s, l));
        int y = r.y + i - m.first;
        if (l->layer >= 0)
            draw_block(s, c, r, y, l, &m, style);
        else
            draw_op(s, c, r, y, l->op, style);
        draw_marks(s, c, r, y, l, l->layer != m.open, style);
        if (focused && i == m.cursor)
            ops_paint_cursor(c, (struct rect){r.x + 2, r.y, r.w - 2, r.h}, y);
    }
}

void map_hit(const struct session *s, const struct screen *st, const struct canvas *c,
             struct rect r, int x, int y, struct hit *h)
{
    struct map m;

    (void) c;
    (void) x;
    if (is_played(s, st))
        return;
    h->wheel = "op";
    map_fit(&m, s, st, r.h);
    int i = m.first + y - r.y;
    if (y < r.y || y >= r.y + r.h || i >= m.n)
        return;
    if (m.line[i].layer >= 0) {
        snprintf(h->line, sizeof h->line, "layer %d", m.line[i].layer);
        snprintf(h->tip, sizeof h->tip,
                 "block %d: attention, then MLP, each added to the stream", m.line[i].layer);
        return;
    }
    snprintf(h->line, sizeof h->line, "op %d", m.line[i].op);
    ops_tip(s, m.line[i].op, h->tip, sizeof h->tip);
}
