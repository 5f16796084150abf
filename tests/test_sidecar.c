/* The description beside a dump: what it says, when it counts as the dump that is asked for,
 * and that it never stands beside other data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dump_fixture.h"
#include "model/fingerprint.h"
#include "model/synth.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static json_int_t int_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void put_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* FNV-1a of the first and the last MB, as the header of sidecars describes it. */
static void check_ends(const json_t *data, const char *path)
{
    struct str all = read_text(path);
    uint64_t h = UINT64_C(14695981039346656037);
    size_t mb = 1 << 20;
    char text[17];

    for (size_t i = 0; i < all.len; i++)
        if (i < mb || i >= all.len - mb || all.len < mb)
            h = (h ^ (uint8_t) all.text[i]) * UINT64_C(1099511628211);
    snprintf(text, sizeof text, "%016" PRIx64, h);
    assert_string_equal(text_of(data, "ends"), text);
    assert_int_equal(int_of(data, "bytes"), all.len);
    str_release(&all);
}

static const json_t *value_of(const json_t *o, const char *name)
{
    size_t i;
    json_t *v;

    json_array_foreach(json_object_get(o, "values"), i, v)
    {
        if (!strcmp(text_of(v, "name"), name))
            return v;
    }
    fail_msg("%s is not described", name);
    return NULL;
}

static void check_value(const json_t *o, const char *name, const char *is, const char *formula,
                        const char *shape)
{
    const json_t *v = value_of(o, name);
    char *text = json_dumps(json_object_get(v, "shape"), 0);

    assert_string_equal(text_of(v, "is"), is);
    assert_string_equal(text_of(v, "formula"), formula);
    assert_string_equal(text_of(v, "dtype"), "float32");
    assert_string_equal(text, shape);
    free(text);
}

static void what_it_says(void **state)
{
    struct session *s = open_computed(0, TEXT);
    struct dump_options o = {.path = "all.npz",
                             .slice = {"0-2", "1,4", "3-"},
                             .sidecar = true,
                             .command = "as typed"};
    json_t *file;

    (void) state;
    OK(dump_try(s, "*", &o, &file, &err));
    json_t *j = read_json("all.npz.json");
    assert_string_equal(text_of(j, "format"), "gptscope dump");
    assert_int_equal(int_of(j, "version"), 1);
    assert_string_equal(text_of(j, "date"), "1970-01-01T00:00:00Z");
    assert_string_equal(text_of(j, "command"), "as typed");
    assert_string_equal(text_of(j, "program"), "gptscope " PACKAGE_VERSION);
    check_ends(json_object_get(j, "data"), "all.npz");
    const json_t *model = json_object_get(j, "model");
    assert_string_equal(text_of(model, "architecture"), "gpt2");
    assert_int_equal(int_of(json_object_get(model, "hyper_parameters"), "d_model"), 192);
    assert_true(int_of(json_object_get(model, "dtype_bytes"), "F16") > 1000000);
    const json_t *prompt = json_object_get(j, "prompt");
    assert_string_equal(text_of(prompt, "text"), TEXT);
    assert_int_equal(json_array_size(json_object_get(prompt, "ids")), 10);
    assert_string_equal(json_string_value(json_array_get(json_object_get(prompt, "tokens"), 5)),
                        " ball");
    char *slices = json_dumps(json_object_get(j, "selection"), 0);
    assert_non_null(strstr(slices, "\"layers\": [0, 1, 2], \"heads\": [1, 4], "
                                   "\"positions\": {\"first\": 3, \"count\": 7}"));
    free(slices);
    check_value(j, "blocks.1.attn.scores_scaled", "scale(attn.scores_raw)", "s / sqrt(d_head)",
                "[2, 7, 10]");
    check_value(j, "blocks.2.ln1.scale", "layernorm(L1.resid_post)", "sqrt(var + eps)",
                "[7, 1]");
    check_value(j, "blocks.2.ln1.out", "layernorm(L1.resid_post)",
                "(x - mean) / sqrt(var + eps) * gain + bias", "[7, 192]");
    assert_string_equal(text_of(value_of(j, "blocks.2.resid_pre"), "same_as"),
                        "blocks.1.resid_post");
    assert_non_null(json_object_get(json_object_get(j, "operations"), "softmax"));
    assert_int_equal(json_array_size(json_object_get(j, "ablations")), 0);
    /* what the front ends print as JSON */
    assert_string_equal(text_of(file, "sidecar"), "all.npz.json");
    assert_int_equal(int_of(file, "bytes"), int_of(json_object_get(j, "data"), "bytes"));
    assert_int_equal(json_array_size(json_object_get(file, "values")),
                     json_array_size(json_object_get(j, "values")));
    json_decref(file);
    json_decref(j);
    session_free(s);
}

static void changes_and_sampling(void **state)
{
    struct session *s = open_computed(1, TEXT);
    struct dump_options o = {.path = "changed.npz", .sidecar = true};
    struct region head = {{0, 3, 0}, {-1, 1, -1}};
    int id;

    (void) state;
    OK(session_set(s, "seed", "7", &err));
    OK(session_set(s, "top-k", "40", &err));
    OK(session_ablate(s, PATCH_ZERO, program_find(s->program, "blocks.2.attn.z"), &head, 0,
                      &err));
    OK(session_generate(s, &id, &err));
    OK(session_run(s, 0, NULL, &err));
    dump_to(s, "logits", &o);
    json_t *j = read_json("changed.npz.json");
    assert_string_equal(text_of(json_array_get(json_object_get(j, "ablations"), 0), "patch"),
                        "zero blocks.2.attn.z[:, 3, :]");
    assert_int_equal(int_of(json_object_get(j, "sampling"), "seed"), 7);
    assert_int_equal(int_of(json_object_get(j, "sampling"), "top_k"), 40);
    assert_int_equal(int_of(json_object_get(j, "prompt"), "n_generated"), 1);
    assert_int_equal(int_of(json_object_get(j, "prompt"), "n_prompt"), 10);
    json_decref(j);
    session_free(s);
}

static bool done(const struct session *s, const char *select, const struct dump_options *o)
{
    struct selection sel;

    OK(selection_parse(&sel, s->program, select, &err));
    bool is = dump_done(s, &sel, o);
    selection_release(&sel);
    return is;
}

static void what_counts_as_done(void **state)
{
    struct session *s = open_computed(0, TEXT), *other = open_plain(models[1], TEXT);
    struct dump_options o = {.path = "done.npz", .sidecar = true};

    (void) state;
    assert_false(done(s, "L0.q", &o));
    dump_to(s, "L0.q", &o);
    assert_true(done(s, "L0.q", &o));
    assert_true(done(s, "blocks.0.attn.q", &o)); /* however it is named */
    assert_false(done(s, "L0.k", &o));
    assert_false(done(s, "L0.q,L0.k", &o));
    assert_false(done(other, "L0.q", &o));
    o.slice.heads = "1";
    assert_false(done(s, "L0.q", &o));
    o.slice.heads = NULL;
    o.slice.positions = "3";
    assert_false(done(s, "L0.q", &o));
    o.slice.positions = NULL;
    o.suffix = "json";
    assert_false(done(s, "L0.q", &o));
    o.suffix = NULL;
    OK(give(s, TEXT " gave", &err));
    assert_false(done(s, "L0.q", &o));
    OK(give(s, TEXT, &err)); /* whether the tokens are computed or not */
    assert_true(done(s, "L0.q", &o));
    session_free(other);
    session_free(s);
}

/* Data that is cut, changed, gone or replaced is not what the sidecar describes. */
static void damaged_data(void **state)
{
    struct session *s = open_computed(0, TEXT);
    struct dump_options o = {.path = "cut.npz", .sidecar = true};

    (void) state;
    dump_to(s, "L0.q", &o);
    struct str data = read_text("cut.npz"), side = read_text("cut.npz.json");
    assert_int_equal(truncate("cut.npz", (off_t) data.len - 1), 0);
    assert_false(done(s, "L0.q", &o));
    FILE *f = fopen("cut.npz", "w");
    data.text[700] ^= 1;
    fwrite(data.text, 1, data.len, f);
    fclose(f);
    assert_false(done(s, "L0.q", &o));
    unlink("cut.npz");
    assert_false(done(s, "L0.q", &o));
    dump_to(s, "L0.q", &o);
    assert_true(done(s, "L0.q", &o));
    put_text("cut.npz.json", "{\"format\": \"gptscope dump\"}");
    assert_false(done(s, "L0.q", &o));
    side.text[side.len / 2] = '\0';
    put_text("cut.npz.json", side.text); /* half of it */
    assert_false(done(s, "L0.q", &o));
    str_release(&data);
    str_release(&side);
    session_free(s);
}

/* Somebody's FILE.json is not written over; half a sidecar is somebody's, too. */
static void a_file_of_another_kind(void **state)
{
    struct session *s = open_computed(0, TEXT);
    struct dump_options o = {.path = "config", .suffix = "npy", .sidecar = true};

    (void) state;
    put_text("config.json", "{\"mine\": 1}");
    FAILS(dump_try(s, "L0.q", &o, NULL, &err),
          "'config.json' is there and describes no dump; give another name, or no sidecar");
    assert_int_not_equal(access("config", F_OK), 0);
    o.sidecar = false;
    dump_to(s, "L0.q", &o);
    struct str left = read_text("config.json");
    assert_string_equal(left.text, "{\"mine\": 1}");
    str_release(&left);
    session_free(s);
}

/* Without a sidecar of its own new data has none: an old one would describe other data. */
static void no_sidecar(void **state)
{
    struct session *s = open_computed(0, TEXT);
    struct dump_options o = {.path = "none.npz", .sidecar = true};
    json_t *file;

    (void) state;
    dump_to(s, "L0.q", &o);
    assert_int_equal(access("none.npz.json", F_OK), 0);
    o.sidecar = false;
    OK(dump_try(s, "L0.k", &o, &file, &err));
    assert_true(json_is_null(json_object_get(file, "sidecar")));
    json_decref(file);
    assert_int_not_equal(access("none.npz.json", F_OK), 0);
    assert_int_equal(access("none.npz", F_OK), 0);
    /* a device has none either */
    o = (struct dump_options){.path = "/dev/null", .suffix = "npz", .sidecar = true};
    dump_to(s, "L0.q", &o);
    assert_int_not_equal(access("/dev/null.json", F_OK), 0);
    session_free(s);
}

static int count_files(void)
{
    int n = 0;
    FILE *f = popen("ls -A | wc -l", "r");

    assert_int_equal(fscanf(f, "%d", &n), 1);
    pclose(f);
    return n;
}

/* A write that fails leaves the old data with its own description, and nothing else. */
static void a_full_disk(void **state)
{
    struct session *s = open_computed(0, TEXT);
    struct dump_options o = {.path = "full.npz", .sidecar = true};
    struct rlimit old, small;

    (void) state;
    dump_to(s, "L0.H0.q", &o);
    struct str data = read_text("full.npz"), side = read_text("full.npz.json");
    int files = count_files();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &small);
    struct err flaw = ERR_INIT;
    bool ok = dump_try(s, "*", &o, NULL, &flaw);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_false(ok);
    assert_non_null(strstr(flaw.text, "cannot write 'full.npz': "));
    struct str data2 = read_text("full.npz"), side2 = read_text("full.npz.json");
    assert_int_equal(data.len, data2.len);
    assert_memory_equal(data.text, data2.text, data.len);
    assert_string_equal(side.text, side2.text);
    assert_int_equal(count_files(), files);
    assert_true(done(s, "L0.H0.q", &o));
    str_release(&data);
    str_release(&data2);
    str_release(&side);
    str_release(&side2);
    session_free(s);
}

static void dumps_are_reproducible(void **state)
{
    struct session *s = open_computed(0, TEXT);
    struct dump_options o = {.path = "same.npz", .sidecar = true};

    (void) state;
    dump_to(s, "*", &o);
    struct str data = read_text("same.npz"), side = read_text("same.npz.json");
    dump_to(s, "*", &o);
    struct str data2 = read_text("same.npz"), side2 = read_text("same.npz.json");
    assert_int_equal(data.len, data2.len);
    assert_memory_equal(data.text, data2.text, data.len);
    assert_string_equal(side.text, side2.text);
    str_release(&data);
    str_release(&data2);
    str_release(&side);
    str_release(&side2);
    session_free(s);
}

static uint64_t print_of(const char *shape, unsigned long long seed)
{
    struct hparams hp;
    struct model *m = NULL;

    OK(shape_parse(&hp, shape, &err));
    OK(m = model_synth(&hp, DTYPE_F32, seed, &err));
    uint64_t print = model_fingerprint(m);
    model_free(m);
    return print;
}

static void fingerprints(void **state)
{
    const char *small = "gpt2:n_layer=1,d_model=64,n_head=2,d_head=32,n_vocab=64,n_ctx=32";
    struct session *a = open_plain(models[0], ""), *b = open_plain(models[0], "");
    struct session *c = open_plain(models[1], "");

    (void) state;
    assert_true(model_fingerprint(a->model) == model_fingerprint(b->model));
    assert_true(model_fingerprint(a->model) != model_fingerprint(c->model));
    session_free(a);
    session_free(b);
    session_free(c);
    assert_true(print_of(small, 1) == print_of(small, 1));
    assert_true(print_of(small, 1) != print_of(small, 2)); /* the same shape, other weights */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(changes_and_sampling),
        cmocka_unit_test(what_counts_as_done),
        cmocka_unit_test(damaged_data),
        cmocka_unit_test(a_file_of_another_kind),
        cmocka_unit_test(no_sidecar),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(dumps_are_reproducible),
        cmocka_unit_test(fingerprints),
    };
    return cmocka_run_group_tests(tests, dump_enter, dump_leave);
}
