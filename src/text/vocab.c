#include "text/vocab.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* The longest token that SentencePiece merging can make; bounds the work on a strange file.
     * Real ones have at most 48 bytes. */
    SCORED_MAX_LEN = 256
};

void vocab_init(struct vocab *v, enum vocab_kind kind)
{
    memset(v, 0, sizeof *v);
    v->kind = kind;
    v->bytes = (struct str) STR_INIT;
    v->bos = v->eos = v->unk = -1;
    for (int i = 0; i < 256; i++)
        v->byte_id[i] = -1;
}

void vocab_release(struct vocab *v)
{
    free(v->token);
    strmap_free(v->find);
    pairs_release(&v->merges);
    added_release(&v->specials);
    added_release(&v->users);
    str_release(&v->bytes);
    for (int i = 0; i < v->n_splits; i++)
        free(v->split[i]);
    memset(v, 0, sizeof *v);
}

/* Room for ids up to `id`. A table larger than the file deserves is refused: ids may have gaps,
 * but not vast ones. */
static bool make_room(struct vocab *v, int64_t id, struct err *err)
{
    if (id < 0 || id >= VOCAB_MAX_ID)
        return err_set(err, "token id %lld is out of range", (long long) id);
    if (id >= v->cap) {
        int cap = v->cap > 0 ? v->cap : 1024;
        while (cap <= id)
            cap *= 2;
        v->token = xrealloc(v->token, (size_t) cap, sizeof *v->token);
        memset(v->token + v->cap, 0, (size_t) (cap - v->cap) * sizeof *v->token);
        v->cap = cap;
    }
    if (id >= v->n)
        v->n = (int) id + 1;
    return true;
}

bool vocab_put(struct vocab *v, int64_t id, enum token_type type, const char *bytes, size_t n,
               struct err *err)
{
    struct token *t;

    if (!make_room(v, id, err))
        return false;
    t = &v->token[id];
    if (t->type != TOKEN_UNNAMED)
        return err_set(err, "two tokens have the id %lld", (long long) id);
    if (n > UINT32_MAX)
        return err_set(err, "token %lld is too long", (long long) id);
    *t = (struct token){.at = v->bytes.len, .len = (uint32_t) n, .type = (uint8_t) type};
    str_add(&v->bytes, bytes, n);
    return true;
}

bool vocab_put_mapped(struct vocab *v, int64_t id, const char *text, size_t n, struct err *err)
{
    if (!vocab_put(v, id, TOKEN_NORMAL, "", 0, err))
        return false;
    v->token[id].outside_alphabet = !bytemap_decode(&v->bytes, text, n);
    if (v->token[id].outside_alphabet)
        str_add(&v->bytes, text, n);
    v->token[id].len = (uint32_t) (v->bytes.len - v->token[id].at);
    return true;
}

const char *vocab_bytes(const struct vocab *v, int id, size_t *n)
{
    if (id < 0 || id >= v->n) {
        *n = 0;
        return "";
    }
    *n = v->token[id].len;
    return v->bytes.text + v->token[id].at;
}

bool vocab_add_split(struct vocab *v, const char *regex, struct err *err)
{
    if (v->n_splits == VOCAB_MAX_SPLITS)
        return err_set(err, "the pre-tokenizer has more than %d steps", VOCAB_MAX_SPLITS);
    v->split[v->n_splits++] = xstrdup(regex);
    return true;
}

void vocab_add_end(struct vocab *v, int64_t id)
{
    for (int i = 0; i < v->n_ends; i++) {
        if (v->end[i] == id)
            return;
    }
    if (id >= 0 && id < v->n && v->n_ends < VOCAB_MAX_ENDS)
        v->end[v->n_ends++] = (int) id;
}

static bool can_be_made(const struct token *t)
{
    bool model = t->type == TOKEN_NORMAL || t->type == TOKEN_USER || t->in_model;

    return model && !t->outside_alphabet && t->len > 0;
}

void vocab_reindex(struct vocab *v)
{
    strmap_free(v->find);
    v->find = strmap_new((size_t) v->n);
    for (int id = 0; id < v->n; id++) {
        const struct token *t = &v->token[id];
        if (can_be_made(t)) /* of doubles, the first counts */
            strmap_add(v->find, v->bytes.text + t->at, t->len, id);
    }
}

void vocab_index(struct vocab *v)
{
    vocab_reindex(v);
    pairs_init(&v->merges, (size_t) v->n);
}

bool vocab_merge(struct vocab *v, int rank, const char *left, size_t n_left, const char *right,
                 size_t n_right)
{
    struct str both = STR_INIT;
    struct pair p = {strmap_find(v->find, left, n_left), strmap_find(v->find, right, n_right),
                     rank, -1};

    if (p.left >= 0 && p.right >= 0) {
        str_add(&both, left, n_left);
        str_add(&both, right, n_right);
        p.result = strmap_find(v->find, both.text, both.len);
        str_release(&both);
    }
    if (p.result < 0)
        return false;
    pairs_add(&v->merges, p); /* the first rank of a pair counts */
    return true;
}

static int by_score(const void *a, const void *b)
{
    float x = *(const float *) a, y = *(const float *) b;

    return x > y ? -1 : x < y; /* the highest first */
}

/* The rank of a score among the distinct ones. */
static int rank_of(const float *sorted, int n, float score)
{
    int lo = 0, hi = n;

    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        if (sorted[mid] > score)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Every way of cutting a token in two tokens is a merge. */
static void merges_into(struct vocab *v, int id, int rank)
{
    const char *bytes = v->bytes.text + v->token[id].at;
    size_t n = v->token[id].len;

    for (size_t cut = 1; cut < n; cut++) {
        struct pair p = {.rank = rank, .result = id};
        if (((uint8_t) bytes[cut] & 0xc0) == 0x80)
            continue;
        p.left = strmap_find(v->find, bytes, cut);
        if (p.left < 0)
            continue;
        p.right = strmap_find(v->find, bytes + cut, n - cut);
        if (p.right >= 0)
            pairs_add(&v->merges, p);
    }
}

bool vocab_merge_by_scores(struct vocab *v, const float *score, struct err *err)
{
    float *sorted;
    int n = 0;

    for (int id = 0; id < v->n; id++) {
        if (!isfinite(score[id]))
            return err_set(err, "the score of token %d is not a finite number", id);
    }
    sorted = xcalloc((size_t) v->n + 1, sizeof *sorted);
    memcpy(sorted, score, (size_t) v->n * sizeof *sorted);
    qsort(sorted, (size_t) v->n, sizeof *sorted, by_score);
    for (int id = 0; id < v->n; id++) {
        if (n == 0 || sorted[n - 1] != sorted[id])
            sorted[n++] = sorted[id];
    }
    for (int id = 0; id < v->n; id++) {
        const struct token *t = &v->token[id];
        if (can_be_made(t) && t->len <= SCORED_MAX_LEN &&
            strmap_find(v->find, v->bytes.text + t->at, t->len) == id)
            merges_into(v, id, rank_of(sorted, n, score[id]));
    }
    free(sorted);
    return true;
}

/* True when no merge joins a space to the end of something else: then a word's beginning is
 * always a token's beginning, and long texts can be merged word by word. */
static bool words_stay_apart(const struct vocab *v)
{
    for (size_t i = 0; v->merges.slot && i <= v->merges.mask; i++) {
        const struct pair *p = &v->merges.slot[i];
        size_t n_left, n_right;
        const char *left, *right;
        if (p->left < 0)
            continue;
        left = vocab_bytes(v, p->left, &n_left);
        right = vocab_bytes(v, p->right, &n_right);
        if (n_left > 0 && n_right > 0 && left[n_left - 1] != ' ' && right[0] == ' ')
            return false;
    }
    return true;
}

static void find_byte_tokens(struct vocab *v)
{
    for (int byte = 0; byte < 256; byte++) {
        char c = (char) byte;
        if (v->kind == VOCAB_BYTES)
            v->byte_id[byte] = strmap_find(v->find, &c, 1);
        if (byte < 128)
            v->ascii_id[byte] = strmap_find(v->find, &c, 1);
    }
    for (int id = 0; id < v->n && v->kind == VOCAB_CHARS; id++) {
        const struct token *t = &v->token[id];
        if (t->type == TOKEN_BYTE && t->len == 1)
            v->byte_id[(uint8_t) v->bytes.text[t->at]] = id;
    }
}

bool vocab_is_added(const struct vocab *v, int id)
{
    int type = id >= 0 && id < v->n ? v->token[id].type : TOKEN_UNNAMED;

    return type == TOKEN_USER || type == TOKEN_CONTROL || type == TOKEN_UNKNOWN;
}

static void find_specials(struct vocab *v)
{
    for (int id = 0; id < v->n; id++) {
        const struct token *t = &v->token[id];
        const char *text = v->bytes.text + t->at;
        if (t->len == 0)
            continue;
        if (t->type == TOKEN_USER)
            added_add(&v->users, text, t->len, id);
        if (vocab_is_added(v, id))
            added_add(&v->specials, text, t->len, id);
    }
    added_sort(&v->users);
    added_sort(&v->specials);
}

/* Chat models end a turn with another token than eos. */
static void find_ends(struct vocab *v)
{
    static const char *const names[] = {
        "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>",      "<|eom_id|>", "<|im_end|>",
        "<|end|>",       "<end_of_turn>",   "<|end_of_turn|>", "</s>",
    };

    vocab_add_end(v, v->eos);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        vocab_add_end(v, vocab_find_special(v, names[i], strlen(names[i])));
}

bool vocab_finish(struct vocab *v, struct err *err)
{
    const int ids[] = {v->bos, v->eos, v->unk};
    static const char *const names[] = {"BOS", "EOS", "unknown"};

    for (int i = 0; i < 3; i++) {
        if (ids[i] >= v->n)
            return err_set(err, "the %s token's id %d is not below %d", names[i], ids[i], v->n);
        if (i < 2 && ids[i] >= 0 && v->token[ids[i]].type == TOKEN_NORMAL &&
            v->token[ids[i]].len > 1)
            v->token[ids[i]].type = TOKEN_CONTROL;
    }
    find_byte_tokens(v);
    find_specials(v);
    find_ends(v);
    v->split_spaces = v->kind == VOCAB_CHARS && (v->split_metaspace || words_stay_apart(v));
    return true;
}

int vocab_find_special(const struct vocab *v, const char *text, size_t n)
{
    const struct added *a = added_find(&v->specials, text, n);

    return a ? a->id : -1;
}
