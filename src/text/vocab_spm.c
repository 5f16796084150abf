/*
 * SentencePiece's tokenizer.model: a protobuf message, of which this reads
 *
 *     1 pieces      { 1 piece (text)  2 score (float)  3 type (enum) }   one a token
 *     2 trainer     { 3 model_type (2: BPE)  40 unk_id  41 bos_id  42 eos_id }
 *     3 normalizer  { 2 precompiled_charsmap  3 add_dummy_prefix  4 remove_extra_whitespaces }
 */
#include "base/cursor.h"
#include "base/mem.h"
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

struct field {
    uint64_t number;
    unsigned wire;
    uint64_t value;       /* wire 0, 5 */
    struct cursor nested; /* wire 2 */
};

static bool varint(struct cursor *c, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b;
        if (!cursor_u8(c, &b))
            return false;
        *v |= (uint64_t) (b & 0x7f) << shift;
        if (!(b & 0x80))
            return true;
    }
    return false;
}

static bool next_field(struct cursor *c, struct field *f)
{
    uint64_t key, len;
    uint32_t word;
    const uint8_t *bytes;

    if (!varint(c, &key))
        return false;
    f->number = key >> 3;
    f->wire = key & 7;
    switch (f->wire) {
    case 0:
        return varint(c, &f->value);
    case 1:
        return cursor_u64(c, &f->value);
    case 2:
        if (!varint(c, &len) || !cursor_bytes(c, len, &bytes))
            return false;
        cursor_init(&f->nested, bytes, (size_t) len);
        return true;
    case 5:
        if (!cursor_u32(c, &word))
            return false;
        f->value = word;
        return true;
    default:
        return false;
    }
}

static bool damaged(const struct cursor *c, struct err *err)
{
    return err_set(err, "this is no SentencePiece model, or it is damaged at byte %zu", c->at);
}

struct pieces {
    float *score;
    int n, cap;
    bool is_bpe; /* the trainer's model_type says so; without one it is unigram */
};

static bool read_piece(struct vocab *v, struct pieces *p, struct cursor c, struct err *err)
{
    struct cursor text = {0};
    uint32_t bits = 0;
    int type = TOKEN_NORMAL;
    struct field f;

    while (cursor_left(&c) > 0) {
        if (!next_field(&c, &f))
            return damaged(&c, err);
        if (f.number == 1 && f.wire == 2)
            text = f.nested;
        else if (f.number == 2 && f.wire == 5)
            bits = (uint32_t) f.value;
        else if (f.number == 3 && f.wire == 0 && f.value >= 1 && f.value < TOKEN_TYPES)
            type = (int) f.value;
    }
    struct str plain = STR_INIT;
    int byte = byte_token_value((const char *) text.data, text.size);
    VEC_ROOM(p->score, p->n, p->cap);
    memcpy(&p->score[p->n], &bits, sizeof bits);
    if (type == TOKEN_BYTE && byte >= 0)
        str_addc(&plain, (char) byte);
    else
        metaspace_decode(&plain, (const char *) text.data, text.size);
    bool ok = vocab_put(v, p->n++, (enum token_type) type, plain.text, plain.len, err);
    str_release(&plain);
    return ok;
}

static bool read_trainer(struct vocab *v, struct pieces *p, struct cursor c, struct err *err)
{
    struct field f;

    v->unk = 0;
    v->bos = 1;
    v->eos = 2;
    while (cursor_left(&c) > 0) {
        if (!next_field(&c, &f))
            return damaged(&c, err);
        if (f.wire != 0)
            continue;
        int id = f.value < VOCAB_MAX_ID ? (int) f.value : -1;
        if (f.number == 3)
            p->is_bpe = f.value == 2;
        else if (f.number == 40)
            v->unk = id;
        else if (f.number == 41)
            v->bos = id;
        else if (f.number == 42)
            v->eos = id;
    }
    return true;
}

static bool read_normalizer(struct vocab *v, struct cursor c, struct err *err)
{
    struct field f;

    while (cursor_left(&c) > 0) {
        if (!next_field(&c, &f))
            return damaged(&c, err);
        if (f.number == 2 && f.wire == 2 && cursor_left(&f.nested) > 0)
            return err_set(err,
                           "the SentencePiece model normalizes text by a table of its own, "
                           "which is not supported");
        if (f.number == 3 && f.wire == 0)
            v->prefix = f.value ? PREFIX_ALWAYS : PREFIX_NONE;
        else if (f.number == 4 && f.wire == 0)
            v->squeeze = f.value != 0;
    }
    return true;
}

static bool read_message(struct vocab *v, struct pieces *p, struct cursor *c, struct err *err)
{
    struct field f;

    while (cursor_left(c) > 0) {
        bool ok = true;
        if (!next_field(c, &f))
            return damaged(c, err);
        if (f.wire != 2)
            continue;
        if (f.number == 1)
            ok = read_piece(v, p, f.nested, err);
        else if (f.number == 2)
            ok = read_trainer(v, p, f.nested, err);
        else if (f.number == 3)
            ok = read_normalizer(v, f.nested, err);
        if (!ok)
            return false;
    }
    if (p->n == 0)
        return err_set(err, "the SentencePiece model has no tokens");
    return p->is_bpe || err_set(err, "the SentencePiece model is not of type BPE; unigram and "
                                     "word models are not supported");
}

bool vocab_read_spm(struct vocab *v, const void *data, size_t size, struct err *err)
{
    struct pieces p = {0};
    struct cursor c;

    vocab_init(v, VOCAB_CHARS);
    v->prefix = PREFIX_ALWAYS;
    v->squeeze = v->fuse_unk = v->add_bos = true;
    cursor_init(&c, data, size);
    bool ok = read_message(v, &p, &c, err);
    if (ok) {
        vocab_index(v);
        ok = vocab_merge_by_scores(v, p.score, err) && vocab_finish(v, err);
    }
    free(p.score);
    if (!ok)
        vocab_release(v);
    return ok;
}
