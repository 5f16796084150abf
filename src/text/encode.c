/*
 * Text to ids: special tokens are cut out first, then the pre-tokenizer cuts what is left, then
 * the merges join the pieces' bytes (or characters) to tokens.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "text/tokenizer_state.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

void ids_add(struct ids *ids, int32_t id)
{
    VEC_ROOM(ids->id, ids->n, ids->cap);
    ids->id[ids->n++] = id;
}

void ids_release(struct ids *ids)
{
    free(ids->id);
    *ids = (struct ids) IDS_INIT;
}

/* Work in progress of one call. */
struct encoder {
    const struct tokenizer *t;
    struct bpe bpe;
    struct ids *ids;
    const char *text; /* of the stretch being cut: pieces point into it */
    bpe_watch *watch;
    void *watch_arg;
    bool after_special;
};

static bool no_token(const char *what, int value, struct err *err)
{
    return err_set(err, "this tokenizer has no token for the %s 0x%02x", what, value);
}

/* What merging made of one piece; characters without a token of their own go byte by byte. */
static bool emit(struct encoder *e, const char *piece, size_t n, struct err *err)
{
    const struct vocab *v = &e->t->vocab;

    for (int i = e->bpe.n > 0 ? 0 : -1; i >= 0; i = e->bpe.symbol[i].next) {
        const struct symbol *s = &e->bpe.symbol[i];
        size_t end = s->next >= 0 ? e->bpe.symbol[s->next].at : n;
        if (s->id >= 0) {
            ids_add(e->ids, s->id);
            continue;
        }
        bool bytes = true;
        for (size_t at = s->at; at < end; at++)
            bytes = bytes && v->byte_id[(uint8_t) piece[at]] >= 0;
        for (size_t at = s->at; bytes && at < end; at++)
            ids_add(e->ids, v->byte_id[(uint8_t) piece[at]]);
        if (bytes)
            continue;
        if (v->unk < 0)
            return no_token("byte", (uint8_t) piece[s->at], err);
        bool again = e->ids->n > 0 && e->ids->id[e->ids->n - 1] == v->unk;
        if (!v->fuse_unk || !again)
            ids_add(e->ids, v->unk);
    }
    return true;
}

static void merge(struct encoder *e)
{
    bpe_merge(&e->bpe, &e->t->vocab.merges, e->watch, e->watch_arg);
}

/* One piece of byte-level text. */
static bool encode_bytes(void *arg, const char *piece, size_t n, struct err *err)
{
    struct encoder *e = arg;
    const struct vocab *v = &e->t->vocab;
    int whole = v->ignore_merges && !e->watch ? strmap_find(v->find, piece, n) : -1;

    if (whole >= 0) {
        ids_add(e->ids, whole);
        return true;
    }
    e->text = piece;
    bpe_clear(&e->bpe);
    for (size_t i = 0; i < n; i++) {
        int id = v->byte_id[(uint8_t) piece[i]];
        if (id < 0 && v->unk < 0)
            return no_token("byte", (uint8_t) piece[i], err);
        bpe_push(&e->bpe, id, (uint32_t) i);
    }
    merge(e);
    return emit(e, piece, n, err);
}

/* One piece of SentencePiece text. */
static bool encode_chars(struct encoder *e, const char *piece, size_t n, struct err *err)
{
    const struct vocab *v = &e->t->vocab;

    e->text = piece;
    bpe_clear(&e->bpe);
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = utf8_decode(piece + i, n - i, &cp);
        if (len == 0)
            len = 1;
        bpe_push(&e->bpe, strmap_find(v->find, piece + i, (size_t) len), (uint32_t) i);
        i += (size_t) len;
    }
    merge(e);
    return emit(e, piece, n, err);
}

/* Word by word where no token reaches over a word's beginning: keeps the lists short. */
static bool encode_words(struct encoder *e, const char *text, size_t n, struct err *err)
{
    size_t begin = 0;

    for (size_t i = 1; i < n && e->t->vocab.split_spaces; i++) {
        if (text[i] != ' ' || text[i - 1] == ' ')
            continue;
        if (!encode_chars(e, text + begin, i - begin, err))
            return false;
        begin = i;
    }
    return begin == n || encode_chars(e, text + begin, n - begin, err);
}

/* Runs of spaces become one, and none stays at the ends. */
static void squeeze_spaces(struct str *s)
{
    size_t to = 0;

    for (size_t i = 0; i < s->len; i++) {
        if (s->text[i] == ' ' && (to == 0 || s->text[to - 1] == ' '))
            continue;
        s->text[to++] = s->text[i];
    }
    if (to > 0 && s->text[to - 1] == ' ')
        to--;
    str_cut(s, to, s->len - to);
}

static bool encode_sentence(struct encoder *e, const char *text, size_t n, struct err *err)
{
    const struct vocab *v = &e->t->vocab;
    struct str s = STR_INIT;

    metaspace_decode(&s, text, n); /* a U+2581 that is typed is a space, too */
    if (v->squeeze)
        squeeze_spaces(&s);
    bool first = e->ids->n == 0 || e->after_special;
    bool prefix = v->prefix == PREFIX_ALWAYS ||
                  (v->prefix == PREFIX_UNLESS_SPACE && s.len > 0 && s.text[0] != ' ');
    if (prefix && s.len > 0 && (first || !v->prefix_once))
        str_insert(&s, 0, " ", 1);
    bool ok = encode_words(e, s.text, s.len, err);
    str_release(&s);
    return ok;
}

/* Unicode's form C of the valid stretches of text. */
static void add_nfc(struct str *out, const char *text, size_t n)
{
    uint8_t *composed = NULL;

    if (utf8_valid(text, n) && n > 0) {
        utf8proc_ssize_t len = utf8proc_map((const uint8_t *) text, (utf8proc_ssize_t) n,
                                            &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        if (len >= 0) {
            str_add(out, composed, (size_t) len);
            free(composed);
            return;
        }
    }
    str_add(out, text, n);
}

/* A stretch of text between special tokens. */
static bool encode_plain(struct encoder *e, const char *text, size_t n, struct err *err)
{
    const struct vocab *v = &e->t->vocab;
    struct str s = STR_INIT;

    if (n == 0)
        return true;
    if (v->kind == VOCAB_CHARS)
        return encode_sentence(e, text, n, err);
    if (v->prefix == PREFIX_ALWAYS || (v->prefix == PREFIX_UNLESS_SPACE && text[0] != ' '))
        str_addc(&s, ' ');
    if (v->nfc)
        add_nfc(&s, text, n);
    else if (s.len > 0)
        str_add(&s, text, n);
    bool own = v->nfc || s.len > 0;
    bool ok =
        pretok_split(e->t->pretok, own ? s.text : text, own ? s.len : n, encode_bytes, e, err);
    str_release(&s);
    return ok;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word_char(const char *text, size_t n, size_t at, bool before)
{
    uint32_t cp;

    if (before) {
        if (at == 0)
            return false;
        at--;
        while (at > 0 && ((uint8_t) text[at] & 0xc0) == 0x80)
            at--;
    }
    if (at >= n || utf8_decode(text + at, n - at, &cp) == 0)
        return false;
    utf8proc_category_t c = utf8proc_category((utf8proc_int32_t) cp);
    return cp == '_' || (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NO);
}

/* The special token at text[at], if one counts there; *from and *to: what it takes with it. */
static const struct added *special_at(const struct vocab *v, const struct added_set *set,
                                      const char *text, size_t n, size_t at, size_t done,
                                      size_t *from, size_t *to)
{
    const struct added *a = added_at(set, text + at, n - at);

    if (!a)
        return NULL;
    const struct token *t = &v->token[a->id];
    *from = at;
    *to = at + a->len;
    if (t->single_word &&
        (is_word_char(text, n, at, true) || is_word_char(text, n, *to, false)))
        return NULL;
    while (t->lstrip && *from > done && is_space(text[*from - 1]))
        (*from)--;
    while (t->rstrip && *to < n && is_space(text[*to]))
        (*to)++;
    return a;
}

static bool encode_text(struct encoder *e, const char *text, size_t n, bool special,
                        struct err *err)
{
    const struct vocab *v = &e->t->vocab;
    const struct added_set *set = special ? &v->specials : &v->users;
    size_t done = 0, from, to;

    for (size_t at = 0; at < n && set->n > 0;) {
        const struct added *a = special_at(v, set, text, n, at, done, &from, &to);
        if (!a) {
            at++;
            continue;
        }
        if (!encode_plain(e, text + done, from - done, err))
            return false;
        ids_add(e->ids, a->id);
        e->after_special = v->token[a->id].type != TOKEN_USER;
        at = done = to;
    }
    return encode_plain(e, text + done, n - done, err);
}

bool tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, int flags,
                      struct ids *ids, struct err *err)
{
    struct encoder e = {.t = t, .bpe = BPE_INIT, .ids = ids};

    if (t->vocab.kind == VOCAB_NONE && n > 0)
        return err_set(err, "this model has no tokenizer; give token ids");
    if (n > INT32_MAX / 2)
        return err_set(err, "the text is too long: %zu bytes", n);
    if ((flags & TOKENIZE_BOS) && t->vocab.add_bos && t->vocab.bos >= 0) {
        ids_add(ids, t->vocab.bos);
        e.after_special = true;
    }
    bool ok = encode_text(&e, text, n, flags & TOKENIZE_SPECIAL, err);
    bpe_release(&e.bpe);
    return ok;
}

/* --- the log of merges --- */

struct merge_watch {
    const struct encoder *e;
    struct merge_log *log;
    const char *text; /* as cut: after normalizing */
    size_t n;
    bool *cut; /* [n + 1]: a piece begins here */
};

static void log_state(struct merge_watch *w, int left, int right, int result, int rank)
{
    struct merge_log *log = w->log;

    VEC_ROOM(log->step, log->n, log->cap);
    struct merge_step *s = &log->step[log->n++];
    *s = (struct merge_step){left, right, result, rank, 0, xcalloc(w->n + 1, sizeof(int))};
    for (size_t i = 0; i <= w->n; i++)
        if (w->cut[i])
            s->cuts[s->n_pieces++] = (int) i;
    s->n_pieces--;
}

static void log_merge(void *arg, const struct bpe *b, const struct candidate *c, int right)
{
    struct merge_watch *w = arg;
    size_t at = (size_t) (w->e->text - w->text) + b->symbol[right].at;

    w->cut[at] = false;
    log_state(w, c->left, c->right, c->result, c->rank);
}

static void log_begin(struct merge_watch *w, bool bytes)
{
    w->cut = xcalloc(w->n + 1, sizeof *w->cut);
    for (size_t i = 0; i <= w->n; i++)
        w->cut[i] = bytes || i == w->n || ((uint8_t) w->text[i] & 0xc0) != 0x80;
    log_state(w, -1, -1, -1, -1);
}

bool tokenizer_merges(const struct tokenizer *t, const char *text, size_t n,
                      struct merge_log *log, struct err *err)
{
    enum { LONGEST = 4096 };
    const struct vocab *v = &t->vocab;
    struct ids ids = IDS_INIT;
    struct merge_watch w = {.log = log, .text = text, .n = n};
    struct encoder e = {
        .t = t, .bpe = BPE_INIT, .ids = &ids, .watch = log_merge, .watch_arg = &w};

    if (v->kind == VOCAB_NONE)
        return err_set(err, "this model has no tokenizer");
    if (n > LONGEST)
        return err_set(err, "the text is longer than %d bytes; choose a part of it", LONGEST);
    w.e = &e;
    log_begin(&w, v->kind == VOCAB_BYTES);
    bool ok = v->kind == VOCAB_BYTES ? pretok_split(t->pretok, text, n, encode_bytes, &e, err)
                                     : encode_words(&e, text, n, err);
    free(w.cut);
    bpe_release(&e.bpe);
    ids_release(&ids);
    return ok;
}

void merge_log_release(struct merge_log *log)
{
    for (int i = 0; i < log->n; i++)
        free(log->step[i].cuts);
    free(log->step);
    memset(log, 0, sizeof *log);
}
