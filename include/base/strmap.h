/*
 * A hash map from byte strings to int. Keys are borrowed: they must outlive the map.
 */
#ifndef GPTSCOPE_BASE_STRMAP_H
#define GPTSCOPE_BASE_STRMAP_H

#include <stdbool.h>
#include <stddef.h>

struct strmap; /* opaque: open addressing, seeded hash */

struct strmap *strmap_new(size_t expected);
void strmap_free(struct strmap *m); /* NULL is fine */
/* False, and nothing changed, when the key is already there. */
bool strmap_add(struct strmap *m, const char *key, size_t len, int value);
/* The value, or -1. */
int strmap_find(const struct strmap *m, const char *key, size_t len);

#endif
