/* What a learner's code can do wrong beside wrong numbers, and what the commands and the verb
 * say: crashes, endless loops, writes beside arrays, floods; each is told, and nothing is
 * harmed. With the sanitizers, and with a compiler that has none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exercise_fixture.h"
#include "session/exercise_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* mlp's solution with a line at the beginning of gelu. */
static void check_with(struct exercise_report *r, const char *line, enum lang lang)
{
    char text[4096];

    snprintf(text, sizeof text, "const float root = 0.7978845608f;\n    %s\n", line);
    const struct exercise *e = the_exercise("mlp");
    char *code = solution_with(e, lang, "const float root = 0.7978845608f;\n", text);
    check_text(r, e, code, lang);
    if (!r->compiled)
        fail_msg("%s", r->log.text);
    assert_int_equal(r->todo[0].state, TODO_PASSED);
    free(code);
}

static void expect(const char *line, const char *name, const char *element)
{
    struct exercise_report r;

    check_with(&r, line, LANG_EN);
    const struct todo_report *t = &r.todo[1];
    if (t->state != TODO_FAILED || strcmp(t->name, name) || strcmp(t->element.text, element))
        fail_msg("'%s': %s: '%s' (%s)", line, t->name, t->element.text, t->reason.text);
    assert_int_not_equal(r.todo[2].state, TODO_FAILED); /* nothing is blamed for another */
    exercise_report_release(&r);
}

/* --- with the sanitizers --- */

static bool sanitized(void)
{
    static int known = -1;
    struct exercise_report r;

    if (known < 0) {
        check_text(&r, the_exercise("mlp"), "#include \"exercise.h\"\nint x", LANG_EN);
        assert_false(r.compiled);
        exercise_report_release(&r);
        char *code = solution_with(the_exercise("mlp"), LANG_EN, NULL, NULL);
        check_text(&r, the_exercise("mlp"), code, LANG_EN);
        known = r.sanitized;
        exercise_report_release(&r);
        free(code);
    }
    return known;
}

static void test_crashes(void **state)
{
    (void) state;
    if (!sanitized())
        skip();
    expect("out[n] = 0;", "heap-buffer-overflow",
           "it writes beside the end or the beginning of an array, line 29");
    expect("out[-1] = 0;", "heap-buffer-overflow",
           "it writes beside the end or the beginning of an array, line 29");
    expect("float y = x[n]; if (y > 1e30f) return;", "heap-buffer-overflow",
           "it reads beside the end or the beginning of an array, line 29");
    expect("float a[4]; for (volatile int i = 0; i < 5; i++) ((volatile float *) a)[i] = 0;",
           "stack-buffer-overflow", "it writes beside a local array, line 29");
    expect("volatile int z = 0; z = n / z;", "undefined",
           "it does what C does not define: division by zero, line 29");
    expect(
        "*(volatile float *) 8 = 0;", "SEGV",
        "it writes at an address that is none: far outside an array, or a null pointer, line "
        "29");
    expect("free(malloc(1)); float *p = malloc(4); free(p); *(volatile float *) p = 1;",
           "heap-use-after-free", "it writes in memory that was freed already, line 29");
    expect("abort();", "crash", "it crashed: abort: memory was damaged before");
}

static void test_overflow_names_the_array(void **state)
{
    struct exercise_report r;

    (void) state;
    if (!sanitized())
        skip();
    check_with(&r, "out[n] = 0;", LANG_EN);
    assert_string_equal(r.todo[1].reason.text,
                        "the array is probably out, which has 1 floats here");
    assert_int_equal(r.todo[1].line, 29);
    exercise_report_release(&r);
}

static void test_ends(void **state)
{
    (void) state;
    expect("for (volatile int i = 0; i < 1;) ;", "endless",
           "it does not end: stopped after 2 s (a right one takes far less)");
    expect("exit(0);", "exit", "it ended the whole program with status 0: return, do not exit");
    expect("close(3);", "exit",
           "it ended the whole program with status 0: return, do not exit");
    expect("((float *) x)[0] = 1;", "wrote-input", "it changes its input: x[number 0]");
    expect("raise(11);", sanitized() ? "SEGV" : "crash",
           sanitized() ? "it reads at an address that is none: far outside an array, or a null "
                         "pointer, line 29"
                       : "it crashed: segmentation fault: an address outside every array");
}

/* --- numbers that say something --- */

static void expect_number(const char *line, const char *name, const char *reason)
{
    struct exercise_report r;

    check_with(&r, line, LANG_EN);
    if (strcmp(r.todo[1].name, name) || !strstr(r.todo[1].reason.text, reason))
        fail_msg("'%s': %s: %s (%s)", line, r.todo[1].name, r.todo[1].element.text,
                 r.todo[1].reason.text);
    exercise_report_release(&r);
}

#define END "for (int i = 0; i < n; i++) out[i] = "
static void test_numbers(void **state)
{
    (void) state;
    expect_number(END "NAN; return;", "nan", "not a number");
    expect_number(END "INFINITY; return;", "inf", "infinite");
    expect_number(END "0; return;", "zero", "everything is 0");
    expect_number("n--;", "unwritten", "never written");
    expect_number("float a; " END "a; return;", sanitized() ? "uninitialised" : "zero", "");
    expect_number("float *a = malloc(4 * n); " END "a[i]; return;",
                  sanitized() ? "uninitialised" : "zero", "");
    expect_number(END "3 * 0.5f * x[i] * (1 + tanhf(root * (x[i] + 0.044715f * x[i] * x[i] * "
                      "x[i]))); return;",
                  "factor", "every number is the right one times 3");
}

static void test_what_is_printed(void **state)
{
    struct exercise_report r;

    (void) state;
    check_with(&r, "if (n == 1) printf(\"n is %d\\033[31m\\n\", n);", LANG_EN);
    assert_string_equal(r.printed.text, "n is 1\\x1b[31m\n");
    assert_int_equal(r.todo[1].state, TODO_PASSED);
    exercise_report_release(&r);
    check_with(&r, "for (;;) puts(\"again and again\");", LANG_EN);
    assert_string_equal(r.todo[1].name, "endless");
    assert_true(r.printed.len < 5000);
    exercise_report_release(&r);
}

/* New processes are refused, or at least killed at the end; files stay small and in the private
 * folder. */
static void test_bounds(void **state)
{
    struct exercise_report r;

    (void) state;
    check_with(&r, "for (int i = 0; i < 200; i++) if (fork() == 0) { sleep(60); _exit(0); }",
               LANG_EN);
    assert_int_equal(r.todo[1].state, TODO_PASSED);
    exercise_report_release(&r);
    check_with(&r,
               "FILE *f = fopen(\"big\", \"w\"); for (int i = 0; f && i < 100000; i++) "
               "fwrite(calloc(1, 4096), 1, 4096, f); if (f) fclose(f);",
               LANG_EN);
    assert_int_equal(r.todo[1].state, TODO_FAILED);
    exercise_report_release(&r);
    assert_int_not_equal(access("big", F_OK), 0);
}

/* --- without them --- */

/* A compiler that knows no sanitizers. */
static void plain_compiler(void)
{
    write_text("plain-cc",
               "#!/bin/sh\ncase \"$*\" in *fsanitize*|*auto-var*)\n"
               "echo \"cc: error: unrecognized command-line option\" >&2; exit 1;;\n"
               "esac\nexec cc \"$@\"\n");
    assert_int_equal(chmod("plain-cc", 0700), 0);
    char *whole = realpath("plain-cc", NULL);
    setenv("CC", whole, 1);
    free(whole);
}

static void test_without_sanitizers(void **state)
{
    struct exercise_report r;

    (void) state;
    plain_compiler();
    check_with(&r, "", LANG_EN);
    assert_false(r.sanitized);
    exercise_report_release(&r);
    expect("out[n] = 0;", "wrote-outside",
           "it writes behind the end of out, which has 1 floats here");
    expect("out[-1] = 0;", "wrote-outside",
           "it writes before the beginning of out, which has 1 floats here");
    expect("*(volatile float *) 8 = 0;", "crash",
           "it crashed: segmentation fault: an address outside every array");
    expect("float y = 0; for (int i = 0; i <= n; i++) y += x[i]; if (!(y < 1e9f)) out[0] = y; "
           "if (!(y < 1e9f)) return;",
           "nan", "out[number 0]: expected 3.76541, got nan");
    unsetenv("CC");
}

static void test_no_compiler(void **state)
{
    struct exercise_report r;
    struct err err = ERR_INIT;
    char *path = getenv("PATH") ? strdup(getenv("PATH")) : NULL;
    char *code = solution_with(the_exercise("mlp"), LANG_EN, NULL, NULL);

    (void) state;
    write_text("learner.c", code);
    setenv("PATH", "/nowhere", 1);
    assert_false(exercise_check(&r, the_exercise("mlp"), "learner.c", LANG_EN, &err));
    assert_string_equal(err.text,
                        "exercises need a C compiler, and there is no cc, gcc or clang "
                        "on the PATH; install one, or name it in CC");
    setenv("PATH", path, 1);
    setenv("CC", "/dev/null", 1);
    assert_false(exercise_check(&r, the_exercise("mlp"), "learner.c", LANG_EN, &err));
    assert_string_equal(err.text,
                        "the compiler '/dev/null' cannot be run; name another one in CC");
    unsetenv("CC");
    free(path);
    free(code);
}

/* --- what the compiler refuses --- */

static void expect_refused(const char *from, const char *to, const char *error,
                           const char *reason)
{
    const struct exercise *e = the_exercise("mlp");
    char *code = solution_with(e, LANG_EN, from, to);
    struct exercise_report r;

    check_text(&r, e, code, LANG_EN);
    assert_false(r.compiled);
    if (!strstr(r.error.text, error) || strcmp(r.reason.text, reason))
        fail_msg("%s -> %s: %s (%s)", from, to, r.error.text, r.reason.text);
    exercise_report_release(&r);
    free(code);
}

static void test_refused(void **state)
{
    (void) state;
    expect_refused("float sum = bias[o];", "float sum = bias[o]",
                   "learner.c:", "a semicolon is missing, often on the line before");
    expect_refused("float sum = bias[o];", "float sum = bios[o];", "error: 'bios' undeclared",
                   "this name was not declared: misspelt, or used outside its block");
    expect_refused(
        "void gelu(", "void jelu(", "undefined reference to `gelu'",
        "this function is called, or asked for by exercise.h, and is not in the file");
    expect_refused("void gelu(float *out, const float *x, int n)",
                   "void gelu(float *out, float *x, int n)", "error: conflicting types",
                   "the function's parameters are others than in exercise.h");
}

/* A main of one's own does not disturb. */
static void test_own_main(void **state)
{
    const struct exercise *e = the_exercise("mlp");
    char *code = solution_with(e, LANG_EN, "#include \"exercise.h\"",
                               "#include \"exercise.h\"\nint main(void) { return 1; }");
    struct exercise_report r;

    (void) state;
    check_text(&r, e, code, LANG_EN);
    assert_true(r.passed);
    exercise_report_release(&r);
    free(code);
}

/* --- what is kept --- */

static void test_state(void **state)
{
    static const char text[] = "passed mlp linear\ndone attention\nhints rope rotate 2\n"
                               "done nothing\npassed mlp nothing\nnonsense\n";
    struct exercise_state st = {0};
    struct str out = STR_INIT;

    (void) state;
    exercise_state_load(&st, text);
    exercise_state_save(&st, &out);
    assert_string_equal(out.text, "passed mlp linear\ndone attention\nhints rope rotate 2\n");
    assert_int_equal(exercise_state_next(&st, the_exercise("mlp")), 1);
    str_release(&out);
}

static void test_files_that_are_wrong(void **state)
{
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"title.en: x\n", "line 1: an exercise begins with 'exercise: NAME'"},
        {"exercise: a\nnonsense\n", "line 2: 'nonsense' is not KEY: TEXT"},
        {"exercise: a\ncolour: red\n", "line 2: 'colour' is no field here"},
        {"exercise: a\n  goes on\n", "line 2: no text goes on here"},
        {"exercise: a\ncode:\nx\n", "code or harness without 'end:'"},
        {"exercise: a\n", "exercise a is not complete"},
    };
    struct exercises all;

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err err = ERR_INIT;
        assert_false(exercises_parse(&all, wrong[i].text, strlen(wrong[i].text), &err));
        assert_string_equal(err.text, wrong[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_overflow_names_the_array),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_what_is_printed),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_without_sanitizers),
        cmocka_unit_test(test_no_compiler),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_own_main),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_files_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, exercise_setup, exercise_teardown);
}
