/* Watching: with the solution in its place the model is the same, at once, token by token and
 * where values are derived; a wrong mask is seen; a function that crashes is taken back; a file
 * that is saved is taken up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "command_fixture.h"
#include "session/exercise.h"
#include "session/watch.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOLERANCE 2e-3

static void say(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    f->err.text[0] = '\0';
    if (!command_run(&f->env, line, &f->err))
        fail_msg("'%s': %s", line, f->err.text);
    assert_safe(f->out.text);
}

static void says(struct fixture *f, const char *line, const char *part)
{
    say(f, line);
    if (!strstr(f->out.text, part))
        fail_msg("'%s' says '%s', not '%s'", line, f->out.text, part);
}

static void refuses(struct fixture *f, const char *line, const char *error)
{
    str_clear(&f->out);
    f->err.text[0] = '\0';
    assert_false(command_run(&f->env, line, &f->err));
    assert_string_equal(f->err.text, error);
}

/* The solution, with one thing changed, in NAME.c; with another time than before. */
static void put_solution(const char *name, const char *from, const char *to)
{
    static int second = 1000000;
    struct err err = ERR_INIT;
    struct str text = STR_INIT;
    char *path = xasprintf("%s.c", name);
    const struct exercise *e = exercise_find(name, &err);

    assert_non_null(e);
    exercise_solution(e, LANG_EN, &text);
    char *at = from ? strstr(text.text, from) : NULL;
    assert_true(!from || at);
    if (from) {
        str_cut(&text, (size_t) (at - text.text), strlen(from));
        str_insert(&text, (size_t) (at - text.text), to, strlen(to));
    }
    put_file(path, text.text);
    struct timespec times[2] = {{second, 0}, {second, 0}};
    second++;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
    str_release(&text);
}

static float *logits_of(struct fixture *f)
{
    float *x = xmalloc((size_t) f->session->program->hp.n_vocab * sizeof *x);

    assert_true(session_logits(f->session, x));
    return x;
}

/* The largest difference from the logits, which are released. */
static double changed(struct fixture *f, float *before)
{
    float *now = logits_of(f);
    double most = 0;

    for (int i = 0; i < f->session->program->hp.n_vocab; i++) {
        double d = fabs((double) now[i] - (double) before[i]);
        most = d > most || isnan(d) ? d : most;
    }
    free(now);
    free(before);
    return most;
}

/* A value's numbers as they are read after the pass, of all positions. */
static float *read_all(struct fixture *f, const char *name, size_t *n)
{
    const struct session *s = f->session;
    int value = program_find(s->program, name), shape[3];

    assert_true(value >= 0);
    run_shape(s->run, value, shape);
    *n = (size_t) shape[0] * (size_t) shape[1] * (size_t) shape[2];
    float *x = xmalloc(*n * sizeof *x);
    if (!run_read(s->run, value, NULL, x, &f->err))
        fail_msg("%s: %s", name, f->err.text);
    return x;
}

static void same_model(const char *name, const char *model, int in_place)
{
    static const char *const values[] = {"blocks.1.attn.pattern", "blocks.2.mlp_out",
                                         "blocks.3.resid_post"};
    struct fixture f;
    char *load = xasprintf("load %s", model), *watch = xasprintf("watch %s .", name);
    float *before[3], *logits;
    double most;
    size_t n;

    open_fixture(&f, TEXT, false);
    say(&f, load);
    say(&f, "run");
    logits = logits_of(&f);
    for (int i = 0; i < 3; i++)
        before[i] = read_all(&f, values[i], &n);
    put_solution(name, NULL, NULL);
    say(&f, watch);
    assert_non_null(watch_of(f.session));
    assert_true(watch_of(f.session)->report.passed);
    assert_int_equal(f.session->n_ablations, in_place);
    most = changed(&f, logits);
    for (int i = 0; i < 3; i++) { /* derived with the learner's functions */
        float *now = read_all(&f, values[i], &n);
        for (size_t k = 0; k < n; k++)
            most = fmax(most, fabs((double) now[k] - (double) before[i][k]));
        free(now);
        free(before[i]);
    }
    say(&f, "append 5; append 300; run"); /* with a cache; then all at once */
    logits = logits_of(&f);
    say(&f, "clear; run");
    most = fmax(most, changed(&f, logits));
    assert_null(watch_of(f.session));
    print_message("%s: differs by at most %.2g\n", name, most);
    assert_true(most < TOLERANCE);
    free(load);
    free(watch);
    close_fixture(&f);
}

static void test_solutions_are_the_model(void **state)
{
    (void) state;
    same_model("mlp", "tiny-gpt2", 3);
    same_model("block", "tiny-gpt2", 3);
    same_model("attention", "tiny-gpt2", 4);
    same_model("attention", "tiny-llama", 4);
    same_model("model", "tiny-gpt2", 2);
    same_model("rope", "tiny-llama", 1);
    same_model("cache", "tiny-gpt2", 1);
    same_model("gqa", "tiny-llama", 1);
    same_model("swiglu", "tiny-llama", 3);
}

static double cell(struct fixture *f, const char *name)
{
    char *line = xasprintf("calc %s", name);

    say(f, line);
    free(line);
    return atof(f->out.text);
}

static void test_wrong_mask_is_seen(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, TEXT, false);
    say(&f, "run");
    assert_true(cell(&f, "L0.H1.pattern[1,2]") == 0);
    put_solution("attention", "j = i + 1", "j = i + 2");
    says(&f, "watch attention .", "token i still");
    says(&f, "show ablations", "replace mask: exercise attention, TODO mask");
    assert_true(cell(&f, "L0.H1.pattern[1,2]") > 0.01);
    assert_true(cell(&f, "L0.H1.pattern[1,3]") == 0);
    put_solution("attention", NULL, NULL); /* saved: right now */
    says(&f, "echo", "watch: attention: 7 of 7 TODOs pass");
    assert_true(session_done(f.session));
    assert_true(cell(&f, "L0.H1.pattern[1,2]") == 0);
    put_solution("attention", "float sum = 0;", "float sum = 0"); /* does not compile: stays */
    says(&f, "echo", "does not compile: attention.c:");
    assert_int_equal(f.session->n_ablations, 4);
    say(&f, "watch end");
    assert_int_equal(f.session->n_ablations, 0);
    assert_null(watch_of(f.session));
    says(&f, "watch", "nothing is watched");
    close_fixture(&f);
}

/* Right for the checker's sizes, and not for this one. */
static void test_crash_is_taken_back(void **state)
{
    struct fixture f;
    float *logits;

    (void) state;
    open_fixture(&f, TEXT, false);
    say(&f, "append 5; append 6; run");
    logits = logits_of(&f);
    put_solution("attention",
                 "    for (int i = 0; i < n_tokens; i++)\n        for (int j = i + 1",
                 "    if (n_tokens == 12) *(volatile int *) 0 = 1;\n"
                 "    for (int i = 0; i < n_tokens; i++)\n        for (int j = i + 1");
    says(&f, "watch attention .", "watch: TODO mask: it ");
    assert_int_equal(f.session->n_ablations, 0);
    assert_true(session_done(f.session));
    assert_true(changed(&f, logits) == 0);
    assert_non_null(watch_of(f.session)); /* waits for the file */
    put_solution("attention", NULL, NULL);
    says(&f, "echo", "7 of 7 TODOs pass");
    assert_int_equal(f.session->n_ablations, 4);
    close_fixture(&f);
}

static void test_only_what_is_begun(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, TEXT, false);
    unlink("mlp.c");
    say(&f, "run; exercise start mlp .");
    says(&f, "watch mlp .", "nothing yet");
    assert_int_equal(f.session->n_ablations, 0);
    put_solution("mlp", "linear(wide, x,", "return; linear(wide, x,");
    says(&f, "echo", "2 of 3 TODOs pass");
    assert_int_equal(f.session->n_ablations, 3);
    close_fixture(&f);
}

static void test_refusals(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, TEXT, false);
    put_solution("sampling", NULL, NULL);
    refuses(&f, "watch sampling .",
            "exercise sampling is not watched: it works on what the model gives, and takes the "
            "place of no op");
    put_solution("rope", NULL, NULL);
    refuses(&f, "watch rope .", "this model has no op of exercise rope; 'load tiny-llama' has");
    refuses(&f, "watch atention .",
            "there is no exercise 'atention'; did you mean 'attention'?");
    refuses(&f, "watch gqa nowhere",
            "there is no gqa.c in 'nowhere'; 'exercise start gqa nowhere' writes it");
    put_file("mlp.c", "nonsense");
    str_clear(&f.out);
    assert_false(command_run(&f.env, "watch mlp .", &f.err));
    assert_non_null(strstr(f.err.text, "mlp.c does not compile: mlp.c:1"));
    assert_null(watch_of(f.session));
    close_fixture(&f);
}

static int teardown(void **state)
{
    struct err err = ERR_INIT;
    const struct exercises *all = exercises_all(&err);

    for (int i = 0; i < all->n; i++) {
        char *path = xasprintf("%s.c", all->item[i].name);
        unlink(path);
        free(path);
    }
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_solutions_are_the_model),
        cmocka_unit_test(test_wrong_mask_is_seen),
        cmocka_unit_test(test_crash_is_taken_back),
        cmocka_unit_test(test_only_what_is_begun),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, fixture_setup, teardown);
}
