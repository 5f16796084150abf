/* help, source, echo, version, quit. */
#include "command/commands.h"

#include "base/safe.h"
#include "command/data.h"

#include <string.h>

bool cmd_help(struct command_env *env, const struct arg *arg, struct err *err)
{
    if (result_wanted(env)) {
        json_t *help = data_help(arg[0].given ? arg[0].text : NULL, err);
        return help && result_put(env, help);
    }
    if (arg[0].given)
        return command_topic(arg[0].text, env->fold, env->out, err);
    command_help(NULL, env->fold, env->out);
    return true;
}

bool cmd_source(struct command_env *env, const struct arg *arg, struct err *err)
{
    bool ok = command_file(env, arg[0].text, err);

    env->journal.skip = true; /* its commands are noted */
    return ok;
}

/* The file, and whether it is written to now. */
static json_t *record_data(const struct journal *j, bool ended)
{
    return json_pack("{s:o, s:b}", "file", j->file ? data_string(j->path) : json_null(),
                     "recording", j->file && !ended);
}

bool cmd_record(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct journal *j = &env->journal;

    j->skip = true;
    bool off = arg[0].given && strcmp(arg[0].text, "off") == 0;
    if (arg[0].given && !off && !journal_record(j, arg[0].text, err))
        return false;
    if (result_wanted(env))
        result_put(env, record_data(j, off));
    if (!arg[0].given)
        str_adds(env->out, j->file ? "recording to " : "nothing is recorded");
    else if (off)
        str_adds(env->out, j->file ? "recorded to " : "nothing was recorded");
    else
        str_adds(env->out, "recording to ");
    if (j->file)
        safe_add(env->out, j->path, strlen(j->path), SAFE_SPACE_KEEP);
    str_addc(env->out, '\n');
    return !off || journal_stop(j, err);
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
    if (result_wanted(env))
        return result_put(
            env, json_pack("{s:s, s:s}", "name", PACKAGE_NAME, "version", PACKAGE_VERSION));
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
