/* diff and patch with dumps of single heads, of some heads, of some positions: what is compared
 * is what the file holds, at its place; what a file does not tell is not guessed. */
#include "base/mem.h"
#include "own_dump.h"
#include "shell.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BALL "Tom gave the red ball to Anna. Anna"
#define DUMP "gptscope dump -p '" BALL "' "

struct example {
    const char *line;
    int status;
    const char *out, *err; /* exact; NULL: not looked at; "~text": has this in it */
};

static bool agrees(const char *want, const struct str *got)
{
    if (!want)
        return true;
    if (want[0] == '~')
        return strstr(got->text, want + 1) != NULL;
    return strcmp(want, got->text) == 0;
}

static void run_examples(const struct example *e)
{
    for (; e->line; e++) {
        struct ran r = shell("%s", e->line);
        if (r.status != e->status || !agrees(e->out, &r.out) || !agrees(e->err, &r.err))
            fail_msg("%s\n  status %d\n  stdout: %.900s\n  stderr: %.400s", e->line, r.status,
                     r.out.text, r.err.text);
        ran_release(&r);
    }
}

/* --- what is compared --- */

// clang-format off
static const struct example heads[] = {
    {DUMP "--select L2.H5.pattern -o h.npz && " DUMP "--select '*' -o a.npz && gptscope diff h.npz tiny-gpt2 -q", 0,
     "~the same: 2 values over 10 positions within 0.0001; the nearest to it, L2.H5.attn.pattern, has ", ""},
    {"gptscope diff a.npz h.npz -q", 0, "~the same: 2 values over 10 positions", ""},
    {"gptscope diff h.npz h.npz | sed -n 5p | cut -c 1-50", 0, "L2.H5.attn.pattern           10x10        0       \n", ""},
    {"gptscope diff h.npz a.npz -q --select L2.H5.pattern", 0, "~the same: 1 value over 10 positions", ""},
    {"gptscope diff a.npz tiny-gpt2 --select L2.H5.z,L1.H3.pattern | sed -n '4,5p' | cut -c 1-37", 0,
     "blocks.1.attn.pattern        1x10x10 \nblocks.2.attn.z              10x1x32 \n", ""},

    /* several heads, and those that only one side has */
    {DUMP "--select 'L*.H3.*,L0.H1.z' -o s.safetensors && gptscope diff s.safetensors tiny-gpt2 -q", 0,
     "~the same: 38 values over 10 positions", ""},
    {DUMP "--select L0.H1.z,L0.H2.z -o t.npz && gptscope diff s.safetensors t.npz | tail -n 3 | cut -c 1-75", 0,
     "only in A: L0.H3.attn.q, L0.H3.attn.k, L0.H3.attn.v, L0.H3.attn.scores_raw \n"
     "only in B: L0.H2.attn.z\n"
     "the same: 2 values over 10 positions within 0.0001; the nearest to it, L0.H\n", ""},

    /* heads that serve others, with and without a sidecar */
    {DUMP "-m tiny-llama --select 'L2.H1.*,L0.H7.z' -o g.npz && gptscope diff g.npz tiny-llama -q", 0,
     "~the same: 13 values over 10 positions", ""},
    {"cp g.npz bare.npz && gptscope diff bare.npz tiny-llama -q", 0, "~the same: 13 values", ""},
    {"gptscope diff bare.npz bare.npz -q", 0, "~the same: 13 values", ""},
    {"cp s.safetensors bare.safetensors && gptscope diff bare.safetensors bare.safetensors -q", 0, "~the same: 38 values", ""},
    {DUMP "-m tiny-llama --select 'cache.2.v,L2.z' -o c.npz && gptscope diff g.npz c.npz -q", 0, "~the same: 3 values", ""},
    {0},
};

static const struct example slices[] = {
    {DUMP "--select '*' --heads 3,5 --positions 4-7 --layers 1-2 -o p.npz && gptscope diff p.npz tiny-gpt2 -q", 0,
     "~the same: 61 values over 4 positions within 0.0001", ""},
    {"gptscope diff p.npz tiny-gpt2 | sed -n '3p;18,19p' | cut -c 1-57", 0,
     "A holds heads 3 and 5, positions 4-7, as its sidecar says\n"
     "blocks.1.attn.scores_raw     2x4x10       0              \n"
     "blocks.1.attn.scores_scaled  2x4x10       0              \n", ""},
    {DUMP "--select '*' -o a.npz && gptscope diff a.npz p.npz -q", 0, "~over 4 positions", ""},
    {DUMP "--select '*' --heads 3 --positions last -o last.safetensors && gptscope diff last.safetensors tiny-gpt2 -q", 0,
     "~the same: 113 values over 1 position within", ""},
    {"gptscope diff last.safetensors tiny-gpt2 | sed -n 3p", 0, "A holds head 3, position 9, as its sidecar says\n", ""},

    /* queries of some heads, of keys and values those that serve them */
    {DUMP "-m tiny-llama --select '*' --heads 1,6 --positions 2- -o q.npz && gptscope diff q.npz tiny-llama -q", 0,
     "~the same: 119 values over 8 positions", ""},
    {DUMP "-m tiny-llama --select 'L*.attn.*' --heads 6-7 --positions 5-6 -o r.safetensors && gptscope diff q.npz r.safetensors -q", 0,
     "~the same: 53 values over 2 positions", ""},
    {"gptscope diff q.npz r.safetensors | sed -n '3,4p;7,8p' | cut -c 1-45", 0,
     "A holds heads 1 and 6, positions 2-9, as its \n"
     "B holds heads 6 and 7, positions 5-6, as its \n"
     "blocks.0.attn.q              2x1x24       0  \n"
     "blocks.0.attn.k              2x1x24       0  \n", ""},

    /* the positions of single heads; an .npy file, which has no names */
    {DUMP "--select L2.H1.pattern --positions 3-5 -o h.npy && gptscope diff h.npy tiny-gpt2 -q", 0,
     "~the same: 1 value over 3 positions", ""},
    {"gptscope diff h.npy tiny-gpt2 -q --value L2.H1.pattern", 1, NULL,
     "gptscope: nothing is compared: A has L2.H1.pattern, B has not; 'gptscope help values' lists the "
     "names that are known\n"},
    {0},
};

/* --- what differs --- */

static const struct example differences[] = {
    {"gptscope run -m tiny-llama -p '" BALL "' -c 'ablate L2.H5; run; dump L2.* cut.npz heads=3,5 positions=4-7;"
     "dump L2.H5.z,L2.H3.z head.npz' && gptscope diff cut.npz tiny-llama | grep -A 3 '^first'", 0,
     "~first to differ: blocks.2.attn.z at [7,5,1] \xc2\xb7" "Anna A has 0, B -1.61425 (", ""},
    {"gptscope diff cut.npz tiny-llama | tail -n 2", 0,
     "  what comes before agrees where it is compared: blocks.2.attn.v and blocks.2.attn.pattern, so look at this op, "
     "its weights and what they are\n  only head 5\n", ""},
    {"gptscope diff cut.npz tiny-llama -q --picture - | grep -c '^[4-7] '", 0, "4\n", ""},
    {"gptscope diff head.npz tiny-llama | sed -n '5,6p' | cut -c 1-50", 0,
     "L2.H3.attn.z                 10x24        0       \n"
     "L2.H5.attn.z                 10x24        2.37    \n", ""},
    {"gptscope diff head.npz tiny-llama -q", 1, "~first to differ: L2.H5.attn.z at [8,1] . A has 0, B -1.65667 (", ""},
    {"gptscope diff head.npz cut.npz -q", 0, "~the same: 3 values over 4 positions", ""},
    {0},
};

/* --- what cannot be compared --- */

#define PART "; a sidecar, FILE.json, would tell which part it is"

static const struct example misfits[] = {
    {DUMP "-m tiny-llama --select 'L2.H7.pattern' -o h7.npz && gptscope diff h7.npz tiny-gpt2", 1,
     "A: h7.npz\nB: tiny-gpt2\n"
     "the architectures differ: A is llama, B is gpt2; n_head 8 and 6; d_head 24 and 32; n_kv_head 2 and 6; "
     "d_mlp 512 and 768\n"
     "compared is what has the same name and the same shape in both\n"
     "value                        shape        |A - B|   at                       rms      cosine    of the tolerance\n"
     "tokens                       10           0                                  0.0e+00  1.000000  0        ok\n",
     "gptscope: nothing is compared: A has L2.H7.attn.pattern, B has not\n"},
    {"gptscope diff h7.npz tiny-gpt2 --json", 1, "", "gptscope: nothing is compared: A has L2.H7.attn.pattern, B has not\n"},
    {"gptscope diff h7.npz tiny-llama --select logits -q", 1, "",
     "gptscope: nothing is compared: A and B have nothing in common of what is selected\n"},
    {"gptscope diff h7.npz tiny-llama --select tokens -q", 0, "~the same: 1 value over 10 positions", ""},
    {DUMP "-m tiny-llama --select L1.H2.z,L0.H2.z,L3.H2.z,L2.H2.z -o h2.npz && gptscope diff h7.npz h2.npz -q", 1, "",
     "gptscope: nothing is compared: A has L2.H7.attn.pattern, B has L0.H2.attn.z, L1.H2.attn.z, L2.H2.attn.z and 1 "
     "more, and neither what the other has\n"},

    /* parts without a word about which */
    {DUMP "-m tiny-llama --select L2.z --heads 2,6 --positions 4-6 --no-sidecar -o n.npz && gptscope diff n.npz tiny-llama -q",
     1, "",
     "gptscope: nothing is compared: blocks.2.attn.z: shape [3, 2, 24] in A does not fit [pos 10, head 8, d_head 24]" PART "\n"},
    {DUMP "-m tiny-llama --select L2.H1.k --positions 4-6 --no-sidecar -o k.npz && gptscope diff k.npz tiny-llama -q", 1, "",
     "gptscope: nothing is compared: L2.H1.attn.k: shape [3, 24] in A does not fit [pos 10, d_head 24]" PART "\n"},
    {DUMP "-m tiny-llama --select L2.z,L2.ln1.scale,logits --positions 4-6 --no-sidecar -o o.npz && gptscope diff tiny-llama o.npz | "
     "sed -n '5,6p'", 0,
     "blocks.2.ln1.scale           misfit: shape [3, 1] in B does not fit [pos 10, 1]" PART "\n"
     "blocks.2.attn.z              misfit: shape [3, 8, 24] in B does not fit [pos 10, head 8, d_head 24]" PART "\n", NULL},
    {"gptscope diff tiny-llama o.npz -q", 1, "",
     "gptscope: nothing is compared: blocks.2.ln1.scale: shape [3, 1] in B does not fit [pos 10, 1]" PART
     " (and 2 more values)\n"},
    {"cp h7.npz.json n.npz.json; gptscope diff n.npz tiny-llama -q", 1, "",
     "gptscope: nothing is compared: blocks.2.attn.z: shape [3, 2, 24] in A does not fit [pos 10, head 8, d_head 24]; its "
     "sidecar, FILE.json, is of another file\n"},
    {DUMP "--select L2.z --positions 4 --no-sidecar -o one.npz && gptscope diff one.npz tiny-gpt2 | sed -n '/^first/,$p' | sed -n 2p", 0,
     "  A has one position of it, taken for the last: a sidecar, FILE.json, would tell which it is\n", ""},
    {DUMP "--select L2.z --positions 4 -o one.npz && gptscope diff one.npz tiny-gpt2 -q", 0, "~the same: 2 values over 1 position", ""},

    /* no head or position in common */
    {DUMP "--select L2.z --heads 1 -o u.npz && " DUMP "--select L2.z --heads 2 -o v.npz && gptscope diff u.npz v.npz -q", 1, "",
     "gptscope: nothing is compared: blocks.2.attn.z: the sides have no head in common\n"},
    {DUMP "--select L2.z --positions 1-2 -o w.npz && gptscope diff one.npz w.npz -q", 1, "",
     "gptscope: nothing is compared: blocks.2.attn.z: the sides have no position in common\n"},
    {0},
};

static const struct example models[] = {
    {"gptscope diff tiny-gpt2 tiny-llama -p Tom | sed -n '3,4p;/^only/p;/agree/p' | cut -c 1-100", 0,
     "the architectures differ: A is gpt2, B is llama; n_head 6 and 8; d_head 32 and 24; n_kv_head 6 and 2\n"
     "compared is what has the same name and the same shape in both\n"
     "only in A: pos_embed, blocks.0.ln1.mean, blocks.0.ln2.mean, blocks.1.ln1.mean and 6 more\n"
     "only in B: blocks.0.attn.rot_q, blocks.0.attn.rot_k, blocks.0.mlp.pre_linear, blocks.0.mlp.act and 1\n"
     "1 of 92 values agree within 0.0001, 47 differ, 44 cannot be compared: their shapes do not fit\n", NULL},
    {"gptscope diff tiny-gpt2 tiny-llama -p Tom | tail -n 1 | cut -c 1-27", 0, "first to differ: embed at [\n", NULL},
    {"gptscope diff tiny-gpt2 tiny-llama -p Tom --json | grep -o '\"models\": \"[^;]*'", 0,
     "\"models\": \"the architectures differ: A is gpt2, B is llama\n", NULL},
    {"gptscope diff tiny-gpt2 tiny-gpt2 -p Tom --json | grep -o '\"models\": [a-z]*'", 0, "\"models\": null\n", ""},
    {"gptscope diff tiny-gpt2 $TESTS_DIR/data/models/small-gpt2 --ids 1,2 | sed -n 3p", 0,
     "~the models' shapes differ: n_layer 4 and ", NULL},
    {0},
};
// clang-format on

static void test_heads(void **state)
{
    (void) state;
    run_examples(heads);
}

static void test_slices(void **state)
{
    (void) state;
    run_examples(slices);
}

static void test_differences(void **state)
{
    (void) state;
    run_examples(differences);
}

static void test_misfits(void **state)
{
    (void) state;
    run_examples(misfits);
}

static void test_models(void **state)
{
    (void) state;
    run_examples(models);
}

/* Sidecars that say what cannot be are not believed, and never the end. */
static void test_sidecars(void **state)
{
    static const char *const edit[] = {
        "s/\"first\": 4/\"first\": 99/",
        "s/\"first\": 4/\"first\": -1/",
        "s/\"count\": 3/\"count\": 2147483647/",
        "s/\"count\": 3/\"count\": 0/",
        "s/\"heads\": .2, 6./\"heads\": [6, 2]/",
        "s/\"heads\": .2, 6./\"heads\": [2, 99999]/",
        "s/\"heads\": .2, 6./\"heads\": 2/",
        "s/\"heads\": .2, 6./\"heads\": []/",
        "s/\"n_kv_head\": 2/\"n_kv_head\": 0/",
        "s/\"n_kv_head\": 2/\"n_kv_head\": 3/",
        "s/\"ids\": .51,/\"ids\": [-51,/",
        "s/\"ends\": \"./\"ends\": \"x/",
        "s/\"prompt\"/\"prompts\"/g",
        "s/\"format\": \"npz\", //; s/{/[/",
    };
    (void) state;
    for (size_t i = 0; i < sizeof edit / sizeof *edit; i++) {
        struct ran r =
            shell(DUMP "-m tiny-llama --select L2.z --heads 2,6 --positions 4-6 -o e.npz && "
                       "cp e.npz.json e.old && sed -i '%s' e.npz.json && "
                       "! cmp -s e.old e.npz.json && gptscope diff e.npz tiny-llama -q",
                  edit[i]);
        static const char want[] =
            "gptscope: nothing is compared: blocks.2.attn.z: shape [3, 2, 24] in A does not "
            "fit "
            "[pos 10, head 8, d_head 24]; its sidecar, FILE.json, is of another file\n";
        if (r.status != 1 || strcmp(r.err.text, want) != 0)
            fail_msg("%s: status %d, %s", edit[i], r.status, r.err.text);
        ran_release(&r);
    }
    /* heads that the model has not, in a file that is what the sidecar says */
    struct ran r =
        shell(DUMP "-m tiny-llama --select L2.resid_mid,L2.z --heads 2,7 -o x.npz && "
                   "gptscope diff x.npz tiny-gpt2 | sed -n '7,9p' | cut -c 1-90");
    assert_true(strstr(r.out.text,
                       "blocks.2.attn.z              misfit: shape [10, 2, 24] in A "
                       "does not fit [pos 10, head 2") != NULL);
    ran_release(&r);
}

/* --- one number --- */

/* Of tiny-llama's value the head, as JSON has it. */
static float *read_head(const char *name, int *n)
{
    struct ran r = shell(DUMP "-m tiny-llama --select %s -o one.json && cat one.json", name);
    json_t *o = json_loads(r.out.text, 0, NULL);
    json_t *list = json_object_get(json_object_get(o, "values"), name);
    const json_t *v = json_object_get(o, name);
    v = v ? v : list;
    v = json_is_object(v) ? json_object_get(v, "data") : v;
    assert_true(json_is_array(v));
    float *x = xcalloc(4096, sizeof *x);
    *n = 0;
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *row = json_array_get(v, i);
        for (size_t k = 0; k < json_array_size(row); k++)
            x[(*n)++] = (float) json_number_value(json_array_get(row, k));
    }
    json_decref(o);
    ran_release(&r);
    return x;
}

/* One number of one head is off: it is named, with where it is and by how much. */
static void test_one_number(void **state)
{
    static const struct {
        const char *name, *as; /* the dump's, and what the array is called */
        int row, col, cols;
    } cases[] = {{"L2.H5.attn.pattern", "L2.H5.attn.pattern", 7, 3, 10},
                 {"L2.H5.attn.pattern", "blocks.2.attn.hook_pattern.5", 7, 3, 10},
                 {"L2.H1.attn.v", "L2.H1.attn.v", 4, 9, 24},
                 {"L2.H1.attn.rot_k", "blocks.2.attn.rot_k.1", 9, 23, 24},
                 {"L3.H7.attn.z", "L3.H7.attn.z", 0, 0, 24}};
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n, shape[] = {10, cases[i].cols};
        float *x = read_head(cases[i].name, &n);
        struct str npy = STR_INIT, want = STR_INIT;
        assert_int_equal(n, 10 * cases[i].cols);
        for (int off = 0; off < 2; off++) {
            x[cases[i].row * cases[i].cols + cases[i].col] += 0.5f * (float) off;
            struct own_zip *z = own_zip_open("own.npz", true);
            str_clear(&npy);
            own_npy(&npy, "<f4", false, shape, 2, x, (size_t) n * sizeof *x);
            own_zip_add(z, cases[i].as, &npy);
            own_zip_close(z);
            struct ran r = shell("gptscope diff own.npz tiny-llama -p '" BALL "' --json");
            json_t *o = json_loads(r.out.text, 0, NULL);
            json_t *first = json_object_get(o, "first");
            assert_int_equal(r.status, off);
            assert_int_equal(json_array_size(json_object_get(o, "values")), 1);
            assert_int_equal(json_is_null(first), !off);
            if (off) {
                const json_t *at = json_object_get(first, "largest_at");
                double most = json_number_value(json_object_get(first, "largest"));
                printf("%-30s off by %.7g at [%d,%d]\n", cases[i].as, most,
                       (int) json_integer_value(json_array_get(at, 0)),
                       (int) json_integer_value(json_array_get(at, 1)));
                assert_string_equal(json_string_value(json_object_get(first, "name")),
                                    cases[i].name);
                assert_int_equal(json_array_size(at), 2);
                assert_int_equal(json_integer_value(json_array_get(at, 0)), cases[i].row);
                assert_int_equal(json_integer_value(json_array_get(at, 1)), cases[i].col);
                assert_true(fabs(most - 0.5) < 1e-5);
            }
            json_decref(o);
            ran_release(&r);
        }
        str_release(&npy);
        str_release(&want);
        free(x);
    }
}

/* --- patch --- */

/* Runs a line on a text of its own; the last line's data, or NULL with the error's text. */
static json_t *last_result(const char *model, const char *line, char *error, size_t size)
{
    struct ran r = shell("gptscope run --json -m %s -p '" BALL "' -c '%s'", model, line);
    const char *at = r.out.text;
    for (const char *end; (end = strchr(at, '\n')) && end[1]; at = end + 1)
        ;
    json_t *o = json_loads(at, 0, NULL), *result = json_object_get(o, "result");
    snprintf(error, size, "%s",
             json_object_get(o, "error") ? json_string_value(json_object_get(o, "error")) : "");
    json_incref(result);
    json_decref(o);
    ran_release(&r);
    return result;
}

/* What `diff whole.npz` says of a run with a patch: names and largest differences. */
static bool same_effect(const char *model, const char *a, const char *b, double *moved)
{
    char line[400], error[400];
    json_t *o[2];
    double most[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof line, "run; patch %s; run; diff plain.npz", i ? b : a);
        o[i] = last_result(model, line, error, sizeof error);
        if (!o[i])
            fail_msg("%s: %s", line, error);
    }
    const json_t *v[2] = {json_object_get(o[0], "values"), json_object_get(o[1], "values")};
    bool same = json_array_size(v[0]) == json_array_size(v[1]);
    for (size_t i = 0; same && i < json_array_size(v[0]); i++) {
        for (int k = 0; k < 2; k++)
            most[k] = json_number_value(json_object_get(json_array_get(v[k], i), "largest"));
        same = fabs(most[0] - most[1]) <= 1e-6 * (1 + most[0]);
    }
    *moved = most[0];
    json_decref(o[0]);
    json_decref(o[1]);
    return same;
}

static void test_patch(void **state)
{
    static const struct {
        const char *model, *part, *whole;
    } cases[] = {
        {"tiny-gpt2", "L2.H5.z from heads.npz", "L2.H5.z from other.npz"},
        {"tiny-gpt2", "L2.H5.z from heads.npz 6", "L2.H5.z from other.npz 6"},
        {"tiny-gpt2", "L2.H5.pattern from heads.npz", "L2.H5.pattern from other.npz"},
        {"tiny-gpt2", "L2.H4.z from part.npz 5", "L2.H4.z from other.npz 5"},
        {"tiny-gpt2", "L2.H4.k from part.npz 7", "L2.H4.k from other.npz 7"},
        {"tiny-gpt2", "L2.resid_mid from part.npz 4", "L2.resid_mid from other.npz 4"},
        {"tiny-llama", "L2.H5.z from heads.npz", "L2.H5.z from other.npz"},
        {"tiny-llama", "L2.H1.v from heads.npz", "L2.H1.v from other.npz"},
        {"tiny-llama", "L2.H1.rot_k from part.npz 6", "L2.H1.rot_k from other.npz 6"},
        {"tiny-llama", "L2.H4.z from part.npz 5", "L2.H4.z from other.npz 5"},
    };
    const char *made = "";
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *m = cases[i].model;
        double moved;
        if (strcmp(made, m) != 0) {
            struct ran r =
                shell("d=\"gptscope dump -m %s --no-sidecar\"; $d -p '" BALL
                      "' --select '*' -o plain.npz && d=\"gptscope dump -m %s -p\" && "
                      "t='Tom gave the blue hat to Ben. Anna' && $d \"$t\" --select '*' -o "
                      "other.npz && $d \"$t\" --select 'L2.H5.*,L2.H1.*' -o heads.npz && "
                      "$d \"$t\" --select '*' --heads 1,4 --positions 4-7 -o part.npz",
                      m, m);
            if (r.status != 0)
                fail_msg("%s", r.err.text);
            ran_release(&r);
            made = m;
        }
        bool same = same_effect(m, cases[i].part, cases[i].whole, &moved);
        printf("%-11s %-30s moves the last value by %.3g\n", m, cases[i].part, moved);
        if (!same)
            fail_msg("%s: not what %s does", cases[i].part, cases[i].whole);
        assert_true(moved > 1e-4);
    }
}

static const struct {
    const char *line, *error;
} wrong[] = {
    {"patch L2.z from h.npz", "'h.npz' has only head 5 of blocks.2.attn.z: patch L2.H5.attn.z"},
    {"patch L2.H1.z from h.npz", "'h.npz' has head 5 of blocks.2.attn.z, not head 1"},
    {"patch L1.H1.z from h.npz", "'h.npz' has no array that is blocks.1.attn.z"},
    {"patch L2.z from p.npz",
     "'p.npz' has only heads 1, 4 of blocks.2.attn.z: patch L2.H1.attn.z"},
    {"patch L2.H0.z from p.npz", "'p.npz' has heads 1, 4 of blocks.2.attn.z, not head 0"},
    {"patch L2.H1.z from p.npz 2", "'p.npz': it has no position 2, only 4 to 7"},
    {"patch L2.H1.z from bare.npz", "'bare.npz': array 'blocks.2.attn.z': shape [4, 2, 32] "
                                    "does not fit [pos 10, head 6, d_head "
                                    "32]; a sidecar, FILE.json, would tell which part it is"},
    {"diff bare.npz",
     "nothing is compared: blocks.2.attn.z: shape [4, 2, 32] in A does not fit "
     "[pos 10, head 6, "
     "d_head 32]; a sidecar, FILE.json, would tell which part it is"},
    {"diff tokens.npz", "nothing is compared: A has L2.H7.attn.z, B has not"},
};

static void test_wrong(void **state)
{
    (void) state;
    struct ran r =
        shell(DUMP "--select L2.H5.z -o h.npz && " DUMP
                   "--select L2.z --heads 1,4 --positions 4-7 -o p.npz && cp p.npz "
                   "bare.npz && " DUMP "-m tiny-llama --select L2.H7.z -o tokens.npz");
    assert_int_equal(r.status, 0);
    ran_release(&r);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[300], error[600];
        snprintf(line, sizeof line, "run; %s", wrong[i].line);
        assert_null(last_result("tiny-gpt2", line, error, sizeof error));
        if (strcmp(error, wrong[i].error) != 0)
            fail_msg("%s\n  %s", wrong[i].line, error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),       cmocka_unit_test(test_slices),
        cmocka_unit_test(test_differences), cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_models),      cmocka_unit_test(test_sidecars),
        cmocka_unit_test(test_one_number),  cmocka_unit_test(test_patch),
        cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests(tests, shell_enter, shell_leave);
}
