#include "command_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/utf8.h"
#include "tensor/compute.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct compute *compute;
static char folder[] = "/tmp/gptscope-test-XXXXXX";
char *tests_dir;

int fixture_setup(void **state)
{
    const char *dir = getenv("TESTS_DIR");

    (void) state;
    compute = compute_new(2);
    tests_dir = realpath(dir ? dir : "tests", NULL);
    return tests_dir && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

int fixture_teardown(void **state)
{
    static const char *const files[] = {
        "pattern.npy",   "pattern.npy.json", "some.npz",     "some.npz.json", "example.gpt",
        "loop.gpt",      "bad.gpt",          "gptscope.svg", "gptscope.txt",  "session.gpt",
        "gptscope.ansi", "gptscope.html",    "gptscope.png", "in.txt",        "pass.npz",
        "pass.npz.json", "mlp.npy",          "mlp.npy.json", "one.npz",       "one.npz.json",
        "mlp.c",         "exercise.h",       "Makefile"};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    (void) state;
    compute_free(compute);
    free(tests_dir);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

void open_fixture(struct fixture *f, const char *text, bool screen)
{
    struct settings set;

    memset(f, 0, sizeof *f);
    settings_init(&set);
    f->session = session_new("tiny-gpt2", compute, &set, &f->err);
    if (!f->session)
        fail_msg("%s", f->err.text);
    if (text)
        assert_true(session_prompt(f->session, text, strlen(text), &f->err));
    f->out = (struct str) STR_INIT;
    screen_init(&f->screen);
    command_env_init(&f->env, f->session, &f->screen, &f->out);
    f->env.live = screen;
}

void close_fixture(struct fixture *f)
{
    command_env_release(&f->env);
    screen_release(&f->screen);
    session_free(f->session);
    str_release(&f->out);
}

void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

void assert_safe(const char *text)
{
    for (size_t i = 0, n = strlen(text); i < n;) {
        uint32_t cp;
        int len = utf8_decode(text + i, n - i, &cp);
        assert_true(len > 0);
        assert_true(cp == '\n' || (cp >= 0x20 && cp != 0x7f && (cp < 0x80 || cp >= 0xa0)));
        i += (size_t) len;
    }
}

static bool number_begins(const char *p)
{
    p += *p == '-';
    p += *p == '.';
    return *p >= '0' && *p <= '9';
}

/* Words are equal but for numbers in them that nearly are: other machines round differently. */
static bool same_word(const char *a, size_t na, const char *b, size_t nb)
{
    const char *ea = a + na, *eb = b + nb;

    while (a < ea && b < eb) {
        if (!number_begins(a) || !number_begins(b)) {
            if (*a++ != *b++)
                return false;
            continue;
        }
        char *after_a, *after_b;
        double x = strtod(a, &after_a), y = strtod(b, &after_b);
        if (fabs(x - y) > 2e-3 * fmax(1, fabs(x)))
            return false;
        a = after_a;
        b = after_b;
    }
    return a == ea && b == eb;
}

static void compare(const char *name, const char *got, const char *want)
{
    for (int line = 1; *got || *want;) {
        size_t blank = strspn(got, " ");
        got += blank;
        want += strspn(want, " ");
        size_t n = strcspn(got, " \n"), m = strcspn(want, " \n");
        if (!same_word(got, n, want, m))
            fail_msg("%s.out:%d: '%.*s' instead of '%.*s'", name, line, (int) n, got, (int) m,
                     want);
        got += n;
        want += m;
        if (*got == '\n' || *want == '\n') {
            if (*got != *want)
                fail_msg("%s.out:%d: the line ends differently at '%s'", name, line, got);
            line++;
            got++;
            want++;
        }
    }
}

void golden(const char *name, const char *got)
{
    struct err err = ERR_INIT;
    struct str want = STR_INIT;
    char path[4200];

    snprintf(path, sizeof path, "%s/script/%s.out", tests_dir, name);
    if (getenv("GOLDEN_UPDATE"))
        put_file(path, got);
    if (!file_read(&want, path, 1 << 20, &err))
        fail_msg("%s", err.text);
    compare(name, got, want.text);
    str_release(&want);
}

void completes(const struct session *s, const char *line, const char *first, const char *holds)
{
    char **word = command_complete(s, line, strlen(line));
    bool found = false;

    if (!word)
        fail_msg("'%s': no candidates", line);
    if (!first) {
        assert_null(word[0]);
    } else {
        if (!word[0])
            fail_msg("'%s': no candidates", line);
        assert_string_equal(word[0], first);
        for (int i = 0; word[i]; i++)
            found = found || !strcmp(word[i], holds);
        if (!found)
            fail_msg("'%s': no '%s'", line, holds);
    }
    for (int i = 0; word[i]; i++)
        free(word[i]);
    free(word);
}
