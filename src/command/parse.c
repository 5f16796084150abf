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
    for (int i = 0; i < w->n; i++) {
        free(w->item[i].text);
        free(w->item[i].full);
    }
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

/* The length of a backslash and the line end after it at p; 0: there is none. */
static size_t join_length(const char *p)
{
    if (p[0] != '\\')
        return 0;
    return p[1] == '\n' ? 2 : p[1] == '\r' && p[2] == '\n' ? 3 : 0;
}

void join_lines(const char *text, size_t n, struct str *out)
{
    for (size_t i = 0; i < n;) {
        size_t join = join_length(text + i);
        if (join == 0)
            str_addc(out, text[i]);
        i += join ? join : 1;
    }
}

static bool not_closed(struct words *w, const char *line, size_t at, struct err *err)
{
    size_t column = 1, lines = 1;

    w->open = true;
    w->quote = at;
    for (size_t i = 0; i < at; i++) {
        lines += line[i] == '\n';
        column = line[i] == '\n' ? 1 : column + ((line[i] & 0xc0) != 0x80);
    }
    for (size_t i = w->begin; i < at; i++)
        if (line[i] == '\n') /* not the line that the command begins in */
            return err_set(err, "the quote at line %zu, column %zu is not closed", lines,
                           column);
    return err_set(err, "the quote at column %zu is not closed", column);
}

/* What stands at line[*i] in quotes. */
static bool quoted_char(const char *line, size_t *i, struct str *out, struct err *err)
{
    size_t n = join_length(line + *i);

    if (n == 0 && line[*i] != '\\') {
        if (line[*i] != '\r' || line[*i + 1] != '\n')
            str_addc(out, line[*i]);
        n = 1;
    } else if (n == 0) {
        n = (size_t) escape(line + *i + 1, out);
        if (n == 0)
            return err_set(err,
                           "no escape begins '\\%.1s'; there are \\n \\t \\r \\\" \\\\ "
                           "\\xHH \\uHHHH",
                           line + *i + 1);
        n++;
    }
    *i += n;
    return true;
}

/* A quoted word; line[*at] is the opening quote. */
static bool quoted_word(struct words *w, const char *line, size_t *at, struct str *out,
                        struct err *err)
{
    size_t i = *at + 1;

    while (line[i] && line[i] != '"') {
        if (line[i] == '\\' && !line[i + 1])
            return not_closed(w, line, *at, err);
        if (!quoted_char(line, &i, out, err))
            return false;
    }
    if (!line[i])
        return not_closed(w, line, *at, err);
    i++;
    if (!is_blank(line[i]) && !ends_command(line[i]) && !join_length(line + i))
        return err_set(err, "a blank is missing after the closing quote at column %zu", i);
    *at = i;
    return true;
}

static bool one_word(struct words *w, const char *line, size_t *at, struct err *err)
{
    struct str text = STR_INIT;
    struct word word = {NULL, line[*at] == '"', *at, 0, NULL};

    if (word.quoted && !quoted_word(w, line, at, &text, err)) {
        str_release(&text);
        return false;
    }
    while (!word.quoted && !is_blank(line[*at]) && !ends_command(line[*at])) {
        size_t join = join_length(line + *at);
        if (join == 0)
            str_addc(&text, line[*at]);
        *at += join ? join : 1;
    }
    word.end = *at;
    word.text = text.len ? str_steal(&text) : xstrdup("");
    VEC_ROOM(w->item, w->n, w->cap);
    w->item[w->n++] = word;
    w->end = word.end;
    return true;
}

/* To the next word, over blanks, joined lines and a comment. */
static void skip(const char *line, size_t *at)
{
    for (;;) {
        size_t join = join_length(line + *at);
        if (join == 0 && !is_blank(line[*at]))
            break;
        *at += join ? join : 1;
    }
    if (line[*at] == '#')
        while (line[*at] && line[*at] != '\n')
            ++*at;
}

bool words_next(struct words *w, const char *line, size_t *at, struct err *err)
{
    memset(w, 0, sizeof *w);
    skip(line, at);
    w->begin = *at;
    for (; !ends_command(line[*at]); skip(line, at)) {
        if (!one_word(w, line, at, err)) {
            struct words failed = {.begin = w->begin, .open = w->open, .quote = w->quote};
            words_release(w);
            *w = failed;
            return false;
        }
    }
    if (line[*at])
        ++*at;
    return true;
}

bool words_open(const char *text)
{
    struct err unheard = ERR_INIT;
    size_t n = strlen(text);
    bool open = false;

    for (size_t at = 0; !open && at < n;) {
        struct words w;
        if (!words_next(&w, text, &at, &unheard))
            return w.open;
        const struct word *last = w.n > 0 ? &w.item[w.n - 1] : NULL;
        open = last && !last->quoted && last->end == n && text[n - 1] == '\\';
        words_release(&w);
    }
    return open;
}

/* --- in one line --- */

/* A quoted word as it was typed, but for line ends. */
static void print_quoted(const char *text, size_t n, struct str *out)
{
    for (size_t i = 0; i < n;) {
        size_t join = join_length(text + i);
        if (join == 0 && text[i] == '\\')
            str_addc(out, text[i++]);
        if (join == 0 && text[i] == '\n')
            str_adds(out, "\\n");
        else if (join == 0 && (text[i] != '\r' || text[i + 1] != '\n'))
            str_addc(out, text[i]);
        i += join ? join : 1;
    }
}

void words_print(const struct words *w, const char *line, struct str *out)
{
    size_t at = w->n > 0 ? w->item[0].at : 0;

    for (int i = 0; i < w->n; i++) {
        const struct word *word = &w->item[i];
        join_lines(line + at, word->at - at, out);
        if (word->full)
            str_adds(out, word->full);
        else if (word->quoted)
            print_quoted(line + word->at, word->end - word->at, out);
        else
            join_lines(line + word->at, word->end - word->at, out);
        at = word->end;
    }
}

void words_one_line(const char *text, struct str *out)
{
    struct err unheard = ERR_INIT;
    size_t begin = out->len;

    for (size_t at = 0; text[at];) {
        struct words w;
        if (!words_next(&w, text, &at, &unheard)) {
            str_cut(out, begin, out->len - begin);
            for (const char *p = text; *p; p++)
                str_addc(out, *p == '\n' ? ' ' : *p);
            return;
        }
        if (w.n > 0 && out->len > begin)
            str_adds(out, "; ");
        words_print(&w, text, out);
        words_release(&w);
    }
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
