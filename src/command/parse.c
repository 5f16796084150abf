/* The lexer of the command language. */
#include "command/parse.h"

#include "base/mem.h"
#include "base/safe.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_command(char c)
{
    return c == '\0' || c == ';' || c == '\n';
}

void words_release(struct words *w)
{
    for (int i = 0; i < w->n; i++)
        free(w->item[i].text);
    free(w->item);
    memset(w, 0, sizeof *w);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char) tolower((unsigned char) c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Adds what the escape at p (after the backslash) stands for; its length, 0 when it is none. */
static int escape(const char *p, struct str *out)
{
    static const char from[] = "ntr\"\\", to[] = "\n\t\r\"\\";
    const char *at = *p ? strchr(from, *p) : NULL;
    int digits = *p == 'x' ? 2 : *p == 'u' ? 4 : *p == 'U' ? 8 : 0;
    uint32_t cp = 0;
    char utf8[4];

    if (at)
        str_addc(out, to[at - from]);
    if (at)
        return 1;
    for (int i = 1; i <= digits; i++) {
        if (hex_digit(p[i]) < 0)
            return 0;
        cp = cp << 4 | (uint32_t) hex_digit(p[i]);
    }
    if (cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return 0;
    if (digits == 2)
        str_addc(out, (char) cp); /* a byte, not a code point */
    else
        str_add(out, utf8, (size_t) utf8_encode(cp, utf8));
    return 1 + digits;
}

/* A quoted word; line[*at] is the opening quote. */
static bool quoted_word(const char *line, size_t *at, struct str *out, struct err *err)
{
    size_t i = *at + 1;
    int n;

    while (line[i] && line[i] != '"') {
        if (line[i] != '\\') {
            str_addc(out, line[i++]);
            continue;
        }
        n = escape(line + i + 1, out);
        if (n == 0)
            return err_set(err,
                           "no escape begins '\\%.1s'; there are \\n \\t \\r \\\" \\\\ "
                           "\\xHH \\uHHHH",
                           line + i + 1);
        i += 1 + (size_t) n;
    }
    if (!line[i])
        return err_set(err, "the quote at column %zu is not closed", *at + 1);
    i++;
    if (!is_blank(line[i]) && !ends_command(line[i]))
        return err_set(err, "a blank is missing after the closing quote at column %zu", i);
    *at = i;
    return true;
}

static bool one_word(struct words *w, const char *line, size_t *at, struct err *err)
{
    struct str text = STR_INIT;
    struct word word = {NULL, line[*at] == '"', *at, 0};

    if (word.quoted && !quoted_word(line, at, &text, err)) {
        str_release(&text);
        return false;
    }
    if (!word.quoted) {
        while (!is_blank(line[*at]) && !ends_command(line[*at]))
            ++*at;
        str_add(&text, line + word.at, *at - word.at);
    }
    word.end = *at;
    word.text = text.len ? str_steal(&text) : xstrdup("");
    VEC_ROOM(w->item, w->n, w->cap);
    w->item[w->n++] = word;
    w->end = word.end;
    return true;
}

bool words_next(struct words *w, const char *line, size_t *at, struct err *err)
{
    memset(w, 0, sizeof *w);
    for (;;) {
        while (is_blank(line[*at]))
            ++*at;
        if (line[*at] == '#')
            while (line[*at] && line[*at] != '\n')
                ++*at;
        if (ends_command(line[*at]))
            break;
        if (!one_word(w, line, at, err)) {
            words_release(w);
            return false;
        }
    }
    if (line[*at])
        ++*at;
    return true;
}

void quote_print(const char *text, size_t n, struct str *out)
{
    str_addc(out, '"');
    while (n > 0) {
        const char *stop = text;
        while (stop < text + n && *stop != '"' && *stop != '\\')
            stop++;
        safe_add(out, text, (size_t) (stop - text), SAFE_SPACE_KEEP);
        n -= (size_t) (stop - text);
        text = stop;
        if (n > 0) {
            str_addf(out, "\\%c", *text++);
            n--;
        }
    }
    str_addc(out, '"');
}

size_t choice_word(const char *words, int i, const char **word)
{
    size_t n = 0;

    for (*word = words; i >= 0; i--) {
        *word += n;
        *word += strspn(*word, " ");
        n = strcspn(*word, " ");
    }
    return n;
}

void choice_print(const char *words, struct str *out)
{
    const char *word, *next;
    size_t n;

    for (int i = 0; (n = choice_word(words, i, &word)) > 0; i++) {
        if (i > 0)
            str_adds(out, choice_word(words, i + 1, &next) ? ", " : " or ");
        str_add(out, word, n);
    }
}
