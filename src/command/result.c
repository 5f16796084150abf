#include "command/result.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "command/dump.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool result_wanted(const struct command_env *env)
{
    return env->json;
}

bool result_put(struct command_env *env, json_t *data)
{
    json_decref(env->result);
    env->result = data;
    return true;
}

json_t *result_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *result_text(const char *bytes, size_t n)
{
    struct str text = STR_INIT;

    utf8_print(bytes, n, &text);
    json_t *j = json_stringn(text.text, text.len);
    str_release(&text);
    return j;
}

json_t *result_token(const struct session *s, int id)
{
    struct str text = STR_INIT;

    dump_token_text(s->tokenizer, id, &text);
    json_t *j = json_pack("{s:i, s:o}", "id", id, "text", json_stringn(text.text, text.len));
    str_release(&text);
    return j;
}

json_t *result_floats(const float *x, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, result_number((double) x[i]));
    return list;
}

/* --- around a command --- */

void result_begin(struct command_env *env, struct result_frame *f)
{
    *f = (struct result_frame){.out = STR_INIT, .outer = env->out, .flush = env->flush};
    env->out = &f->out;
    env->flush = NULL;
    env->result = NULL;
}

/* Takes o over. */
static void put_line(struct command_env *env, json_t *o)
{
    json_add(env->out, o);
    str_addc(env->out, '\n');
    json_decref(o);
}

static json_t *line_of(const char *command)
{
    return json_pack("{s:o}", "command", result_text(command, strlen(command)));
}

void result_fail(struct command_env *env, const char *line, const struct err *err)
{
    json_t *o;

    if (env->failed || !env->json)
        return;
    o = line_of(line);
    json_object_set_new(o, "error", result_text(err->text, strlen(err->text)));
    if (env->script) {
        json_object_set_new(o, "file", result_text(env->script, strlen(env->script)));
        json_object_set_new(o, "line", json_integer(env->line));
    }
    put_line(env, o);
    env->failed = true;
}

static void put_result(struct command_env *env, const struct str *text, const char *line)
{
    json_t *o = line_of(line);

    if (env->result)
        json_object_set(o, "result", env->result);
    else if (text->len > 0)
        json_object_set_new(o, "text", result_text(text->text, text->len));
    put_line(env, o);
}

void result_end(struct command_env *env, struct result_frame *f, const char *line,
                const struct err *err)
{
    env->out = f->outer;
    env->flush = f->flush;
    if (err)
        result_fail(env, line, err);
    else
        put_result(env, &f->out, line);
    json_decref(env->result);
    env->result = NULL;
    str_release(&f->out);
}
