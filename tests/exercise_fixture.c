#include "exercise_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct material material;
static char folder[] = "/tmp/gptscope-test-XXXXXX";

int exercise_setup(void **state)
{
    struct err err = ERR_INIT;

    (void) state;
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    return material_open(&material, &err) ? 0 : 1;
}

int exercise_teardown(void **state)
{
    char *line = xasprintf("rm -rf '%s'", folder);

    (void) state;
    material_release(&material);
    int status = chdir("/") != 0 || system(line) != 0;
    free(line);
    return status;
}

const struct exercise *the_exercise(const char *name)
{
    struct err err = ERR_INIT;
    const struct exercise *e = exercise_find(name, &err);

    if (!e)
        fail_msg("%s", err.text);
    return e;
}

int todo_of(const struct exercise *e, const char *name)
{
    struct err err = ERR_INIT;
    int i = exercise_todo_find(e, name, &err);

    if (i < 0)
        fail_msg("%s", err.text);
    return i;
}

char *solution_with(const struct exercise *e, enum lang lang, const char *from, const char *to)
{
    struct str whole = STR_INIT, changed = STR_INIT;
    const char *at, *p;

    exercise_solution(e, lang, &whole);
    if (!from)
        return str_steal(&whole);
    if (!strstr(whole.text, from))
        fail_msg("the solution of %s has no '%s'", e->name, from);
    for (p = whole.text; (at = strstr(p, from)); p = at + strlen(from)) {
        str_add(&changed, p, (size_t) (at - p));
        str_adds(&changed, to);
    }
    str_adds(&changed, p);
    str_release(&whole);
    return str_steal(&changed);
}

void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

void check_text(struct exercise_report *r, const struct exercise *e, const char *text,
                enum lang lang)
{
    struct exercise_build b;
    struct worker w = {0};
    struct err err = ERR_INIT;

    write_text("learner.c", text);
    if (!exercise_build(&b, e, "learner.c", &err) ||
        (b.program && !worker_start(&w, &b, &err)) ||
        !exercise_check_built(r, e, &b, &w, &material, lang, &err))
        fail_msg("%s: %s", e->name, err.text);
    worker_release(&w);
    exercise_build_release(&b);
}
