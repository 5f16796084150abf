/*
 * Encoding, stage by stage: normalize a stretch of text, cut it into pieces, begin each piece
 * with one symbol for each byte or character. What becomes of the symbols is the caller's
 * affair: encoding merges them, the log of merges watches. For the files of the text layer
 * only.
 */
#ifndef GPTSCOPE_TEXT_ENCODER_H
#define GPTSCOPE_TEXT_ENCODER_H

#include "text/bpe.h"
#include "text/tokenizer_state.h"

struct encoder;

/* A piece's symbols lie in e->bpe, not merged yet; `whole` is the token that the piece is taken
 * for without merging, or -1. */
typedef void encoder_piece(struct encoder *e, const char *piece, size_t n, int whole);

struct encoder {
    const struct tokenizer *t;
    encoder_piece *take;
    void *arg; /* of take */
    struct bpe bpe;
    const char *stretch; /* being cut; pieces point into it */
    size_t at;           /* where it stands in the text, for messages */
};

/* The stretch as it is cut: appended to out, with the space that some tokenizers put before it.
 * False, and nothing added, when it is taken as it is. at_start: it begins the text. */
bool encoder_normalize(const struct vocab *v, const char *text, size_t n, bool at_start,
                       struct str *out);
/* Hands over the pieces of a normalized stretch. */
bool encoder_cut(struct encoder *e, const char *text, size_t n, struct err *err);

#endif
