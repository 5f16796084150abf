/* value, column: what the tensor view shows, and where in it. */
#include "command/commands.h"

#include "command/data.h"
#include "command/place.h"
#include "view/view.h"
#include "view/views.h"

#include <stdlib.h>
#include <string.h>

/* What is explained goes with the cursor. */
static void explain_here(struct session *s, const struct sheet *t)
{
    s->subject = (struct subject){.kind = SUBJECT_VALUE, .value = t->value};
    if (t->row_axis >= 0)
        s->subject.cell[t->row_axis] = sheet_row(t, s);
    if (t->col_axis >= 0)
        s->subject.cell[t->col_axis] = sheet_col(t, s);
    if (t->head_axis >= 0)
        s->subject.cell[t->head_axis] = t->head;
}

static void cell_print(const struct session *s, const struct sheet *t, struct str *out)
{
    struct err err = ERR_INIT;
    float v;

    str_adds(out, s->program->value[t->value].name);
    if (t->head_axis >= 0)
        str_addf(out, "  %s %d", axis_name(s->program->value[t->value].axis[t->head_axis]),
                 t->head);
    if (t->rows < 1 || t->cols < 1)
        str_adds(out, "  not computed yet");
    else if (sheet_read(t, s, sheet_row(t, s), 1, sheet_col(t, s), 1, &v, &err))
        str_addf(out, "  [%d, %d] = %.9g", sheet_row(t, s), sheet_col(t, s), (double) v);
    str_addc(out, '\n');
}

static bool finish(struct command_env *env)
{
    struct session *s = env->session;
    struct sheet t;

    sheet_init(&t, s, tensor_value(s, env->screen), -1);
    if (t.rows > 0 && t.cols > 0)
        explain_here(s, &t);
    if (result_wanted(env))
        return result_put(env, data_cell(s, t.value));
    if (!env->live)
        cell_print(s, &t, env->out);
    return true;
}

/* `by` values on in the order of the program, other names of a value left out; stops at the
 * ends. */
static int value_after(const struct program *p, int value, long by)
{
    int step = by < 0 ? -1 : 1, at = program_resolve(p, value);

    for (int next = at + step; by != 0 && next >= 0 && next < p->n_values; next += step) {
        if (p->value[next].same_as >= 0)
            continue;
        at = next;
        by -= step;
    }
    return at;
}

bool cmd_value(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    struct screen *st = env->screen;
    struct selection sel;

    if (!arg[0].given)
        return finish(env);
    char *end;
    long by = strtol(arg[0].text, &end, 10);
    if (strchr("+-", arg[0].text[0]) && end != arg[0].text && !*end) {
        st->value = value_after(s->program, tensor_value(s, st), by);
    } else if (!strcmp(arg[0].text, "last")) {
        st->value = -1;
    } else {
        if (!values_parse(s, arg[0].text, &sel, err))
            return false;
        st->value = sel.item[0].value;
        selection_release(&sel);
    }
    return finish(env);
}

bool cmd_column(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    struct sheet t;

    sheet_init(&t, s, tensor_value(s, env->screen), -1);
    int at = sheet_col(&t, s);
    if (arg[0].given && !move_to(&at, t.cols > 0 ? t.cols : 1, &arg[0], "column", err))
        return false;
    if (arg[0].given)
        *sheet_col_cursor(&t, s) = at;
    return finish(env);
}
