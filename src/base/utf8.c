#include "base/utf8.h"

#include <utf8proc.h>

int utf8_decode(const char *s, size_t n, uint32_t *cp)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t len;

    if (n == 0)
        return 0;
    if ((unsigned char) s[0] < 0x80) {
        *cp = (unsigned char) s[0];
        return 1;
    }
    len = utf8proc_iterate((const utf8proc_uint8_t *) s, n < 4 ? (utf8proc_ssize_t) n : 4, &c);
    if (len <= 0)
        return 0;
    *cp = (uint32_t) c;
    return (int) len;
}

int utf8_encode(uint32_t cp, char out[4])
{
    if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        cp = 0xfffd;
    return (int) utf8proc_encode_char((utf8proc_int32_t) cp, (utf8proc_uint8_t *) out);
}

bool utf8_valid(const char *s, size_t n)
{
    size_t at = 0;

    while (at < n) {
        uint32_t cp;
        int len = utf8_decode(s + at, n - at, &cp);
        if (len == 0)
            return false;
        at += (size_t) len;
    }
    return true;
}

/* The length that a first byte announces; 0 when no character begins with it. */
static size_t lead_length(unsigned char b)
{
    if (b >= 0xc2 && b <= 0xdf)
        return 2;
    if (b >= 0xe0 && b <= 0xef)
        return 3;
    if (b >= 0xf0 && b <= 0xf4)
        return 4;
    return 0;
}

/* Overlong forms, surrogates and what is above U+10FFFF show in the second byte. */
static bool second_fits(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second < 0xa0;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second < 0x90;
    default:
        return true;
    }
}

size_t utf8_tail(const char *s, size_t n)
{
    for (size_t k = 1; k <= 3 && k <= n; k++) {
        const unsigned char *p = (const unsigned char *) s + n - k;
        if ((*p & 0xc0) == 0x80)
            continue;
        if (lead_length(*p) <= k)
            return 0;
        return k == 1 || second_fits(p[0], p[1]) ? k : 0;
    }
    return 0;
}

/* Where terminals (and the C library's wcwidth) differ from utf8proc: a spacing mark has a cell
 * of its own, the later parts of a Hangul syllable written in parts have none. */
void utf8_print(const char *s, size_t n, struct str *out)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = s[i] ? utf8_decode(s + i, n - i, &cp) : 0;
        if (len)
            str_add(out, s + i, (size_t) len);
        else
            str_addf(out, "\\x%02x", (unsigned char) s[i]);
        i += len ? (size_t) len : 1;
    }
}

int utf8_cp_width(uint32_t cp)
{
    const utf8proc_property_t *p;

    if (cp < 0x7f)
        return cp >= 0x20;
    if ((cp >= 0x1160 && cp <= 0x11ff) || (cp >= 0xd7b0 && cp <= 0xd7ff))
        return 0;
    p = utf8proc_get_property((utf8proc_int32_t) cp);
    if (p->category == UTF8PROC_CATEGORY_MC)
        return 1;
    return p->charwidth;
}

int utf8_width(const char *s, size_t n)
{
    int used;

    utf8_fit(s, n, INT32_MAX, &used);
    return used;
}

size_t utf8_fit(const char *s, size_t n, int cells, int *used)
{
    size_t at = 0;
    int width = 0;

    while (at < n) {
        uint32_t cp;
        int len = utf8_decode(s + at, n - at, &cp);
        int w = len ? utf8_cp_width(cp) : 1;
        if (w > cells - width)
            break;
        width += w;
        at += len ? (size_t) len : 1;
    }
    if (used)
        *used = width;
    return at;
}
