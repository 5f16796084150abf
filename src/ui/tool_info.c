/* gptscope info: one list of rows, printed as text or as JSON. */
#include "ui/tool_input.h"

#include "base/file.h"
#include "base/path.h"
#include "base/safe.h"
#include "model/gguf.h"
#include "model/parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Rows as they come: names with a number or a text, first those of the whole, then sections. */
struct sheet {
    struct str out;
    bool json, in_section, first_row;
};

static void sheet_begin(struct sheet *s, bool json)
{
    *s = (struct sheet){.out = STR_INIT, .json = json, .first_row = true};
    str_adds(&s->out, json ? "{" : "");
}

static void sheet_section(struct sheet *s, const char *name)
{
    if (s->json) {
        str_adds(&s->out, s->in_section ? "},\n" : ",\n");
        tool_json_text(&s->out, name);
        str_adds(&s->out, ":{");
    } else {
        str_addf(&s->out, "\n%s\n", name);
    }
    s->in_section = s->first_row = true;
}

static void sheet_name(struct sheet *s, const char *name)
{
    if (s->json) {
        str_adds(&s->out, s->first_row ? "" : ",");
        tool_json_text(&s->out, name);
        str_addc(&s->out, ':');
    } else {
        str_addf(&s->out, "  %-20s ", name);
    }
    s->first_row = false;
}

static void sheet_text(struct sheet *s, const char *name, const char *text)
{
    sheet_name(s, name);
    if (s->json) {
        tool_json_text(&s->out, text);
    } else {
        safe_add(&s->out, text, strlen(text), SAFE_SPACE_KEEP);
        str_addc(&s->out, '\n');
    }
}

/* 1234567 as "1,234,567" in text; note (or NULL) only there. */
static void sheet_count(struct sheet *s, const char *name, uint64_t v, const char *note)
{
    sheet_name(s, name);
    if (s->json) {
        str_addf(&s->out, "%" PRIu64, v);
        return;
    }
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, v);
    for (int i = 0; i < n; i++)
        str_addf(&s->out, "%c%s", digits[i], (n - i) % 3 == 1 && i + 1 < n ? "," : "");
    str_addf(&s->out, "%s%s\n", note ? "  " : "", note ? note : "");
}

static void sheet_bytes(struct sheet *s, const char *name, uint64_t bytes)
{
    char note[32];
    if (bytes < 100000)
        snprintf(note, sizeof note, "%.1f kB", (double) bytes / 1e3);
    else
        snprintf(note, sizeof note, "%.1f MB", (double) bytes / 1e6);
    sheet_count(s, name, bytes, note);
}

/* An id, or -1 for none. */
static void sheet_int(struct sheet *s, const char *name, int v)
{
    sheet_name(s, name);
    if (s->json)
        str_addf(&s->out, v < 0 ? "null" : "%d", v);
    else
        str_addf(&s->out, v < 0 ? "none\n" : "%d\n", v);
}

static void sheet_real(struct sheet *s, const char *name, double v)
{
    sheet_name(s, name);
    str_addf(&s->out, s->json ? "%g" : "%g\n", v);
}

static void sheet_bool(struct sheet *s, const char *name, bool v)
{
    sheet_name(s, name);
    if (s->json)
        str_adds(&s->out, v ? "true" : "false");
    else
        str_adds(&s->out, v ? "yes\n" : "no\n");
}

static void sheet_print(struct sheet *s, FILE *out)
{
    str_adds(&s->out, s->json ? "}\n}\n" : "");
    tool_put(out, &s->out);
}

/* --- a model --- */

static void show_hparams(struct sheet *s, const struct hparams *hp)
{
    static const char *const acts[] = {"gelu (tanh)", "gelu (erf)", "silu"};
    sheet_section(s, "hyper_parameters");
    sheet_int(s, "n_layer", hp->n_layer);
    sheet_int(s, "d_model", hp->d_model);
    sheet_int(s, "n_head", hp->n_head);
    sheet_int(s, "n_kv_head", hp->n_kv_head);
    sheet_int(s, "d_head", hp->d_head);
    sheet_int(s, "d_mlp", hp->d_mlp);
    sheet_int(s, "n_vocab", hp->n_vocab);
    sheet_int(s, "n_ctx", hp->n_ctx);
    sheet_text(s, "norm", hp->norm == NORM_RMS ? "RMSNorm" : "LayerNorm");
    sheet_real(s, "norm_eps", (double) hp->norm_eps);
    sheet_text(s, "activation", acts[hp->act]);
    sheet_bool(s, "gated_mlp", hp->gated);
    sheet_text(s, "positions", hp->learned_pos ? "learned" : "rope");
    if (!hp->learned_pos) {
        sheet_real(s, "rope_theta", (double) hp->rope_theta);
        sheet_int(s, "rope_dim", hp->rope_dim);
    }
    sheet_bool(s, "tied_head", hp->tied);
}

static void show_weights(struct sheet *s, const struct model *m, const struct settings *set)
{
    const struct hparams *hp = model_hparams(m);
    struct parts t;
    uint64_t layers = (uint64_t) hp->n_layer;
    int run_ctx = hp->n_ctx < RUN_DEFAULT_CTX ? hp->n_ctx : RUN_DEFAULT_CTX;
    uint64_t ctx = set->ctx > 0 ? (uint64_t) set->ctx : (uint64_t) run_ctx;
    uint64_t token = 2 * layers * (uint64_t) hp->n_kv_head * (uint64_t) hp->d_head * 4;

    parts_count(&t, m);
    sheet_section(s, "parameters");
    for (int i = 0; i < PART_COUNT; i++)
        sheet_count(s, part_name((enum part) i), t.params[i],
                    i == PART_HEAD && hp->tied ? "is the token embedding" : NULL);
    sheet_count(s, "total", t.total, NULL);
    sheet_count(s, "12_n_layer_d_model2", t.rule, "the rule of thumb for attention and mlp");

    sheet_section(s, "memory");
    sheet_bytes(s, "weights", t.bytes);
    sheet_bytes(s, "cache_per_token", token);
    sheet_bytes(s, "cache", token * ctx);
    sheet_count(s, "cache_tokens", ctx, NULL);

    sheet_section(s, "dtypes");
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (t.dtype_bytes[i])
            sheet_bytes(s, dtype_info((enum dtype) i)->name, t.dtype_bytes[i]);
}

static void show_tokenizer(struct sheet *s, const struct tokenizer *t)
{
    sheet_section(s, "tokenizer");
    sheet_text(s, "kind", tokenizer_kind(t));
    sheet_int(s, "size", tokenizer_n_vocab(t));
    sheet_int(s, "bos", tokenizer_bos(t));
    sheet_int(s, "eos", tokenizer_eos(t));
    sheet_bool(s, "adds_bos", tokenizer_adds_bos(t));
}

static void show_compute(struct sheet *s, const struct settings *set)
{
    struct compute *c = compute_new((int) set->threads);
    struct blas_info blas;
    compute_blas(c, &blas);
    sheet_section(s, "compute");
    sheet_text(s, "openblas_core", blas.core);
    sheet_text(s, "openblas_why", blas.why);
    sheet_text(s, "openblas_config", blas.config);
    sheet_text(s, "simd", blas.simd);
    sheet_int(s, "threads", compute_threads(c));
    compute_free(c);
}

/* --- a model, or only a tokenizer --- */

static void show_name(struct sheet *s, const char *path, const char *name, const char *arch)
{
    sheet_text(s, "path", path);
    sheet_text(s, "name", name);
    sheet_text(s, "architecture", arch);
}

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && strcmp(path + n - m, suffix) == 0;
}

static bool has_file(const char *dir, const char *name)
{
    char *path = file_join(dir, name);
    bool there = file_exists(path);
    free(path);
    return there;
}

/* Files that hold no weights: tokenizer.json, tokenizer.model, a GGUF without tensors, a folder
 * of tokenizer files. */
static bool only_tokenizer(const char *path)
{
    if (has_suffix(path, ".json") || has_suffix(path, ".model"))
        return true;
    if (!file_exists(path))
        return false;
    if (file_is_dir(path))
        return !has_file(path, "config.json") && !has_file(path, "model.safetensors") &&
               !has_file(path, "model.safetensors.index.json");
    struct err ignored = ERR_INIT;
    struct gguf *g = gguf_open(path, &ignored);
    bool only = g && gguf_n_tensors(g) == 0;
    gguf_free(g);
    return only;
}

static int info_tokenizer(const char *path, struct sheet *s, struct err *err)
{
    struct tokenizer *t = tokenizer_open(path, err);
    if (!t)
        return 1;
    show_name(s, path, "tokenizer only", "none");
    show_tokenizer(s, t);
    tokenizer_free(t);
    return 0;
}

static int info_model(const char *path, const struct tool_args *a, struct sheet *s,
                      struct err *err)
{
    struct model *m = model_open(path, err);
    struct tokenizer *t = m ? tokenizer_of(m, err) : NULL;
    if (t) {
        show_name(s, path, model_hparams(m)->name, arch_name(model_hparams(m)->arch));
        show_hparams(s, model_hparams(m));
        show_weights(s, m, &a->set);
        show_tokenizer(s, t);
        show_compute(s, &a->set);
        tokenizer_free(t);
    }
    model_free(m);
    return t ? 0 : 1;
}

int tool_info(const struct tool_args *a, FILE *out, struct err *err)
{
    if (a->n_rest + (a->model != NULL) > 1) {
        err_set(err, "give one model");
        return 2;
    }
    const char *path = tool_model(a, true);
    struct sheet s;
    sheet_begin(&s, a->json);
    int status =
        only_tokenizer(path) ? info_tokenizer(path, &s, err) : info_model(path, a, &s, err);
    if (status == 0)
        sheet_print(&s, out);
    else
        str_release(&s.out);
    return status;
}
