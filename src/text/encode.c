/*
 * Text to ids: special tokens are cut out first, then the pre-tokenizer cuts what is left, then
 * the merges join the pieces' bytes (or characters) to tokens.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "text/encoder.h"
#include "text/nfc.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { TEXT_MAX = 1 << 28 }; /* symbols and candidates are counted in int */

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

/* --- normalizing --- */

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

bool encoder_normalize(const struct vocab *v, const char *text, size_t n, bool at_start,
                       struct str *out)
{
    bool as_is = v->kind == VOCAB_BYTES && v->prefix == PREFIX_NONE && !v->nfc;
    struct str plain = STR_INIT;

    if (as_is || n == 0)
        return false;
    if (v->kind == VOCAB_CHARS) /* a U+2581 that is typed is a space, too */
        metaspace_decode(&plain, text, n);
    else
        str_add(&plain, text, n);
    if (v->squeeze)
        squeeze_spaces(&plain);
    bool prefix = v->prefix == PREFIX_ALWAYS ||
                  (v->prefix == PREFIX_UNLESS_SPACE && plain.text[0] != ' ');
    if (prefix && plain.len > 0 && (at_start || !v->prefix_once))
        str_addc(out, ' ');
    if (v->nfc)
        nfc_add(out, plain.text, plain.len);
    else
        str_add(out, plain.text, plain.len);
    str_release(&plain);
    return true;
}

/* --- cutting --- */

static bool no_token(const struct encoder *e, const char *at, struct err *err)
{
    return err_set(err,
                   "this tokenizer has no token for the byte 0x%02x (byte %zu of the text)",
                   (uint8_t) *at, e->at + (size_t) (at - e->stretch));
}

/* One piece of byte-level text. */
static bool take_bytes(void *arg, const char *piece, size_t n, struct err *err)
{
    struct encoder *e = arg;
    const struct vocab *v = &e->t->vocab;
    int whole = v->ignore_merges ? strmap_find(v->find, piece, n) : -1;

    bpe_clear(&e->bpe);
    for (size_t i = 0; i < n; i++) {
        int id = v->byte_id[(uint8_t) piece[i]];
        if (id < 0 && v->unk < 0 && whole < 0)
            return no_token(e, piece + i, err);
        bpe_push(&e->bpe, id, (uint32_t) i);
    }
    e->take(e, piece, n, whole);
    return true;
}

/* A character without a token goes byte by byte, or is unknown as a whole. */
static bool push_strange(struct encoder *e, const char *piece, size_t at, int len,
                         struct err *err)
{
    const struct vocab *v = &e->t->vocab;
    bool bytes = true;

    for (int i = 0; i < len; i++)
        bytes = bytes && v->byte_id[(uint8_t) piece[at + (size_t) i]] >= 0;
    if (!bytes && v->unk < 0)
        return no_token(e, piece + at, err);
    if (!bytes)
        bpe_push(&e->bpe, -1, (uint32_t) at);
    for (int i = 0; bytes && i < len; i++)
        bpe_push(&e->bpe, v->byte_id[(uint8_t) piece[at + (size_t) i]],
                 (uint32_t) at + (uint32_t) i);
    return true;
}

/* One piece of SentencePiece text. */
static bool take_chars(struct encoder *e, const char *piece, size_t n, struct err *err)
{
    const struct vocab *v = &e->t->vocab;

    bpe_clear(&e->bpe);
    for (size_t i = 0; i < n;) {
        uint8_t c = (uint8_t) piece[i];
        uint32_t cp;
        int len = c < 0x80 ? 1 : utf8_decode(piece + i, n - i, &cp);
        int id = -1;
        if (c < 0x80)
            id = v->ascii_id[c];
        else if (len > 0)
            id = strmap_find(v->find, piece + i, (size_t) len);
        if (len == 0)
            len = 1;
        if (id >= 0)
            bpe_push(&e->bpe, id, (uint32_t) i);
        else if (!push_strange(e, piece, i, len, err))
            return false;
        i += (size_t) len;
    }
    e->take(e, piece, n, -1);
    return true;
}

/* Word by word where no token reaches over a word's beginning: keeps the lists short. */
static bool cut_words(struct encoder *e, const char *text, size_t n, struct err *err)
{
    const struct vocab *v = &e->t->vocab;
    size_t begin = 0;

    for (size_t i = 1; i < n && v->split_spaces; i++) {
        if (text[i] != ' ' || (text[i - 1] == ' ' && !v->split_metaspace))
            continue;
        if (!take_chars(e, text + begin, i - begin, err))
            return false;
        begin = i;
    }
    return begin == n || take_chars(e, text + begin, n - begin, err);
}

bool encoder_cut(struct encoder *e, const char *text, size_t n, struct err *err)
{
    e->stretch = text;
    return e->t->vocab.kind == VOCAB_BYTES
               ? pretok_split(e->t->pretok, text, n, take_bytes, e, err)
               : cut_words(e, text, n, err);
}

/* --- special tokens --- */

/* The length of the character that begins at text[at], or ends there; 0: none does. */
static size_t char_at(const char *text, size_t n, size_t at, uint32_t *cp)
{
    return (size_t) utf8_decode(text + at, n - at, cp);
}

static size_t char_before(const char *text, size_t at, uint32_t *cp)
{
    for (size_t len = 1; len <= 4 && len <= at; len++) {
        if (((uint8_t) text[at - len] & 0xc0) != 0x80)
            return (size_t) utf8_decode(text + at - len, len, cp) == len ? len : 0;
    }
    return 0;
}

static bool is_space(uint32_t cp)
{
    utf8proc_category_t c = utf8proc_category((utf8proc_int32_t) cp);

    return (cp >= '\t' && cp <= '\r') || cp == 0x85 ||
           (c >= UTF8PROC_CATEGORY_ZS && c <= UTF8PROC_CATEGORY_ZP);
}

/* Letters, marks, digits and connectors such as the underscore. */
static bool is_word_char(uint32_t cp)
{
    utf8proc_category_t c = utf8proc_category((utf8proc_int32_t) cp);

    return c == UTF8PROC_CATEGORY_PC ||
           (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NL);
}

static bool stands_alone(const char *text, size_t n, size_t from, size_t to)
{
    uint32_t cp;

    return !(char_before(text, from, &cp) > 0 && is_word_char(cp)) &&
           !(char_at(text, n, to, &cp) > 0 && is_word_char(cp));
}

/* A special token found in a text, and what it takes with it. */
struct found {
    int id;
    size_t from, to;
};

/* The next one from `at` on; text before `done` is used up. */
static bool find_special(const struct vocab *v, const struct added_set *set, const char *text,
                         size_t n, size_t done, struct found *f)
{
    const struct token *t = NULL;
    const struct added *a;
    uint32_t cp;
    size_t len;

    for (f->from = done; f->from < n && set->n > 0; f->from++) {
        a = added_at(set, text + f->from, n - f->from);
        if (!a)
            continue;
        t = &v->token[a->id];
        f->id = a->id;
        f->to = f->from + a->len;
        if (!t->single_word || stands_alone(text, n, f->from, f->to))
            break;
        t = NULL;
    }
    if (!t)
        return false;
    while (t->lstrip && f->from > done && (len = char_before(text, f->from, &cp)) > 0 &&
           is_space(cp))
        f->from -= len;
    while (t->rstrip && (len = char_at(text, n, f->to, &cp)) > 0 && is_space(cp))
        f->to += len;
    return true;
}

/* --- ids --- */

struct output {
    struct ids *ids;
    bool unknown; /* the last one stands for an unknown character */
};

static void add_symbol(struct output *o, const struct vocab *v, int id)
{
    if (id >= 0 || !o->unknown || !v->fuse_unk)
        ids_add(o->ids, id >= 0 ? id : v->unk);
    o->unknown = id < 0;
}

static void merge_piece(struct encoder *e, const char *piece, size_t n, int whole)
{
    const struct vocab *v = &e->t->vocab;

    (void) piece;
    (void) n;
    if (whole >= 0) {
        add_symbol(e->arg, v, whole);
        return;
    }
    bpe_merge(&e->bpe, &v->merges, NULL, NULL);
    for (int i = e->bpe.n > 0 ? 0 : -1; i >= 0; i = e->bpe.symbol[i].next)
        add_symbol(e->arg, v, e->bpe.symbol[i].id);
}

/* A stretch of text between special tokens. */
static bool encode_stretch(struct encoder *e, const char *text, size_t n, size_t at,
                           struct err *err)
{
    struct str s = STR_INIT;
    bool changed = encoder_normalize(&e->t->vocab, text, n, at == 0, &s);

    e->at = at;
    bool ok = n == 0 || encoder_cut(e, changed ? s.text : text, changed ? s.len : n, err);
    str_release(&s);
    return ok;
}

static bool encode_text(struct encoder *e, const char *text, size_t n, bool special,
                        struct err *err)
{
    const struct vocab *v = &e->t->vocab;
    const struct added_set *set = special ? &v->specials : &v->users;
    struct output *o = e->arg;
    struct found f;
    size_t done = 0;

    while (find_special(v, set, text, n, done, &f)) {
        if (!encode_stretch(e, text + done, f.from - done, done, err))
            return false;
        ids_add(o->ids, f.id);
        o->unknown = false;
        done = f.to;
    }
    return encode_stretch(e, text + done, n - done, done, err);
}

bool tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, int flags,
                      struct ids *ids, struct err *err)
{
    struct output o = {.ids = ids};
    struct encoder e = {.t = t, .take = merge_piece, .arg = &o, .bpe = BPE_INIT};
    int before = ids->n;

    if (t->vocab.kind == VOCAB_NONE && n > 0)
        return err_set(err, "this model has no tokenizer; give token ids");
    if (n > TEXT_MAX)
        return err_set(err, "the text is too long: %zu bytes", n);
    if ((flags & TOKENIZE_BOS) && tokenizer_adds_bos(t))
        ids_add(ids, t->vocab.bos);
    bool ok = encode_text(&e, text, n, flags & TOKENIZE_SPECIAL, err);
    bpe_release(&e.bpe);
    if (!ok)
        ids->n = before;
    return ok;
}
