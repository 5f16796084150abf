/* The command that writes values to a file. */
#include "command/commands.h"

#include "base/mem.h"
#include "base/near.h"
#include "base/safe.h"
#include "command/dump.h"
#include "command/parse.h"
#include "command/place.h"
#include "command/result.h"

#include <stdlib.h>
#include <string.h>

/* What "heads=1,2" and the like set. */
static const char *const options[] = {"layers", "heads",   "positions",
                                      "format", "sidecar", NULL};
enum { LAYERS, HEADS, POSITIONS, FORMAT, SIDECAR };

static bool unknown_option(const char *word, const char *name, struct err *err)
{
    struct near near;

    near_init(&near, name);
    for (int i = 0; options[i]; i++)
        near_try(&near, options[i]);
    if (near_best(&near))
        return err_set(err, "'%s' is no option of dump; did you mean '%s='?", word,
                       near_best(&near));
    return err_set(err,
                   "'%s' is no option of dump; they are layers=, heads=, positions=, format= "
                   "and sidecar=",
                   word);
}

static bool take_sidecar(const char *text, bool *sidecar, struct err *err)
{
    *sidecar = !strcmp(text, "on");
    return *sidecar || !strcmp(text, "off") ||
           err_set(err, "sidecar is on or off, not '%s'", text);
}

/* One word, cut at its '='. */
static bool take_option(struct dump_options *o, char *word, struct err *err)
{
    char *eq = strchr(word, '=');
    char *name = xstrndup(word, eq ? (size_t) (eq - word) : strlen(word));
    int i = 0;
    bool ok = true;

    while (options[i] && strcmp(options[i], name))
        i++;
    if (!eq || !options[i])
        ok = unknown_option(word, name, err);
    else if (i == LAYERS)
        o->slice.layers = eq + 1;
    else if (i == HEADS)
        o->slice.heads = eq + 1;
    else if (i == POSITIONS)
        o->slice.positions = eq + 1;
    else if (i == FORMAT)
        o->suffix = eq + 1;
    else
        ok = take_sidecar(eq + 1, &o->sidecar, err);
    free(name);
    return ok;
}

/* The words of `text`, which lives as long as o. */
static bool take_options(struct dump_options *o, char *text, struct err *err)
{
    for (char *rest, *word = strtok_r(text, " \t", &rest); word;
         word = strtok_r(NULL, " \t", &rest))
        if (!take_option(o, word, err))
            return false;
    return dump_slice_check(&o->slice, err);
}

struct watched {
    struct command_env *env;
    const char *path;
};

static void progress(void *user, uint64_t done, uint64_t total)
{
    const struct watched *w = user;

    w->env->progress(w->env, w->path, done, total);
}

/* The command as it may be typed again. */
static char *command_of(const struct arg *arg)
{
    struct str line = STR_INIT;

    str_adds(&line, "dump ");
    quote_print(arg[0].text, strlen(arg[0].text), &line);
    str_addc(&line, ' ');
    quote_print(arg[1].text, strlen(arg[1].text), &line);
    if (arg[2].given)
        str_addf(&line, " %s", arg[2].text);
    return str_steal(&line);
}

static bool report(struct command_env *env, const char *path, struct dump_result *r)
{
    if (result_wanted(env))
        return result_put(env, json_pack("{s:[o]}", "files", r->file));
    str_addf(env->out, "%d value%s written to ", r->values, r->values == 1 ? "" : "s");
    safe_add(env->out, path, strlen(path), SAFE_SPACE_KEEP);
    str_addc(env->out, '\n');
    json_decref(r->file);
    return true;
}

static bool dump(struct command_env *env, const struct selection *sel, struct dump_options *o,
                 struct err *err)
{
    struct watched w = {env, o->path};
    struct dump_result r;

    o->progress = env->progress ? progress : NULL;
    o->user = &w;
    bool ok = dump_values(env->session, sel, o, &r, err);
    if (env->progress)
        env->progress(env, NULL, 0, 0);
    return ok && report(env, o->path, &r);
}

bool cmd_dump(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct dump_options o = {.path = arg[1].text, .sidecar = true};
    struct selection sel;

    if (!strcmp(o.path, "-"))
        return err_set(err, "dump writes to a file here; for standard output there is "
                            "gptscope dump -o -");
    char *words = xstrdup(arg[2].given ? arg[2].text : ""), *line = command_of(arg);
    o.command = line;
    bool ok =
        take_options(&o, words, err) && values_parse(env->session, arg[0].text, &sel, err);
    if (ok) {
        ok = dump(env, &sel, &o, err);
        selection_release(&sel);
    }
    free(line);
    free(words);
    return ok;
}
