/* gptscope exercise as its user has it: what it prints and where, exit statuses, the files it
 * writes and those it leaves alone, both languages, and what is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/utf8.h"
#include "shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run(const char *line, int status, const char *part)
{
    struct ran r = shell("%s", line);

    if (r.status != status || (part && !strstr(r.out.text, part) && !strstr(r.err.text, part)))
        fail_msg("%s: status %d, not %d\n%s%s", line, r.status, status, r.out.text, r.err.text);
    if (strchr(r.out.text, '\033'))
        fail_msg("%s: colours in a pipe", line);
    for (const char *p = r.out.text; *p; p += strcspn(p, "\n"), p += *p == '\n')
        if (utf8_width(p, strcspn(p, "\n")) > 80)
            fail_msg("%s: a line of more than 80 columns: %.*s", line, (int) strcspn(p, "\n"),
                     p);
    ran_release(&r);
}

#define CHECK "gptscope exercise check mlp"

static void test_the_way(void **state)
{
    (void) state;
    run("gptscope exercise", 0, "   3  attention  Attention  (7 TODOs)\n");
    run("gptscope exercise start mlp", 0, "then: exercise check mlp\n");
    run("ls mlp", 0, "Makefile\nexercise.h\nmlp.c\n");
    run("make -s -C mlp CC=cc", 0, "");
    run("rm mlp/mlp.o", 0, "");
    run(CHECK, 1,
        "Exercise 1: The MLP, forward  (mlp/mlp.c)\n"
        "  open    1 linear        nothing is written yet\n"
        "  open    2 gelu          nothing is written yet\n"
        "  open    3 mlp           nothing is written yet\n"
        "0 of 3 TODOs pass. Next: TODO 1, linear; a hint: exercise hint mlp\n");
    run("gptscope exercise hint mlp", 0, "mlp, TODO 1, linear; hint 1 of 3\n  Three loops");
    run("gptscope exercise hint mlp", 0, "hint 2 of 3\n");
    run("gptscope exercise hint mlp", 0, "hint 3 of 3\n");
    run("gptscope exercise hint mlp", 0, "hint 3 of 3\n");
    run("gptscope exercise hint mlp gelu", 0, "mlp, TODO 2, gelu; hint 1 of 3\n");
    run("gptscope exercise solution mlp >mlp/mlp.c", 0, "");
    run("cd mlp && " CHECK, 0, "All 3 TODOs pass.");
    run("gptscope exercise list", 0, "   1  mlp        The MLP, forward  (3 TODOs, done)\n");
    run("gptscope exercise list --clean", 0, "   1  mlp        The MLP, forward  (3 TODOs)\n");
    run("sed -i 's/0.5f [*] a/a/' mlp/mlp.c && " CHECK, 1,
        "  passed  1 linear        5 cases\n"
        "  wrong   2 gelu\n"
        "          with one number:\n"
        "          out[number 0]: expected 3.76541, got 7.53082\n"
        "          the factor 0.5 is missing\n"
        "  waits   3 mlp\n"
        "          it calls gelu, and that is not right yet: first TODO 2\n"
        "1 of 3 TODOs pass. Next: TODO 2, gelu; a hint: exercise hint mlp\n");
    run("gptscope exercise list", 0, "(3 TODOs, done)\n"); /* once passed, it stays so */
}

static void test_chinese(void **state)
{
    (void) state;
    run("gptscope exercise list --lang zh", 0, "   5  rope       旋转位置编码（3 处 TODO）\n");
    run("gptscope exercise start rope zh --lang zh", 0,
        "练习 5：旋转位置编码。请填写 zh/rope.c");
    run("cat zh/rope.c", 0, "TODO 1，angles：在位置 pos 上");
    run("gptscope exercise check rope zh --lang zh", 1, "未做  1 angles        还没有写\n");
    run("gptscope exercise hint rope --lang zh", 0, "第 1 条提示，共 3 条\n");
    run("gptscope exercise solution rope --lang zh", 0, "（参考答案）");
    run("gptscope exercise solution rope --lang zh | sed 's/- b/+ b/; s/+ a [*]/- a */' "
        ">zh/rope.c; gptscope exercise check rope zh --lang zh",
        1, "rotate_half 的符号：方向转反了");
}

static void test_files_stay(void **state)
{
    (void) state;
    run("gptscope exercise start gqa", 0, NULL);
    run("gptscope exercise start gqa", 0, NULL); /* nothing was changed: nothing is lost */
    run("gptscope exercise start gqa --lang zh && gptscope exercise start gqa", 0, NULL);
    run("echo '// mine' >>gqa/gqa.c && rm gqa/Makefile && gptscope exercise start gqa", 1,
        "gptscope: 'gqa/gqa.c' is there already and was changed; it stays as it is: start in "
        "another folder, or move it away\n");
    run("tail -n 1 gqa/gqa.c", 0, "// mine\n");
    run("ls gqa", 0, "exercise.h\ngqa.c\n"); /* the Makefile was not written either */
    run("gptscope exercise start gqa no/such/folder", 1,
        "cannot make the folder 'no/such/folder'");
}

static void test_refused(void **state)
{
    (void) state;
    run("gptscope exercise frobnicate", 2,
        "gptscope: 'frobnicate' is not list, start, check, hint, solution or watch; see "
        "gptscope "
        "help exercise\n");
    run("gptscope exercise check", 2, "which exercise? gptscope exercise list names them");
    run("gptscope exercise check a b c", 2, "'c' is too much");
    run("gptscope exercise check atention", 1,
        "gptscope: there is no exercise 'atention'; did you mean 'attention'?\n");
    run("gptscope exercise watch atention", 1, "did you mean 'attention'?\n");
    run("gptscope exercise check cache", 1,
        "gptscope: there is no cache.c in 'cache'; 'exercise start cache' writes it\n");
    run("printf 'int x' >mlp/mlp.c; " CHECK, 1, "It does not compile:\n");
    run("g=$(command -v gptscope); PATH=/nowhere $g exercise check mlp", 1,
        "gptscope: exercises need a C compiler, and there is no cc, gcc or clang on the PATH; "
        "install one, or name it in CC\n");
    run("head -c 2000000 /dev/zero >mlp/mlp.c; " CHECK, 1, "mlp/mlp.c");
    run("rm mlp/mlp.c; mkfifo mlp/mlp.c; " CHECK "; rm mlp/mlp.c", 0, "mlp/mlp.c");
}

static void test_json(void **state)
{
    struct err err = ERR_INIT;

    (void) state;
    run("gptscope exercise solution rope | sed 's/- b/+ b/; s/+ a [*]/- a */' >rope.c", 0, "");
    struct ran r = shell("gptscope exercise check rope . --json");
    json_t *o = json_parse(r.out.text, r.out.len, &err);
    if (!o)
        fail_msg("%s: %s", err.text, r.out.text);
    assert_int_equal(r.status, 1);
    json_t *result = json_object_get(o, "result");
    assert_true(json_is_false(json_object_get(result, "passed")));
    json_t *todo = json_array_get(json_object_get(result, "todos"), 1);
    assert_string_equal(json_string_value(json_object_get(todo, "state")), "failed");
    assert_string_equal(json_string_value(json_object_get(todo, "mistake")),
                        "rotate-half-sign");
    json_decref(o);
    ran_release(&r);
}

/* Line by line where there is no screen. */
static void test_watch(void **state)
{
    (void) state;
    run("gptscope exercise solution attention >attention.c", 0, "");
    run("sed -i 's/j = i + 1/j = i + 2/' attention.c && "
        "echo 'calc L0.H1.pattern[1,3]' | gptscope exercise watch attention .",
        0, "in place of the model's own: scores (scale), mask (mask)");
    run("gptscope exercise watch rope . </dev/null", 0, "rope (rope)");
}

/* Nothing stays behind in the folder for temporary files. */
static void test_nothing_stays(void **state)
{
    (void) state;
    run("mkdir tmp; gptscope exercise solution attention >attention.c; "
        "TMPDIR=$PWD/tmp gptscope exercise check attention . >/dev/null && ls -A tmp",
        0, "");
    struct ran r = shell("ls -A tmp");
    assert_string_equal(r.out.text, "");
    ran_release(&r);
}

static int setup(void **state)
{
    (void) state;
    shell_enter(state);
    setenv("XDG_STATE_HOME", "/nonexistent", 1);
    struct ran r = shell("pwd");
    r.out.text[strcspn(r.out.text, "\n")] = '\0';
    setenv("XDG_STATE_HOME", r.out.text, 1);
    ran_release(&r);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    shell_leave(state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_way),       cmocka_unit_test(test_chinese),
        cmocka_unit_test(test_files_stay),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_json),          cmocka_unit_test(test_watch),
        cmocka_unit_test(test_nothing_stays),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
