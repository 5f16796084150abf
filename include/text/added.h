/*
 * Texts that stand for one token wherever they occur (special tokens, user-defined ones): finds
 * the leftmost, and of those the longest.
 */
#ifndef GPTSCOPE_TEXT_ADDED_H
#define GPTSCOPE_TEXT_ADDED_H

#include <stddef.h>
#include <stdint.h>

struct added {
    const char *text; /* borrowed */
    size_t len;       /* > 0 */
    int id;
};

struct added_set {
    struct added *item; /* sorted by text once added_sort was called */
    int n, cap;
    int first[257]; /* items that begin with byte b: first[b] .. first[b + 1] */
};

void added_init(struct added_set *s);
void added_release(struct added_set *s);
void added_add(struct added_set *s, const char *text, size_t len, int id);
void added_sort(struct added_set *s);
/* The longest item that begins at text[0], or NULL. */
const struct added *added_at(const struct added_set *s, const char *text, size_t n);
/* The item that is this text, or NULL. */
const struct added *added_find(const struct added_set *s, const char *text, size_t n);

#endif
