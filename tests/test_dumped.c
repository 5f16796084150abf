/* Arrays of others as values: every way their axes may lie. Each array is made from
 * what the run holds, so reading it the right way gives the run's numbers and nothing else. */
#include "base/mem.h"
#include "engine/differ.h"
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

enum { POS = 7 };
static char path[] = "/tmp/gptscope-dumped-XXXXXX";

static void shape_of(int arch, struct hparams *hp)
{
    if (arch == ARCH_GPT2)
        rig_gpt2(hp, 2, 3, 8);
    else
        rig_llama(hp, 2, 4, 2, 8);
}

/* --- axes --- */

/* How an array is made from the value's numbers x[shape]. */
enum how {
    PLAIN,
    BATCH,      /* [1, ...] */
    FLAT,       /* heads in one axis */
    SWAPPED,    /* first two axes in the other order */
    TRANSPOSED, /* all axes in the other order, the memory, too */
    GGML,       /* the same memory, the shape from its other end */
    FORTRAN,    /* the same array, the memory in the other order */
    LAST,       /* the last position */
    REPEATED,   /* each key head twice */
    PAIRS,      /* RoPE's pairs side by side */
    PADDED,     /* keys filled up to 16, as llama.cpp does */
};

struct shaped {
    int shape[4], n_dims;
    float *x;
    size_t n;
    bool fortran;
};

static void put_dims(struct shaped *s, int n, int a, int b, int c)
{
    s->n_dims = n;
    s->shape[0] = a;
    s->shape[1] = b;
    s->shape[2] = c;
}

/* x[a, b, c] with its axes in another order: out[i0, i1, i2] with i = index[order]. */
static void reorder(struct shaped *s, const float *x, const int shape[3], const int order[3])
{
    int dim[3] = {shape[order[0]], shape[order[1]], shape[order[2]]}, at[3];
    size_t to = 0;
    for (int i = 0; i < dim[0]; i++)
        for (int j = 0; j < dim[1]; j++)
            for (int k = 0; k < dim[2]; k++) {
                at[order[0]] = i;
                at[order[1]] = j;
                at[order[2]] = k;
                s->x[to++] = x[((size_t) at[0] * shape[1] + at[1]) * shape[2] + at[2]];
            }
    put_dims(s, 3, dim[0], dim[1], dim[2]);
}

static void repeat_heads(struct shaped *s, const float *x, const int shape[3])
{
    size_t d = (size_t) shape[2], to = 0;
    for (int i = 0; i < shape[0] * shape[1]; i++)
        for (int copy = 0; copy < 2; copy++, to += d)
            memcpy(s->x + to, x + (size_t) i * d, d * sizeof *x);
    put_dims(s, 3, shape[0], 2 * shape[1], shape[2]);
    s->n = to;
}

static void pair_up(struct shaped *s, const int shape[3])
{
    int half = shape[2] / 2;
    for (int i = 0; i < shape[0] * shape[1]; i++) {
        float raw[64], *row = s->x + (size_t) i * (size_t) shape[2];
        memcpy(raw, row, (size_t) shape[2] * sizeof *row);
        for (int k = 0; k < half; k++) {
            row[2 * k] = raw[k];
            row[2 * k + 1] = raw[k + half];
        }
    }
}

static void pad_keys(struct shaped *s, const float *x, const int shape[3])
{
    for (int i = 0; i < shape[0] * shape[1]; i++)
        for (int k = 0; k < 16; k++)
            s->x[i * 16 + k] = k < shape[2] ? x[i * shape[2] + k] : -1;
    put_dims(s, 3, shape[0], shape[1], 16);
    s->n = (size_t) (shape[0] * shape[1] * 16);
}

static void make(struct shaped *s, enum how how, const float *x, size_t n, const int shape[3],
                 int n_axis)
{
    static const int swapped[] = {1, 0, 2}, reversed[] = {2, 1, 0};
    *s = (struct shaped){.x = xcalloc(4 * n + 4096, sizeof *s->x), .n = n};
    memcpy(s->x, x, n * sizeof *x);
    put_dims(s, n_axis, shape[0], shape[1], shape[2]);
    if (how == BATCH) {
        memmove(s->shape + 1, s->shape, 3 * sizeof *s->shape);
        s->shape[0] = 1;
        s->n_dims++;
    } else if (how == FLAT) {
        put_dims(s, 2, shape[0], shape[1] * shape[2], 1);
    } else if (how == SWAPPED || how == TRANSPOSED) {
        int three[3] = {shape[0], shape[1], shape[2]};
        reorder(s, x, three, how == SWAPPED || n_axis == 2 ? swapped : reversed);
        s->n_dims = n_axis;
    } else if (how == GGML) {
        put_dims(s, n_axis, shape[n_axis - 1], n_axis == 2 ? shape[0] : shape[1], shape[0]);
    } else if (how == FORTRAN) {
        reorder(s, x, shape, n_axis == 2 ? swapped : reversed);
        put_dims(s, n_axis, shape[0], shape[1], shape[2]);
        s->fortran = true;
    } else if (how == LAST) {
        s->n = n / (size_t) shape[0];
        memcpy(s->x, x + n - s->n, s->n * sizeof *x);
        put_dims(s, n_axis, 1, shape[1], shape[2]);
    } else if (how == REPEATED) {
        repeat_heads(s, x, shape);
    } else if (how == PAIRS) {
        pair_up(s, shape);
    } else if (how == PADDED) {
        pad_keys(s, x, shape);
    }
}

static const struct {
    int arch;
    enum how how;
    const char *name, *value;
    unsigned fit;
} ways[] = {
    {ARCH_GPT2, PLAIN, "blocks.1.resid_post", "blocks.1.resid_post", 0},
    {ARCH_GPT2, BATCH, "blocks.1.hook_resid_post", "blocks.1.resid_post", FIT_BATCH},
    {ARCH_GPT2, BATCH, "blocks.0.ln1.hook_scale", "blocks.0.ln1.scale", FIT_BATCH},
    {ARCH_GPT2, TRANSPOSED, "embed", "embed", FIT_SWAPPED},
    {ARCH_GPT2, GGML, "l_out-0", "blocks.0.resid_post", FIT_REVERSED},
    {ARCH_GPT2, GGML, "blocks.0.resid_post", "blocks.0.resid_post", FIT_REVERSED},
    {ARCH_GPT2, FORTRAN, "logits", "logits", 0},
    {ARCH_GPT2, LAST, "logits", "logits", FIT_LAST},
    {ARCH_GPT2, LAST, "blocks.0.attn.z", "blocks.0.attn.z", FIT_LAST},
    {ARCH_GPT2, FLAT, "kqv_out-0", "blocks.0.attn.z", FIT_FLAT},
    {ARCH_GPT2, SWAPPED, "past_key_values.0.key", "blocks.0.attn.k", FIT_SWAPPED},
    {ARCH_GPT2, GGML, "Vcur-1", "blocks.1.attn.v", FIT_REVERSED},
    {ARCH_GPT2, FORTRAN, "blocks.1.attn.v", "blocks.1.attn.v", 0},
    {ARCH_GPT2, TRANSPOSED, "blocks.1.attn.v", "blocks.1.attn.v", FIT_SWAPPED},
    {ARCH_GPT2, PLAIN, "attentions.1", "blocks.1.attn.pattern", 0},
    {ARCH_GPT2, GGML, "kq_soft_max-1", "blocks.1.attn.pattern", FIT_REVERSED},
    {ARCH_GPT2, PADDED, "blocks.0.attn.pattern", "blocks.0.attn.pattern", FIT_KEYS},
    {ARCH_GPT2, SWAPPED, "blocks.0.attn.pattern", "blocks.0.attn.pattern", FIT_SWAPPED},
    {ARCH_LLAMA, REPEATED, "blocks.0.attn.v", "blocks.0.attn.v", FIT_REPEATED},
    {ARCH_LLAMA, FLAT, "model.layers.1.self_attn.k_proj", "blocks.1.attn.k", FIT_FLAT},
    {ARCH_LLAMA, PAIRS, "Qcur-1", "blocks.1.attn.rot_q", FIT_PAIRS},
    {ARCH_LLAMA, PAIRS, "blocks.0.attn.rot_k", "blocks.0.attn.rot_k", FIT_PAIRS},
};

static struct dumped *dump_of(const struct rig *g, const char *name, const struct shaped *s,
                              const int32_t *ids, int n)
{
    struct err err = ERR_INIT;
    struct str npy = STR_INIT;
    struct own_zip *z = own_zip_open(path, true);
    if (ids) {
        own_npy(&npy, "<i4", false, &n, 1, ids, (size_t) n * sizeof *ids);
        own_zip_add(z, "tokens", &npy);
        str_clear(&npy);
    }
    own_npy(&npy, "<f4", s->fortran, s->shape, s->n_dims, s->x, s->n * sizeof *s->x);
    own_zip_add(z, name, &npy);
    own_zip_close(z);
    str_release(&npy);
    struct dumped *d = dumped_open(arrays_open(path, NULL, &err), g->program, &err);
    if (!d)
        fail_msg("%s", err.text);
    return d;
}

/* Compares with the run; the row of the array. */
static struct differ_row compare(const struct rig *g, struct dumped *d)
{
    struct err err = ERR_INIT;
    struct differ_options o = {.tol = 1e-6};
    struct differ_side side[2] = {{d, NULL}, {NULL, g->run}};
    struct differ *x = differ_new(side, g->program, &o, &err);
    const struct differ_row *row;
    struct differ_row last = {.value = -1};
    assert_non_null(x);
    while ((row = differ_next(x, &err)))
        last = *row;
    assert_string_equal(err.text, "");
    differ_free(x);
    return last;
}

static void open_rig(struct rig *g, int arch, int32_t *ids)
{
    struct hparams hp;
    shape_of(arch, &hp);
    rig_make(g, &hp, DTYPE_F32, &(struct run_options){0});
    rig_ids(ids, POS, hp.n_vocab, 9);
    rig_feed(g->run, ids, POS);
}

static void test_ways(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct rig g;
        struct shaped s;
        int32_t ids[POS];
        int shape[3];
        size_t n;
        open_rig(&g, ways[i].arch, ids);
        int value = rig_value(g.run, ways[i].value);
        int n_axis = run_shape(g.run, value, shape);
        float *x = rig_read_value(g.run, value, &n);
        make(&s, ways[i].how, x, n, shape, n_axis);
        struct dumped *d = dump_of(&g, ways[i].name, &s, ids, POS);
        struct differ_row row = compare(&g, d);
        if (row.state != DIFFER_SAME || row.fit[0] != ways[i].fit || row.most > 1e-5 ||
            strcmp(row.name, ways[i].value) != 0)
            fail_msg("%zu, %s: %s, state %d %s, fit %u, off by %g", i, ways[i].name, row.name,
                     row.state, row.why, row.fit[0], row.most);
        size_t all = n * (ways[i].how == REPEATED ? 2 : 1);
        assert_int_equal(row.n, ways[i].how == LAST ? n / POS : all);
        dumped_free(d);
        free(s.x);
        free(x);
        rig_close(&g);
    }
}

/* A difference is found through every one of them, too, where it is. */
static void test_ways_differ(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct rig g;
        struct shaped s;
        int32_t ids[POS];
        int shape[3], last[3] = {0, 0, 0};
        size_t n;
        open_rig(&g, ways[i].arch, ids);
        int value = rig_value(g.run, ways[i].value);
        int n_axis = run_shape(g.run, value, shape);
        float *x = rig_read_value(g.run, value, &n);
        for (int k = 0; k < n_axis; k++)
            last[k] = shape[k] - 1;
        x[n - 1] += 1;
        make(&s, ways[i].how, x, n, shape, n_axis);
        struct dumped *d = dump_of(&g, ways[i].name, &s, ids, POS);
        struct differ_row row = compare(&g, d);
        assert_int_equal(row.state, DIFFER_OTHER);
        if (row.fit[0] == ways[i].fit) { /* of ways that do not agree the first is shown */
            assert_true(fabs(row.most - 1) < 1e-5);
            assert_memory_equal(row.most_at, last, sizeof last);
        }
        dumped_free(d);
        free(s.x);
        free(x);
        rig_close(&g);
    }
}

/* TransformerLens' "normalized" of a LayerNorm: with its gain and bias, or without when they
 * were folded away; RMSNorm's is always without. */
static void test_normalized(void **state)
{
    (void) state;
    for (int arch = 0; arch < 2; arch++)
        for (int gained = 0; gained < 2; gained++) {
            struct rig g;
            int32_t ids[POS];
            size_t n;
            open_rig(&g, arch, ids);
            float *x =
                rig_read(g.run, gained ? "blocks.1.ln2.out" : "blocks.1.ln2.normalized", &n);
            struct shaped s = {{1, POS, (int) (n / POS)}, 3, x, n, false};
            struct dumped *d = dump_of(&g, "blocks.1.ln2.hook_normalized", &s, ids, POS);
            struct differ_row row = compare(&g, d);
            assert_int_equal(row.state, arch && gained ? DIFFER_OTHER : DIFFER_SAME);
            if (row.state == DIFFER_SAME)
                assert_int_equal(row.other_value,
                                 gained ? rig_value(g.run, "blocks.1.ln2.out") : -1);
            dumped_free(d);
            free(x);
            rig_close(&g);
        }
}

/* --- several in one --- */

/* hidden_states [n_layer + 1, 1, pos, d_model] */
static void test_stacked(void **state)
{
    static const char *const parts[] = {"blocks.0.resid_pre", "blocks.0.resid_post",
                                        "ln_final.out"};
    struct rig g;
    int32_t ids[POS];
    (void) state;
    open_rig(&g, ARCH_GPT2, ids);
    struct shaped s = {
        {3, 1, POS, 24}, 4, xcalloc(3 * POS * 24, sizeof(float)), 3 * POS * 24, false};
    for (int i = 0; i < 3; i++) {
        size_t n;
        float *x = rig_read(g.run, parts[i], &n);
        memcpy(s.x + (size_t) i * n, x, n * sizeof *x);
        free(x);
    }
    struct dumped *d = dump_of(&g, "hidden_states", &s, ids, POS);
    struct differ_side side[2] = {{d, NULL}, {NULL, g.run}};
    struct err err = ERR_INIT;
    struct differ *x = differ_new(side, g.program, &(struct differ_options){0}, &err);
    while (differ_next(x, &err))
        ;
    assert_int_equal(differ_count(x), 4); /* with the tokens */
    for (int i = 0; i < 3; i++) {
        const struct differ_row *row = differ_at(x, i + 1);
        assert_string_equal(row->name, parts[i]);
        assert_int_equal(row->state, DIFFER_SAME);
        assert_int_equal(row->fit[0], FIT_STACKED | FIT_BATCH);
    }
    differ_free(x);
    dumped_free(d);
    free(s.x);
    rig_close(&g);
}

static void test_positions(void **state)
{
    struct rig g;
    int32_t ids[POS];
    size_t n;
    (void) state;
    open_rig(&g, ARCH_LLAMA, ids);
    float *x = rig_read(g.run, "blocks.0.attn.k", &n);
    struct shaped s = {{POS, 4, 8, 0}, 3, xcalloc(4 * n, sizeof(float)), 2 * n, false};
    /* tokens say it; else a value does, repeated heads or not */
    struct dumped *d = dump_of(&g, "blocks.0.attn.k", &s, ids, POS);
    assert_int_equal(d->n_pos, POS);
    assert_memory_equal(d->tokens, ids, sizeof ids);
    dumped_free(d);
    d = dump_of(&g, "blocks.0.attn.k", &s, NULL, 0);
    assert_int_equal(d->n_pos, POS);
    assert_null(d->tokens);
    dumped_free(d);
    s.shape[0] = 5;
    s.n = 5 * 32;
    d = dump_of(&g, "blocks.0.attn.q", &s, NULL, 0);
    assert_int_equal(d->n_pos, 5);
    dumped_free(d);
    d = dump_of(&g, "something", &s, NULL, 0);
    assert_int_equal(d->n_pos, 0);
    assert_int_equal(d->n, 0);
    dumped_free(d);
    free(s.x);
    free(x);
    rig_close(&g);
}

/* --- masks --- */

static const struct {
    float mask;
    bool same;
} masks[] = {{-INFINITY, true}, {-1e9f, true}, {-10000, true}, {-3.4028235e38f, true},
             {-65504, true},    {-100, false}, {0, false},     {NAN, false}};

static void test_masks(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        struct rig g;
        int32_t ids[POS];
        size_t n;
        open_rig(&g, ARCH_GPT2, ids);
        float *x = rig_read(g.run, "blocks.0.attn.scores", &n);
        for (size_t k = 0; k < n; k++)
            x[k] = x[k] == -INFINITY ? masks[i].mask : x[k];
        struct shaped s = {{3, POS, POS, 0}, 3, x, n, false};
        struct dumped *d = dump_of(&g, "blocks.0.attn.scores", &s, ids, POS);
        struct differ_row row = compare(&g, d);
        assert_int_equal(row.state, masks[i].same ? DIFFER_SAME : DIFFER_OTHER);
        assert_true(!masks[i].same || row.masked == 3 * POS * (POS - 1) / 2);
        dumped_free(d);
        /* what is hidden later may be anything */
        for (int h = 0; h < 3 * POS; h++)
            for (int k = h % POS + 1; k < POS; k++)
                x[h * POS + k] = masks[i].mask;
        d = dump_of(&g, "blocks.0.attn.scores_scaled", &s, ids, POS);
        row = compare(&g, d);
        assert_int_equal(row.state, DIFFER_SAME);
        dumped_free(d);
        free(x);
        rig_close(&g);
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
        cmocka_unit_test(test_ways),       cmocka_unit_test(test_ways_differ),
        cmocka_unit_test(test_normalized), cmocka_unit_test(test_stacked),
        cmocka_unit_test(test_positions),  cmocka_unit_test(test_masks),

    };
    return cmocka_run_group_tests(tests, enter, leave);
}
