/* Finding and running commands; scripts. */
#include "command/commands.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/near.h"
#include "command/keys.h"
#include "command/parse.h"
#include "command/result.h"
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

void command_env_init(struct command_env *env, struct session *s, struct screen *st,
                      struct str *out)
{
    if (!st->hints)
        st->hints = key_hints();
    *env = (struct command_env){.session = s,
                                .out = out,
                                .screen = st,
                                .screen_w = SCREEN_W,
                                .screen_h = SCREEN_H,
                                .width = 80};
    journal_init(&env->journal);
}

void command_env_release(struct command_env *env)
{
    journal_release(&env->journal);
}

static const struct command *find_exact(const char *name)
{
    for (const struct command *c = command_table; c->name; c++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

/* What other programs call a command. */
static const char *elsewhere(const char *name)
{
    static const char *const word[][2] = {
        {"exit", "quit"}, {"bye", "quit"}, {"print", "show"}, {"plot", "show"}, {"?", "help"}};

    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (!strcmp(word[i][0], name))
            return word[i][1];
    return NULL;
}

static bool unknown(const char *name, struct err *err)
{
    struct near near;

    if (elsewhere(name))
        return err_set(err, "there is no command '%s'; did you mean '%s'?", name,
                       elsewhere(name));
    near_init(&near, name);
    for (const struct command *c = command_table; c->name; c++)
        near_try(&near, c->name);
    if (near_best(&near))
        return err_set(err, "there is no command '%s'; did you mean '%s'?", name,
                       near_best(&near));
    return err_set(err, "there is no command '%s'; 'help' lists them", name);
}

const struct command *command_find(const char *name, struct err *err)
{
    const struct command *found = find_exact(name);
    struct str names = STR_INIT;
    int n = 0;

    if (found)
        return found;
    for (const struct command *c = command_table; c->name && *name; c++) {
        if (strncmp(c->name, name, strlen(name)))
            continue;
        str_addf(&names, "%s%s", n++ ? ", " : "", c->name);
        found = c;
    }
    if (n == 0)
        unknown(name, err);
    if (n > 1)
        err_set(err, "'%s' could be any of %s", name, names.text);
    str_release(&names);
    return n == 1 ? found : NULL;
}

/* Where the user looks: what explain follows. */
struct looking {
    struct cursor_at at;
    int candidate, value;
};

static struct looking look_of(const struct command_env *env)
{
    struct looking l;

    memset(&l, 0, sizeof l);
    l.at = env->session->at;
    l.candidate = env->screen->candidate;
    l.value = env->screen->value;
    return l;
}

static void note_words(struct command_env *env, const struct words *w, const char *line)
{
    struct str text = STR_INIT;

    words_print(w, line, &text);
    journal_note(&env->journal, text.text);
    str_release(&text);
}

static bool run_words(struct command_env *env, struct words *w, const char *line,
                      struct err *err)
{
    struct arg arg[COMMAND_ARGS];
    const struct command *c = command_find(w->item[0].text, err);

    if (!c)
        return false;
    if (strcmp(c->name, w->item[0].text))
        w->item[0].full = xstrdup(c->name);
    if (!args_take(arg, env->session, c, w, line, err))
        return false;
    if (interrupt_pending())
        return err_set(err, "interrupted");
    struct looking before = look_of(env);
    env->journal.skip = false;
    if (c->run != cmd_watch)
        watch_settle(env);
    bool ok = c->run(env, arg, err);
    if (ok && !env->journal.skip)
        note_words(env, w, line);
    if (c->run != cmd_watch)
        watch_settle(env);
    env->journal.skip = false;
    struct looking after = look_of(env);
    if (c->run != cmd_explain && memcmp(&before, &after, sizeof after) != 0)
        explain_follow(env);
    return ok;
}

/* As text, or as a line of JSON; source and again give those of their commands only. */
static bool run_one(struct command_env *env, struct words *w, const char *line, struct err *err)
{
    struct err unheard = ERR_INIT;
    const struct command *c = command_find(w->item[0].text, &unheard);
    struct result_frame frame;

    if (!env->json)
        return run_words(env, w, line, err);
    struct str text = STR_INIT;
    bool many = c && (c->run == cmd_source || c->run == cmd_again);
    words_print(w, line, &text); /* as it was typed: nothing is expanded yet */
    env->failed = false;
    if (!many)
        result_begin(env, &frame);
    bool ok = run_words(env, w, line, err);
    if (!many)
        result_end(env, &frame, text.text, ok ? NULL : err);
    else if (!ok)
        result_fail(env, text.text, err);
    str_release(&text);
    return ok;
}

/* A text of commands, one of which is cut off after the other. */
struct reader {
    char *text; /* a copy: a command may change the text it is run from */
    size_t n, at;
    int line;       /* of the command cut off last, from 1 */
    size_t counted; /* line ends before here are in `line` */
    int command;    /* its number, from 1 */
    bool torn;      /* it could not be cut into words */
};

static void reader_open(struct reader *r, const char *text, size_t n, int line)
{
    *r = (struct reader){.text = xmalloc(n + 1), .n = n, .line = line};
    memcpy(r->text, text, n);
    r->text[n] = '\0';
}

/* The next command; w->n is 0 at the end. */
static bool reader_next(struct reader *r, struct words *w, struct err *err)
{
    bool ok = true;

    memset(w, 0, sizeof *w);
    while (ok && w->n == 0 && r->at < r->n) {
        size_t from = r->at;
        ok = words_next(w, r->text, &r->at, err);
        for (; r->counted < w->begin; r->counted++)
            r->line += r->text[r->counted] == '\n';
        if (ok && r->at < r->n && !r->text[r->at] &&
            (r->at == from || !strchr(";\n", r->text[r->at - 1])))
            ok = err_set(err, "the line holds a NUL byte");
    }
    r->command += !ok || w->n > 0;
    r->torn = !ok;
    return ok;
}

/* Whether the text has but one command, the one cut off last. */
static bool reader_single(struct reader *r)
{
    struct err unheard = ERR_INIT;
    struct words w;

    if (r->command > 1 || r->torn)
        return r->command == 1;
    bool more = !reader_next(r, &w, &unheard) || w.n > 0;
    words_release(&w);
    return !more;
}

/* Stops at the first error, or at quit. */
static bool run_all(struct command_env *env, struct reader *r, struct err *err)
{
    struct words w;
    bool ok = true, more = true;

    env->failed = false;
    while (ok && more && !env->session->quit) {
        ok = reader_next(r, &w, err);
        if (env->script)
            env->line = r->line;
        if (!ok)
            result_fail(env, r->text + w.begin, err);
        more = w.n > 0;
        ok = ok && (!more || run_one(env, &w, r->text, err));
        words_release(&w);
        if (env->flush)
            env->flush(env);
    }
    return ok;
}

bool command_run(struct command_env *env, const char *line, struct err *err)
{
    struct reader r;

    reader_open(&r, line, strlen(line), 1);
    bool ok = run_all(env, &r, err);
    free(r.text);
    return ok;
}

bool command_string(struct command_env *env, const char *text, struct err *err)
{
    struct reader r;

    reader_open(&r, text, strlen(text), 1);
    bool ok = run_all(env, &r, err);
    int command = r.command;
    if (!ok && !reader_single(&r))
        err_add(err, "command %d", command);
    free(r.text);
    return ok;
}

bool command_part(struct command_env *env, const char *name, int line, const char *text,
                  size_t n, struct err *err)
{
    const char *outer = env->script;
    int outer_line = env->line;
    struct reader r;

    env->script = name;
    reader_open(&r, text, n, line);
    bool ok = run_all(env, &r, err);
    if (!ok)
        err_add(err, "%s:%d", name, r.line);
    free(r.text);
    env->script = outer;
    env->line = outer_line;
    return ok;
}

bool command_script(struct command_env *env, const char *name, const char *text, size_t n,
                    struct err *err)
{
    return command_part(env, name, 1, text, n, err);
}

#define SCRIPT_MAX   (1 << 20)
#define SOURCE_DEPTH 16

bool command_file(struct command_env *env, const char *path, struct err *err)
{
    struct str text = STR_INIT;

    if (env->depth >= SOURCE_DEPTH)
        return err_set(err, "'%s': scripts source each other more than %d deep", path,
                       SOURCE_DEPTH);
    bool ok = file_read(&text, path, SCRIPT_MAX, err);
    env->depth++;
    ok = ok && command_script(env, path, text.text, text.len, err);
    env->depth--;
    str_release(&text);
    return ok;
}
