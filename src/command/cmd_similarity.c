/* similarity: positions of a value compared with each other. nearest: tokens by their
 * embedding. */
#include "command/commands.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "command/place.h"
#include "command/result.h"
#include "session/sheet.h"
#include "session/similarity.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_CELLS = 14, NUMBER_CELLS = 6, TABLE_ROWS = 24, LIST_N = 10 };

/* --- which value --- */

static bool value_of(const struct session *s, const char *text, struct selected *out,
                     struct err *err)
{
    struct selection sel;

    if (!values_parse(s, text, &sel, err))
        return false;
    *out = sel.item[0];
    int n = sel.n;
    selection_release(&sel);
    return n == 1 || err_set(err,
                             "'%s' is more than one value; the positions of one are "
                             "compared at a time",
                             text);
}

static void title(const struct session *s, const struct similarity *sim, struct str *out)
{
    const struct value *v = &s->program->value[sim->value];

    str_addf(out, "cosine of %s", v->name);
    if (sim->head >= 0)
        str_addf(out, " %s %d", axis_name(v->axis[value_head_axis(s->program, sim->value)]),
                 sim->head);
    str_addf(out, ", %d numbers a position\n", sim->width);
}

static void cosine_print(double x, int cells, int decimals, struct str *out)
{
    if (isnan(x))
        str_addf(out, "%*s", cells, "-");
    else
        str_addf(out, "%*.*f", cells, decimals, x);
}

static json_t *sim_json(const struct session *s, const struct similarity *sim)
{
    return json_pack("{s:s, s:o, s:i}", "value", s->program->value[sim->value].name, "head",
                     sim->head >= 0 ? json_integer(sim->head) : json_null(), "width",
                     sim->width);
}

/* --- all with all --- */

/* n of `total` so that the cursor's position is among them. */
static int window(const struct session *s, int n, int total)
{
    int first = s->at.query - n + 1;

    if (first > total - n)
        first = total - n;
    return first < 0 ? 0 : first;
}

static void columns_print(const struct session *s, int first, int n, struct str *out)
{
    char label[64];
    int used;

    str_addf(out, "%*s", LABEL_CELLS, "");
    for (int i = 0; i < n; i++)
        str_addf(out, "%*d", NUMBER_CELLS, first + i);
    str_addf(out, "\n%*s", LABEL_CELLS, "");
    for (int i = 0; i < n; i++) {
        tokenizer_label(s->tokenizer, s->ids.id[first + i], label, sizeof label);
        size_t len = utf8_fit(label, strlen(label), NUMBER_CELLS - 1, &used);
        str_addf(out, "%*s%.*s", NUMBER_CELLS - used, "", (int) len, label);
    }
    str_addc(out, '\n');
}

/* What fits, around the cursor's position. */
static bool table_print(struct command_env *env, const struct similarity *sim, struct err *err)
{
    const struct session *s = env->session;
    int fit = (env->width - LABEL_CELLS) / NUMBER_CELLS;
    int cols = fit < 1 ? 1 : fit < sim->n ? fit : sim->n;
    int rows = TABLE_ROWS < sim->n ? TABLE_ROWS : sim->n;
    int col = window(s, cols, sim->n), row = window(s, rows, sim->n);
    float *x = xcalloc((size_t) rows * (size_t) cols, sizeof *x);
    bool ok = similarity_read(sim, s, row, rows, col, cols, x, err);

    if (ok) {
        title(s, sim, env->out);
        columns_print(s, col, cols, env->out);
    }
    for (int i = 0; ok && i < rows; i++) {
        struct str name = STR_INIT;
        position_print(s, row + i, &name);
        pad_print(name.text, LABEL_CELLS, env->out);
        str_release(&name);
        for (int j = 0; j < cols; j++)
            cosine_print((double) x[i * cols + j], NUMBER_CELLS, 2, env->out);
        str_addc(env->out, '\n');
    }
    if (ok && (rows < sim->n || cols < sim->n))
        str_addf(env->out, "positions %d to %d by %d to %d, of %d\n", row, row + rows - 1, col,
                 col + cols - 1, sim->n);
    free(x);
    return ok;
}

/* All of it, a row at a time. */
static bool table_put(struct command_env *env, const struct similarity *sim, struct err *err)
{
    enum { ROWS = 64 };
    const struct session *s = env->session;
    float *x = xcalloc(ROWS * (size_t) sim->n, sizeof *x);
    json_t *rows = json_array(), *positions = json_array(), *o = sim_json(s, sim);
    bool ok = true;

    for (int i = 0; i < sim->n; i++)
        json_array_append_new(positions, position_json(s, i));
    for (int i = 0; ok && i < sim->n; i += ROWS) {
        int n = sim->n - i < ROWS ? sim->n - i : ROWS;
        ok = similarity_read(sim, s, i, n, 0, sim->n, x, err);
        for (int j = 0; ok && j < n; j++)
            json_array_append_new(
                rows, result_floats(x + (size_t) j * (size_t) sim->n, (size_t) sim->n));
    }
    free(x);
    json_object_set_new(o, "positions", positions);
    json_object_set_new(o, "cosine", rows);
    if (ok)
        return result_put(env, o);
    json_decref(o);
    return false;
}

/* --- one position --- */

static int by_cosine(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;

    if (isnan(x->cosine) || isnan(y->cosine))
        return isnan(x->cosine) - isnan(y->cosine);
    if (x->cosine != y->cosine)
        return x->cosine < y->cosine ? 1 : -1;
    return x->id - y->id;
}

static void row_print(struct command_env *env, const struct similarity *sim, int pos, int n,
                      const struct neighbour *list)
{
    const struct session *s = env->session;

    title(s, sim, env->out);
    str_adds(env->out, "nearest to position ");
    position_print(s, pos, env->out);
    str_addc(env->out, '\n');
    for (int i = 0; i < n && i < sim->n - 1; i++) {
        struct str name = STR_INIT;
        position_print(s, list[i].id, &name);
        pad_print(name.text, 24, env->out);
        str_release(&name);
        cosine_print(list[i].cosine, 8, 4, env->out);
        str_addc(env->out, '\n');
    }
    if (sim->n == 1)
        str_adds(env->out, "there is no other position\n");
    else if (n < sim->n - 1)
        str_addf(env->out, "%d more positions\n", sim->n - 1 - n);
}

/* Sorted, itself left out. */
static bool one_row(struct command_env *env, const struct similarity *sim, int pos, int n,
                    struct err *err)
{
    const struct session *s = env->session;
    struct neighbour *list = xcalloc((size_t) sim->n, sizeof *list);
    float *x = xcalloc((size_t) sim->n, sizeof *x);
    int used = 0;
    bool ok = similarity_read(sim, s, pos, 1, 0, sim->n, x, err);

    for (int i = 0; ok && i < sim->n; i++)
        if (i != pos)
            list[used++] = (struct neighbour){i, (double) x[i]};
    qsort(list, (size_t) used, sizeof *list, by_cosine);
    if (ok && result_wanted(env)) {
        json_t *rows = json_array(), *o = sim_json(s, sim);
        for (int i = 0; i < used; i++) {
            json_t *one = position_json(s, list[i].id);
            json_object_set_new(one, "cosine", result_number(list[i].cosine));
            json_array_append_new(rows, one);
        }
        json_object_set_new(o, "position", position_json(s, pos));
        json_object_set_new(o, "nearest", rows);
        result_put(env, o);
    } else if (ok) {
        row_print(env, sim, pos, n, list);
    }
    free(list);
    free(x);
    return ok;
}

/* A number in place of the value is a position of the stream. */
bool cmd_similarity(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    bool shift =
        arg[0].given && (isdigit((unsigned char) arg[0].text[0]) ||
                         !strcmp(arg[0].text, "first") || !strcmp(arg[0].text, "last"));
    const struct arg *at = shift ? &arg[0] : &arg[1];
    struct selected sel;
    struct similarity sim;
    int pos, n;

    if (shift && arg[1].given)
        return err_set(err, "name the value before the position, as in 'similarity resid_post "
                            "3'");
    if (!count_of(&arg[2], LIST_N, &n, err) ||
        !value_of(s, shift || !arg[0].given ? "resid_post" : arg[0].text, &sel, err) ||
        !similarity_init(&sim, s, sel.value, sel.head, err))
        return false;
    if (!at->given)
        return result_wanted(env) ? table_put(env, &sim, err) : table_print(env, &sim, err);
    if (!position_of(s, at, "similarity", &pos, err))
        return false;
    if (pos >= sim.n)
        return err_set(err, "%s is not computed at position %d yet; run first",
                       s->program->value[sim.value].name, pos);
    return one_row(env, &sim, pos, n, err);
}

/* --- tokens --- */

static bool nearest_token(const struct session *s, const struct arg *arg, int *id,
                          struct err *err)
{
    int n = s->program->hp.n_vocab;

    if (!arg->given && s->ids.n == 0)
        return err_set(err, "there are no tokens yet; name one, as in 'nearest \" ball\"'");
    *id = arg->given ? (int) arg->i : s->ids.id[s->at.query];
    if (*id >= 0 && *id < n)
        return true;
    return err_set(err, "there is no token %s; ids go from 0 to %d", arg->text, n - 1);
}

bool cmd_nearest(struct command_env *env, const struct arg *arg, struct err *err)
{
    enum { EMBED, UNEMBED };
    const struct session *s = env->session;
    bool unembed = arg[2].given && arg[2].i == UNEMBED;
    int id = -1, n;

    if (!nearest_token(s, &arg[0], &id, err) || !count_of(&arg[1], LIST_N, &n, err))
        return false;
    n = n < s->program->hp.n_vocab ? n : s->program->hp.n_vocab;
    struct neighbour *list = xcalloc((size_t) n, sizeof *list);
    int used = similarity_nearest(s, unembed ? W_LM_HEAD : W_TOK_EMBD, id, list, n, err);
    if (used >= 0 && result_wanted(env)) {
        json_t *rows = json_array();
        for (int i = 0; i < used; i++) {
            json_t *one = result_token(s, list[i].id);
            json_object_set_new(one, "cosine", result_number(list[i].cosine));
            json_array_append_new(rows, one);
        }
        result_put(env, json_pack("{s:o, s:s, s:o}", "token", result_token(s, id), "rows",
                                  unembed ? "unembed" : "embed", "nearest", rows));
    } else if (used >= 0) {
        str_addf(env->out, "nearest to ");
        token_print(s, id, env->out);
        str_addf(env->out, " in the %s, by cosine\n", unembed ? "unembedding" : "embedding");
        for (int i = 0; i < used; i++) {
            struct str name = STR_INIT;
            token_print(s, list[i].id, &name);
            pad_print(name.text, 24, env->out);
            str_release(&name);
            str_addf(env->out, "%8.4f\n", list[i].cosine);
        }
    }
    free(list);
    return used >= 0;
}
