#include "base/str.h"

#include "base/mem.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char str_empty[1];

/* Room for `more` bytes and the NUL. */
static void str_grow(struct str *s, size_t more)
{
    size_t need = s->len + more + 1, cap = s->cap;
    char *old = s->cap ? s->text : NULL;

    if (need <= cap)
        return;
    if (need < more)
        need = SIZE_MAX; /* xrealloc ends the program */
    cap = cap < 32 ? 32 : cap + cap / 2;
    if (cap < need)
        cap = need;
    s->text = xrealloc(old, cap, 1);
    s->text[s->len] = '\0';
    s->cap = cap;
}

void str_add(struct str *s, const void *bytes, size_t n)
{
    str_grow(s, n);
    if (n)
        memcpy(s->text + s->len, bytes, n);
    s->len += n;
    s->text[s->len] = '\0';
}

void str_adds(struct str *s, const char *text)
{
    str_add(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
    str_add(s, &c, 1);
}

void str_addf(struct str *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    str_vaddf(s, fmt, ap);
    va_end(ap);
}

void str_vaddf(struct str *s, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    str_grow(s, 0);
    n = vsnprintf(s->text + s->len, s->cap - s->len, fmt, ap);
    if (n < 0) { /* a %ls that cannot be converted: nothing is added */
        s->text[s->len] = '\0';
        n = 0;
    } else if ((size_t) n >= s->cap - s->len) {
        str_grow(s, (size_t) n);
        vsnprintf(s->text + s->len, s->cap - s->len, fmt, again);
    }
    va_end(again);
    s->len += (size_t) n;
}

void str_insert(struct str *s, size_t at, const void *bytes, size_t n)
{
    assert(at <= s->len);
    str_grow(s, n);
    memmove(s->text + at + n, s->text + at, s->len - at + 1);
    if (n)
        memcpy(s->text + at, bytes, n);
    s->len += n;
}

void str_cut(struct str *s, size_t at, size_t n)
{
    assert(at <= s->len && n <= s->len - at);
    if (n == 0)
        return;
    memmove(s->text + at, s->text + at + n, s->len - at - n + 1);
    s->len -= n;
}

void str_clear(struct str *s)
{
    s->len = 0;
    if (s->cap)
        s->text[0] = '\0';
}

void str_release(struct str *s)
{
    if (s->cap)
        free(s->text);
    *s = (struct str) STR_INIT;
}

char *str_steal(struct str *s)
{
    char *text;

    str_grow(s, 0);
    text = s->text;
    *s = (struct str) STR_INIT;
    return text;
}
