/*
 * Base64 (RFC 4648, section 4), piece by piece.
 *
 *     struct base64 b = {0};
 *     base64_add(&b, bytes, n, &out);     // as often as there is more
 *     base64_end(&b, &out);
 */
#ifndef GPTSCOPE_BASE_BASE64_H
#define GPTSCOPE_BASE_BASE64_H

#include "base/str.h"

#include <stdint.h>

struct base64 {
    uint8_t held[3]; /* bytes that do not make a group of three yet */
    int n;
};

void base64_add(struct base64 *b, const void *bytes, size_t n, struct str *out);
void base64_end(struct base64 *b, struct str *out); /* pads; b can be used again */

#endif
