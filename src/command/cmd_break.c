/* Commands about breakpoints: break, unbreak. */
#include "command/commands.h"

#include "command/data.h"
#include "command/parse.h"
#include "command/place.h"
#include "view/view.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHERE "here entropy top token"

static void print_one(const struct session *s, const struct breakpoint *b, struct str *out)
{
    str_addf(out, "breakpoint %d: ", b->id);
    break_print(s, b, out);
    str_adds(out, b->off ? "  off\n" : "\n");
}

static bool print_all(struct command_env *env)
{
    const struct session *s = env->session;
    struct str *out = env->out;

    if (result_wanted(env))
        return result_put(env, data_breakpoints(s, NULL, NULL));
    for (int i = 0; i < s->breaks.n; i++)
        print_one(s, &s->breaks.item[i], out);
    if (s->breaks.n == 0)
        str_adds(out, "there are no breakpoints\n");
    return true;
}

static bool say_one(struct command_env *env, const struct breakpoint *b)
{
    if (result_wanted(env))
        return result_put(env, data_breakpoints(env->session, b, NULL));
    print_one(env->session, b, env->out);
    return true;
}

static bool add(struct command_env *env, const struct breakpoint *b)
{
    struct session *s = env->session;

    return say_one(env, breaks_find(s, breaks_add(s, b)));
}

static bool take_away(struct command_env *env, int id)
{
    breaks_remove(env->session, id);
    if (result_wanted(env))
        return result_put(env, data_breakpoints(env->session, NULL, json_pack("[i]", id)));
    str_addf(env->out, "breakpoint %d is gone\n", id);
    return true;
}

/* --- break at a place --- */

/* A name without a layer that an op of a block has. */
static bool is_label(const struct program *p, const char *text)
{
    for (int i = 0; i < p->n_steps; i++)
        if (p->op[i].layer >= 0 && op_is(p, i, text))
            return true;
    return false;
}

static bool break_head(const struct session *s, const char *text, struct breakpoint *b,
                       bool *is_place, struct err *err)
{
    const char *rest = text;
    int layer = -1, head = -1;

    *is_place = strchr("LHlh", *text) && isdigit((unsigned char) text[1]);
    if (!*is_place)
        return true;
    if (!place_parse(s, text, &layer, &head, &rest, err))
        return false;
    if (head >= 0 && *rest && strcmp(rest, "softmax") && strcmp(rest, "pattern"))
        return err_set(err, "a head's breakpoint comes after its softmax: 'break L%d.H%d'",
                       layer < 0 ? 0 : layer, head);
    *is_place = head >= 0 || !*rest;
    *b = (struct breakpoint){.kind = BREAK_HEAD, .layer = layer, .head = head};
    if (head < 0 && !*rest)
        *b = (struct breakpoint){.kind = BREAK_OP, .op = s->program->block_begin[layer]};
    return true;
}

static bool break_place(const struct session *s, const char *text, struct breakpoint *b,
                        struct err *err)
{
    bool done;

    if (!break_head(s, text, b, &done, err))
        return false;
    if (done)
        return true;
    if (is_label(s->program, text)) {
        *b = (struct breakpoint){.kind = BREAK_LABEL};
        snprintf(b->label, sizeof b->label, "%s", text);
        return true;
    }
    *b = (struct breakpoint){.kind = BREAK_OP, .op = op_parse(s, text, err)};
    return b->op >= 0;
}

/* --- break on a condition --- */

/* "[L2.H3] < 0.5" in arg[0..2]; the sign and the number may be one word. */
static bool break_entropy(const struct session *s, const struct arg *arg, struct breakpoint *b,
                          struct err *err)
{
    const char *sign, *number, *rest = "";
    char *end;
    int i = 0;

    *b = (struct breakpoint){.kind = BREAK_ENTROPY, .layer = -1, .head = -1};
    if (arg[0].given && !strchr("<>", arg[0].text[0])) {
        if (!place_parse(s, arg[0].text, &b->layer, &b->head, &rest, err))
            return false;
        i = 1;
    }
    sign = arg[i].given && i < 3 ? arg[i].text : "";
    number = *sign && sign[1] ? sign + 1 : i < 2 && arg[i + 1].given ? arg[i + 1].text : "";
    b->above = *sign == '>';
    b->limit = strtod(number, &end);
    if (*rest || !*sign || !strchr("<>", *sign) || end == number || *end || !isfinite(b->limit))
        return err_set(err, "give a head (or a layer, or neither) and a limit in nats: 'break "
                            "entropy L2.H3 < 0.5'");
    return true;
}

static bool break_token(const struct session *s, const struct arg *arg, struct breakpoint *b,
                        struct err *err)
{
    int id;

    if (!arg->given)
        return err_set(err, "which token? For example: break token \" Anna\"");
    if (!token_parse(s, arg->text, arg->quoted, &id, err))
        return false;
    *b = (struct breakpoint){.kind = BREAK_TOKEN, .token = id};
    return true;
}

/* An op, a layer or a head, which may be in short. */
static bool break_op(const struct session *s, const struct arg *arg, struct breakpoint *b,
                     struct err *err)
{
    struct str full = STR_INIT;

    if (arg->word && op_expand(s, arg->text, &full, err)) {
        free(arg->word->full);
        arg->word->full = str_steal(&full);
        return break_place(s, arg->word->full, b, err);
    }
    str_release(&full);
    if (*err->text || break_place(s, arg->text, b, err))
        return !*err->text;
    struct str near = STR_INIT;
    if (!strstr(err->text, "did you mean") && choice_near(WHERE, arg->text, &near))
        err_set(err, "there is no op '%s'; did you mean '%s'?", arg->text, near.text);
    str_release(&near);
    return false;
}

/* --- break here --- */

/* What the panel with the focus looks at: an op, or the selected head. */
static void here(const struct command_env *env, struct breakpoint *b)
{
    const struct session *s = env->session;
    const char *view = screen_focused(env->screen)->name;

    if (!strcmp(view, "map") || !strcmp(view, "program"))
        *b = (struct breakpoint){.kind = BREAK_OP, .op = screen_op(s, env->screen)};
    else
        *b = (struct breakpoint){.kind = BREAK_HEAD, .layer = s->at.layer, .head = s->at.head};
}

/* One that stops there for another reason (a label) goes, too: what is marked is unmarked. */
static bool toggle_here(struct command_env *env)
{
    struct session *s = env->session;
    struct breakpoint b, *old;

    here(env, &b);
    old = breaks_same(s, &b);
    if ((!old || old->off) && b.kind == BREAK_OP)
        old = breaks_before(s, b.op);
    if (!old || old->off)
        return add(env, &b);
    return take_away(env, old->id);
}

/* --- the commands --- */

static struct breakpoint *numbered(struct session *s, const char *text, struct err *err)
{
    char *end;
    long id = strtol(text, &end, 10);
    struct breakpoint *b = end != text && !*end ? breaks_find(s, (int) id) : NULL;

    if (!b)
        err_set(err, "there is no breakpoint %s; 'break' lists them", text);
    return b;
}

static bool switch_one(struct command_env *env, const struct arg *arg, bool off,
                       struct err *err)
{
    struct breakpoint *b = numbered(env->session, arg[0].text, err);

    if (!b)
        return false;
    b->off = off;
    return say_one(env, b);
}

bool cmd_break(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct session *s = env->session;
    const char *what;
    struct breakpoint b;
    bool ok = true;

    if (!arg[0].given)
        return print_all(env);
    if (!(what = arg_expand(&arg[0], WHERE, err)))
        return false;
    if (!strcmp(what, "here"))
        return toggle_here(env);
    if (arg[1].given && isdigit((unsigned char) *what) && !what[strspn(what, "0123456789")]) {
        const char *how = arg_expand(&arg[1], "on off", err);
        if (!how)
            return false;
        if (!strcmp(how, "on") || !strcmp(how, "off"))
            return switch_one(env, arg, !strcmp(how, "off"), err);
    }
    if (!strcmp(what, "entropy"))
        ok = break_entropy(s, arg + 1, &b, err);
    else if (!strcmp(what, "token"))
        ok = break_token(s, &arg[1], &b, err);
    else if (arg[1].given)
        ok = err_set(err, "'%s' is too much; see help break", arg[1].text);
    else if (!strcmp(what, "top"))
        b = (struct breakpoint){.kind = BREAK_TOP};
    else
        ok = break_op(s, &arg[0], &b, err);
    return ok && add(env, &b);
}

bool cmd_unbreak(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    const char *text = arg_expand(&arg[0], "all", err);

    if (!text)
        return false;
    if (!strcmp(text, "all")) {
        json_t *ids = json_array();
        for (int i = 0; i < s->breaks.n; i++)
            json_array_append_new(ids, json_integer(s->breaks.item[i].id));
        breaks_remove(s, -1);
        if (result_wanted(env))
            return result_put(env, data_breakpoints(s, NULL, ids));
        json_decref(ids);
        return print_all(env);
    }
    struct breakpoint *b = numbered(s, arg[0].text, err);
    return b && take_away(env, b->id);
}
