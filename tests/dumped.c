#include "dumped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "command/dump.h"

#include <string.h>
#include <unistd.h>

char dumped_path[] = "/tmp/gptscope-dump-XXXXXX";

static bool dump(const struct session *s, const char *select, const char *suffix,
                 struct str *out, struct err *err)
{
    struct selection sel;
    struct dump_result result = {0};
    struct dump_options o = {.path = dumped_path, .suffix = suffix};

    if (!selection_parse(&sel, s->program, select, err))
        return false;
    bool ok = dump_values(s, &sel, &o, &result, err) &&
              file_read(out, dumped_path, (size_t) 1 << 30, err);
    json_decref(result.file);
    selection_release(&sel);
    return ok;
}

struct str dumped(const struct session *s, const char *select, const char *suffix)
{
    struct str out = STR_INIT;
    struct err err = ERR_INIT;

    if (!dump(s, select, suffix, &out, &err))
        fail_msg("%s as %s: %s", select, suffix, err.text);
    return out;
}

void refused(const struct session *s, const char *select, const char *suffix, const char *why)
{
    struct str out = STR_INIT;
    struct err err = ERR_INIT;

    assert_false(dump(s, select, suffix, &out, &err));
    assert_string_equal(strstr(err.text, ": ") ? strstr(err.text, ": ") + 2 : err.text, why);
    str_release(&out);
}

struct str dumped_job(const struct dump_job *job, const char *suffix)
{
    struct str out = STR_INIT;
    struct err err = ERR_INIT;
    struct outfile *f = outfile_open(dumped_path, &err);

    if (!f || !dump_format_find("-", suffix, &err)->write(job, f, &err) ||
        !outfile_commit(f, &err) || !file_read(&out, dumped_path, 1 << 24, &err))
        fail_msg("%s: %s", suffix, err.text);
    return out;
}

int dumped_setup(void **state)
{
    close(mkstemp(dumped_path));
    return session_setup(state);
}

int dumped_teardown(void **state)
{
    unlink(dumped_path);
    return session_teardown(state);
}
