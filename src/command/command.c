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

static bool unknown(const char *name, struct err *err)
{
    struct near near;

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

/* The command as it was typed; its arguments may say more than the words (rest of the line).
 * Yours. */
static char *typed(const struct words *w, const char *line)
{
    size_t from = w->item[0].at;

    return xstrndup(line + from, w->end - from);
}

static void note_words(struct command_env *env, const struct words *w, const char *line)
{
    char *text = typed(w, line);

    journal_note(&env->journal, text);
    free(text);
}

static bool run_words(struct command_env *env, struct words *w, const char *line,
                      struct err *err)
{
    struct arg arg[COMMAND_ARGS];
    const struct command *c = command_find(w->item[0].text, err);

    if (!c || !args_take(arg, env->session, c, w, line, err))
        return false;
    if (interrupt_pending())
        return err_set(err, "interrupted");
    struct looking before = look_of(env);
    env->journal.skip = false;
    bool ok = c->run(env, arg, err);
    if (ok && !env->journal.skip)
        note_words(env, w, line);
    env->journal.skip = false;
    struct looking after = look_of(env);
    if (c->run != cmd_explain && memcmp(&before, &after, sizeof after) != 0)
        explain_follow(env);
    return ok;
}

/* As text, or as a line of JSON; source gives those of its commands only. */
static bool run_one(struct command_env *env, struct words *w, const char *line, struct err *err)
{
    struct err unheard = ERR_INIT;
    const struct command *c = command_find(w->item[0].text, &unheard);
    struct result_frame frame;

    if (!env->json)
        return run_words(env, w, line, err);
    char *text = typed(w, line);
    bool many = c && c->run == cmd_source;
    env->failed = false;
    if (!many)
        result_begin(env, &frame);
    bool ok = run_words(env, w, line, err);
    if (!many)
        result_end(env, &frame, text, ok ? NULL : err);
    else if (!ok)
        result_fail(env, text, err);
    free(text);
    if (env->flush)
        env->flush(env);
    return ok;
}

bool command_run(struct command_env *env, const char *line, struct err *err)
{
    char *copy = xstrdup(line); /* a command may change the text it is run from */
    struct words w;
    bool ok = true;

    env->failed = false;
    for (size_t at = 0; ok && copy[at] && !env->session->quit;) {
        size_t begin = at + strspn(copy + at, " \t");
        ok = words_next(&w, copy, &at, err);
        if (!ok)
            result_fail(env, copy + begin, err);
        if (ok && w.n > 0)
            ok = run_one(env, &w, copy, err);
        if (env->flush)
            env->flush(env);
        words_release(&w);
    }
    free(copy);
    return ok;
}

bool command_script(struct command_env *env, const char *name, const char *text, size_t n,
                    struct err *err)
{
    const char *end = text + n, *outer = env->script;
    int outer_line = env->line;
    bool ok = true;

    env->script = name;
    for (int line = 1; ok && text < end && !env->session->quit; line++) {
        const char *eol = memchr(text, '\n', (size_t) (end - text));
        size_t len = (size_t) ((eol ? eol : end) - text);
        char *one = xstrndup(text, len);
        env->line = line;
        env->failed = false;
        if (strlen(one) != len)
            ok = err_set(err, "the line holds a NUL byte");
        if (!ok)
            result_fail(env, one, err);
        ok = ok && command_run(env, one, err);
        if (!ok)
            err_add(err, "%s:%d", name, line);
        free(one);
        text += len + 1;
    }
    env->script = outer;
    env->line = outer_line;
    return ok;
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
