/*
 * Memory of two kinds. Small things (lists, names, lines) use the x-functions, which end the
 * program when there is none left. Things as large as a model or a context use big_alloc, which
 * can fail and says how much was needed; its pages are zero and take room only once written.
 */
#ifndef GPTSCOPE_BASE_MEM_H
#define GPTSCOPE_BASE_MEM_H

#include "base/err.h"

#include <stddef.h>

/* Hidden: readline calls functions named xmalloc and xrealloc, and must find its own. */
#pragma GCC visibility push(hidden)
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size); /* n * size is checked for overflow */
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#pragma GCC visibility pop

/* Room for one more element in a growing array: VEC_ROOM(list->item, list->n, list->cap); */
#define VEC_ROOM(ptr, n, cap)                                                                  \
    do {                                                                                       \
        if ((n) == (cap)) {                                                                    \
            (cap) = (cap) ? (cap) *2 : 8;                                                      \
            (ptr) = xrealloc((ptr), (size_t) (cap), sizeof *(ptr));                            \
        }                                                                                      \
    } while (0)

/* a * b, or false when the product does not fit a size_t. */
bool size_mul(size_t a, size_t b, size_t *product);

/* Zeroed, 64-byte aligned. NULL with err set ("not enough memory for WHAT") on failure. */
void *big_alloc(size_t bytes, const char *what, struct err *err);
void big_free(void *p, size_t bytes); /* bytes as given to big_alloc; p may be NULL */

#endif
