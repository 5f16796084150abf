/* The verbs of the command line, run as a user runs them. */
#include "shell.h"

#include "base/mem.h"
#include "npz.h"
#include "ui/tool.h"

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

static const char *const models[] = {"tiny-gpt2", "tiny-llama"};

static void fail_with(const char *line, const struct ran *r, const char *what)
{
    print_error("%s\n  %s: status %d\n  stdout: %.400s\n  stderr: %.400s\n", line, what,
                r->status, r->out.text, r->err.text);
    fail();
}

/* --- plain cases --- */

struct example {
    const char *line;
    int status;
    const char *out, *err; /* exact; NULL: not looked at; "~text": has this in it */
};

// clang-format off
static const struct example examples[] = {
    {"gptscope --version", 0, "gptscope 0.1.0\n", ""},
    {"gptscope -V", 0, "gptscope 0.1.0\n", ""},
    {"gptscope version", 0, "gptscope 0.1.0\n", ""},
    {"gptscope version x", 2, "", "gptscope: version takes no 'x'; see gptscope help version\n"},
    {"gptscope --help", 0, "~usage: gptscope", ""},
    {"gptscope help dump", 0, "~usage: gptscope dump", ""},
    {"gptscope dump --help", 0, "~usage: gptscope dump", ""},
    {"gptscope help step", 0, "~step", ""},

    /* usage */
    {"gptscope dump --heads max -p x --select q -o x.npz", 2, "",
     "gptscope: 'max' is no list of heads; lists are like 0-3,5; see gptscope help dump\n"},
    {"gptscope run --heads max -c 'set heads'", 0, "~max", ""}, /* the setting */
    {"gptscope --heads 1,2 run -c 'set heads'", 2, "", "~'1,2'"},
    {"gptscope info --layers 1", 2, "",
     "gptscope: option '--layers' does not belong to 'info'; see gptscope help info\n"},
    {"gptscope dump --foo", 2, "",
     "gptscope: unknown option '--foo'; see gptscope help dump\n"},
    {"gptscope dump --selct x", 2, "",
     "gptscope: unknown option '--selct'; did you mean '--select'; see gptscope help dump\n"},
    {"gptscope --foo", 2, "", "gptscope: unknown option '--foo'; see gptscope --help\n"},
    {"gptscope -x", 2, "", "gptscope: unknown option '-x'; see gptscope --help\n"},
    {"gptscope generat -p x", 2, "",
     "gptscope: unknown verb 'generat'; did you mean 'generate' (as a prompt: -- generat); "
     "see gptscope --help\n"},
    {"gptscope generate -n", 2, "",
     "gptscope: option '-n' needs a value, N; see gptscope help generate\n"},
    {"gptscope generate -n x", 2, "",
     "gptscope: option '-n' needs a whole number from 0 to 100000000, not 'x'; "
     "see gptscope help generate\n"},
    {"gptscope generate --temp hot -p x", 2, "",
     "gptscope: temp takes a number from 0 to 100, not 'hot'; see gptscope help generate\n"},
    {"gptscope models --decode 1", 2, "",
     "gptscope: option '--decode' does not belong to 'models'; see gptscope help models\n"},
    {"gptscope info --json=1", 2, "",
     "gptscope: option '--json' takes no value; see gptscope help info\n"},
    {"gptscope tokenize", 2, "",
     "gptscope: there is no text; give one, or - to read standard input; "
     "see gptscope help tokenize\n"},
    {"gptscope tokenize a b", 2, "", "~more than one text"},
    {"gptscope tokenize --decode 1,x", 2, "",
     "gptscope: option '--decode' needs token ids such as 1,2,3, not '1,x'; "
     "see gptscope help tokenize\n"},
    {"gptscope generate", 2, "", "~there is no prompt"},
    {"gptscope bench --dump --ui", 2, "",
     "gptscope: --ui and --dump are given; one at a time; see gptscope help bench\n"},
    {"gptscope bench --dump -m tiny-gpt2 --prompt-tokens 257", 2, "",
     "~257 tokens do not fit the context of 256"},
    {"TMPDIR=no/such gptscope bench --dump -m tiny-gpt2 --prompt-tokens 8 -n 1", 1, "",
     "~measuring dumps: cannot write 'no/such/.gptscope-bench-"},
    {"gptscope bench --dump -m tiny-gpt2 --prompt-tokens 8 -n 2 | grep -c 'dump\\|plain\\|copy' "
     "&& ! ls -A | grep bench",
     0, "6\n", ""},
    {"gptscope dump -p x -o x.npz", 2, "", "~--select"},
    {"gptscope dump -p x --select logits", 2, "", "~which file"},
    {"gptscope dump -p x --select logits -o x.xls", 2, "",
     "gptscope: 'xls' cannot be written, only npz, npy, safetensors, json, csv, tsv, png, "
     "svg or html; see gptscope help dump\n"},
    {"gptscope dump -p x --select logits -o -", 2, "",
     "gptscope: standard output needs a format, npz, npy, safetensors, json, csv, tsv, "
     "png, svg or html; see gptscope help dump\n"},
    {"gptscope dump -p x --ids 1 --select logits -o x.npz", 2, "", "~--ids are given"},
    {"gptscope check", 2, "", "~-m FILE"},
    {"gptscope run", 2, "", "~one file of commands"},
    {"gptscope bench --shape gpt2 -m tiny-gpt2", 2, "", "~-m and --shape"},
    {"gptscope bench --dtype f16", 2, "", "~--dtype goes with --shape"},
    {"gptscope bench --shape gpt2 --dtype f17", 2, "", "~'--dtype' takes one of"},
    {"gptscope help nothing-like-it", 2, "",
     "gptscope: there is no help on 'nothing-like-it'; 'help' lists the commands and "
     "topics\n"},
    {"gptscope help tokenise", 2, "",
     "gptscope: there is no help on 'tokenise'; did you mean 'tokenize'?\n"},
    {"gptscope help s", 2, "", "~'s' could be any of step, "},
    {"gptscope help run that", 2, "", "gptscope: help takes one topic: 'that' is too much\n"},

    /* failures */
    {"gptscope info -m missing.gguf", 1, "", "~missing.gguf"},
    {"gptscope check -m missing.gguf", 1, "", "~missing.gguf"},
    {"gptscope tokenize -m missing.gguf x", 1, "", "~missing.gguf"},
    {"gptscope check -m .", 1, "", NULL},
    {"gptscope generate -p ''", 1, "", "~the prompt has no tokens"},
    {"printf '' | gptscope generate -p -", 1, "", "~the prompt has no tokens"},
    {"gptscope generate --ids ''", 1, "", "~the prompt has no tokens"},
    {"gptscope generate --ids 99999", 1, "",
     "gptscope: there is no token 99999; ids go from 0 to 2047\n"},
    {"gptscope tokenize --decode 2048", 1, "",
     "gptscope: there is no token 2048; ids go from 0 to 2047\n"},
    {"gptscope dump -p x --select nothing -o x.npz", 1, "", "~nothing"},
    {"gptscope dump -p x --select 'blocks.*.attn.pattern' -o x.npy", 1, "",
     "gptscope: npy holds one value and 4 are selected: use npz\n"},
    {"gptscope dump -p x --select logits -o no/such/x.npz", 1, "", "~no/such/x.npz"},
    {"gptscope dump -p x --select logits -o /dev/full --format npz", 1, "", "~/dev/full"},
    {"gptscope info >/dev/full", 1, "",
     "gptscope: cannot write to standard output: No space left on device\n"},
    {"gptscope generate -p x -n 3 --temp 0 >/dev/full", 1, "", "~No space left on device"},
    {"gptscope </dev/null", 1, "",
     "gptscope: the screen needs a terminal; try gptscope generate or gptscope repl\n"},
    {"gptscope run missing.txt", 1, "", "~missing.txt"},
    {"gptscope -c 'echo one; echo two'", 0, "one\ntwo\n", ""},
    {"printf 'echo one\necho two' | gptscope run -", 0, "one\ntwo\n", ""},
    {"printf 'echo one\nstpe' | gptscope run -", 1, "one\n",
     "gptscope: stdin:2: there is no command 'stpe'; did you mean 'step'?\n"},
    {"gptscope bench --prompt-tokens 300", 2, "", "~do not fit the context of 256"},

    /* texts */
    {"gptscope tokenize 'Tom gave'", 0, "     51  T\n    370  om\n    379  \xc2\xb7gave\n", ""},
    {"gptscope tokenize --json 'Tom gave'", 0,
     "{\"ids\":[51,370,379],\"tokens\":[\"T\",\"om\",\" gave\"]}\n", ""},
    {"gptscope tokenize -m tiny-llama --json=1 x", 2, NULL, NULL},
    {"printf 'Tom gave' | gptscope tokenize --json -", 0,
     "{\"ids\":[51,370,379],\"tokens\":[\"T\",\"om\",\" gave\"]}\n", ""},
    {"gptscope tokenize --json ''", 0, "{\"ids\":[],\"tokens\":[]}\n", ""},
    {"gptscope tokenize --json -- --json", 0, "~\"ids\":[", ""},
    {"gptscope -m tiny-llama tokenize --json Tom", 0, "~[51,370]", ""},
    {"gptscope tokenize --decode 51,370,379", 0, "Tom gave", ""},
    {"gptscope tokenize --json --decode '51, 370'", 0, "{\"text\":\"Tom\"}\n", ""},
    {"gptscope tokenize --decode ''", 0, "", ""},
    {"printf '\\033[2J\\300\\342\\200\\256' | gptscope tokenize - | "
     "LC_ALL=C grep -c '[[:cntrl:]]'", 1, "0\n", NULL},
    {"printf 'a\\000\\377\\n' | gptscope tokenize --json - >ids.json; cat ids.json", 0,
     "~\\\\x00", ""},
    {"printf 'a\\000\\377\\n' >raw; gptscope tokenize --json - <raw | tr -dc '0-9,[' | "
     "cut -d'[' -f2 >ids; gptscope tokenize --decode \"$(sed 's/,$//' ids)\" | cmp - raw",
     0, "", ""},

    /* generating */
    {"gptscope generate -p '" BALL "' -n 4 --temp 0", 0, " thanked Tom. Anna", ""},
    {"gptscope generate '" BALL "' -n4 --temp=0", 0, " thanked Tom. Anna", ""},
    {"printf '%s' '" BALL "' | gptscope generate -n 4 --temp 0 -", 0, " thanked Tom. Anna", ""},
    {"gptscope generate -p x -n 0 --json", 0, "~\"ids\":[],\"text\":\"\"}", ""},
    {"gptscope generate -p x -n 20 --ctx 8 --temp 0", 1, NULL,
     "~the context of 8 tokens is full"},
    {"yes word | head -c 4000 | gptscope generate -p - -n 1", 1, "", "~room for 256"},
    {"gptscope generate -p x -n 30 --seed 7 >a; gptscope generate -p x -n 30 --seed 7 >b; "
     "gptscope generate -p x -n 30 --seed 8 >c; cmp a b && ! cmp -s a c", 0, "", ""},
    {"gptscope generate -p x -n 40 --temp 0 | head -c 3 | wc -c", 0, "3\n", ""},

    /* scripts */
    {"gptscope run -c 'prompt \"Tom gave\"; run'", 0, NULL, ""},
    {"printf 'prompt \"Tom\"\\nnonsense\\n' >bad; gptscope run bad", 1, NULL, "~bad:2: "},

    {"gptscope models", 0, "~tiny-llama", ""},
    {"GPTSCOPE_MODELS=$TESTS_DIR/data/models gptscope models", 0, "~small-gpt2", ""},
    {"gptscope check -m $TESTS_DIR/data/models/small-gpt2", 0, NULL, NULL},
    {"gptscope check tiny-llama", 0, "~tiny-llama: ok: llama, 4 layers", ""},
};
// clang-format on

static bool agrees(const char *want, const struct str *got)
{
    if (!want)
        return true;
    if (want[0] == '~')
        return strstr(got->text, want + 1) != NULL;
    return strcmp(want, got->text) == 0;
}

static void run_examples(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *e = &examples[i];
        struct ran r = shell("%s", e->line);
        if (r.status != e->status)
            fail_with(e->line, &r, "the exit status is another");
        if (!agrees(e->out, &r.out) || !agrees(e->err, &r.err))
            fail_with(e->line, &r, "another output");
        /* a failure is one line */
        if (r.status && r.err.len && strchr(r.err.text, '\n') != r.err.text + r.err.len - 1)
            fail_with(e->line, &r, "the message is not one line");
        ran_release(&r);
    }
}

/* Every verb's own example runs, and its JSON, where it has one, parses. */
static void run_own_examples(void **state)
{
    (void) state;
    for (const struct tool *t = tool_table; t->name; t++) {
        if (!t->example)
            continue;
        struct ran r = shell("%s", t->example);
        if (r.status != 0 || r.err.len)
            fail_with(t->example, &r, "the example fails");
        ran_release(&r);
    }
}

static json_t *run_json(const char *line)
{
    struct ran r = shell("%s", line);
    json_t *root = json_loads(r.out.text, JSON_REJECT_DUPLICATES, NULL);
    if (r.status != 0 || !root)
        fail_with(line, &r, "no JSON");
    ran_release(&r);
    return root;
}

static void json_outputs(void **state)
{
    static const char *const lines[] = {
        "gptscope info --json",
        "gptscope info -m tiny-llama --json",
        "gptscope models --json",
        "gptscope tokenize --json 'a\"b\\\\'",
        "gptscope generate --json -p 'Tom' -n 2",
        "gptscope bench --json -n 2 --prompt-tokens 8",
        "gptscope bench --ui --json -m tiny-gpt2 -n 1 --prompt-tokens 8",
        "gptscope dump -p Tom --select 'blocks.0.*' -o - --format json",
    };
    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        json_decref(run_json(lines[i]));
}

/* The counts that README of the models gives, and the sum of the parts. */
static void info_counts(void **state)
{
    (void) state;
    for (int i = 0; i < 2; i++) {
        char *line = xasprintf("gptscope info --json -m %s", models[i]);
        json_t *root = run_json(line);
        const char *name;
        json_t *v, *params = json_object_get(root, "parameters");
        json_int_t sum = 0, total = json_integer_value(json_object_get(params, "total"));
        json_object_foreach(params, name, v)
        {
            if (strcmp(name, "total") != 0 && strncmp(name, "12_", 3) != 0)
                sum += json_integer_value(v);
        }
        assert_int_equal(sum, total);
        assert_true(total > 1000000);
        assert_int_equal(json_integer_value(json_object_get(
                             json_object_get(root, "hyper_parameters"), "n_layer")),
                         4);
        json_decref(root);
        free(line);
    }
}

/* --- the golden tokens and values --- */

static void check_ids(const json_t *got, const json_t *want)
{
    assert_int_equal(json_array_size(got), json_array_size(want));
    for (size_t i = 0; i < json_array_size(want); i++)
        assert_int_equal(json_integer_value(json_array_get(got, i)),
                         json_integer_value(json_array_get(want, i)));
}

static void greedy_tokens(void **state)
{
    (void) state;
    for (int i = 0; i < 4; i++) {
        const char *model = models[i / 2], *name = i % 2 ? "long" : "short";
        char *file = xasprintf("golden/%s.prompts.json", model);
        json_t *root = json_load_file(shell_data(file), 0, NULL);
        json_t *golden = json_object_get(root, name);
        assert_non_null(golden);
        FILE *prompt = fopen("prompt.txt", "w");
        assert_non_null(prompt);
        fputs(json_string_value(json_object_get(golden, "prompt")), prompt);
        fclose(prompt);
        char *line =
            xasprintf("gptscope generate -m %s -p - -n 30 --temp 0 --json <prompt.txt", model);
        json_t *got = run_json(line);
        check_ids(json_object_get(got, "prompt_ids"), json_object_get(golden, "ids"));
        check_ids(json_object_get(got, "ids"), json_object_get(golden, "greedy30_ids"));
        assert_string_equal(json_string_value(json_object_get(got, "text")),
                            json_string_value(json_object_get(golden, "greedy30_text")));
        json_decref(got);
        json_decref(root);
        free(line);
        free(file);
    }
}

/* The largest difference of two arrays, relative above 1; INFINITY where one is not finite. */
static double distance(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        if (a[i] == b[i])
            continue;
        double d = fabs((double) a[i] - (double) b[i]) / fmax(1, fabs((double) b[i]));
        worst = d <= worst ? worst : isfinite(d) ? d : INFINITY;
    }
    return worst;
}

static int compare_npz(const struct npz *got, const struct npz *want)
{
    int n = 0;
    for (int i = 0; i < want->n; i++) {
        const struct npz_array *w = &want->array[i], *g = npz_find(got, w->name);
        if (!g)
            print_error("%s is not in the dump\n", w->name);
        assert_non_null(g);
        assert_int_equal(g->n_dims, w->n_dims);
        for (int x = 0; x < w->n_dims; x++)
            assert_int_equal(g->shape[x], w->shape[x]);
        if (w->i)
            assert_memory_equal(g->i, w->i, w->n * sizeof *w->i);
        else if (!(distance(g->f, w->f, w->n) < 1e-4))
            fail_msg("%s: %g from the golden value", w->name, distance(g->f, w->f, w->n));
        n++;
    }
    return n;
}

static void golden_values(void **state)
{
    (void) state;
    for (int i = 0; i < 2; i++) {
        struct npz got, want;
        char *file = xasprintf("golden/%s.short.npz", models[i]);
        struct ran r =
            shell("gptscope dump -m %s -p '%s' --select '*' -o all.npz", models[i], BALL);
        if (r.status != 0)
            fail_with("dump", &r, "fails");
        ran_release(&r);
        assert_true(npz_open(&got, "all.npz"));
        assert_true(npz_open(&want, shell_data(file)));
        assert_true(compare_npz(&got, &want) > 60);
        assert_true(got.n > want.n);
        npz_release(&got);
        npz_release(&want);
        free(file);
    }
}

static void one_head(void **state)
{
    struct npz all, one;
    (void) state;
    struct ran r = shell("gptscope dump -m tiny-llama -p '%s' --select "
                         "'L2.pattern,L2.v' -o all.npz && "
                         "gptscope dump -m tiny-llama -p '%s' --select "
                         "'L2.H3.pattern,L2.H1.v' -o one.npz",
                         BALL, BALL);
    if (r.status != 0)
        fail_with("dump", &r, "fails");
    ran_release(&r);
    assert_true(npz_open(&all, "all.npz"));
    assert_true(npz_open(&one, "one.npz"));
    const struct npz_array *a = npz_find(&all, "blocks.2.attn.pattern");
    const struct npz_array *b = npz_find(&one, "L2.H3.attn.pattern");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(b->n_dims, 2);
    size_t n = (size_t) b->shape[0] * (size_t) b->shape[1];
    assert_memory_equal(b->f, a->f + 3 * n, n * sizeof *a->f);
    a = npz_find(&all, "blocks.2.attn.v");
    b = npz_find(&one, "L2.H1.attn.v");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(b->n_dims, 2);
    for (int i = 0; i < b->shape[0]; i++)
        assert_memory_equal(b->f + i * b->shape[1], a->f + (i * a->shape[1] + 1) * a->shape[2],
                            (size_t) b->shape[1] * sizeof *a->f);
    npz_release(&all);
    npz_release(&one);
}

/* What a user of numpy does. */
static void numpy_reads_it(void **state)
{
    (void) state;
    struct ran r = shell("for p in python3 /usr/bin/python3; do\n"
                         "  $p -c 'import numpy' && echo $p && exit; done");
    bool there = r.status == 0 && r.out.len > 0;
    char *python = xstrndup(r.out.text, strcspn(r.out.text, "\n"));
    ran_release(&r);
    if (!there) {
        free(python);
        print_message("numpy is not installed: skipped\n");
        skip();
    }
    r = shell("gptscope dump -p '" BALL "' --select 'blocks.*.attn.pattern,logits' -o p.npz &&"
              "gptscope dump -p '" BALL "' --select L1.H2.pattern -o p.npy &&"
              "gptscope dump -p '" BALL "' --select L1.H2.pattern -o - --format npz >s.npz &&"
              "%s '%s'",
              python, shell_data("../read_dump.py"));
    free(python);
    if (r.status != 0 || strcmp(r.out.text, "4 patterns, 10 tokens: fine\n") != 0)
        fail_with("numpy", &r, "the dump is not as it should be");
    ran_release(&r);
}

/* A failed dump leaves the old file, and no other. */
static void old_file_stays(void **state)
{
    (void) state;
    struct ran r = shell("mkdir keep; cd keep; echo old >x.npz;"
                         "gptscope dump -p x --select nothing -o x.npz;"
                         "cat x.npz; ls -A; cd ..");
    assert_string_equal(r.out.text, "old\nx.npz\n");
    ran_release(&r);
}

/* What differs when standard output is a terminal. */
static void in_a_terminal(void **state)
{
    static const struct {
        const char *line, *keys;
        int status;
        const char *out; /* has this in it */
    } cases[] = {
        {"gptscope dump -p x --select logits -o - --format npz", NULL, 2,
         "standard output is a terminal; send it to a file or a program"},
        {"gptscope tokenize --decode $(printf '\\033[2J' | gptscope tokenize --json - | "
         "tr -dc '0-9,]' | cut -d']' -f1)",
         NULL, 0, "\\x1b[2J"},
        {"gptscope generate -p '" BALL "' -n 3 --temp 0", NULL, 0, " thanked Tom.\r\n"},
        {"exec gptscope generate -p -", "\003", 1, "gptscope: interrupted"},
    };
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ran r = shell_terminal(cases[i].line, cases[i].keys);
        if (r.status != cases[i].status || !strstr(r.out.text, cases[i].out))
            fail_with(cases[i].line, &r, "in a terminal");
        assert_null(strchr(r.out.text, '\033'));
        ran_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_examples),   cmocka_unit_test(run_own_examples),
        cmocka_unit_test(json_outputs),   cmocka_unit_test(info_counts),
        cmocka_unit_test(greedy_tokens),  cmocka_unit_test(golden_values),
        cmocka_unit_test(one_head),       cmocka_unit_test(numpy_reads_it),
        cmocka_unit_test(old_file_stays), cmocka_unit_test(in_a_terminal),
    };
    return cmocka_run_group_tests(tests, shell_enter, shell_leave);
}
