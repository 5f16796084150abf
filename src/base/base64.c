#include "base/base64.h"

static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_group(const uint8_t p[3], char out[4])
{
    uint32_t bits = (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];

    for (int i = 0; i < 4; i++)
        out[i] = digit[bits >> (18 - 6 * i) & 63];
}

void base64_add(struct base64 *b, const void *bytes, size_t n, struct str *out)
{
    const uint8_t *p = bytes, *end = p + n;
    char text[4 * 256];
    size_t len = 0;

    while (p < end) {
        if (b->n == 0 && end - p >= 3) {
            put_group(p, text + len);
            p += 3;
        } else {
            b->held[b->n++] = *p++;
            if (b->n < 3)
                continue;
            put_group(b->held, text + len);
            b->n = 0;
        }
        len += 4;
        if (len == sizeof text) {
            str_add(out, text, len);
            len = 0;
        }
    }
    str_add(out, text, len);
}

void base64_end(struct base64 *b, struct str *out)
{
    char text[4];

    if (b->n == 0)
        return;
    for (int i = b->n; i < 3; i++)
        b->held[i] = 0;
    put_group(b->held, text);
    for (int i = b->n + 1; i < 4; i++)
        text[i] = '=';
    str_add(out, text, 4);
    b->n = 0;
}
