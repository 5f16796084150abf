/* help, source, echo, version, quit. */
#include "command/commands.h"

#include "base/safe.h"

#include <string.h>

bool cmd_help(struct command_env *env, const struct arg *arg, struct err *err)
{
    if (arg[0].given)
        return command_topic(arg[0].text, env->out, err);
    command_help(NULL, env->out);
    return true;
}

bool cmd_source(struct command_env *env, const struct arg *arg, struct err *err)
{
    bool ok = command_file(env, arg[0].text, err);

    env->journal.skip = true; /* its commands are noted */
    return ok;
}

bool cmd_record(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct journal *j = &env->journal;

    j->skip = true;
    if (!arg[0].given)
        str_adds(env->out, j->file ? "recording to " : "nothing is recorded");
    else if (strcmp(arg[0].text, "off") == 0)
        str_adds(env->out, j->file ? "recorded to " : "nothing was recorded");
    else if (!journal_record(j, arg[0].text, err))
        return false;
    else
        str_adds(env->out, "recording to ");
    if (j->file)
        safe_add(env->out, j->path, strlen(j->path), SAFE_SPACE_KEEP);
    str_addc(env->out, '\n');
    return !arg[0].given || strcmp(arg[0].text, "off") || journal_stop(j, err);
}

bool cmd_echo(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) err;
    if (arg[0].given)
        safe_add(env->out, arg[0].text, strlen(arg[0].text), SAFE_SPACE_KEEP);
    str_addc(env->out, '\n');
    return true;
}

bool cmd_version(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) arg;
    (void) err;
    str_adds(env->out, PACKAGE_NAME " " PACKAGE_VERSION "\n");
    return true;
}

bool cmd_quit(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) arg;
    (void) err;
    env->journal.skip = true; /* a script that ends so would end the program that sources it */
    env->session->quit = true;
    return true;
}
