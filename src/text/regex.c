/*
 * Tokenizer files write their regexes for Oniguruma. PCRE2 reads nearly the same language; what
 * differs is written out here: \s is Unicode's White_Space (PCRE2's counts U+180E, too), \w has
 * marks and connectors, \h is a hexadecimal digit. What cannot be said is refused.
 */
#include "text/pretok.h"

#include "text/vocab.h"

#include <string.h>

// clang-format off
const char regex_gpt2[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const char regex_llama3[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const char regex_qwen2[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/* What a short form stands for inside [...]; NULL: cannot be said there. */
static const struct short_form {
    char letter, positive; /* outside a class: [inside] or, for a capital, [^of the small one] */
    const char *inside;
} short_forms[] = {
    {'s', 's', "\\t-\\r\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"
               "\\x{202f}\\x{205f}\\x{3000}"},
    {'S', 's', "\\x00-\\x08\\x0e-\\x1f\\x21-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}"
               "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}"
               "\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"},
    {'w', 'w', "\\p{L}\\p{M}\\p{Nd}\\p{Pc}"},
    {'W', 'w', NULL},
    {'h', 'h', "0-9a-fA-F"},
    {'H', 'h', NULL},
};
// clang-format on

static const struct short_form *find_short_form(char letter)
{
    for (size_t i = 0; i < sizeof short_forms / sizeof *short_forms; i++) {
        if (short_forms[i].letter == letter)
            return &short_forms[i];
    }
    return NULL;
}

static bool add_escape(struct str *out, char letter, bool in_class, struct err *err)
{
    const struct short_form *f = find_short_form(letter);

    if (letter == 'Q' || letter == 'K' || letter == 'C' || letter == 'G')
        return err_set(err, "\\%c is not supported", letter);
    if (!f) {
        str_addc(out, '\\');
        str_addc(out, letter);
    } else if (in_class) {
        if (!f->inside)
            return err_set(err, "\\%c inside [...] is not supported", letter);
        str_adds(out, f->inside);
    } else {
        str_addf(out, "[%s%s]", f->letter == f->positive ? "" : "^",
                 find_short_form(f->positive)->inside);
    }
    return true;
}

/* Copies a class from its '[' on. Returns what follows its ']', or NULL with err set. */
static const char *add_class(struct str *out, const char *p, struct err *err)
{
    str_addc(out, *p++);
    if (*p == '^')
        str_addc(out, *p++);
    if (*p == ']')
        str_addc(out, *p++);
    while (*p && *p != ']') {
        if (*p == '[' && p[1] != ':') {
            err_set(err, "a class inside a class is not supported");
            return NULL;
        }
        if (*p == '&' && p[1] == '&') {
            err_set(err, "&& inside [...] is not supported");
            return NULL;
        }
        if (*p == '[') { /* [:alpha:] */
            const char *end = strstr(p + 2, ":]");
            if (!end) {
                err_set(err, "[: without :]");
                return NULL;
            }
            str_add(out, p, (size_t) (end + 2 - p));
            p = end + 2;
        } else if (*p == '\\' && p[1]) {
            if (!add_escape(out, p[1], true, err))
                return NULL;
            p += 2;
        } else {
            str_addc(out, *p++);
        }
    }
    if (*p == ']')
        str_addc(out, *p++);
    return p;
}

bool regex_adapt(struct str *out, const char *regex, struct err *err)
{
    const char *p = regex;

    while (*p) {
        if (*p == '[') {
            p = add_class(out, p, err);
            if (!p)
                return false;
        } else if (*p == '\\' && p[1]) {
            if (!add_escape(out, p[1], false, err))
                return false;
            p += 2;
        } else if (*p == '(' && p[1] == '*') {
            return err_set(err, "(*...) is not supported");
        } else {
            str_addc(out, *p++);
        }
    }
    return true;
}
