#include "view/ops.h"

#include "engine/program.h"

#include <stdio.h>

int ops_done(const struct session *s)
{
    if (run_in_pass(s->run))
        return run_pc(s->run);
    return session_done(s) ? s->program->n_steps : 0;
}

int screen_op(const struct session *s, const struct screen *st)
{
    const struct program *p = s->program;

    if (st->op >= 0)
        return st->op < p->n_steps ? st->op : p->n_steps - 1;
    if (session_done(s))
        return p->block_begin[s->at.layer];
    return ops_done(s) < p->n_steps ? ops_done(s) : p->n_steps - 1;
}

enum style ops_style(const struct session *s, int op, int end)
{
    int done = ops_done(s);

    if (done >= end)
        return STYLE_DONE;
    return done >= op && s->ids.n > 0 ? STYLE_CURRENT : STYLE_TODO;
}

const char *ops_style_mark(enum style style)
{
    return style == STYLE_DONE ? "✓" : style == STYLE_CURRENT ? "▶" : " ";
}

const char *ops_break_mark(const struct session *s, int op)
{
    enum break_mark mark = breaks_mark(s, op);

    return mark == BREAK_SURE ? "●" : mark == BREAK_MAYBE ? "○" : " ";
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

/* Keys there are for the last of them. */
static int pass_keys(const struct session *s)
{
    if (run_in_pass(s->run))
        return run_n_past(s->run) + run_n_new(s->run);
    return session_pending(s) == 0 ? s->ids.n : run_n_past(s->run) + pass_rows(s);
}

char *ops_shape(const struct session *s, int op, char *out, size_t size)
{
    const struct op *o = &s->program->op[op];
    const struct value *v = &s->program->value[o->out[0]];
    int rows = o->last_row ? 1 : pass_rows(s), at = 0;

    out[0] = 0;
    for (int i = 0; i < v->n_axis && at < (int) size; i++) {
        int n =
            program_axis(s->program, v->axis[i], v->axis[i] == AXIS_KEY ? pass_keys(s) : rows);
        at += snprintf(out + at, size - (size_t) at, "%s%d", i ? "×" : "", n);
    }
    return out;
}

void ops_tip(const struct session *s, int op, char *out, size_t size)
{
    const struct op *o = &s->program->op[op];
    struct str text = STR_INIT;

    op_name(s->program, op, &text);
    str_addf(&text, "  %s = ", value_short_name(&s->program->value[o->out[0]]));
    run_call_print(s->run, op, &text);
    str_addf(&text, "  %s", op_info(o->code)->formula);
    snprintf(out, size, "%s", text.text);
    str_release(&text);
}

void ops_paint_cursor(struct canvas *c, struct rect r, int y)
{
    canvas_paint(c, (struct rect){r.x, y, r.w, 1}, canvas_look(c, STYLE_CURSOR));
}
