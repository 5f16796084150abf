/*
 * Text from strangers, made fit for a terminal or a log. Control characters (C0, C1, DEL),
 * bidirectional controls, zero-width and other invisible format characters, and bytes that are
 * not UTF-8 become visible escapes: \n \t \r \x1b \xff \u202e. A backslash stays as it is.
 * Runs of more than 4 combining marks are cut off.
 */
#ifndef GPTSCOPE_BASE_SAFE_H
#define GPTSCOPE_BASE_SAFE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum safe_space {
    SAFE_SPACE_KEEP, /* spaces as they are */
    SAFE_SPACE_DOT,  /* a space becomes a middle dot (U+00B7): token text */
};

void safe_add(struct str *out, const char *bytes, size_t n, enum safe_space space);
/* The same into a buffer of size > 0, cut at a whole character, always ended by a NUL. */
void safe_copy(char *out, size_t size, const char *bytes, size_t n, enum safe_space space);
/* False for a code point that safe_add would escape. */
bool safe_visible(uint32_t cp);

#endif
