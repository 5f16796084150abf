/*
 * A list of prompts: a text file with one a line, or JSON lines when its name ends in .jsonl.
 * "-" is standard input, text.
 *
 *     Tom gave the red ball to Anna.
 *
 *     {"prompt": "Tom gave", "id": "a"}       other members are not looked at
 *     {"ids": [51, 370, 379]}
 *
 * Empty lines are no prompts; a line of blanks is one. A line may have at most 16 MB.
 */
#ifndef GPTSCOPE_UI_PROMPTS_H
#define GPTSCOPE_UI_PROMPTS_H

#include "base/err.h"
#include "base/str.h"
#include "text/tokenizer.h"

#include <stdbool.h>

struct prompts; /* opaque: the file while it is read */

struct prompt {
    long line, number; /* both from 1; the number counts prompts */
    struct str text;
    bool has_ids; /* ids in place of a text */
    struct ids ids;
    char *id; /* as JSON gives it; NULL */
};

struct prompts *prompts_open(const char *path, struct err *err);
void prompts_close(struct prompts *p); /* NULL is fine */
/* How many there are, before the first is read; 0: not known, it is no regular file. */
long prompts_count(struct prompts *p);

/* BAD: this line is none, err says why, the next may be fine. FAILED: reading is over. What a
 * prompt holds lives until the next call. */
enum prompts_got { PROMPTS_ONE, PROMPTS_END, PROMPTS_BAD, PROMPTS_FAILED };
enum prompts_got prompts_next(struct prompts *p, const struct prompt **prompt, struct err *err);

#endif
