/* The vocabulary in a tokenizer.json: model, merges and added tokens. */
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_LIMIT = 256 << 20 };

static const json_t *need_object(const json_t *o, const char *key, struct err *err)
{
    const json_t *v = json_object_get(o, key);

    if (!json_is_object(v)) {
        err_set(err, v ? "'%s' is not an object" : "'%s' is missing", key);
        return NULL;
    }
    return v;
}

static bool put_word(struct vocab *v, const char *text, size_t n, int64_t id, struct err *err)
{
    int byte = v->byte_fallback ? byte_token_value(text, n) : -1;

    if (v->kind == VOCAB_BYTES)
        return vocab_put_mapped(v, id, text, n, err);
    if (byte >= 0) {
        char c = (char) byte;
        return vocab_put(v, id, TOKEN_BYTE, &c, 1, err);
    }
    struct str plain = STR_INIT;
    metaspace_decode(&plain, text, n);
    bool ok = vocab_put(v, id, TOKEN_NORMAL, plain.text, plain.len, err);
    str_release(&plain);
    return ok;
}

static bool read_words(struct vocab *v, const json_t *model, struct err *err)
{
    const json_t *words = need_object(model, "vocab", err), *id;
    const char *word;
    size_t len, n;

    if (!words)
        return false;
    n = json_object_size(words);
    if (n == 0)
        return err_set(err, "'vocab' is empty");
    json_object_keylen_foreach((json_t *) words, word, len, id)
    {
        json_int_t i = json_integer_value(id);
        if (!json_is_integer(id) || i < 0 || i >= VOCAB_MAX_ID ||
            (uint64_t) i > 4 * (uint64_t) n + 65536)
            return err_set(err, "'vocab' gives a token an id that is no number from 0 to %zu",
                           4 * n + 65536);
        if (!put_word(v, word, len, i, err))
            return false;
    }
    return true;
}

/* --- added tokens --- */

static bool flag(const json_t *o, const char *key, bool *v, struct err *err)
{
    *v = false;
    return json_may_bool(o, key, v, err);
}

/* An added token may stand in the model's vocabulary, too, with the same id. */
static bool is_same_word(const json_t *words, const char *text, int64_t id)
{
    const json_t *there = json_object_get(words, text);

    return json_is_integer(there) && json_integer_value(there) == id;
}

/* A plain token whose text in the file is what it stands for: merges make it still when it is
 * an added one, too. */
static bool is_as_written(const struct vocab *v, int id, const char *text, size_t n)
{
    size_t len;
    const char *bytes = vocab_bytes(v, id, &len);

    return v->token[id].type == TOKEN_NORMAL && len == n && memcmp(bytes, text, n) == 0;
}

static bool read_added_one(struct vocab *v, const json_t *o, const json_t *words, int64_t limit,
                           struct err *err)
{
    const char *text;
    bool special, lstrip, rstrip, single, in_model = false;
    int64_t id;

    if (!json_is_object(o))
        return err_set(err, "an entry of 'added_tokens' is not an object");
    if (!json_need_string(o, "content", &text, err) ||
        !json_need_int(o, "id", 0, VOCAB_MAX_ID - 1, &id, err) ||
        !flag(o, "special", &special, err) || !flag(o, "lstrip", &lstrip, err) ||
        !flag(o, "rstrip", &rstrip, err) || !flag(o, "single_word", &single, err))
        return false;
    size_t n = json_string_length(json_object_get(o, "content"));
    if (n == 0)
        return err_set(err, "added token %lld is empty", (long long) id);
    if (id >= limit)
        return err_set(err, "added token %lld is beyond the vocabulary of %lld", (long long) id,
                       (long long) limit);
    if (id < v->n && v->token[id].type != TOKEN_UNNAMED) {
        if (!is_same_word(words, text, id))
            return err_set(err, "added token '%.60s' takes the id %lld of another token", text,
                           (long long) id);
        in_model = is_as_written(v, (int) id, text, n);
        v->token[id].type = TOKEN_UNNAMED; /* put again, now as an added one */
    } else if (json_object_get(words, text)) {
        return err_set(err, "added token '%.60s' has two ids", text);
    }
    if (!vocab_put(v, id, special ? TOKEN_CONTROL : TOKEN_USER, text, n, err))
        return false;
    v->token[id].in_model = in_model;
    v->token[id].lstrip = lstrip;
    v->token[id].rstrip = rstrip;
    v->token[id].single_word = single;
    return true;
}

static bool read_added(struct vocab *v, const json_t *root, struct err *err)
{
    const json_t *list = json_object_get(root, "added_tokens"), *o;
    const json_t *words = json_object_get(json_object_get(root, "model"), "vocab");
    int64_t limit = v->n;
    size_t i;

    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list))
        return err_set(err, "'added_tokens' is not a list");
    limit += (int64_t) json_array_size(list);
    json_array_foreach((json_t *) list, i, o)
    {
        if (!read_added_one(v, o, words, limit, err))
            return false;
    }
    return true;
}

/* --- merges --- */

static bool merge_bytes(const struct vocab *v, struct str *out, const char *text, size_t n)
{
    if (v->kind == VOCAB_BYTES)
        return bytemap_decode(out, text, n);
    metaspace_decode(out, text, n);
    return true;
}

static bool merge_parts(const json_t *m, const char **l, size_t *nl, const char **r, size_t *nr)
{
    if (json_is_array(m) && json_array_size(m) == 2) {
        const json_t *a = json_array_get(m, 0), *b = json_array_get(m, 1);
        *l = json_string_value(a);
        *r = json_string_value(b);
        *nl = json_string_length(a);
        *nr = json_string_length(b);
        return *l && *r && *nl > 0 && *nr > 0;
    }
    if (!json_is_string(m) || json_string_length(m) < 3)
        return false;
    *l = json_string_value(m);
    const char *space = memchr(*l + 1, ' ', json_string_length(m) - 1);
    if (!space)
        return false;
    *nl = (size_t) (space - *l);
    *r = space + 1;
    *nr = json_string_length(m) - *nl - 1;
    return *nr > 0;
}

static bool read_merge(struct vocab *v, int rank, const json_t *m, struct err *err)
{
    struct str left = STR_INIT, right = STR_INIT;
    const char *l, *r;
    size_t nl, nr;

    if (!merge_parts(m, &l, &nl, &r, &nr))
        return err_set(err, "merge %d is not two parts", rank);
    bool ok = merge_bytes(v, &left, l, nl) && merge_bytes(v, &right, r, nr) &&
              vocab_merge(v, rank, left.text, left.len, right.text, right.len);
    str_release(&left);
    str_release(&right);
    return ok || err_set(err, "merge %d joins, or makes, what is no token", rank);
}

static bool read_merges(struct vocab *v, const json_t *model, struct err *err)
{
    const json_t *list = json_object_get(model, "merges"), *m;
    size_t i;

    if (!json_is_array(list))
        return err_set(err, list ? "'merges' is not a list" : "'merges' is missing");
    json_array_foreach((json_t *) list, i, m)
    {
        if (!read_merge(v, (int) i, m, err))
            return false;
    }
    return true;
}

/* Parts of BPE that no model of ours uses: refused rather than passed over. */
static bool refuse_strange(const json_t *model, struct err *err)
{
    static const char *const keys[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    double dropout = 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = "";
        if (!json_may_string(model, keys[i], &text, err))
            return false;
        if (*text)
            return err_set(err, "'%s' of the tokenizer's model is not supported", keys[i]);
    }
    if (!json_may_double(model, "dropout", &dropout, err))
        return false;
    return dropout == 0 || err_set(err, "'dropout' of the tokenizer's model is not supported");
}

static bool read_model(struct vocab *v, const json_t *root, struct err *err)
{
    const json_t *model = json_object_get(root, "model");
    const char *unk = NULL;

    if (!json_may_string(model, "unk_token", &unk, err) ||
        !json_may_bool(model, "fuse_unk", &v->fuse_unk, err) ||
        !json_may_bool(model, "ignore_merges", &v->ignore_merges, err) ||
        !json_may_bool(model, "byte_fallback", &v->byte_fallback, err))
        return false;
    if (!refuse_strange(model, err) || !read_words(v, model, err))
        return false;
    vocab_index(v);
    if (!read_merges(v, model, err) || !read_added(v, root, err))
        return false;
    vocab_reindex(v);
    if (unk) { /* as written in the file; its bytes may differ */
        const json_t *id = json_object_get(json_object_get(model, "vocab"), unk);
        v->unk = id ? (int) json_integer_value(id) : -1;
    }
    return true;
}

static bool read_root(struct vocab *v, const json_t *root, struct err *err)
{
    enum vocab_kind kind;
    const char *type = "BPE";

    if (!json_is_object(root))
        return err_set(err, "the file does not hold an object");
    const json_t *model = need_object(root, "model", err);
    if (!model || !json_may_string(model, "type", &type, err))
        return false;
    if (strcmp(type, "BPE") != 0)
        return err_set(err, "the tokenizer's model is of type '%s'; only BPE is supported",
                       type);
    if (!vocab_json_kind(root, &kind, err))
        return false;
    v->kind = kind;
    return read_model(v, root, err) && vocab_json_pipe(v, root, err) && vocab_finish(v, err);
}

bool vocab_read_json(struct vocab *v, const char *path, struct err *err)
{
    json_t *root = json_parse_file(path, JSON_LIMIT, err);

    vocab_init(v, VOCAB_BYTES);
    if (!root)
        return false;
    bool ok = read_root(v, root, err) || path_add(err, path);
    json_decref(root);
    if (!ok)
        vocab_release(v);
    return ok;
}
