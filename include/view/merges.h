/*
 * The word under the cursor, with the merges that make its tokens.
 *
 *     struct merge_word w;
 *     if (merge_word_read(s, &w, &err))
 *         w.log.step[0] ...
 *     merge_word_release(&w);      // whatever the result
 */
#ifndef GPTSCOPE_VIEW_MERGES_H
#define GPTSCOPE_VIEW_MERGES_H

#include "session/session.h"

/* Tokens [begin, end) of the session that make up a word, and its merges. */
struct merge_word {
    int begin, end;
    struct str text;
    struct merge_log log;
    bool as_read; /* the log ends in these very tokens */
};

/* The session has tokens. Fails for special tokens, and for words too long to show. */
bool merge_word_read(const struct session *s, struct merge_word *w, struct err *err);
void merge_word_release(struct merge_word *w);

#endif
