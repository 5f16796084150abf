#include "result_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void open_json(struct fixture *f, const char *model, const char *text)
{
    open_fixture(f, NULL, false);
    if (!session_load(f->session, model, &f->err))
        fail_msg("%s", f->err.text);
    if (text)
        assert_true(session_prompt(f->session, text, strlen(text), &f->err));
    f->env.json = true;
    f->env.color = true; /* of pictures, which must not come */
}

json_t *read_lines(const char *text)
{
    json_t *list = json_array();

    assert_null(strchr(text, '\x1b'));
    assert_null(strstr(text, "\\u001b"));
    while (*text) {
        size_t n = strcspn(text, "\n");
        json_error_t wrong;
        json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &wrong);
        if (!o || !json_is_object(o))
            fail_msg("%s: %.200s", wrong.text, text);
        json_array_append_new(list, o);
        assert_int_equal(text[n], '\n');
        text += n + 1;
    }
    return list;
}

json_t *result_of(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    f->err.text[0] = '\0';
    if (!command_run(&f->env, line, &f->err))
        fail_msg("%s: %s", line, f->err.text);
    json_t *lines = read_lines(f->out.text);
    json_t *last = json_array_get(lines, json_array_size(lines) - 1);
    json_t *result = json_incref(json_object_get(last, "result"));
    if (!result)
        fail_msg("%s: no result in %.200s", line, f->out.text);
    json_decref(lines);
    return result;
}

const json_t *at(const json_t *root, const char *path)
{
    const json_t *o = root;
    char key[64];

    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        snprintf(key, sizeof key, "%.*s", (int) n, p);
        o = json_is_array(o) ? json_array_get(o, (size_t) atoi(key)) : json_object_get(o, key);
        if (!o)
            fail_msg("there is no '%s' of '%s'", key, path);
        p += n + (p[n] == '/');
    }
    return o;
}

long long int_at(const json_t *root, const char *path)
{
    const json_t *o = at(root, path);

    if (!json_is_integer(o))
        fail_msg("'%s' is no integer", path);
    return json_integer_value(o);
}

double number_at(const json_t *root, const char *path)
{
    const json_t *o = at(root, path);

    if (!json_is_number(o))
        fail_msg("'%s' is no number", path);
    return json_number_value(o);
}

const char *text_at(const json_t *root, const char *path)
{
    const json_t *o = at(root, path);

    if (!json_is_string(o))
        fail_msg("'%s' is no text", path);
    return json_string_value(o);
}

bool null_at(const json_t *root, const char *path)
{
    return json_is_null(at(root, path));
}

/* --- comparing --- */

static double worst;

void near(const char *what, double got, double want)
{
    double off = fabs(got - want) / fmax(1, fabs(want));

    worst = off > worst ? off : worst;
    if (!(off <= TOLERANCE))
        fail_msg("%s: %.9g instead of %.9g", what, got, want);
}

void print_worst(const char *test)
{
    print_message("%s: largest difference %.2g (tolerance %.2g)\n", test, worst, TOLERANCE);
    worst = 0;
}

void same_float(const char *what, const json_t *got, float want)
{
    if (!isfinite(want)) {
        assert_true(json_is_null(got));
        return;
    }
    if (!json_is_number(got) || (float) json_number_value(got) != want)
        fail_msg("%s: %.9g instead of %.9g", what, json_number_value(got), (double) want);
}

float *read_region(const struct session *s, int value, const struct region *g)
{
    size_t n = (size_t) g->count[0] * (size_t) g->count[1] * (size_t) g->count[2];
    float *x = xcalloc(n, sizeof *x);
    struct err err = ERR_INIT;

    if (!run_read(s->run, value, g, x, &err))
        fail_msg("%s", err.text);
    return x;
}

void near_float(const char *what, const json_t *got, float want)
{
    if (!isfinite(want))
        assert_true(json_is_null(got));
    else
        near(what, json_number_value(got), (double) want);
}
