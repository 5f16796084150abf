/* lens: the logit lens as a table, of every point after a position, or of every position at a
 * point. */
#include "command/commands.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "command/result.h"
#include "session/lens.h"
#include "session/reading.h"
#include "view/cache.h"
#include "view/view.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 3, NAME_CELLS = 10, NUMBER_CELLS = 27, TOKEN_CELLS = 7, TOKEN_ALL = 14 };

/* Cells of the lens to be printed: one point or one position, or both. */
struct asked {
    int point, n_points; /* from, how many */
    int pos, n_pos;
    bool by_point; /* a point was named: a row a position */
    int n;         /* tokens of each */
};

static bool where_of(const struct session *s, const struct arg *arg, struct asked *k,
                     struct err *err)
{
    const char *text = arg->given ? arg->text : "";
    bool point = !strcmp(text, "embed") ||
                 (*text && strchr("Ll", *text) && isdigit((unsigned char) text[1]));

    *k = (struct asked){.n_points = 2 * s->program->hp.n_layer + 1, .n_pos = 1};
    if (*text && !point && !isdigit((unsigned char) *text) && !strchr("+-", *text) &&
        strcmp(text, "first") && strcmp(text, "last"))
        return err_set(err,
                       "'%s' is neither a position (a number, first, last) nor a point like "
                       "embed, L0.attn or L0.mlp",
                       text);
    if (!*text || !point)
        return position_of(s, arg, "lens", &k->pos, err);
    if (s->ids.n == 0)
        return err_set(err, "there are no tokens yet; give a prompt first");
    k->by_point = true;
    k->n_points = 1;
    k->n_pos = s->ids.n;
    return point_parse(s, arg, &k->point, err);
}

/* --- more tokens than the lens keeps --- */

static int by_logit(const void *a, const void *b)
{
    const struct lens_token *x = a, *y = b;

    if (x->prob != y->prob)
        return x->prob < y->prob ? 1 : -1;
    return x->id - y->id;
}

/* The n likeliest, [n_vocab] of room; sorting them all takes less time than the logits. */
static bool sort_tokens(const struct lens *l, const struct session *s, int point, int pos,
                        struct lens_token *out, struct err *err)
{
    int n = s->program->hp.n_vocab;
    float *logit = xcalloc((size_t) n, sizeof *logit);
    bool ok = lens_logits(l, point, pos, logit, err);
    double most = -INFINITY, z = 0;

    for (int i = 0; ok && i < n; i++)
        most = fmax(most, (double) logit[i]);
    for (int i = 0; ok && i < n; i++)
        z += exp((double) logit[i] - most);
    for (int i = 0; ok && i < n; i++)
        out[i] = (struct lens_token){i, (float) (exp((double) logit[i] - most) / z)};
    if (ok)
        qsort(out, (size_t) n, sizeof *out, by_logit);
    free(logit);
    return ok;
}

/* One cell with its k->n tokens, or as many as there are. */
struct seen {
    struct lens_cell cell;
    const struct lens_token *top;
    int n;
};

static bool see(const struct lens *l, const struct session *s, const struct asked *k, int point,
                int pos, struct seen *seen, struct lens_token *room, struct err *err)
{
    if (!lens_cell(l, point, pos, &seen->cell))
        return err_set(err, "position %d is not computed yet; run first", pos);
    seen->top = seen->cell.top;
    seen->n = k->n;
    if (k->n > LENS_TOP) {
        seen->top = room;
        if (!sort_tokens(l, s, point, pos, room, err))
            return false;
    }
    while (seen->n > 0 && seen->top[seen->n - 1].id < 0)
        seen->n--;
    return true;
}

/* --- text --- */

/* Something after the stream is changed, which the lens does not look at. */
static bool final_changed(const struct session *s)
{
    const struct program *p = s->program;

    for (int i = 0; i < s->n_ablations; i++)
        if (s->ablation[i].value == program_find(p, "ln_final.out") ||
            s->ablation[i].value == program_find(p, "logits"))
            return true;
    return false;
}

static void heading(const struct session *s, const struct asked *k, struct str *out)
{
    char name[32];

    str_addf(out, "logit lens %s ", k->by_point ? "at" : "after");
    if (k->by_point)
        str_adds(out, point_name(k->point, name, sizeof name));
    else
        position_print(s, k->pos, out);
    if (!k->by_point && k->pos + 1 < s->ids.n) {
        str_adds(out, "; next comes ");
        position_print(s, k->pos + 1, out);
    }
    if (final_changed(s))
        str_adds(out, "\nwhat is changed in ln_final.out or in the logits is left out");
    str_addf(out, "\n%-*s p next  rank     KL  entr. tokens\n", NAME_CELLS,
             k->by_point ? "after" : "point");
}

static void numbers(const struct lens_cell *c, struct str *out)
{
    if (c->rank_next > 0)
        str_addf(out, "%7.4f %5d", exp(-(double) c->surprisal), c->rank_next);
    else
        str_addf(out, "%7s %5s", "-", "-");
    if (isnan(c->kl))
        str_addf(out, " %6s", "-");
    else
        str_addf(out, " %6.3f", (double) c->kl);
    str_addf(out, " %6.3f", (double) c->entropy);
}

/* As many tokens a line as fit. */
static void tokens(const struct command_env *env, const struct seen *seen)
{
    int fit = (env->width - NAME_CELLS - NUMBER_CELLS) / TOKEN_ALL;
    char label[64];

    fit = fit < 1 ? 1 : fit;
    for (int i = 0; i < seen->n; i++) {
        if (i > 0 && i % fit == 0)
            str_addf(env->out, "\n%*s", NAME_CELLS + NUMBER_CELLS, "");
        str_addc(env->out, ' ');
        pad_print(
            tokenizer_label(env->session->tokenizer, seen->top[i].id, label, sizeof label),
            TOKEN_CELLS, env->out);
        str_addf(env->out, " %.3f", (double) seen->top[i].prob);
    }
    str_addc(env->out, '\n');
}

static void row_print(const struct command_env *env, const struct asked *k, int point, int pos,
                      const struct seen *seen)
{
    struct str name = STR_INIT;
    char text[32];

    if (k->by_point)
        position_print(env->session, pos, &name);
    else
        str_adds(&name, point_name(point, text, sizeof text));
    pad_print(name.text, NAME_CELLS, env->out);
    str_release(&name);
    numbers(&seen->cell, env->out);
    tokens(env, seen);
}

/* --- data --- */

static json_t *row_json(const struct session *s, const struct asked *k, int point, int pos,
                        const struct seen *seen)
{
    const struct lens_cell *c = &seen->cell;
    bool next = c->rank_next > 0;
    char name[32];
    json_t *o = k->by_point ? position_json(s, pos)
                            : json_pack("{s:s}", "point", point_name(point, name, sizeof name));
    json_t *top = json_array();

    for (int i = 0; i < seen->n; i++) {
        json_t *token = result_token(s, seen->top[i].id);
        json_object_set_new(token, "p", result_number((double) seen->top[i].prob));
        json_array_append_new(top, token);
    }
    json_object_set_new(o, "p_next",
                        next ? result_number(exp(-(double) c->surprisal)) : json_null());
    json_object_set_new(o, "rank_next", next ? json_integer(c->rank_next) : json_null());
    json_object_set_new(o, "kl", result_number((double) c->kl));
    json_object_set_new(o, "entropy", result_number((double) c->entropy));
    json_object_set_new(o, "rank_final", c->rank > 0 ? json_integer(c->rank) : json_null());
    json_object_set_new(o, "norm", result_number((double) c->norm));
    json_object_set_new(o, "tokens", top);
    return o;
}

static bool put(struct command_env *env, const struct asked *k, json_t *rows)
{
    const struct session *s = env->session;
    char name[32];

    json_t *o = json_pack("{s:b}", "final_changed", final_changed(s));
    if (k->by_point)
        json_object_set_new(o, "point", json_string(point_name(k->point, name, sizeof name)));
    if (!k->by_point)
        json_object_set_new(o, "after", position_json(s, k->pos));
    if (!k->by_point)
        json_object_set_new(o, "next",
                            k->pos + 1 < s->ids.n ? position_json(s, k->pos + 1) : json_null());
    json_object_set_new(o, k->by_point ? "positions" : "points", rows);
    return result_put(env, o);
}

/* --- the command --- */

/* What can be had of a position is: in a pass that is open, the points so far. */
static bool one_position(struct command_env *env, const struct asked *k, int pos,
                         struct lens_token *room, json_t *rows, struct err *err)
{
    const struct session *s = env->session;
    struct err unseen = ERR_INIT;
    const struct lens *l;
    struct seen seen;

    if (interrupt_pending())
        return err_set(err, "interrupted at position %d of %d", pos, s->ids.n);
    cache_budget(env->screen->cache, 0);
    l = cache_lens(env->screen->cache, s, pos, 1, true, &unseen);
    if (unseen.text[0])
        return err_set(err, "%s", unseen.text);
    int ready = lens_ready(l, pos), end = k->point + k->n_points;
    for (int point = k->point; point < end && point < ready; point++) {
        if (!see(l, s, k, point, pos, &seen, room, err))
            return false;
        if (rows)
            json_array_append_new(rows, row_json(s, k, point, pos, &seen));
        else
            row_print(env, k, point, pos, &seen);
    }
    return true;
}

static bool show_all(struct command_env *env, const struct asked *k, json_t *rows,
                     struct err *err)
{
    const struct session *s = env->session;
    struct lens_token *room = NULL;
    bool ok = true;

    if (k->n > LENS_TOP)
        room = xcalloc((size_t) s->program->hp.n_vocab, sizeof *room);
    if (!rows)
        heading(s, k, env->out);
    for (int pos = k->pos; ok && pos < k->pos + k->n_pos; pos++) {
        ok = one_position(env, k, pos, room, rows, err);
        if (ok && !rows && env->flush && k->by_point)
            env->flush(env);
    }
    free(room);
    return ok;
}

/* False when there is nothing to show; of all positions, those that are computed. */
static bool ready(const struct session *s, struct asked *k, struct err *err)
{
    static const char *const suffix[] = {"resid_post", "resid_mid"};
    int layer = k->point == 0 ? 0 : (k->point - 1) / 2;
    int value =
        program_value(s->program, layer, k->point == 0 ? "resid_pre" : suffix[k->point % 2]);
    int n = run_ready(s->run, value);

    if (k->by_point && n < k->n_pos)
        k->n_pos = n;
    return reading_ready(s, value, k->pos, err);
}

bool cmd_lens(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    struct asked k;
    int n;

    if (!count_of(&arg[1], TOKENS, &n, err) || !where_of(s, &arg[0], &k, err) ||
        !ready(s, &k, err))
        return false;
    k.n = n < s->program->hp.n_vocab ? n : s->program->hp.n_vocab;
    if (!result_wanted(env))
        return show_all(env, &k, NULL, err);
    json_t *rows = json_array();
    if (show_all(env, &k, rows, err))
        return put(env, &k, rows);
    json_decref(rows);
    return false;
}
