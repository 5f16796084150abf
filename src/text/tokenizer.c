/* Opening tokenizers, and what is known of single tokens. */
#include "text/tokenizer.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/safe.h"
#include "model/builtin.h"
#include "model/gguf.h"
#include "text/tokenizer_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tokenizer *make(struct vocab *v, const char *path, struct err *err)
{
    struct tokenizer *t = xcalloc(1, sizeof *t);

    t->vocab = *v;
    if (v->kind != VOCAB_BYTES)
        return t;
    t->pretok = pretok_new(v->split, v->n_splits, err);
    if (t->pretok)
        return t;
    tokenizer_free(t);
    path_add(err, path);
    return NULL;
}

void tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    pretok_free(t->pretok);
    vocab_release(&t->vocab);
    free(t);
}

/* Puts the file's name before a message of a GGUF reader, which may have it already. */
static bool name_file(struct err *err, const char *path)
{
    char *shown = path_shown(path);
    bool named = err->text[0] == '\'' && strncmp(err->text + 1, shown, strlen(shown)) == 0;

    free(shown);
    return !named && path_add(err, path);
}

static bool has(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    bool there = file_exists(path);

    free(path);
    return there;
}

static bool read_spm_file(struct vocab *v, const char *path, struct err *err)
{
    struct filemap map;

    if (!filemap_open(&map, path, err))
        return false;
    bool ok = vocab_read_spm(v, map.data, map.size, err);
    filemap_release(&map);
    return ok || path_add(err, path);
}

static bool read_folder(struct vocab *v, const char *folder, struct err *err)
{
    bool json = has(folder, "tokenizer.json"), spm = has(folder, "tokenizer.model");

    if (!json && !spm)
        return err_set(err, "there is no tokenizer.json or tokenizer.model") ||
               path_add(err, folder);
    char *path = file_join(folder, json ? "tokenizer.json" : "tokenizer.model");
    bool ok = json ? vocab_read_json(v, path, err) : read_spm_file(v, path, err);
    free(path);
    if (ok && !vocab_read_folder(v, folder, err)) {
        vocab_release(v);
        return false;
    }
    return ok;
}

/* Ids up to n_vocab: those beyond the tokenizer's have no name (padded embeddings). */
static bool fit(struct vocab *v, int n_vocab, struct err *err)
{
    if (v->n > n_vocab)
        return err_set(err, "the tokenizer has %d tokens, but the model only %d", v->n,
                       n_vocab);
    if (v->n < n_vocab) {
        v->token = xrealloc(v->token, (size_t) n_vocab, sizeof *v->token);
        memset(v->token + v->n, 0, (size_t) (n_vocab - v->n) * sizeof *v->token);
        v->n = v->cap = n_vocab;
    }
    return true;
}

static bool read_synthetic(struct vocab *v, int n_vocab, const char *path, struct err *err)
{
    char text[16];

    vocab_init(v, VOCAB_NONE);
    for (int id = 0; id < n_vocab; id++) {
        int n = snprintf(text, sizeof text, "<%d>", id);
        if (!vocab_put(v, id, TOKEN_NORMAL, text, (size_t) n, err)) {
            vocab_release(v);
            return path_add(err, path);
        }
    }
    return true;
}

struct tokenizer *tokenizer_of(const struct model *m, struct err *err)
{
    int n_vocab = model_hparams(m)->n_vocab;
    struct vocab v;
    bool ok;

    if (model_source(m) == MODEL_SYNTH) {
        ok = read_synthetic(&v, n_vocab, model_path(m), err);
    } else if (model_gguf(m)) {
        ok = vocab_read_gguf(&v, model_gguf(m), err);
        if (!ok)
            name_file(err, model_path(m));
    } else {
        ok = read_folder(&v, model_folder(m), err);
    }
    if (!ok)
        return NULL;
    if (!fit(&v, n_vocab, err)) {
        vocab_release(&v);
        path_add(err, model_path(m));
        return NULL;
    }
    return make(&v, model_path(m), err);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);

    return n >= k && strcmp(text + n - k, end) == 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? xstrndup(path, (size_t) (slash - path) + 1) : xstrdup(".");
}

/* tokenizer.json, with what the other files in its folder say. */
static bool read_json_file(struct vocab *v, const char *path, struct err *err)
{
    if (!vocab_read_json(v, path, err))
        return false;
    char *folder = folder_of(path);
    bool ok = vocab_read_folder(v, folder, err);
    free(folder);
    if (!ok)
        vocab_release(v);
    return ok;
}

static bool read_gguf_file(struct vocab *v, const char *path, struct err *err)
{
    const struct builtin *b = builtin_find(path);
    struct gguf *g = b ? builtin_open(b, err) : gguf_open(path, err);

    if (!g)
        return false;
    bool ok = vocab_read_gguf(v, g, err);
    gguf_free(g);
    return ok || name_file(err, path);
}

static bool read_any(struct vocab *v, const char *path, struct err *err)
{
    if (builtin_find(path))
        return read_gguf_file(v, path, err);
    if (file_is_dir(path))
        return read_folder(v, path, err);
    if (ends_with(path, ".json"))
        return read_json_file(v, path, err);
    if (ends_with(path, ".model"))
        return read_spm_file(v, path, err);
    if (!ends_with(path, ".safetensors"))
        return read_gguf_file(v, path, err);
    char *folder = folder_of(path);
    bool ok = read_folder(v, folder, err);
    free(folder);
    return ok;
}

struct tokenizer *tokenizer_open(const char *path, struct err *err)
{
    struct vocab v;

    return read_any(&v, path, err) ? make(&v, path, err) : NULL;
}

/* --- what is known of it --- */

const char *tokenizer_kind(const struct tokenizer *t)
{
    static const char *const names[] = {[VOCAB_BYTES] = "byte-level BPE",
                                        [VOCAB_CHARS] = "SentencePiece BPE",
                                        [VOCAB_NONE] = "none (token ids only)"};
    return names[t->vocab.kind];
}

int tokenizer_n_vocab(const struct tokenizer *t)
{
    return t->vocab.n;
}

int tokenizer_bos(const struct tokenizer *t)
{
    return t->vocab.bos;
}

int tokenizer_eos(const struct tokenizer *t)
{
    return t->vocab.eos;
}

bool tokenizer_adds_bos(const struct tokenizer *t)
{
    return t->vocab.add_bos && t->vocab.bos >= 0;
}

bool tokenizer_is_end(const struct tokenizer *t, int id)
{
    for (int i = 0; i < t->vocab.n_ends; i++)
        if (t->vocab.end[i] == id)
            return true;
    return false;
}

bool tokenizer_is_special(const struct tokenizer *t, int id)
{
    if (id < 0 || id >= t->vocab.n)
        return false;
    int type = t->vocab.token[id].type;
    return type == TOKEN_CONTROL || type == TOKEN_UNKNOWN;
}

bool tokenizer_bytes(const struct tokenizer *t, int id, const char **bytes, size_t *n)
{
    *bytes = vocab_bytes(&t->vocab, id, n);
    return id >= 0 && id < t->vocab.n;
}

char *tokenizer_label(const struct tokenizer *t, int id, char *buf, size_t size)
{
    size_t n;
    const char *bytes = vocab_bytes(&t->vocab, id, &n);

    if (n == 0)
        snprintf(buf, size, "[%d]", id);
    else
        safe_copy(buf, size, bytes, n, SAFE_SPACE_DOT);
    return buf;
}
