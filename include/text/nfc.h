/*
 * Unicode's normalization form C, in linear time whatever the text (utf8proc's own ordering of
 * marks takes the square of their number).
 */
#ifndef GPTSCOPE_TEXT_NFC_H
#define GPTSCOPE_TEXT_NFC_H

#include "base/str.h"

/* Appends text in form C; bytes that are not UTF-8 stay. */
void nfc_add(struct str *out, const char *text, size_t n);

#endif
