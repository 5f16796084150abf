/* attribute: a logit as the sum of what each part of the model wrote. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/place.h"
#include "command/result.h"
#include "session/attribution.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIST_N 10

enum { VIEW_LAYERS = 1, VIEW_LIST = 2, VIEW_HEADS = 4, VIEW_MLPS = 8 };

static const struct {
    const char *word;
    int views;
} view_words[] = {{"layers", VIEW_LAYERS},
                  {"heads", VIEW_HEADS},
                  {"mlps", VIEW_MLPS},
                  {"list", VIEW_LIST},
                  {"all", VIEW_LAYERS | VIEW_HEADS | VIEW_MLPS | VIEW_LIST}};

/* What is asked for. */
struct question {
    int token, against; /* -1: not named */
    int pos;            /* -1: where the candidates are */
    int views, n;
};

/* --- the words --- */

static int views_of(const struct arg *arg)
{
    for (size_t i = 0; !arg->quoted && i < sizeof view_words / sizeof *view_words; i++)
        if (!strcmp(arg->text, view_words[i].word))
            return view_words[i].views;
    return 0;
}

static bool is_number(const struct arg *arg)
{
    return arg->given && !arg->quoted && isdigit((unsigned char) arg->text[0]);
}

static bool take_token(const struct session *s, const struct arg *arg, struct question *q,
                       struct err *err)
{
    int id, n = s->program->hp.n_vocab;

    if (!token_parse(s, arg->text, arg->quoted, &id, err))
        return false;
    if (id < 0 || id >= n)
        return err_set(err, "there is no token %s; ids go from 0 to %d", arg->text, n - 1);
    if (q->against >= 0)
        return err_set(err, "'%s' is too much: a logit, or the difference of two", arg->text);
    if (q->token < 0)
        q->token = id;
    else
        q->against = id;
    return true;
}

static bool take_position(const struct session *s, const struct arg *arg, struct question *q,
                          struct err *err)
{
    if (!arg->given)
        return err_set(err, "after which position? For example: attribute at 3");
    return position_of(s, arg, "attribute at", &q->pos, err);
}

/* Words in any order: tokens, "at" and a position, a view, and after "list" how many. */
static bool take_words(const struct session *s, const struct arg *arg, struct question *q,
                       struct err *err)
{
    static const struct arg none;

    *q = (struct question){-1, -1, -1, 0, LIST_N};
    for (int i = 0; i < COMMAND_ARGS && arg[i].given; i++) {
        const struct arg *next = i + 1 < COMMAND_ARGS ? &arg[i + 1] : &none;
        int views = views_of(&arg[i]);
        q->views |= views;
        if (views & VIEW_LIST && is_number(next)) {
            struct arg n = {.given = true, .i = atoll(next->text), .text = next->text};
            if (!count_of(&n, LIST_N, &q->n, err))
                return false;
            i++;
        } else if (!views && !arg[i].quoted && !strcmp(arg[i].text, "at")) {
            if (!take_position(s, next, q, err))
                return false;
            i++;
        } else if (!views && !take_token(s, &arg[i], q, err)) {
            return false;
        }
    }
    q->views = q->views ? q->views : VIEW_LAYERS | VIEW_LIST;
    return true;
}

/* The likeliest token after the position. */
static bool find_token(const struct session *s, struct question *q, struct err *err)
{
    int n = s->program->hp.n_vocab, best = 0;
    float *logit = xcalloc((size_t) n, sizeof *logit);
    bool ok = session_logits_after(s, q->pos, logit);

    for (int i = 1; ok && i < n; i++)
        best = logit[i] > logit[best] ? i : best;
    free(logit);
    q->token = best;
    return ok ||
           err_set(err, "no logits are computed after position %d yet; run first", q->pos);
}

/* --- text --- */

static void heading(const struct session *s, const struct attribution *a, struct str *out)
{
    str_adds(out, "logit of ");
    token_print(s, a->token, out);
    if (a->against >= 0) {
        str_adds(out, " less that of ");
        token_print(s, a->against, out);
    }
    str_adds(out, " after ");
    position_print(s, a->pos, out);
    str_addf(out, "\n%.5f; sum of %d parts %.5f; difference %.1e\n", a->actual, a->n, a->sum,
             a->sum - a->actual);
}

/* A layer as one row: its attention, its MLP, what patches changed. */
static void layer_row(const struct attribution *a, int layer, double so_far, struct str *out)
{
    double attn = attribution_sum(a, FROM_HEAD, layer, -1) +
                  attribution_sum(a, FROM_ATTN_BIAS, layer, -1);
    double patch = attribution_sum(a, FROM_PATCH, layer, -1);

    str_addf(out, "L%-21d %10.4f %10.4f ", layer, attn,
             attribution_sum(a, FROM_MLP, layer, -1));
    if (patch != 0)
        str_addf(out, "%10.4f", patch);
    else
        str_addf(out, "%10s", "");
    str_addf(out, " %10.4f\n", so_far);
}

static void layers_print(const struct session *s, const struct attribution *a, struct str *out)
{
    double sum = 0;

    str_addf(out, "\n%-22s %10s %10s %10s %10s\n", "", "attention", "mlp", "other", "so far");
    for (int i = 0; i < a->n; i++) {
        const struct attribution_part *part = &a->part[i];
        bool ends = i + 1 == a->n || a->part[i + 1].layer != part->layer;
        sum += part->amount;
        if (part->layer >= 0 && ends)
            layer_row(a, part->layer, sum, out);
        if (part->layer >= 0)
            continue;
        struct str name = STR_INIT;
        attribution_name(s, part, &name);
        pad_print(name.text, 22, out);
        str_addf(out, " %10s %10s %10.4f %10.4f\n", "", "", part->amount, sum);
        str_release(&name);
    }
}

static double *head_amounts(const struct session *s, const struct attribution *a)
{
    const struct hparams *hp = &s->program->hp;
    double *x = xcalloc((size_t) hp->n_layer * (size_t) hp->n_head, sizeof *x);

    for (int i = 0; i < a->n; i++)
        if (a->part[i].kind == FROM_HEAD)
            x[a->part[i].layer * hp->n_head + a->part[i].head] = a->part[i].amount;
    return x;
}

static void heads_print(const struct command_env *env, const struct attribution *a)
{
    double *x = head_amounts(env->session, a);

    str_adds(env->out, "\nheads\n");
    head_grid_print(env, x, 9, 4);
    free(x);
}

/* The parts of one kind, a line each. */
static void kind_print(const struct session *s, const struct attribution *a,
                       enum from_kind kind, const char *title, struct str *out)
{
    struct str name = STR_INIT;
    bool any = false;

    for (int i = 0; i < a->n; i++) {
        if (a->part[i].kind != kind)
            continue;
        if (!any)
            str_addf(out, "\n%s\n", title);
        any = true;
        str_clear(&name);
        attribution_name(s, &a->part[i], &name);
        pad_print(name.text, 22, out);
        str_addf(out, " %10.4f\n", a->part[i].amount);
    }
    str_release(&name);
}

static int by_size(const void *a, const void *b)
{
    const struct attribution_part *const *x = a, *const *y = b;
    double dx = fabs((*x)->amount), dy = fabs((*y)->amount);

    if (dx != dy)
        return dx < dy ? 1 : -1;
    return *x < *y ? -1 : *x > *y;
}

static void list_print(const struct session *s, const struct attribution *a, int n,
                       struct str *out)
{
    const struct attribution_part **part = xcalloc((size_t) a->n + 1, sizeof *part);
    double rest = 0;

    for (int i = 0; i < a->n; i++)
        part[i] = &a->part[i];
    qsort(part, (size_t) a->n, sizeof *part, by_size);
    n = n < a->n ? n : a->n;
    str_adds(out, "\nlargest parts\n");
    for (int i = 0; i < n; i++) {
        struct str name = STR_INIT;
        attribution_name(s, part[i], &name);
        pad_print(name.text, 22, out);
        str_addf(out, " %10.4f\n", part[i]->amount);
        str_release(&name);
    }
    for (int i = n; i < a->n; i++)
        rest += part[i]->amount;
    if (n < a->n)
        str_addf(out, "%-22s %10.4f  in %d parts\n", "the rest", rest, a->n - n);
    free(part);
}

static void print(const struct command_env *env, const struct attribution *a,
                  const struct question *q)
{
    const struct session *s = env->session;

    heading(s, a, env->out);
    if (q->views & VIEW_LAYERS)
        layers_print(s, a, env->out);
    if (q->views & VIEW_HEADS) {
        heads_print(env, a);
        kind_print(s, a, FROM_ATTN_BIAS, "biases of the attentions' output", env->out);
    }
    if (q->views & VIEW_MLPS)
        kind_print(s, a, FROM_MLP, "mlps", env->out);
    if (q->views & VIEW_LIST)
        list_print(s, a, q->n, env->out);
}

/* --- data --- */

static json_t *part_json(const struct session *s, const struct attribution_part *part)
{
    static const char *const kind[] = {[FROM_EMBED] = "embed",
                                       [FROM_POS_EMBED] = "pos_embed",
                                       [FROM_HEAD] = "head",
                                       [FROM_ATTN_BIAS] = "attn_bias",
                                       [FROM_MLP] = "mlp",
                                       [FROM_PATCH] = "patch",
                                       [FROM_NORM_BIAS] = "norm_bias",
                                       [FROM_HEAD_BIAS] = "lm_head_bias"};
    json_t *o = json_pack("{s:s}", "part", kind[part->kind]);

    if (part->layer >= 0)
        json_object_set_new(o, "layer", json_integer(part->layer));
    if (part->head >= 0)
        json_object_set_new(o, "head", json_integer(part->head));
    if (part->kind == FROM_PATCH)
        json_object_set_new(o, "value", json_string(s->program->value[part->value].name));
    json_object_set_new(o, "amount", result_number(part->amount));
    return o;
}

static json_t *attribution_json(const struct session *s, const struct attribution *a)
{
    json_t *parts = json_array();

    for (int i = 0; i < a->n; i++)
        json_array_append_new(parts, part_json(s, &a->part[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "after",
                     position_json(s, a->pos), "token", result_token(s, a->token), "against",
                     a->against < 0 ? json_null() : result_token(s, a->against), "logit",
                     result_number(a->actual), "sum", result_number(a->sum), "difference",
                     result_number(a->sum - a->actual), "scale", result_number(a->scale),
                     "parts", parts);
}

bool cmd_attribute(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    struct attribution a;
    struct question q;

    if (!take_words(s, arg, &q, err) || (q.pos < 0 && (q.pos = candidates_at(s, err)) < 0) ||
        (q.token < 0 && !find_token(s, &q, err)) ||
        !attribution_of(&a, s, q.pos, q.token, q.against, err))
        return false;
    if (result_wanted(env))
        result_put(env, attribution_json(s, &a));
    else
        print(env, &a, &q);
    attribution_release(&a);
    return true;
}
