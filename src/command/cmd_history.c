/* history and again: what was done in this session, and one of it once more. */
#include "command/commands.h"

#include "base/mem.h"
#include "command/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The journal's lines, apart. */
struct lines {
    char *text; /* a copy, line ends cut out */
    char **line;
    int n, cap;
};

static void lines_open(struct lines *l, const struct journal *j)
{
    char *rest;

    *l = (struct lines){.text = xstrndup(j->text.len ? j->text.text : "", j->text.len)};
    for (char *p = strtok_r(l->text, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest)) {
        VEC_ROOM(l->line, l->n, l->cap);
        l->line[l->n++] = p;
    }
}

static void lines_release(struct lines *l)
{
    free(l->line);
    free(l->text);
}

/* A whole number from 1 to n; 0 with err. */
static int number_of(const char *text, int n, struct err *err)
{
    char *end;

    errno = 0;
    long i = strtol(text, &end, 10);
    if (end != text && !*end && !errno && i >= 1 && i <= n)
        return (int) i;
    err_set(err, "there is no command %s; 'history' has 1 to %d", text, n);
    return 0;
}

bool cmd_history(struct command_env *env, const struct arg *arg, struct err *err)
{
    const char *text = arg[0].given ? arg[0].text : "";
    bool number = *text && !arg[0].quoted && !text[strspn(text, "0123456789")];
    json_t *list = json_array();
    struct lines l;

    env->journal.skip = true; /* it only looks */
    lines_open(&l, &env->journal);
    long last = number ? strtol(text, NULL, 10) : l.n;
    bool ok = !number || last > 0 || err_set(err, "the last N commands; N is 1 or more");
    for (int i = last < l.n ? l.n - (int) last : 0; ok && i < l.n; i++) {
        if (!number && !strstr(l.line[i], text))
            continue;
        if (result_wanted(env))
            json_array_append_new(list, json_pack("{s:i, s:o}", "n", i + 1, "command",
                                                  result_text(l.line[i], strlen(l.line[i]))));
        else
            str_addf(env->out, "%5d  %s\n", i + 1, l.line[i]);
    }
    lines_release(&l);
    if (!ok || !result_wanted(env)) {
        json_decref(list);
        return ok;
    }
    return result_put(env, json_pack("{s:o}", "commands", list));
}

bool cmd_again(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct lines l;
    bool ok = true;

    lines_open(&l, &env->journal);
    int i = arg[0].given ? number_of(arg[0].text, l.n, err) : l.n;
    if (i == 0)
        ok = *err->text ? false : err_set(err, "nothing was done yet");
    if (ok && !result_wanted(env) && !env->live)
        str_addf(env->out, "%s\n", l.line[i - 1]);
    ok = ok && command_run(env, l.line[i - 1], err);
    env->journal.skip = true; /* it is noted by itself */
    lines_release(&l);
    return ok;
}
