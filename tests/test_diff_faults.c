/*
 * diff finds what is wrong: dumps of an implementation that is not the engine, each with one
 * planted error, under three families of names and in several formats, against a live run. Of
 * each the first value that differs is the one that the error makes wrong, and the op at fault
 * is among those that can be; a dump without an error passes. How far a fault is above the
 * tolerance and the rest below it is printed.
 */
#include "base/mem.h"
#include "engine/differ.h"
#include "faults.h"
#include "golden.h"
#include "own_dump.h"
#include "rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const name_of[OWN_NAMES] = {"ours", "TransformerLens", "Hugging Face"};
static const struct {
    enum own_file file;
    enum own_type type;
} form[OWN_NAMES] = {{OWN_NPZ, OWN_F64}, {OWN_NPZ_PACKED, OWN_F32}, {OWN_SAFETENSORS, OWN_F32}};

static char path[] = "/tmp/gptscope-diff-XXXXXX";

/* Ids of "Tom gave the red ball to Anna. Anna", which the golden files hold. */
static void take_ids(const char *model, int32_t *ids, int *n)
{
    struct golden g;
    assert_true(golden_open(&g, model, "short"));
    memcpy(ids, g.ids, (size_t) g.n_ids * sizeof *ids);
    *n = g.n_ids;
    golden_release(&g);
}

static struct differ *compare(const struct rig *g, struct dumped **d)
{
    struct err err = ERR_INIT;
    struct differ_options o = {0};
    const struct differ_row *row;
    *d = dumped_open(arrays_open(path, NULL, &err), g->program, &err);
    if (!*d)
        fail_msg("%s", err.text);
    struct differ_side side[2] = {{*d, NULL}, {NULL, g->run}};
    struct differ *x = differ_new(side, g->program, &o, &err);
    if (!x)
        fail_msg("%s", err.text);
    while ((row = differ_next(x, &err)))
        if (row->state == DIFFER_MISFIT)
            fail_msg("%s: %s", row->name, row->why);
    assert_string_equal(err.text, "");
    return x;
}

/* Times the tolerance, largest over the rows before `end`. */
static double most_before(const struct differ *x, int end)
{
    double most = 0;
    for (int i = 0; i < end; i++) {
        const struct differ_row *row = differ_at(x, i);
        if (row->allowed > 0)
            most = fmax(most, row->ratio / row->allowed);
    }
    return most;
}

static bool is_suspect(const struct rig *g, const struct differ_why *why, const char *op)
{
    bool found = false;
    for (int i = 0; i < why->n_suspects; i++) {
        struct str name = STR_INIT;
        op_name(g->program, why->suspect[i], &name);
        found = found || strcmp(name.text, op) == 0;
        str_release(&name);
    }
    return found;
}

static void write_dump(const struct rig *g, const struct fault *fault, enum own_names names,
                       enum own_file file, enum own_type type, const int32_t *ids, int n)
{
    struct own_dump own = {path, names, file, type};
    struct ref ref = {0};
    fault_forward(&ref, g->model, fault, ids, n);
    own_dump_write(&own, &ref, &g->program->hp);
    ref_release(&ref);
}

static void find_fault(const struct fault *fault, enum own_names names)
{
    struct err err = ERR_INIT;
    int32_t ids[256];
    int n;
    struct rig g;
    struct dumped *d;
    struct differ_why why;
    take_ids(fault->model, ids, &n);
    rig_open(&g, fault->model, &(struct run_options){0});
    rig_feed(g.run, ids, n);
    write_dump(&g, fault, names, form[names].file, form[names].type, ids, n);

    struct differ *x = compare(&g, &d);
    int first = differ_first(x);
    if (first < 0)
        fail_msg("%s, %s: nothing differs", fault->name, name_of[names]);
    const struct differ_row *row = differ_at(x, first);
    assert_true(differ_explain(x, first, &why, &err));
    printf("%-22s %-11s %-16s %-28s %10.3g x  before: %.2g  suspects %2d  %s\n", fault->name,
           fault->model, name_of[names], row->name, row->ratio / row->allowed,
           most_before(x, first), why.n_suspects, why.hint);
    if (strcmp(row->name, fault->first[names]) != 0)
        fail_msg("%s, %s: %s, not %s", fault->name, name_of[names], row->name,
                 fault->first[names]);
    assert_true(row->ratio > 3 * row->allowed);
    assert_true(most_before(x, first) < 0.3);
    assert_true(is_suspect(&g, &why, fault->op));
    assert_true(names != OWN_OURS || why.n_suspects == 1);
    assert_true(why.n_agree > 0);
    differ_why_release(&why);
    differ_free(x);
    dumped_free(d);
    rig_close(&g);
}

static void test_faults(void **state)
{
    (void) state;
    for (int names = 0; names < OWN_NAMES; names++)
        for (const struct fault *f = faults; f->name; f++)
            find_fault(f, (enum own_names) names);
}

/* --- what is right passes --- */

static void find_none(const char *model, enum own_names names, enum own_file file,
                      enum own_type type)
{
    static const char *const type_name[] = {"float32", "float64", "float16"};
    int32_t ids[256];
    int n;
    struct rig g;
    struct dumped *d;
    take_ids(model, ids, &n);
    rig_open(&g, model, &(struct run_options){0});
    rig_feed(g.run, ids, n);
    write_dump(&g, NULL, names, file, type, ids, n);
    struct differ *x = compare(&g, &d);
    printf("%-22s %-11s %-16s %-28s %10.3g x  %d values\n", "nothing planted", model,
           name_of[names], type_name[type], most_before(x, differ_count(x)), differ_count(x));
    assert_int_equal(differ_first(x), -1);
    assert_true(differ_count(x) > 30);
    assert_true(most_before(x, differ_count(x)) < 0.3);
    differ_free(x);
    dumped_free(d);
    rig_close(&g);
}

static void test_correct(void **state)
{
    static const char *const models[] = {"tiny-gpt2", "tiny-llama"};
    (void) state;
    for (int m = 0; m < 2; m++)
        for (int names = 0; names < OWN_NAMES; names++)
            for (int type = OWN_F32; type <= OWN_F16; type++)
                find_none(models[m], (enum own_names) names,
                          type == OWN_F64 ? OWN_NPZ_PACKED : OWN_SAFETENSORS,
                          (enum own_type) type);
}

/* Real models have a channel that is a thousand times as large as the rest, from an early block
 * on, which the last ones take away again: what cancels leaves its rounding behind. */
static void test_massive(void **state)
{
    struct hparams hp;
    struct rig g;
    struct dumped *d;
    int32_t ids[16];
    (void) state;
    rig_gpt2(&hp, 6, 4, 16);
    rig_make(&g, &hp, DTYPE_F32, &(struct run_options){0});
    rig_ids(ids, 12, hp.n_vocab, 3);
    /* the weights of a made-up model are memory of its own */
    ((float *) (uintptr_t) model_vector(g.model, W_MLP_DOWN_BIAS, 1))[7] += 5000;
    ((float *) (uintptr_t) model_vector(g.model, W_MLP_DOWN_BIAS, 4))[7] -= 5000;
    rig_feed(g.run, ids, 12);
    write_dump(&g, NULL, OWN_OURS, OWN_NPZ, OWN_F64, ids, 12);
    struct differ *x = compare(&g, &d);
    printf("massive channel: %.3g x the tolerance at most\n", most_before(x, differ_count(x)));
    assert_int_equal(differ_first(x), -1);
    differ_free(x);
    dumped_free(d);
    rig_close(&g);
}

/* The same weights in another number format: large differences, which --tol lets pass. */
static void test_precision(void **state)
{
    static const double tol[] = {0, 0.5};
    (void) state;
    for (int i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        struct hparams hp;
        struct rig g[2];
        int32_t ids[12];
        double most = 0;
        rig_gpt2(&hp, 3, 2, 32);
        rig_ids(ids, 12, hp.n_vocab, 3);
        for (int side = 0; side < 2; side++) {
            rig_make(&g[side], &hp, side ? DTYPE_Q8_0 : DTYPE_F16, &(struct run_options){0});
            rig_feed(g[side].run, ids, 12);
        }
        struct differ_side sides[2] = {{NULL, g[0].run}, {NULL, g[1].run}};
        struct differ_options o = {.tol = tol[i]};
        struct differ *x = differ_new(sides, g[0].program, &o, &err);
        const struct differ_row *row;
        while ((row = differ_next(x, &err)))
            most = fmax(most, row->ratio);
        printf("F16 against Q8_0: %.3g of a value's scale at most\n", most);
        assert_true(differ_count(x) > 70);
        if (i == 0)
            assert_string_equal(differ_at(x, differ_first(x))->name, "embed");
        else
            assert_int_equal(differ_first(x), -1);
        differ_free(x);
        rig_close(&g[0]);
        rig_close(&g[1]);
    }
}

static int enter(void **state)
{
    (void) state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int leave(void **state)
{
    (void) state;
    return unlink(path);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_correct),
        cmocka_unit_test(test_massive),
        cmocka_unit_test(test_precision),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
