/* What a tokenizer is made of: for the files of the text layer only. */
#ifndef GPTSCOPE_TEXT_TOKENIZER_STATE_H
#define GPTSCOPE_TEXT_TOKENIZER_STATE_H

#include "text/bpe.h"
#include "text/pretok.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

struct tokenizer {
    struct vocab vocab;
    struct pretok *pretok; /* byte-level only */
};

#endif
