#include "base/wrap.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool one_of(uint32_t cp, const uint32_t *list)
{
    for (; *list; list++)
        if (*list == cp)
            return true;
    return false;
}

/* May not begin a line: closing quotes and brackets, and what ends a clause. */
static bool closes(uint32_t cp)
{
    static const uint32_t list[] = {0x3001, 0x3002, 0xff0c, 0xff01, 0xff1f, 0xff1b, 0xff1a,
                                    0xff09, 0x300d, 0x300f, 0x300b, 0x3011, 0x201d, 0x2019,
                                    ',',    '.',    '!',    '?',    ';',    ':',    ')',
                                    ']',    '}',    '%',    0x2026, 0};

    return one_of(cp, list);
}

/* May not end one. */
static bool opens(uint32_t cp)
{
    static const uint32_t list[] = {0xff08, 0x300c, 0x300e, 0x300a, 0x3010, 0x201c,
                                    0x2018, '(',    '[',    '{',    0};

    return one_of(cp, list);
}

/* May a line end between two characters that stand side by side? */
static bool may_break(uint32_t before, uint32_t after)
{
    bool wide = utf8_cp_width(before) == 2 || utf8_cp_width(after) == 2;

    return wide && !closes(after) && !opens(before);
}

size_t wrap_line(const char *s, size_t n, int cells, const char **next)
{
    size_t at = 0, end = 0, after = 0; /* the last place to break: line [0, end), then after */
    uint32_t cp, before = 0;
    int used = 0;

    while (at < n && s[at] != '\n') {
        int len = utf8_decode(s + at, n - at, &cp);
        len = len ? len : 1;
        if (cp == ' ' && before != ' ') {
            end = at;
            after = at + 1;
        } else if (at > 0 && before != ' ' && may_break(before, cp)) {
            end = after = at;
        }
        used += utf8_cp_width(cp);
        if (used > cells && cp != ' ') {
            if (end == 0) /* no place to break */
                end = after = at > 0 ? at : (size_t) len;
            *next = s + after;
            return end;
        }
        at += (size_t) len;
        before = cp;
    }
    *next = s + at + (at < n);
    while (at > 0 && s[at - 1] == ' ')
        at--;
    return at;
}

/* --- lists --- */

/* Where further lines of s[0..n) begin: below the text after its last gap of two blanks in the
 * first two thirds of a line, or below its first word. */
static int hanging(const char *s, size_t n, int cells)
{
    size_t lead = strspn(s, " ");
    int hang = (int) lead, at = hang;

    for (size_t i = lead; i < n && at <= cells * 2 / 3;) {
        uint32_t cp;
        int len = utf8_decode(s + i, n - i, &cp);
        if (i > lead + 1 && s[i] != ' ' && s[i - 1] == ' ' && s[i - 2] == ' ')
            hang = at;
        at += len > 0 ? utf8_cp_width(cp) : 1;
        i += len > 0 ? (size_t) len : 1;
    }
    return hang <= cells * 2 / 3 ? hang : 0;
}

static void wrap_row(const char *s, size_t n, int cells, struct str *out)
{
    int hang = hanging(s, n, cells), used = 0;
    const char *next;

    for (const char *end = s + n; s < end; s = next) {
        size_t take = wrap_line(s, (size_t) (end - s), cells - used, &next);
        str_addf(out, "%*s%.*s\n", used, "", (int) take, s);
        used = hang;
        while (next < end && *next == ' ')
            next++;
    }
}

void wrap_rows(struct str *out, size_t from, int cells)
{
    char *text = xstrndup(out->text + from, out->len - from);

    str_cut(out, from, out->len - from);
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        if (n == 0)
            str_addc(out, '\n');
        else
            wrap_row(p, n, cells, out);
        p += n + (p[n] == '\n');
    }
    free(text);
}
