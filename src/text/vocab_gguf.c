/* The vocabulary in a GGUF file's metadata (keys tokenizer.ggml.*). */
#include "base/mem.h"
#include "base/safe.h"
#include "model/gguf.h"
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

/* tokenizer.ggml.pre: how byte-level text is cut before merging. */
// clang-format off
static const struct {
    const char *name, *first, *regex; /* first: NULL, or what goes before regex */
    bool ignore_merges, add_bos, nfc;
} pre_table[] = {
    {"gpt-2",     NULL,      regex_gpt2,   false, false, false},
    {"default",   NULL,      regex_gpt2,   false, false, false},
    {"olmo",      NULL,      regex_gpt2,   false, false, false},
    {"smollm",    "\\p{N}", regex_gpt2,   false, false, false},
    {"starcoder", "\\p{N}", regex_gpt2,   false, false, false},
    {"llama-bpe", NULL,      regex_llama3, true,  true,  false},
    {"llama3",    NULL,      regex_llama3, true,  true,  false},
    {"llama-v3",  NULL,      regex_llama3, true,  true,  false},
    {"qwen2",     NULL,      regex_qwen2,  false, false, true},
};

/* Files from before that key: these architectures used GPT-2's regex, others may not have. */
static const char *const gpt2_like[] = {"gpt2", "gptneox", "gptj", "mpt", "phi2", "bloom"};
// clang-format on

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

static bool assume_pre(const struct gguf *g, const char *key, struct gguf_string *pre,
                       struct err *err)
{
    struct gguf_string arch = {"", 0};

    if (!gguf_may_string(g, "general.architecture", &arch, err))
        return false;
    for (size_t i = 0; i < sizeof gpt2_like / sizeof *gpt2_like; i++) {
        if (string_is(&arch, gpt2_like[i])) {
            *pre = (struct gguf_string){"gpt-2", 5};
            return true;
        }
    }
    return err_set(
        err, "%s is missing, so nothing says how to cut text; convert the model anew", key);
}

static bool read_pre(struct vocab *v, const struct gguf *g, struct err *err)
{
    static const char key[] = "tokenizer.ggml.pre";
    struct gguf_string pre = {NULL, 0};

    if (!gguf_may_string(g, key, &pre, err) || (!pre.bytes && !assume_pre(g, key, &pre, err)))
        return false;
    for (size_t i = 0; i < sizeof pre_table / sizeof *pre_table; i++) {
        if (!string_is(&pre, pre_table[i].name))
            continue;
        v->ignore_merges = pre_table[i].ignore_merges;
        v->add_bos = pre_table[i].add_bos;
        v->nfc = pre_table[i].nfc;
        return (!pre_table[i].first || vocab_add_split(v, pre_table[i].first, err)) &&
               vocab_add_split(v, pre_table[i].regex, err);
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

/* "left right" in the byte alphabet; a space can only be the one between them. Converters write
 * merges of tokens that the vocabulary lacks: they can never come up, and are passed over. */
static bool add_merge(struct vocab *v, int rank, const struct gguf_string *s, struct err *err)
{
    struct str left = STR_INIT, right = STR_INIT;
    const char *space = s->len > 1 ? memchr(s->bytes + 1, ' ', s->len - 1) : NULL;

    if (!space || space + 1 == s->bytes + s->len)
        return err_set(err,
                       "merge %d of tokenizer.ggml.merges is not two parts with a space "
                       "between",
                       rank);
    size_t n = (size_t) (space - s->bytes);
    if (bytemap_decode(&left, s->bytes, n) && bytemap_decode(&right, space + 1, s->len - n - 1))
        vocab_merge(v, rank, left.text, left.len, right.text, right.len);
    str_release(&left);
    str_release(&right);
    return true;
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

    if (ok && !score)
        ok = err_set(err, "key '%s' is missing", key);
    if (ok && n != (size_t) v->n)
        ok = err_set(err, "%s has %zu entries for %d tokens", key, n, v->n);
    ok = ok && vocab_merge_by_scores(v, score, err);
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
        int *member = (int *) ((char *) v + ids[i].offset);
        int64_t id = *member;
        if (!gguf_may_int(g, ids[i].key, -1, INT32_MAX, &id, err))
            return false;
        *member = (int) id;
    }
    if (!gguf_may_int(g, "tokenizer.ggml.eot_token_id", -1, INT32_MAX, &end, err))
        return false;
    vocab_add_end(v, end);
    return gguf_may_bool(g, "tokenizer.ggml.add_bos_token", &v->add_bos, err);
}

static bool read_chars(struct vocab *v, const struct gguf *g, struct err *err)
{
    bool prefix = true;

    if (!gguf_may_bool(g, "tokenizer.ggml.add_space_prefix", &prefix, err) ||
        !gguf_may_bool(g, "tokenizer.ggml.remove_extra_whitespaces", &v->squeeze, err))
        return false;
    v->prefix = prefix ? PREFIX_ALWAYS : PREFIX_NONE;
    v->add_bos = true;
    v->bos = v->n > 2 ? 1 : -1; /* SentencePiece's own, unless the file says otherwise */
    v->eos = v->n > 2 ? 2 : -1;
    v->unk = 0;
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
    ok = ok && read_tokens(v, g, err);
    if (v->kind == VOCAB_BYTES)
        ok = ok && read_pre(v, g, err) && read_merges(v, g, err);
    else
        ok = ok && read_chars(v, g, err);
    ok = ok && read_special_ids(v, g, err) && vocab_finish(v, err);
    if (!ok)
        vocab_release(v);
    return ok;
}
