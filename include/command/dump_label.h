/*
 * What the numbers of an array stand for: which layer, head, positions and tokens. For the
 * formats that people read.
 */
#ifndef GPTSCOPE_COMMAND_DUMP_LABEL_H
#define GPTSCOPE_COMMAND_DUMP_LABEL_H

#include "base/safe.h"
#include "command/dump_array.h"

struct dump_place {
    const char *value; /* "blocks.5.attn.pattern", also of one head; borrowed from the array */
    const char *what;  /* the same without "blocks.5." */
    int layer;         /* -1 outside blocks */
    int head;          /* of an array without the head's axis that holds one head; -1 */
    int first[3];      /* for each axis of the array, the index in the whole value that its
                          first element has */
};
void dump_place_of(const struct dump_array *a, struct dump_place *p);
/* The index in the whole value of element i on an axis of the array. */
int dump_index(const struct dump_array *a, const struct dump_place *p, int axis, int i);

bool dump_is_heads(enum axis axis); /* heads or kv heads */
/* True for what a file with the tokens' texts beside the numbers says already. */
bool dump_is_tokens(const struct dump_job *job, const struct dump_array *a);
/* The text of the token at a position: an index of the whole value, first[] included. UTF-8 as
 * dump_token_text gives it. */
void dump_pos_text(const struct dump_job *job, const struct dump_array *a, int pos,
                   struct str *out);
/* The text of a token of the vocabulary; nothing where the job has no session. */
void dump_vocab_text(const struct dump_job *job, int id, struct str *out);

#endif
