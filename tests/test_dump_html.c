/* The page of attention maps, read back: well-formed, its numbers exact, hostile texts tame. */
#include "dumped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "xml_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The page without what is in its script and style elements, where other rules hold: there
 * nothing may look like the end of the element. */
static void without_scripts(const struct str *page, struct str *out)
{
    static const char *const raw[] = {"script", "style", "noscript"};

    for (const char *p = page->text; *p;) {
        bool cut = false;
        for (int i = 0; i < 2 && *p == '<' && !cut; i++) {
            size_t n = strlen(raw[i]);
            char end[16];
            if (strncmp(p + 1, raw[i], n) || !strchr(" >", p[1 + n]))
                continue;
            snprintf(end, sizeof end, "</%s", raw[i]);
            const char *body = strchr(p, '>') + 1, *close = strstr(body, end);
            assert_non_null(close);
            assert_true(!memmem(body, (size_t) (close - body), "<!--", 4));
            str_add(out, p, (size_t) (body - p));
            p = close;
            cut = true;
        }
        if (!cut)
            str_addc(out, *p++);
    }
}

static int digit_of(char c)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);

    assert_true(c && at);
    return (int) (at - digits);
}

/* The floats of script element d`map`; yours. */
static float *numbers_of(const struct str *page, int map, size_t *n)
{
    char id[64];

    snprintf(id, sizeof id, "<script type=\"text/plain\" id=\"d%d\">", map);
    const char *p = strstr(page->text, id);
    assert_non_null(p);
    p += strlen(id);
    size_t len = strcspn(p, "<"), bytes = 0;
    assert_int_equal(len % 4, 0);
    uint8_t *out = xcalloc(len + 4, 1);
    for (size_t i = 0; i < len; i += 4) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 4; k++)
            bits = bits << 6 | (p[i + k] == '=' ? 0U : (uint32_t) digit_of(p[i + k]));
        for (int k = 0; k < 3 && p[i + 1 + (size_t) k] != '='; k++)
            out[bytes++] = (uint8_t) (bits >> (16 - 8 * k));
    }
    assert_int_equal(bytes % 4, 0);
    *n = bytes / 4;
    return (float *) (void *) out;
}

static json_t *meta_of(const struct str *page)
{
    static const char tag[] = "<script type=\"application/json\" id=\"meta\">";
    struct err err = ERR_INIT;
    const char *p = strstr(page->text, tag);

    assert_non_null(p);
    p += strlen(tag);
    json_t *meta = json_parse(p, strcspn(p, "<"), &err);
    if (!meta)
        fail_msg("%s", err.text);
    return meta;
}

static void check_page(const struct str *page)
{
    struct str rest = STR_INIT, text = STR_INIT;

    without_scripts(page, &rest);
    const char *flaw = xml_check(rest.text, "p", &text);
    if (flaw)
        fail_msg("%s in\n%s", flaw, rest.text);
    assert_null(strstr(page->text, "http:"));
    assert_null(strstr(page->text, "https:"));
    assert_null(strstr(page->text, "src=\"//"));
    for (size_t i = 0; i < page->len; i++)
        assert_true((unsigned char) page->text[i] >= 0x20 || page->text[i] == '\n');
    str_release(&rest);
    str_release(&text);
}

/* The numbers of each map in the page are run_read's, but for those under the mask. */
static void page_has(const struct session *s, const char *select, const char *suffix, int maps,
                     bool causal)
{
    struct str page = dumped(s, select, "html");
    int n = s->ids.n;

    check_page(&page);
    json_t *meta = meta_of(&page), *list = json_object_get(meta, "maps");
    assert_int_equal(json_array_size(list), maps);
    assert_int_equal(json_array_size(json_object_get(meta, "tokens")), n);
    for (int i = 0; i < maps; i++) {
        json_t *map = json_array_get(list, (size_t) i);
        int layer = (int) json_integer_value(json_object_get(map, "layer"));
        int head = (int) json_integer_value(json_object_get(map, "head"));
        size_t floats, have, at = 0;
        float *x = read_all(s->run, program_value(s->program, layer, suffix), &floats);
        float *got = numbers_of(&page, i, &have);
        assert_int_equal(json_boolean_value(json_object_get(map, "causal")), causal);
        for (int q = 0; q < n; q++) {
            int width = causal ? q + 1 : n;
            assert_true(at + (size_t) width <= have);
            assert_memory_equal(got + at, x + (head * n + q) * n, (size_t) width * sizeof *x);
            at += (size_t) width;
        }
        assert_int_equal(at, have);
        free(x);
        free(got);
    }
    json_decref(meta);
    str_release(&page);
}

static void test_page(void **state)
{
    struct session *s = open_computed(1, TEXT);

    (void) state;
    page_has(s, "L2.H3.pattern", "attn.pattern", 1, true);
    page_has(s, "blocks.*.attn.pattern", "attn.pattern", 32, true);
    page_has(s, "L0-1.scores_raw", "attn.scores_raw", 16, false);
    page_has(s, "L1.scores", "attn.scores", 8, true);
    refused(s, "logits", "html",
            "html shows attention, as L5.H1.pattern or blocks.*.attn.pattern; for logits use "
            "png, svg or csv");
    refused(s, "tokens", "html",
            "html shows attention, as L5.H1.pattern or blocks.*.attn.pattern; tokens alone are "
            "none");
    session_free(s);
    s = open_computed(0, "T"); /* one token */
    page_has(s, "blocks.*.attn.pattern", "attn.pattern", 24, true);
    page_has(s, "L0.H0.pattern", "attn.pattern", 1, true);
    session_free(s);
}

/* One map of n tokens with texts of strangers, all numbers 0. */
struct hostile {
    struct dump_array array[3];
    struct dump_job job;
    char *text[64];
    int n;
    float x[64 * 64];
};

static void make_hostile(struct hostile *h)
{
    static const char *const first[] = {"</script><script>alert(1)</script>", "<!--", "&lt;\"'",
                                        "]]>"};
    const char *dir = getenv("TESTS_DIR");
    char *file = file_join(dir ? dir : "tests", "data/hostile_strings.json");
    struct err err = ERR_INIT;
    json_t *root = json_parse_file(file, 1 << 20, &err), *c;
    size_t i;

    if (!root)
        fail_msg("%s", err.text);
    memset(h, 0, sizeof *h);
    for (i = 0; i < sizeof first / sizeof *first; i++)
        h->text[h->n++] = xstrdup(first[i]);
    json_array_foreach(json_object_get(root, "cases"), i, c)
    {
        const char *t = json_string_value(json_object_get(c, "text"));
        h->text[h->n++] = xstrdup(t ? t : "a\\x00b");
    }
    h->array[0] = (struct dump_array){
        .name = "tokens", .type = DUMP_I32, .n_axis = 1, .shape = {h->n}, .data = h->x};
    h->array[1] = (struct dump_array){.name = "token_str",
                                      .type = DUMP_TEXT,
                                      .width = 1,
                                      .n_axis = 1,
                                      .shape = {h->n},
                                      .data = h->x};
    h->array[2] = (struct dump_array){.name = "blocks.0.attn.pattern",
                                      .type = DUMP_F32,
                                      .n_axis = 3,
                                      .shape = {1, h->n, h->n},
                                      .axis = {AXIS_HEAD, AXIS_POS, AXIS_KEY},
                                      .data = h->x};
    h->job = (struct dump_job){.array = h->array,
                               .n = 3,
                               .tokens = &h->array[0],
                               .token_str = &h->array[1],
                               .text = h->text};
    json_decref(root);
    free(file);
}

/* No control characters but those that lines and fields are made of; no bidi in what is shown.
 */
static void assert_tame(const struct str *text, bool shown)
{
    for (size_t i = 0; i < text->len; i++)
        assert_true((unsigned char) text->text[i] >= 0x20 || strchr("\n\r\t", text->text[i]));
    if (shown)
        assert_null(strstr(text->text, "\xe2\x80\xae"));
}

static void test_hostile(void **state)
{
    struct hostile h;
    struct str seen = STR_INIT;

    (void) state;
    make_hostile(&h);
    struct str page = dumped_job(&h.job, "html"), svg = dumped_job(&h.job, "svg");
    struct str csv = dumped_job(&h.job, "csv"), tsv = dumped_job(&h.job, "tsv");
    struct str png = dumped_job(&h.job, "png"), file = dumped_job(&h.job, "safetensors");
    check_page(&page);
    json_t *meta = meta_of(&page), *tokens = json_object_get(meta, "tokens");
    assert_string_equal(json_string_value(json_array_get(tokens, 0)), h.text[0]);
    assert_int_equal(json_array_size(tokens), h.n);
    assert_null(xml_check(svg.text, "text", &seen));
    assert_tame(&page, true);
    assert_tame(&svg, true);
    assert_tame(&csv, true);
    assert_tame(&tsv, true);
    json_decref(meta);
    str_release(&page);
    str_release(&svg);
    str_release(&csv);
    str_release(&tsv);
    str_release(&png);
    str_release(&file);
    str_release(&seen);
    for (int i = 0; i < h.n; i++)
        free(h.text[i]);
}

/* 1024 tokens: half of a million numbers, each of them there. */
static void test_long(void **state)
{
    enum { T = 1024 };
    static float x[T * T];
    static char word[] = " word";
    static char *text[T];
    struct dump_array array[] = {
        {.name = "tokens", .type = DUMP_I32, .n_axis = 1, .shape = {T}, .data = x},
        {.name = "token_str",
         .type = DUMP_TEXT,
         .width = 1,
         .n_axis = 1,
         .shape = {T},
         .data = x},
        {.name = "blocks.0.attn.pattern",
         .type = DUMP_F32,
         .n_axis = 2,
         .shape = {T, T},
         .axis = {AXIS_POS, AXIS_KEY},
         .data = x}};
    struct dump_job job = {
        .array = array, .n = 3, .tokens = &array[0], .token_str = &array[1], .text = text};
    size_t n, at = 0;

    (void) state;
    for (int i = 0; i < T * T; i++)
        x[i] = i % T > i / T ? 0 : 1.0F / (float) (1 + i / T) * (float) (1 + i % 3) / 2;
    for (int i = 0; i < T; i++)
        text[i] = word;
    struct str page = dumped_job(&job, "html");
    check_page(&page);
    float *got = numbers_of(&page, 0, &n);
    for (int q = 0; q < T; at += (size_t) ++q)
        assert_memory_equal(got + at, x + q * T, (size_t) (q + 1) * sizeof *x);
    assert_int_equal(n, at);
    print_message("a page of %zu bytes\n", page.len);
    free(got);
    str_release(&page);
}

/* Too many numbers for a browser: refused before anything is read or written. */
static void test_too_large(void **state)
{
    static const float nothing[1] = {0};
    struct dump_array array = {.name = "blocks.0.attn.pattern",
                               .type = DUMP_F32,
                               .n_axis = 3,
                               .shape = {144, 1024, 1024},
                               .axis = {AXIS_HEAD, AXIS_POS, AXIS_KEY},
                               .data = nothing};
    struct dump_job job = {.array = &array, .n = 1};
    struct err err = ERR_INIT;
    struct outfile *f = outfile_open(dumped_path, &err);

    (void) state;
    assert_false(dump_html(&job, f, &err));
    assert_string_equal(err.text,
                        "the page would have 384 MB, and browsers take 128; select fewer "
                        "layers or heads, as L0-1.pattern, or write npz");
    outfile_abort(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_too_large),
    };

    return cmocka_run_group_tests(tests, dumped_setup, dumped_teardown);
}
