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
    return command_file(env, arg[0].text, err);
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
    env->session->quit = true;
    return true;
}
