/*
 * Text to token ids and back.
 *
 *     struct tokenizer *t = tokenizer_open(path, &err); // or tokenizer_of(model, &err)
 *     tokenizer_encode(t, text, n, TOKENIZE_SPECIAL, &ids, &err);
 *
 * Byte-level BPE (GPT-2's byte map, pre-tokenizer regex through PCRE2, merges by rank) and
 * SentencePiece BPE (merges by score, byte fall-back), read from GGUF metadata, tokenizer.json
 * or tokenizer.model.
 */
#ifndef GPTSCOPE_TEXT_TOKENIZER_H
#define GPTSCOPE_TEXT_TOKENIZER_H

#include "base/err.h"
#include "base/str.h"
#include "model/model.h"

#include <stdbool.h>
#include <stdint.h>

struct tokenizer; /* opaque, immutable */

/* The tokenizer that belongs to a model; its size is held against n_vocab. A synthetic model
 * has one token "<id>" per id and cannot encode text. */
struct tokenizer *tokenizer_of(const struct model *m, struct err *err);
/* From a file or folder, with or without weights: GGUF, tokenizer.json, tokenizer.model, an HF
 * folder, a built-in's name. */
struct tokenizer *tokenizer_open(const char *path, struct err *err);
void tokenizer_free(struct tokenizer *t);

const char *
tokenizer_kind(const struct tokenizer *t); /* "byte-level BPE", "SentencePiece BPE" */
int tokenizer_n_vocab(const struct tokenizer *t);
int tokenizer_bos(const struct tokenizer *t); /* -1: none */
int tokenizer_eos(const struct tokenizer *t);
bool tokenizer_adds_bos(const struct tokenizer *t);       /* the file says a BOS is put first */
bool tokenizer_is_end(const struct tokenizer *t, int id); /* end of text, for generation */
bool tokenizer_is_special(const struct tokenizer *t, int id);

struct ids {
    int32_t *id;
    int n, cap;
};
#define IDS_INIT                                                                               \
    {                                                                                          \
        0, 0, 0                                                                                \
    }
void ids_add(struct ids *ids, int32_t id);
void ids_release(struct ids *ids);

enum {
    TOKENIZE_SPECIAL = 1 /* special tokens' text gives their ids */,
    TOKENIZE_BOS = 2 /* BOS first, if the file says so */
};

/* Appends. Fails only for text that the tokenizer has no tokens for; says where. Any bytes are
 * fine as text; time is near-linear in n, also for a megabyte without spaces. */
bool tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, int flags,
                      struct ids *ids, struct err *err);

/* Each merge of a text of at most 2048 bytes, in order, for the merge view: pieces [0,
 * n_pieces) after the merge lie in `cuts` as byte offsets into log.text (n_pieces + 1 of them).
 * The last step's pieces are those that tokenizer_encode (without special tokens) makes. */
struct merge_step {
    int left, right, result; /* token ids; -1, -1, -1 for the starting state; -1, -1, id when
                                a piece is taken for a token without merging */
    int rank;                /* of the merge; -1 in those two cases */
    int n_pieces;
    int *cuts;
};
struct merge_log {
    struct merge_step *step;
    int n, cap;
    char *text; /* as the tokenizer cuts it: with SentencePiece's space in front, in form C */
    size_t n_text;
};
#define MERGE_LOG_INIT                                                                         \
    {                                                                                          \
        0, 0, 0, 0, 0                                                                          \
    }
/* Into a log that was initialized; what it held is released first. */
bool tokenizer_merges(const struct tokenizer *t, const char *text, size_t n,
                      struct merge_log *log, struct err *err);
void merge_log_release(struct merge_log *log);

/* The bytes of one token as it stands in text; borrowed, may be half a character. Special
 * tokens give their text. ids out of range give "" and false. */
bool tokenizer_bytes(const struct tokenizer *t, int id, const char **bytes, size_t *n);
/* The same made fit for a screen: spaces as middle dots, control characters as escapes, half
 * characters as \xNN. Ids without a token give "[id]". Returns buf. */
char *tokenizer_label(const struct tokenizer *t, int id, char *buf, size_t size);

/* Appends the text of ids, byte for byte. (SentencePiece: the first piece's space is dropped,
 * as encode put it there; after a special token, too.) */
void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, int n, struct str *out);

/* Streaming: feed ids, take what is whole. Never gives half a UTF-8 character; at the end, what
 * is left comes out as U+FFFD. */
struct decoder {
    const struct tokenizer *tokenizer;
    char held[8];
    int n_held;
    bool begun; /* a space that comes next belongs to the text */
};
void decoder_init(struct decoder *d, const struct tokenizer *t);
/* For tokens that go on after `last`: the first one's space is kept where it parts words. */
void decoder_init_after(struct decoder *d, const struct tokenizer *t, int last);
void decoder_feed(struct decoder *d, int id, struct str *out);
void decoder_finish(struct decoder *d, struct str *out);

#endif
