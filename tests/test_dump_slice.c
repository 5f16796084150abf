/* Dumps of some layers, heads and positions hold what the dump of all holds there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dump_fixture.h"
#include "model/synth.h"
#include "tensor/compute.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a slice means, written out. */
struct meaning {
    struct dump_slice slice;
    int layer[5], head[9]; /* ended by -1; none: all */
    int first, count;      /* count 0: all */
};

static bool in_list(const int *list, int v)
{
    for (; *list >= 0; list++)
        if (*list == v)
            return true;
    return false;
}

static int layer_of(const char *name)
{
    int layer;

    return sscanf(name, "blocks.%d.", &layer) == 1 || sscanf(name, "cache.%d.", &layer) == 1
               ? layer
               : -1;
}

/* Which heads of an axis of `n` are wanted; how many. */
static int heads_wanted(const struct meaning *m, const struct hparams *hp, int n, bool *want)
{
    int count = 0;

    for (int i = 0; i < n; i++) {
        want[i] = m->head[0] < 0;
        for (int h = 0; h < hp->n_head; h++)
            if (h / (hp->n_head / n) == i && in_list(m->head, h))
                want[i] = true;
        count += want[i];
    }
    return count;
}

/* The largest difference of a part from where it is in the whole, relative above 1; by the
 * value's own axes, with no help of the code under test. */
static double compare(const struct npz_array *part, const struct npz_array *all,
                      const struct value *v, const struct meaning *m, const struct hparams *hp)
{
    int lo[3] = {0, 0, 0}, n[3] = {1, 1, 1};
    bool want[3][64];
    double worst = 0;
    size_t at = 0;

    assert_int_equal(part->n_dims, all->n_dims);
    for (int x = 0; x < 3; x++) {
        n[x] = x < all->n_dims ? all->shape[x] : 1;
        int size = n[x], count = n[x];
        bool heads = x < v->n_axis && (v->axis[x] == AXIS_HEAD || v->axis[x] == AXIS_KV_HEAD);
        if (heads)
            count = heads_wanted(m, hp, size, want[x]);
        if (x < v->n_axis && v->axis[x] == AXIS_POS && m->count) {
            lo[x] = m->first;
            n[x] = count = m->count;
        }
        if (!heads)
            memset(want[x], 1, sizeof want[x]);
        if (x < all->n_dims)
            assert_int_equal(part->shape[x], count);
    }
    for (int i = lo[0]; i < lo[0] + n[0]; i++)
        for (int j = lo[1]; j < lo[1] + n[1]; j++)
            for (int k = lo[2]; k < lo[2] + n[2]; k++) {
                int w1 = all->n_dims > 1 ? all->shape[1] : 1;
                int w2 = all->n_dims > 2 ? all->shape[2] : 1;
                if ((i < 64 && !want[0][i]) || (j < 64 && !want[1][j]))
                    continue;
                float a =
                    all->f[((size_t) i * (size_t) w1 + (size_t) j) * (size_t) w2 + (size_t) k];
                float b = part->f[at++];
                double d = a == b ? 0 : fabs((double) a - (double) b);
                d /= fmax(1, fabs((double) a));
                worst = d <= worst ? worst : isfinite(d) ? d : INFINITY;
            }
    assert_int_equal(at, part->n);
    return worst;
}

static double compare_all(const struct session *s, const struct npz *all,
                          const struct meaning *m, const char *select)
{
    struct npz part;
    double worst = 0;
    int n = 0;

    dump_read(s, select, m->slice, &part);
    for (int i = 0; i < all->n; i++) {
        const struct npz_array *a = &all->array[i], *b = npz_find(&part, a->name);
        int layer = layer_of(a->name);
        if (m->layer[0] >= 0 && layer >= 0 && !in_list(m->layer, layer)) {
            assert_null(b);
            continue;
        }
        assert_non_null(b);
        n++;
        if (!a->f) { /* the tokens are those of the whole prompt */
            assert_int_equal(b->n, a->n);
            continue;
        }
        const struct value *v = &s->program->value[program_find(s->program, a->name)];
        worst = fmax(worst, compare(b, a, v, m, &s->program->hp));
    }
    assert_int_equal(n, part.n);
    npz_release(&part);
    return worst;
}

#define ALL                                                                                    \
    {                                                                                          \
        -1                                                                                     \
    }
static const struct meaning meanings[] = {
    {{NULL, "1,3", NULL}, ALL, {1, 3, -1}, 0, 0},
    {{NULL, "3,1,3", NULL}, ALL, {1, 3, -1}, 0, 0},
    {{NULL, "0-2,5", "4-9"}, ALL, {0, 1, 2, 5, -1}, 4, 6},
    {{"1", "0,5", "last"}, {1, -1}, {0, 5, -1}, 9, 1},
    {{"0-3", NULL, "last5"}, {0, 1, 2, 3, -1}, ALL, 5, 5},
    {{"2,0", "2", "4-"}, {0, 2, -1}, {2, -1}, 4, 6},
    {{NULL, "5", NULL}, ALL, {5, -1}, 0, 0},
    {{"3", "0-5", "2"}, {3, -1}, {0, 1, 2, 3, 4, 5, -1}, 2, 1},
    {{NULL, NULL, "last99"}, ALL, ALL, 0, 10},
};

static void parts_of_all_values(void **state)
{
    double worst = 0;

    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        struct npz all;
        dump_read(s, "*", (struct dump_slice){0}, &all);
        assert_true(all.n > 100);
        for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
            struct meaning one = meanings[i];
            /* "0-5" are all heads of one model and not of the other */
            worst = fmax(worst, compare_all(s, &all, &one, "*"));
        }
        npz_release(&all);
        session_free(s);
    }
    print_message("largest difference %g\n", worst);
    assert_true(worst < 1e-5);
}

/* More than a block (4 MB) of a value: whole heads are passed over, and rows of heads. */
static void larger_than_a_block(void **state)
{
    const struct meaning some = {{NULL, "1,2,5,7", NULL}, ALL, {1, 2, 5, 7, -1}, 0, 0};
    const struct meaning rows = {{NULL, "0,6", "100-1099"}, ALL, {0, 6, -1}, 100, 1000};
    struct err flaw = ERR_INIT;
    struct compute *c = compute_new(2);
    struct settings set;
    struct hparams hp;
    struct npz all;
    enum { N = 1100 };
    int32_t ids[N];
    static const char select[] = "L0.scores,L0.pattern,L0.result,L0.k";

    (void) state;
    settings_init(&set);
    assert_true(shape_parse(
        &hp, "gpt2:n_layer=1,d_model=256,n_head=8,n_kv_head=8,d_head=32,n_vocab=512,n_ctx=1200",
        &flaw));
    struct session *s = session_of(model_synth(&hp, DTYPE_F32, 7, &flaw), c, &set, &flaw);
    if (!s)
        fail_msg("%s", flaw.text);
    for (int i = 0; i < N; i++)
        ids[i] = (i * 7919) % 512;
    OK(session_prompt_ids(s, ids, N, &err));
    OK(session_run(s, 0, NULL, &err));
    dump_read(s, select, (struct dump_slice){0}, &all);
    assert_true(npz_find(&all, "blocks.0.attn.scores")->n > (size_t) 1 << 23);
    double worst = compare_all(s, &all, &some, select);
    worst = fmax(worst, compare_all(s, &all, &rows, select));
    print_message("largest difference %g\n", worst);
    assert_true(worst < 1e-5);
    npz_release(&all);
    session_free(s);
    compute_free(c);
}

/* One head by name is a value of its own; a list of heads chooses among such. */
static void single_heads(void **state)
{
    struct session *s = open_computed(1, TEXT); /* 8 heads, 2 key/value heads */
    struct npz z, whole;

    (void) state;
    dump_read(s, "L2.H0-4.pattern,L2.H0-1.v", (struct dump_slice){NULL, "1,4", "last"}, &z);
    dump_read(s, "L2.pattern", (struct dump_slice){0}, &whole);
    assert_int_equal(z.n, 2 + 2 + 2);
    assert_non_null(npz_find(&z, "L2.H1.attn.pattern"));
    assert_non_null(npz_find(&z, "L2.H0.attn.v"));
    assert_non_null(npz_find(&z, "L2.H1.attn.v"));
    const struct npz_array *a = npz_find(&z, "L2.H4.attn.pattern");
    assert_int_equal(a->n_dims, 2);
    assert_int_equal(a->shape[0], 1);
    for (int k = 0; k < 10; k++)
        assert_true(fabsf(a->f[k] -
                          npz_find(&whole, "blocks.2.attn.pattern")->f[(4 * 10 + 9) * 10 + k]) <
                    1e-5f);
    npz_release(&z);
    npz_release(&whole);
    session_free(s);
}

static void wrong_slices(void **state)
{
    static const struct {
        const char *select;
        struct dump_slice slice;
        const char *message;
    } wrong[] = {
        {"*", {"9", 0, 0}, "there is no layer 9; the model has layers 0 to 3"},
        {"*", {"2-4", 0, 0}, "there is no layer 4; the model has layers 0 to 3"},
        {"*",
         {"999999999999", 0, 0},
         "there is no layer 99999999; the model has layers 0 to 3"},
        {"*", {"", 0, 0}, "'' is no list of layers; lists are like 0-3,5"},
        {"*", {"3-1", 0, 0}, "'3-1' is no list of layers; lists are like 0-3,5"},
        {"*", {"1,", 0, 0}, "'1,' is no list of layers; lists are like 0-3,5"},
        {"*", {"-1", 0, 0}, "'-1' is no list of layers; lists are like 0-3,5"},
        {"*", {"1 2", 0, 0}, "'1 2' is no list of layers; lists are like 0-3,5"},
        {"*", {0, "6", 0}, "there is no head 6; the model has heads 0 to 5"},
        {"*", {0, "x", 0}, "'x' is no list of heads; lists are like 0-3,5"},
        {"*", {0, 0, "10"}, "there is no position 10; the prompt has positions 0 to 9"},
        {"*", {0, 0, "4-99"}, "there is no position 99; the prompt has positions 0 to 9"},
        {"*", {0, 0, "10-"}, "there is no position 10; the prompt has positions 0 to 9"},
        {"*",
         {0, 0, "5-4"},
         "'5-4' says no positions; they are like 4, 4-9, 4-, last or last5"},
        {"*",
         {0, 0, "last0"},
         "'last0' says no positions; they are like 4, 4-9, 4-, last or last5"},
        {"*",
         {0, 0, "1,2"},
         "'1,2' says no positions; they are like 4, 4-9, 4-, last or last5"},
        {"*", {0, 0, ""}, "'' says no positions; they are like 4, 4-9, 4-, last or last5"},
        {"L0.q", {"1", 0, 0}, "nothing of what is selected is in these layers"},
        {"L0.H1.q", {0, "2", 0}, "nothing of what is selected is in these heads"},
        {"L0.H1.q", {"0", "2", 0}, "nothing of what is selected is in these layers and heads"},
    };
    struct session *s = open_computed(0, TEXT);

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct dump_options o = {.path = "x.npz", .slice = wrong[i].slice};
        FAILS(dump_try(s, wrong[i].select, &o, NULL, &err), wrong[i].message);
    }
    session_free(s);
}

/* In the middle of a pass some values are computed and others are not. */
static void not_computed_yet(void **state)
{
    struct session *s = open_plain(models[0], TEXT);
    struct dump_options o = {.path = "x.npz", .slice = {0, 0, "3"}};

    (void) state;
    OK(session_set(s, "chunk", "5", &err));
    OK(session_pass(s, &err));
    OK(session_until(s, s->program->block_begin[1], &err));
    dump_to(s, "L*.q", &o);
    o.slice.positions = "7";
    FAILS(dump_try(s, "L1.q", &o, NULL, &err),
          "blocks.1.attn.q is not computed at position 7 yet: run first");
    dump_to(s, "L0.q", &o);
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_all_values), cmocka_unit_test(larger_than_a_block),
        cmocka_unit_test(single_heads),        cmocka_unit_test(wrong_slices),
        cmocka_unit_test(not_computed_yet),
    };
    return cmocka_run_group_tests(tests, dump_enter, dump_leave);
}
