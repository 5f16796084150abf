/*
 * A vocabulary: every token as the raw bytes it stands for in text, the merges between them,
 * and what is done to text before it is cut into tokens. Filled by one of the readers, then
 * finished, then never changed.
 *
 *     struct vocab v;
 *     vocab_init(&v, VOCAB_BYTES);
 *     vocab_put(&v, 0, TOKEN_NORMAL, "a", 1);  ...  vocab_index(&v);
 *     vocab_merge(&v, "a", 1, "b", 1);         ...  vocab_finish(&v, &err);
 */
#ifndef GPTSCOPE_TEXT_VOCAB_H
#define GPTSCOPE_TEXT_VOCAB_H

#include "base/err.h"
#include "base/str.h"
#include "base/strmap.h"
#include "text/added.h"
#include "text/pairs.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of GGUF's token_type and SentencePiece's piece type. */
enum token_type {
    TOKEN_UNNAMED = 0, /* a gap in the ids */
    TOKEN_NORMAL = 1,
    TOKEN_UNKNOWN = 2,
    TOKEN_CONTROL = 3,
    TOKEN_USER = 4, /* found in any text, before merging */
    TOKEN_UNUSED = 5,
    TOKEN_BYTE = 6,
    TOKEN_TYPES
};

struct token {
    size_t at; /* of its bytes in vocab.bytes */
    uint32_t len;
    uint8_t type;
    bool lstrip, rstrip;   /* an added token that takes the white space beside it along */
    bool single_word;      /* ... that counts only when no letter touches it */
    bool outside_alphabet; /* byte-level: its text is not made of the 256 byte characters */
    bool in_model;         /* an added token that merging can make, too */
};

enum vocab_kind {
    VOCAB_BYTES, /* byte-level BPE: text starts out as bytes */
    VOCAB_CHARS, /* SentencePiece: text starts out as characters, spaces belong to words */
    VOCAB_NONE,  /* no text at all: a synthetic model */
};

/* Whether encoding puts a space before a stretch of text. */
enum prefix_rule { PREFIX_NONE, PREFIX_ALWAYS, PREFIX_UNLESS_SPACE };

enum { VOCAB_MAX_SPLITS = 8, VOCAB_MAX_ENDS = 16, VOCAB_MAX_ID = 1 << 24 };

struct vocab {
    enum vocab_kind kind;
    struct token *token;
    int n, cap;
    struct str bytes;    /* of all tokens */
    struct strmap *find; /* bytes -> id of the tokens that merging can make */
    struct pairs merges;
    struct added_set specials;       /* user-defined and control tokens, for TOKENIZE_SPECIAL */
    struct added_set users;          /* user-defined tokens only */
    int byte_id[256];                /* token of one byte, or -1 */
    int ascii_id[128];               /* token of one ASCII character, or -1 */
    int bos, eos, unk;               /* -1: none */
    int end[VOCAB_MAX_ENDS], n_ends; /* more ends of text, besides eos */
    bool add_bos;
    bool fuse_unk;      /* neighbouring unknown characters give one unk */
    bool ignore_merges; /* a piece that is a token is taken whole */
    bool nfc;           /* text is normalized to Unicode's form C first */
    bool squeeze;       /* runs of spaces become one, none at the ends */
    bool split_spaces;  /* no token reaches over the start of a word: cut there first */
    bool byte_fallback; /* tokenizer.json: its tokens <0x00> to <0xFF> stand for bytes */
    enum prefix_rule prefix;
    bool prefix_once;              /* only at the start of the text, not after special tokens */
    bool split_metaspace;          /* words are cut apart before merging */
    char *split[VOCAB_MAX_SPLITS]; /* regexes that cut text into pieces, in order */
    int n_splits;
};

void vocab_init(struct vocab *v, enum vocab_kind kind);
void vocab_release(struct vocab *v);

/* Gives id its bytes (copied). False with err set when the id is out of bounds or taken. */
bool vocab_put(struct vocab *v, int64_t id, enum token_type type, const char *bytes, size_t n,
               struct err *err);
/* The same from a byte-level file's text, in which each character stands for a byte. */
bool vocab_put_mapped(struct vocab *v, int64_t id, const char *text, size_t n, struct err *err);
const char *vocab_bytes(const struct vocab *v, int id, size_t *n); /* "" for unnamed ids */
bool vocab_add_split(struct vocab *v, const char *regex, struct err *err);
void vocab_add_end(struct vocab *v, int64_t id);

/* When all tokens are in: makes `find`. */
void vocab_index(struct vocab *v);
/* Tokens were put after that: `find` borrows their bytes, which may have moved. */
void vocab_reindex(struct vocab *v);
/* The next merge in rank; false when a part or the result is no token. */
bool vocab_merge(struct vocab *v, int rank, const char *left, size_t n_left, const char *right,
                 size_t n_right);
/* SentencePiece: the merges follow from the scores, one per token. False when one is not a
 * number. */
bool vocab_merge_by_scores(struct vocab *v, const float *score, struct err *err);
/* Last: special tokens and everything derived. */
bool vocab_finish(struct vocab *v, struct err *err);
/* It is found in text as a whole: special or user-defined. */
bool vocab_is_added(const struct vocab *v, int id);
/* A special or user-defined token by its text, or -1. */
int vocab_find_special(const struct vocab *v, const char *text, size_t n);

/* The byte alphabet of GPT-2: every byte as a printable character. */
int bytemap_byte(uint32_t cp); /* -1: not in the alphabet */
/* Appends the bytes of a text in that alphabet; false (and nothing added) for other texts. */
bool bytemap_decode(struct str *out, const char *text, size_t n);

/* SentencePiece writes a space as U+2581: appends text with spaces in its place. */
void metaspace_decode(struct str *out, const char *text, size_t n);
/* "<0x0A>" gives 10; -1 for other texts. */
int byte_token_value(const char *text, size_t n);

/* Regexes by name: "gpt-2", "llama3", "qwen2" */
extern const char regex_gpt2[], regex_llama3[], regex_qwen2[];

/* Readers. They fill a vocab and finish it; on failure it is released already. */
struct gguf;
bool vocab_read_gguf(struct vocab *v, const struct gguf *g, struct err *err);
bool vocab_read_json(struct vocab *v, const char *path, struct err *err);
bool vocab_read_spm(struct vocab *v, const void *data, size_t size, struct err *err);
/* tokenizer_config.json, special_tokens_map.json, config.json and generation_config.json of a
 * folder: BOS, EOS, whether a BOS is added. Those that are missing are passed over. */
bool vocab_read_folder(struct vocab *v, const char *folder, struct err *err);

/* Parts of tokenizer.json (src/text/vocab_pipe.c). */
bool vocab_json_kind(const json_t *root, enum vocab_kind *kind, struct err *err);
bool vocab_json_pipe(struct vocab *v, const json_t *root, struct err *err);

#endif
