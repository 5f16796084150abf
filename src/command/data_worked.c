/* One element worked out: its lines as text, every operand of them as a number. */
#include "command/data.h"

#include "session/sheet.h"
#include "view/cache.h"
#include "view/view.h"

#include <string.h>

/* {"value", "layer", "head", "cell": {"pos": 8, "d_head": 17}}: as the axes are called. */
static json_t *element(const struct session *s, int value, const int cell[3])
{
    const struct value *v = &s->program->value[value];
    int head = value_head_axis(s->program, value);
    bool stage = program_is_stage(s->program, value);
    json_t *at = json_object();

    for (int i = 0; i < v->n_axis; i++)
        if (i != head && v->axis[i] != AXIS_ONE)
            json_object_set_new(
                at, stage && v->axis[i] == AXIS_POS ? "query" : axis_name(v->axis[i]),
                json_integer(cell[i]));
    return data_join(data_value_name(s->program, value, head < 0 ? -1 : cell[head]),
                     json_pack("{s:o}", "cell", at));
}

/* A line without its tones. */
static json_t *line_text(const char *text)
{
    struct str plain = STR_INIT;

    for (; *text; text++)
        if (!strchr(WORKED_STRONG WORKED_DIM WORKED_PLAIN, *text))
            str_addc(&plain, *text);
    json_t *j = result_text(plain.text, plain.len);
    str_release(&plain);
    return j;
}

static json_t *term(const struct session *s, const struct worked_table *t, int i)
{
    const struct worked_term *x = &t->term[i];
    int value, cell[3];
    json_t *o =
        json_pack("{s:i, s:o, s:o, s:o}", "index", x->index, "a", result_number((double) x->a),
                  "b", result_number((double) x->b), "product", result_number(x->product));

    if (t->axis == AXIS_KEY)
        json_object_set_new(o, "token", result_token(s, s->ids.id[x->index]));
    else if (t->axis == AXIS_VOCAB)
        json_object_set_new(o, "token", result_token(s, x->index));
    if (worked_origin(s, t, i, &value, cell))
        json_object_set_new(o, "from", element(s, value, cell));
    return o;
}

static json_t *table(const struct session *s, const struct worked_table *t)
{
    json_t *terms = json_array(), *columns = json_array();

    for (int i = 0; i < t->n; i++)
        json_array_append_new(terms, term(s, t, i));
    for (int i = 0; i < 3 && t->col[i]; i++)
        json_array_append_new(columns, json_string(t->col[i]));
    return json_pack("{s:s, s:s, s:o, s:i, s:o, s:o, s:o}", "title", t->title, "axis",
                     t->axis == AXIS_KEY     ? "key"
                     : t->axis == AXIS_VOCAB ? "vocab"
                                             : "channel",
                     "columns", columns, "n", t->n_all, "sum", result_number(t->sum + t->rest),
                     "rest", result_number(t->rest), "terms", terms);
}

json_t *data_worked(const struct session *s, const struct worked *w)
{
    json_t *numbers = json_object(), *lines = json_array(), *tables = json_array();
    struct str place = STR_INIT;

    for (int i = 0; i < w->n_facts; i++)
        json_object_set_new(numbers, w->fact[i].name, result_number(w->fact[i].x));
    for (int i = 0; i < w->n_lines; i++)
        json_array_append_new(lines, line_text(w->line[i].text));
    for (int i = 0; i < w->n_tables; i++)
        if (w->table[i].n > 0)
            json_array_append_new(tables, table(s, &w->table[i]));
    worked_place(s, w->value, w->cell, &place);
    json_t *o =
        json_pack("{s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "place",
                  result_text(place.text, place.len), "result", result_number(w->result),
                  "actual", result_number(w->actual), "replaced", w->replaced, "differs",
                  w->differs, "numbers", numbers, "tables", tables, "lines", lines, "largest",
                  w->next < 0 ? json_null() : element(s, w->next, w->next_cell));
    str_release(&place);
    return data_join(element(s, w->value, w->cell), o);
}

json_t *data_subject(struct command_env *env, struct err *err)
{
    const struct worked *w = cache_worked(env->screen->cache, env->session, err);

    return w ? data_worked(env->session, w) : NULL;
}
