/*
 * Two ways of writing bytes as visible text.
 *
 * GPT-2 gives every byte a printable character, so that a vocabulary file needs no escapes:
 *
 *     byte   0..32      33..126   127..160    161..172   173   174..255
 *     char   U+0100..   itself    U+0121..    itself     U+0143 itself
 */
#include "base/utf8.h"
#include "text/vocab.h"

#include <string.h>

static bool stands_for_itself(uint32_t b)
{
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
}

int bytemap_byte(uint32_t cp)
{
    if (cp < 256)
        return stands_for_itself(cp) ? (int) cp : -1;
    if (cp <= 0x120)
        return (int) cp - 0x100;
    if (cp <= 0x142)
        return (int) cp - 0x121 + 127;
    return cp == 0x143 ? 173 : -1;
}

bool bytemap_decode(struct str *out, const char *text, size_t n)
{
    size_t before = out->len;

    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = utf8_decode(text + i, n - i, &cp);
        int byte = len > 0 ? bytemap_byte(cp) : -1;
        if (byte < 0) {
            str_cut(out, before, out->len - before);
            return false;
        }
        str_addc(out, (char) byte);
        i += (size_t) len;
    }
    return true;
}

void metaspace_decode(struct str *out, const char *text, size_t n)
{
    static const char mark[] = "\xe2\x96\x81"; /* U+2581 */

    for (size_t i = 0; i < n;) {
        const char *at = memmem(text + i, n - i, mark, 3);
        size_t plain = at ? (size_t) (at - (text + i)) : n - i;
        str_add(out, text + i, plain);
        i += plain;
        if (at) {
            str_addc(out, ' ');
            i += 3;
        }
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int byte_token_value(const char *text, size_t n)
{
    int high, low;

    if (n != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>')
        return -1;
    high = hex_digit(text[3]);
    low = hex_digit(text[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}
