/* The forward pass as a listing: program counter, breakpoints, what each op makes; the op under
 * the cursor is explained below. */
#include "view/ops.h"
#include "view/views.h"

#include <stdio.h>
#include <string.h>

/* Rows: the list, then a line and the explanation where there is room. */
struct fit {
    int list, first, detail; /* rows of each; first op of the list */
};

static int detail_lines(const struct op *op, int w)
{
    struct rect none = {0, 0, w, 0};

    return 3 + draw_paragraph(NULL, none, 0, 0, STYLE_TEXT, op_info(op->code)->help);
}

static struct fit program_fit(const struct session *s, const struct screen *st, struct rect r)
{
    const struct program *p = s->program;
    int at = screen_op(s, st);
    struct fit f = {.list = r.h};

    f.detail = detail_lines(&p->op[at], r.w);
    if (r.h < f.detail + 6 || r.w < 20)
        f.detail = 0;
    f.list -= f.detail;
    f.first = scroll_around(at, p->n_steps, f.list);
    return f;
}

static void draw_row(const struct session *s, struct canvas *c, struct rect r, int y, int i)
{
    const struct op *op = &s->program->op[i];
    const struct value *v = &s->program->value[op->out[0]];
    enum style style = ops_style(s, i, i + 1);
    char shape[48];
    int x = r.x;

    x += canvas_text(c, r, x, y, STYLE_ERROR, ops_break_mark(s, i));
    x += canvas_printf(c, r, x, y, style, "%s%3d ", ops_style_mark(style), i);
    if (op->layer >= 0)
        canvas_printf(c, r, x, y, STYLE_BUS, "L%-2d", op->layer);
    x += 4;
    x += canvas_printf(c, r, x, y, style, "%-10s", op->label);
    if (r.w >= 50)
        x += canvas_printf(c, r, x, y, STYLE_TEXT, " %-18s", v->name + v->suffix);
    if (s->ids.n > 0)
        canvas_text(c, r, x + 1, y, STYLE_DIM, ops_shape(s, i, shape, sizeof shape));
    if (r.w >= 90)
        canvas_text(c, r, x + 16, y, STYLE_DIM, op_info(op->code)->formula);
}

static void draw_detail(const struct session *s, struct canvas *c, struct rect r, int y, int i)
{
    const struct op *op = &s->program->op[i];
    struct str text = STR_INIT;

    for (int x = r.x; x < r.x + r.w; x++)
        canvas_text(c, r, x, y, STYLE_FRAME, "─");
    str_addf(&text, "%s = ", value_short_name(&s->program->value[op->out[0]]));
    run_call_print(s->run, i, &text);
    canvas_fit(c, r, r.x, y + 1, r.w, canvas_look(c, STYLE_TITLE), text.text);
    canvas_fit(c, r, r.x, y + 2, r.w, canvas_look(c, STYLE_TEXT), op_info(op->code)->formula);
    draw_paragraph(c, r, r.x, y + 3, STYLE_DIM, op_info(op->code)->help);
    str_release(&text);
}

void program_draw(const struct session *s, const struct screen *st, struct canvas *c,
                  struct rect r)
{
    struct fit f = program_fit(s, st, r);
    bool focused = !strcmp(screen_focused(st)->name, "program");
    int at = screen_op(s, st);

    for (int i = f.first; i < s->program->n_steps && i - f.first < f.list; i++)
        draw_row(s, c, r, r.y + i - f.first, i);
    if (focused && at >= f.first && at - f.first < f.list)
        ops_paint_cursor(c, r, r.y + at - f.first);
    if (f.detail > 0)
        draw_detail(s, c, r, r.y + f.list, at);
}

void program_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                 struct rect r, int x, int y, struct hit *h)
{
    struct fit f = program_fit(s, st, r);
    int op = f.first + y - r.y;

    h->wheel = "op";
    (void) c;
    if (y < r.y || y - r.y >= f.list || op >= s->program->n_steps)
        return;
    snprintf(h->line, sizeof h->line, x == r.x ? "op %d; break here" : "op %d", op);
    ops_tip(s, op, h->tip, sizeof h->tip);
}
