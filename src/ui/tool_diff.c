/* gptscope diff: two sides, each a dump or a model that runs. */
#include "ui/tool_input.h"

#include "base/mem.h"
#include "base/path.h"
#include "command/command.h"
#include "command/differ_report.h"
#include "model/arrays.h"
#include "ui/ui.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct side {
    const char *spec;
    bool live;
    struct arrays *arrays; /* until `dumped` has them */
    struct dumped *dumped;
    struct session *session;
};

struct comparison {
    const struct tool_args *args;
    struct side side[2];
    const char *names; /* -m of two dumps: whose names and order */
    struct compute *compute;
    struct program *program; /* own: of no session */
    const struct program *use;
    struct selection only;
    struct differ *differ;
    char note[160];
};

/* --- which sides --- */

static bool take_specs(struct comparison *c, const struct tool_args *a, struct err *err)
{
    int n = a->n_rest < 3 ? a->n_rest : 3;
    if (n < 2 && a->model)
        c->side[n].spec = a->model;
    for (int i = 0; i < n && i < 2; i++)
        c->side[i].spec = a->rest[i];
    if (n > 2)
        return err_set(err, "there are two sides, and '%s' is the third", a->rest[2]);
    if (n == 2 && a->model)
        c->names = a->model;
    if (n == 0 || !c->side[1].spec)
        return err_set(err, "two sides are compared, each a dump or a model: gptscope diff "
                            "A.npz B.npz, or gptscope diff A.npz -m MODEL");
    return true;
}

/* What a side is, by what is in the file. */
static bool look(struct side *s, const struct tool_args *a, struct err *err)
{
    enum file_kind kind = arrays_kind(s->spec);
    s->live = kind == FILE_MODEL;
    if (s->live)
        return true;
    if (kind == FILE_NONE) {
        char *shown = path_shown(s->spec);
        err_set(err, "'%s': no such file, folder or built-in model", shown);
        free(shown);
        return false;
    }
    s->arrays = arrays_open(s->spec, a->value, err);
    return s->arrays != NULL;
}

static int check_sides(const struct comparison *c, struct err *err)
{
    const struct tool_args *a = c->args;
    bool live = c->side[0].live || c->side[1].live, dump = !c->side[0].live || !c->side[1].live;
    for (int i = 0; i < 2; i++) {
        if (c->side[i].arrays && arrays_npy(c->side[i].arrays) && !a->value) {
            err_set(err, "'%s' does not say which value it holds; --value logits, for one",
                    c->side[i].spec);
            return 2;
        }
    }
    if (c->names && live)
        err_set(err, "three sides are given, with the model of -m");
    else if (!live && (a->prompt || a->ids))
        err_set(err, "a prompt is given, but no model to run it");
    else if (a->prompt && a->ids)
        err_set(err, "a text and --ids are given; one of them says the prompt");
    else if (live && !dump && !a->prompt && !a->ids)
        err_set(err, "two models need a prompt: -p TEXT or --ids IDS");
    else
        return 0;
    return 2;
}

/* --- opening --- */

static bool give_prompt(struct side *s, const struct tool_args *a, const struct dumped *other,
                        struct err *err)
{
    struct ids ids = IDS_INIT;
    struct str text = STR_INIT;
    bool ok;
    if (a->prompt && strcmp(a->prompt, "-") == 0) {
        ok = tool_stdin(&text, err) && session_prompt(s->session, text.text, text.len, err);
    } else if (a->prompt) {
        ok = session_prompt(s->session, a->prompt, strlen(a->prompt), err);
    } else if (a->ids) {
        ok = tool_ids(a->ids, "ids", &ids, err) &&
             session_prompt_ids(s->session, ids.id, ids.n, err);
    } else if (other && other->tokens) {
        ok = session_prompt_ids(s->session, other->tokens, other->n_tokens, err) ||
             path_add(err, arrays_path(other->arrays));
    } else {
        ok = err_set(err, "'%s' holds no tokens; say which they are with -p TEXT or --ids IDS",
                     other ? arrays_path(other->arrays) : s->spec);
    }
    ids_release(&ids);
    str_release(&text);
    if (ok && s->session->ids.n == 0)
        ok = err_set(err, "the prompt has no tokens: give at least one character");
    return ok;
}

/* A model whose program names the values of two dumps. */
static bool open_names(struct comparison *c, struct err *err)
{
    struct hparams hp;
    if (!c->names) {
        dumped_shape(c->side[0].arrays, c->side[1].arrays, &hp);
        c->program = program_of_shape(&hp, err);
    } else {
        struct model *m = model_open(c->names, err);
        c->program = m ? program_build(m, err) : NULL;
        model_free(m);
    }
    c->use = c->program;
    return c->program != NULL;
}

static bool open_models(struct comparison *c, struct err *err)
{
    c->compute = compute_new((int) c->args->set.threads);
    for (int i = 0; i < 2; i++) {
        struct side *s = &c->side[i];
        if (!s->live)
            continue;
        s->session = session_new(s->spec, c->compute, &c->args->set, err);
        if (!s->session)
            return false;
        if (!c->use)
            c->use = s->session->program;
    }
    return true;
}

static bool open_dumps(struct comparison *c, struct err *err)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &c->side[i];
        if (s->live)
            continue;
        struct arrays *a = s->arrays;
        s->arrays = NULL;
        s->dumped = dumped_open(a, c->use, err);
        if (!s->dumped)
            return false;
    }
    return true;
}

static bool run_models(struct comparison *c, struct err *err)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &c->side[i];
        if (s->live && (!give_prompt(s, c->args, c->side[1 - i].dumped, err) ||
                        !session_run(s->session, 0, NULL, err)))
            return false;
    }
    return true;
}

static bool open_all(struct comparison *c, struct err *err)
{
    bool live = c->side[0].live || c->side[1].live;
    return (live ? open_models(c, err) : open_names(c, err)) && open_dumps(c, err) &&
           (!live || run_models(c, err));
}

/* --- tokens --- */

static const int32_t *tokens_of(const struct side *s, int *n)
{
    *n = s->session ? s->session->ids.n : s->dumped->n_tokens;
    return s->session ? s->session->ids.id : s->dumped->tokens;
}

static const struct session *any_session(const struct comparison *c)
{
    return c->side[0].session ? c->side[0].session : c->side[1].session;
}

/* Both have the same tokens, as far as they are known, or one goes on where the other ends. */
static bool check_tokens(struct comparison *c, struct err *err)
{
    int n[2];
    const int32_t *ids[2] = {tokens_of(&c->side[0], &n[0]), tokens_of(&c->side[1], &n[1])};
    const struct session *s = any_session(c);
    int both = differ_tokens(ids[0], n[0], ids[1], n[1], s ? s->tokenizer : NULL, err);
    if (both < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        const struct dumped *d = c->side[i].dumped;
        int other = c->side[1 - i].dumped ? c->side[1 - i].dumped->n_pos : n[1 - i];
        if (d && !d->tokens && d->n_pos > 1 && other > 0 && d->n_pos != other)
            return err_set(err,
                           "'%s' has %d positions and the other side %d; it holds no tokens to "
                           "tell which are the same",
                           arrays_path(d->arrays), d->n_pos, other);
    }
    if (n[0] && n[1] && n[0] != n[1])
        snprintf(c->note, sizeof c->note,
                 "%s goes on for %d more token%s: the first %d positions are compared",
                 n[0] > n[1] ? "A" : "B", abs(n[0] - n[1]), abs(n[0] - n[1]) == 1 ? "" : "s",
                 both);
    return true;
}

/* --- the report --- */

static void flush_lines(struct str *out, void *user)
{
    fwrite(out->text, 1, out->len, user);
    fflush(user);
    str_clear(out);
}

static bool utf8_terminal(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static bool draw(struct comparison *c, struct differ_report *r, struct str *out,
                 struct err *err)
{
    const struct settings *set = &c->args->set;
    struct command_env env = {.session = &(struct session){.set = *set}};
    struct differ_picture p = {
        .path = c->args->picture, .w = SCREEN_W, .h = SCREEN_H, .theme = set->theme};
    if (strcmp(p.path, "-") == 0) {
        ui_output(&env);
        p.w = env.width;
        p.color = env.color;
        p.ascii = set->ascii || !utf8_terminal();
    }
    return differ_draw(r, -1, &p, out, err);
}

static bool put_json(struct differ_report *r, FILE *out, struct err *err)
{
    json_t *data = differ_json(r, err);
    if (!data)
        return false;
    char *text = json_dumps(data, JSON_REAL_PRECISION(9));
    fprintf(out, "%s\n", text);
    free(text);
    json_decref(data);
    return true;
}

static int report(struct comparison *c, FILE *out, struct err *err)
{
    const struct session *s = any_session(c);
    struct str text = STR_INIT;
    struct differ_report r = {.differ = c->differ,
                              .tokenizer = s ? s->tokenizer : NULL,
                              .note = *c->note ? c->note : NULL};
    r.lines = c->args->quiet ? DIFFER_QUIET : c->args->all ? DIFFER_ALL : DIFFER_LINES;
    r.tokens = tokens_of(&c->side[0], &r.n_tokens);
    if (!r.tokens)
        r.tokens = tokens_of(&c->side[1], &r.n_tokens);
    for (int i = 0; i < 2; i++) {
        r.name[i] = c->side[i].spec;
        r.arrays[i] = c->side[i].dumped ? c->side[i].dumped->arrays : NULL;
        if (c->side[i].dumped && c->side[i].dumped->text && !r.text) {
            r.text = c->side[i].dumped->text;
            r.n_tokens = c->side[i].dumped->n_tokens;
        }
    }
    bool ok = c->args->json ? put_json(&r, out, err)
                            : differ_report(&r, &text, flush_lines, out, err);
    if (ok && c->args->picture)
        ok = draw(c, &r, &text, err);
    tool_put(out, &text);
    return ok && differ_same(c->differ) ? 0 : 1;
}

static int compare(struct comparison *c, FILE *out, struct err *err)
{
    const struct tool_args *a = c->args;
    struct differ_side side[2];
    struct differ_options o = {0};
    if (a->tol && !(o.tol = strtod(a->tol, NULL)))
        return 2;
    if (!open_all(c, err) || !check_tokens(c, err))
        return 1;
    if (a->select && !selection_parse(&c->only, c->use, a->select, err))
        return 1;
    o.only = a->select ? &c->only : NULL;
    for (int i = 0; i < 2; i++)
        side[i] = (struct differ_side){c->side[i].dumped,
                                       c->side[i].session ? c->side[i].session->run : NULL};
    c->differ = differ_new(side, c->use, &o, err);
    return c->differ ? report(c, out, err) : 1;
}

static bool check_options(const struct tool_args *a, struct err *err)
{
    char *end = NULL;
    if (a->tol && (!(strtod(a->tol, &end) > 0) || *end))
        return err_set(err, "option '--tol' needs a number above 0, not '%s'", a->tol);
    if (a->all && a->quiet)
        return err_set(err, "--all and --quiet cannot both be");
    return true;
}

static void release(struct comparison *c)
{
    differ_free(c->differ);
    selection_release(&c->only);
    for (int i = 0; i < 2; i++) {
        arrays_free(c->side[i].arrays);
        dumped_free(c->side[i].dumped);
        if (c->side[i].session)
            session_free(c->side[i].session);
    }
    program_free(c->program);
    if (c->compute)
        compute_free(c->compute);
}

int tool_diff(const struct tool_args *a, FILE *out, struct err *err)
{
    struct comparison c = {.args = a};
    if (!check_options(a, err) || !take_specs(&c, a, err))
        return 2;
    tool_catch_interrupt();
    int status = look(&c.side[0], a, err) && look(&c.side[1], a, err) ? 0 : 1;
    if (status == 0)
        status = check_sides(&c, err);
    if (status == 0)
        status = compare(&c, out, err);
    release(&c);
    return status;
}
