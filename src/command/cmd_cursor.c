/* Commands that move the cursor: layer, head, query, key, stage. */
#include "command/commands.h"

#include "command/data.h"
#include "command/layout.h"
#include "command/parse.h"
#include "command/place.h"
#include "view/view.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool move_to(int *v, int n, const struct arg *arg, const char *what, struct err *err)
{
    const char *text = arg_expand(arg, "first last", err);
    char *end;

    if (!text)
        return false;
    long x = strtol(text, &end, 10);
    bool number = end != text && *end == '\0' && !isspace((unsigned char) *text);
    bool relative = number && (*text == '+' || *text == '-');
    if (!strcmp(text, "first")) {
        *v = 0;
    } else if (!strcmp(text, "last")) {
        *v = n - 1;
    } else if (relative) {
        x = x > n ? n : x < -n ? -n : x;
        *v += (int) x;
        *v = *v < 0 ? 0 : *v >= n ? n - 1 : *v;
    } else if (number && x < n) {
        *v = (int) x;
    } else {
        return err_set(err, "%s takes a number from 0 to %d, +N, -N, first or last, not '%s'",
                       what, n - 1, text);
    }
    return true;
}

static void cursor_print(const struct session *s, struct str *out)
{
    char label[128];

    str_addf(out, "L%d.H%d %s", s->at.layer, s->at.head, stage_name(s->at.stage));
    if (s->ids.n > 0) {
        tokenizer_label(s->tokenizer, s->ids.id[s->at.query], label, sizeof label);
        str_addf(out, "  query %d %s", s->at.query, label);
        tokenizer_label(s->tokenizer, s->ids.id[s->at.key], label, sizeof label);
        str_addf(out, "  key %d %s", s->at.key, label);
    }
    str_addc(out, '\n');
}

/* Where the cursor is now; on the full screen it is seen. */
static bool say_cursor(struct command_env *env)
{
    if (result_wanted(env))
        return result_put(env, data_cursor(env));
    if (!env->live)
        cursor_print(env->session, env->out);
    return true;
}

/* One coordinate: moves it when there is an argument, prints the cursor. */
static bool coordinate(struct command_env *env, int *v, int n, const struct arg *arg,
                       const char *what, struct err *err)
{
    if (arg->given && !move_to(v, n, arg, what, err))
        return false;
    session_clamp(env->session);
    if (!strcmp(screen_focused(env->screen)->name, "explain"))
        session_subject_place(env->session, env->session->at.layer, env->session->at.head);
    return say_cursor(env);
}

static bool on_ops(const struct screen *st)
{
    const char *view = screen_focused(st)->name;

    return !strcmp(view, "map") || !strcmp(view, "program");
}

bool cmd_layer(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    if (!coordinate(env, &s->at.layer, s->program->hp.n_layer, arg, "layer", err))
        return false;
    if (arg->given && on_ops(env->screen))
        env->screen->op = s->program->block_begin[s->at.layer];
    return !result_wanted(env) || say_cursor(env);
}

/* A word of the command, or an op, in full; NULL with err. */
static const char *op_word(const struct session *s, const struct arg *arg, struct err *err)
{
    struct str full = STR_INIT;

    if (arg->word && op_expand(s, arg->text, &full, err)) {
        free(arg->word->full);
        arg->word->full = str_steal(&full);
        return arg->word->full;
    }
    str_release(&full);
    if (!*err->text && op_parse(s, arg->text, err) >= 0)
        return arg->text;
    *err = (struct err) ERR_INIT;
    return arg_expand(arg, "first last next", err);
}

bool cmd_op(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    int op = screen_op(s, env->screen);
    const char *text = "";

    if (arg->given && !(text = op_word(s, arg, err)))
        return false;
    if (!strcmp(text, "next")) {
        env->screen->op = -1;
        op = screen_op(s, env->screen);
    } else if (*text == '+' || *text == '-' || !strcmp(text, "first") ||
               !strcmp(text, "last")) {
        if (!move_to(&op, s->program->n_steps, arg, "op", err))
            return false;
        env->screen->op = op;
    } else if (*text) {
        if ((op = op_parse(s, text, err)) < 0)
            return false;
        env->screen->op = op;
    }
    if (result_wanted(env))
        return result_put(env, data_op(s, op));
    if (!env->live || !arg->given)
        op_line(s, op, env->out);
    return true;
}

bool cmd_head(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    return coordinate(env, &s->at.head, s->program->hp.n_head, arg, "head", err);
}

bool point_parse(const struct session *s, const struct arg *arg, int *point, struct err *err)
{
    int layer = 0, head = 0;
    const char *rest = "";

    const char *text = arg_expand(arg, "embed first last", err);

    if (!text)
        return false;
    if (!strcmp(text, "embed")) {
        *point = 0;
        return true;
    }
    if (!*arg->text || !strchr("Ll", *arg->text) || !isdigit((unsigned char) arg->text[1]))
        return move_to(point, 2 * s->program->hp.n_layer + 1, arg, "point", err);
    if (!place_parse(s, arg->text, &layer, &head, &rest, err))
        return false;
    if (strcmp(rest, "attn") && strcmp(rest, "mlp"))
        return err_set(err, "there is no point '%s'; points are like embed, L0.attn and L0.mlp",
                       arg->text);
    *point = 2 * layer + (strcmp(rest, "attn") ? STREAM_POST : STREAM_MID);
    return true;
}

bool cmd_point(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    int point = session_point(s);
    char name[24];

    if (arg[0].given && !point_parse(s, &arg[0], &point, err))
        return false;
    session_to_point(s, point);
    if (result_wanted(env))
        return result_put(env, data_point(session_point(s)));
    if (!env->live)
        str_addf(env->out, "%s\n", point_name(point, name, sizeof name));
    return true;
}

static bool need_tokens(const struct session *s, struct err *err)
{
    return s->ids.n > 0 || err_set(err, "there are no tokens yet; give a prompt first");
}

bool cmd_query(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    return need_tokens(s, err) && coordinate(env, &s->at.query, s->ids.n, arg, "query", err);
}

bool cmd_key(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;

    return need_tokens(s, err) && coordinate(env, &s->at.key, s->ids.n, arg, "key", err);
}

/* A stage by its name, or by the end of its value's name: "raw", "softmax", "pattern", "z". */
static int stage_index(const char *text)
{
    for (int i = 0; i < STAGE_COUNT; i++)
        if (!strcmp(text, stage_name((enum stage) i)) ||
            !strcmp(text, strchr(stage_suffix((enum stage) i), '.') + 1))
            return i;
    return -1;
}

#define STAGES "raw scaled masked softmax pattern z first last"

static bool no_stage(const char *text, struct err *err)
{
    struct str near = STR_INIT;

    if (choice_near(STAGES, text, &near))
        err_set(err,
                "there is no stage '%s' (did you mean '%s'?); the stages are raw, scaled, "
                "masked, softmax and z",
                text, near.text);
    else
        err_set(err,
                "there is no stage '%s'; the stages are raw, scaled, masked, softmax and z",
                text);
    str_release(&near);
    return false;
}

bool cmd_stage(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    int stage = (int) s->at.stage, named = arg[0].given ? stage_index(arg[0].text) : -1;
    const char *text = "";

    if (arg[0].given && named < 0) {
        text = arg_expand(&arg[0], STAGES, err);
        if (!text)
            return false;
        named = stage_index(text);
    }
    if (named >= 0)
        stage = named;
    else if (arg[0].given && isalpha((unsigned char) *text) && strcmp(text, "first") &&
             strcmp(text, "last"))
        return no_stage(arg[0].text, err);
    else if (arg[0].given && !move_to(&stage, STAGE_COUNT, &arg[0], "stage", err))
        return false;
    s->at.stage = (enum stage) stage;
    return say_cursor(env);
}

bool cmd_select(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct session *s = env->session;
    struct cursor_at at = s->at;

    for (int i = 0; i < COMMAND_ARGS && arg[i].given; i++) {
        const char *text = arg[i].text, *rest = "";
        if (isdigit((unsigned char) *text) || !strchr("LHlh", *text)) {
            if (!need_tokens(s, err) || !cell_parse(s, text, &at.query, &at.key, err))
                return false;
            continue;
        }
        if (!place_parse(s, text, &at.layer, &at.head, &rest, err))
            return false;
        if (*rest && stage_index(rest) < 0)
            return no_stage(rest, err);
        if (*rest)
            at.stage = (enum stage) stage_index(rest);
    }
    s->at = at;
    return say_cursor(env);
}

/* --- the arrow keys: what they move depends on the view --- */

enum coordinate {
    C_NONE,
    C_SCROLL,
    C_LAYER,
    C_HEAD,
    C_QUERY,
    C_KEY,
    C_OP,
    C_POINT,
    C_CELL,
    C_CELL_ROW,
    C_CANDIDATE
};

static const struct {
    const char *view; /* NULL: all others */
    enum coordinate x, y;
} arrows[] = {
    {"compare", C_KEY, C_QUERY},      {"attention", C_KEY, C_QUERY},
    {"explain", C_CELL, C_CELL_ROW},  {"heads", C_HEAD, C_LAYER},
    {"residual", C_QUERY, C_POINT},   {"tokens", C_QUERY, C_QUERY},
    {"mlp", C_NONE, C_QUERY},         {"map", C_NONE, C_OP},
    {"program", C_NONE, C_OP},        {"tensor", C_NONE, C_QUERY},
    {"cache", C_QUERY, C_LAYER},      {"merges", C_QUERY, C_SCROLL},
    {"logits", C_QUERY, C_CANDIDATE}, {NULL, C_NONE, C_SCROLL},
};

static int shown_view(const struct screen *st)
{
    return st->help ? view_find("help") : st->panel[st->focus];
}

static void move_candidate(struct command_env *env, int by)
{
    int rank = env->screen->candidate + by, n = env->session->program->hp.n_vocab;

    env->screen->candidate = rank < 0 ? 0 : rank >= n ? n - 1 : rank;
}

static void move_op(struct command_env *env, int by)
{
    int op = screen_op(env->session, env->screen) + by, n = env->session->program->n_steps;

    env->screen->op = op < 0 ? 0 : op >= n ? n - 1 : op;
}

static void move_by(struct command_env *env, enum coordinate c, int by)
{
    struct session *s = env->session;

    switch (c) {
    case C_NONE:
        break;
    case C_SCROLL:
        screen_scroll(env->screen, shown_view(env->screen), by);
        break;
    case C_LAYER:
        s->at.layer += by;
        break;
    case C_HEAD:
        s->at.head += by;
        break;
    case C_POINT:
        session_to_point(s, session_point(s) + by);
        break;
    case C_QUERY:
        s->at.query += by;
        break;
    case C_KEY:
        s->at.key += by;
        break;
    case C_CANDIDATE:
        move_candidate(env, by);
        break;
    case C_OP:
        move_op(env, by);
        break;
    case C_CELL:
        session_subject_move(s, false, by);
        break;
    case C_CELL_ROW: /* a page of its own scrolls */
        if (env->screen->maximised)
            screen_scroll(env->screen, shown_view(env->screen), by);
        else
            session_subject_move(s, true, by);
        break;
    }
    session_clamp(s);
}

bool cmd_move(struct command_env *env, const struct arg *arg, struct err *err)
{
    enum { LEFT, RIGHT, UP, DOWN };
    const char *view = view_table[shown_view(env->screen)].name;
    int i = 0, n, direction = (int) arg[0].i;

    if (!count_of(&arg[1], 1, &n, err))
        return false;
    if (!strcmp(view, "tokens") && env->session->set.merges)
        view = "merges";
    while (arrows[i].view && strcmp(arrows[i].view, view))
        i++;
    if (direction == LEFT || direction == UP)
        n = -n;
    enum coordinate c = direction == LEFT || direction == RIGHT ? arrows[i].x : arrows[i].y;
    if (c != C_SCROLL && !need_tokens(env->session, err))
        return false;
    move_by(env, c, n);
    return say_cursor(env);
}
