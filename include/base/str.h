/*
 * A string of bytes that grows. Always ends in a NUL that `len` does not count.
 *
 *     struct str s = STR_INIT;
 *     str_addf(&s, "%d tokens", n);
 *     puts(s.text);
 *     str_release(&s);
 */
#ifndef GPTSCOPE_BASE_STR_H
#define GPTSCOPE_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
    char *text; /* never NULL after the first str_add*; "" (static) before */
    size_t len, cap;
};

extern char str_empty[1];
#define STR_INIT                                                                               \
    {                                                                                          \
        str_empty, 0, 0                                                                        \
    }

void str_add(struct str *s, const void *bytes, size_t n);
void str_adds(struct str *s, const char *text);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *s, const char *fmt, va_list ap);
void str_insert(struct str *s, size_t at, const void *bytes, size_t n);
void str_cut(struct str *s, size_t at, size_t n); /* removes n bytes from at */
void str_clear(struct str *s);                    /* keeps the memory */
void str_release(struct str *s);
char *str_steal(struct str *s); /* the text is yours (free); s is empty again */

#endif
