/* The vocabulary in a GGUF file's metadata (keys tokenizer.ggml.*). */
#include "base/mem.h"
#include "base/safe.h"
#include "model/gguf.h"
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

/* tokenizer.ggml.pre: how byte-level text is cut before merging. */
static const struct {
    const char *name, *regex;
    bool ignore_merges, nfc;
} pre_table[] = {
    {"gpt-2", regex_gpt2, false, false},      {"default", regex_gpt2, false, false},
    {"llama-bpe", regex_llama3, true, false}, {"llama3", regex_llama3, true, false},
    {"llama-v3", regex_llama3, true, false},  {"smollm", regex_gpt2, false, false},
    {"qwen2", regex_qwen2, false, true},
};

static bool string_is(const struct gguf_string *s, const char *text)
{
    return s->len == strlen(text) && memcmp(s->bytes, text, s->len) == 0;
}

static bool not_supported(const char *key, const struct gguf_string *s, struct err *err)
{
    char shown[64];

    safe_copy(shown, sizeof shown, s->bytes, s->len, SAFE_SPACE_KEEP);
    return err_set(err, "%s is '%s', which is not supported", key, shown);
}

static bool read_pre(struct vocab *v, const struct gguf *g, struct err *err)
{
    static const char key[] = "tokenizer.ggml.pre";
    struct gguf_string pre = {"gpt-2", 5};

    if (!gguf_may_string(g, key, &pre, err))
        return false;
    for (size_t i = 0; i < sizeof pre_table / sizeof *pre_table; i++) {
        if (!string_is(&pre, pre_table[i].name))
            continue;
        vocab_add_split(v, pre_table[i].regex);
        v->ignore_merges = pre_table[i].ignore_merges;
        v->nfc = pre_table[i].nfc;
        return true;
    }
    return not_supported(key, &pre, err);
}

/* The types of n tokens; all normal where the file has none. */
static bool read_types(const struct gguf *g, size_t n, int32_t **types, struct err *err)
{
    static const char key[] = "tokenizer.ggml.token_type";
    size_t count = 0;

    if (!gguf_may_ints(g, key, types, &count, err))
        return false;
    if (!*types) {
        *types = xcalloc(n, sizeof **types);
        for (count = 0; count < n; count++)
            (*types)[count] = TOKEN_NORMAL;
    }
    if (count != n)
        return err_set(err, "%s has %zu entries for %zu tokens", key, count, n);
    return true;
}

static bool put_token(struct vocab *v, size_t id, int32_t type, const struct gguf_string *s,
                      struct err *err)
{
    int byte = byte_token_value(s->bytes, s->len);

    if (type < TOKEN_NORMAL || type >= TOKEN_TYPES)
        type = TOKEN_NORMAL;
    if (type == TOKEN_BYTE && byte >= 0) {
        char c = (char) byte;
        return vocab_put(v, (int64_t) id, TOKEN_BYTE, &c, 1, err);
    }
    if (type == TOKEN_BYTE)
        type = TOKEN_UNUSED; /* says it is a byte, but not which */
    if (type == TOKEN_NORMAL && v->kind == VOCAB_BYTES)
        return vocab_put_mapped(v, (int64_t) id, s->bytes, s->len, err);
    struct str text = STR_INIT;
    if (v->kind == VOCAB_CHARS)
        metaspace_decode(&text, s->bytes, s->len);
    else
        str_add(&text, s->bytes, s->len);
    bool ok = vocab_put(v, (int64_t) id, (enum token_type) type, text.text, text.len, err);
    str_release(&text);
    return ok;
}

static bool read_tokens(struct vocab *v, const struct gguf *g, struct err *err)
{
    static const char key[] = "tokenizer.ggml.tokens";
    struct gguf_string *token = NULL;
    int32_t *type = NULL;
    size_t n = 0;
    bool ok = gguf_need_strings(g, key, &token, &n, err);

    if (ok && n == 0)
        ok = err_set(err, "%s is empty", key);
    ok = ok && read_types(g, n, &type, err);
    for (size_t i = 0; ok && i < n; i++)
        ok = put_token(v, i, type[i], &token[i], err);
    free(token);
    free(type);
    if (ok)
        vocab_index(v);
    return ok;
}

/* "left right" in the byte alphabet; a space can only be the one between them. */
static bool add_merge(struct vocab *v, int rank, const struct gguf_string *s, struct err *err)
{
    struct str left = STR_INIT, right = STR_INIT;
    const char *space = s->len > 1 ? memchr(s->bytes + 1, ' ', s->len - 1) : NULL;
    bool ok = space && space + 1 < s->bytes + s->len;

    if (ok) {
        size_t n = (size_t) (space - s->bytes);
        ok = bytemap_decode(&left, s->bytes, n) &&
             bytemap_decode(&right, space + 1, s->len - n - 1) &&
             vocab_merge(v, rank, left.text, left.len, right.text, right.len);
        if (!ok)
            err_set(err, "merge %d of tokenizer.ggml.merges joins what are no tokens", rank);
    } else {
        err_set(err, "merge %d of tokenizer.ggml.merges is not two parts with a space between",
                rank);
    }
    str_release(&left);
    str_release(&right);
    return ok;
}

static bool read_merges(struct vocab *v, const struct gguf *g, struct err *err)
{
    struct gguf_string *merge = NULL;
    size_t n = 0;
    bool ok = gguf_need_strings(g, "tokenizer.ggml.merges", &merge, &n, err);

    for (size_t i = 0; ok && i < n; i++)
        ok = add_merge(v, (int) i, &merge[i], err);
    free(merge);
    return ok;
}

static bool read_scores(struct vocab *v, const struct gguf *g, struct err *err)
{
    static const char key[] = "tokenizer.ggml.scores";
    float *score = NULL;
    size_t n = 0;
    bool ok = gguf_may_floats(g, key, &score, &n, err);

    if (ok && n != (size_t) v->n)
        ok = err_set(err, "%s has %zu entries for %d tokens", key, n, v->n);
    if (ok)
        vocab_merge_by_scores(v, score);
    free(score);
    return ok;
}

static bool read_special_ids(struct vocab *v, const struct gguf *g, struct err *err)
{
    static const struct {
        const char *key;
        size_t offset;
    } ids[] = {{"tokenizer.ggml.bos_token_id", offsetof(struct vocab, bos)},
               {"tokenizer.ggml.eos_token_id", offsetof(struct vocab, eos)},
               {"tokenizer.ggml.unknown_token_id", offsetof(struct vocab, unk)}};
    int64_t end = -1;

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        int64_t id = -1;
        if (!gguf_may_int(g, ids[i].key, -1, INT32_MAX, &id, err))
            return false;
        *(int *) ((char *) v + ids[i].offset) = (int) id;
    }
    if (!gguf_may_int(g, "tokenizer.ggml.eot_token_id", -1, INT32_MAX, &end, err))
        return false;
    vocab_add_end(v, end);
    v->add_bos = v->kind == VOCAB_CHARS;
    return gguf_may_bool(g, "tokenizer.ggml.add_bos_token", &v->add_bos, err);
}

static bool read_chars(struct vocab *v, const struct gguf *g, struct err *err)
{
    bool prefix = true;

    if (!gguf_may_bool(g, "tokenizer.ggml.add_space_prefix", &prefix, err) ||
        !gguf_may_bool(g, "tokenizer.ggml.remove_extra_whitespaces", &v->squeeze, err))
        return false;
    v->prefix = prefix ? PREFIX_ALWAYS : PREFIX_NONE;
    return read_scores(v, g, err);
}

bool vocab_read_gguf(struct vocab *v, const struct gguf *g, struct err *err)
{
    static const char key[] = "tokenizer.ggml.model";
    struct gguf_string model;

    vocab_init(v, VOCAB_BYTES);
    bool ok = gguf_need_string(g, key, &model, err);
    if (ok && string_is(&model, "llama"))
        v->kind = VOCAB_CHARS;
    else if (ok && !string_is(&model, "gpt2"))
        ok = not_supported(key, &model, err);
    ok = ok && read_tokens(v, g, err) && read_special_ids(v, g, err);
    if (v->kind == VOCAB_BYTES)
        ok = ok && read_pre(v, g, err) && read_merges(v, g, err);
    else
        ok = ok && read_chars(v, g, err);
    ok = ok && vocab_finish(v, err);
    if (!ok)
        vocab_release(v);
    return ok;
}
