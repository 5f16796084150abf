#include "dump_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gptscope-test-XXXXXX";

int dump_enter(void **state)
{
    setenv("GPTSCOPE_CLOCK", "0", 1);
    return session_setup(state) == 0 && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

int dump_leave(void **state)
{
    char *command = xasprintf("rm -rf %s", folder);
    int status = chdir("/") == 0 ? system(command) : -1;

    free(command);
    return session_teardown(state) + status;
}

bool dump_try(const struct session *s, const char *select, const struct dump_options *o,
              json_t **file, struct err *err)
{
    struct selection sel;
    struct dump_result r;

    if (!selection_parse(&sel, s->program, select, err))
        fail_msg("%s", err->text);
    bool ok = dump_values(s, &sel, o, &r, err);
    selection_release(&sel);
    assert_int_equal(ok, r.file != NULL);
    if (file)
        *file = r.file;
    else
        json_decref(r.file);
    return ok;
}

void dump_to(const struct session *s, const char *select, const struct dump_options *o)
{
    OK(dump_try(s, select, o, NULL, &err));
}

void dump_read(const struct session *s, const char *select, struct dump_slice slice,
               struct npz *z)
{
    struct dump_options o = {.path = "read.npz", .slice = slice};

    dump_to(s, select, &o);
    assert_true(npz_open(z, "read.npz"));
    unlink("read.npz");
}

struct str read_text(const char *path)
{
    struct str text = STR_INIT;

    OK(file_read(&text, path, (size_t) 1 << 30, &err));
    str_adds(&text, "");
    return text;
}

json_t *read_json(const char *path)
{
    json_t *o = NULL;

    OK(o = json_parse_file(path, (size_t) 1 << 30, &err));
    return o;
}
