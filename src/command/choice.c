/* Words to choose from: by name, by their beginning, by what is nearest. */
#include "command/parse.h"

#include "base/mem.h"
#include "base/near.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_word(const char *word, size_t n, const char *text)
{
    return strlen(text) == n && !memcmp(word, text, n);
}

/* Whether the i-th word stands among those before it. */
static bool is_again(const char *words, int i)
{
    const char *word, *before;
    size_t n = choice_word(words, i, &word);

    for (int k = 0; k < i; k++)
        if (choice_word(words, k, &before) == n && !memcmp(word, before, n))
            return true;
    return false;
}

/* The only one that begins so. */
static int choice_begin(const char *words, const char *text, struct err *err)
{
    struct str names = STR_INIT;
    const char *word;
    size_t n, len = strlen(text);
    int found = CHOICE_NONE;

    for (int i = 0; (n = choice_word(words, i, &word)) > 0; i++) {
        if (n < len || memcmp(word, text, len) || is_again(words, i))
            continue;
        str_addf(&names, "%s%.*s", names.len ? ", " : "", (int) n, word);
        found = found == CHOICE_NONE ? i : CHOICE_MANY;
    }
    if (found == CHOICE_MANY)
        err_set(err, "'%s' could be any of %s", text, names.text);
    str_release(&names);
    return found;
}

int choice_find(const char *words, const char *text, struct err *err)
{
    const char *word;
    size_t n;

    for (int i = 0; (n = choice_word(words, i, &word)) > 0; i++)
        if (is_word(word, n, text))
            return i;
    return isalpha((unsigned char) *text) ? choice_begin(words, text, err) : CHOICE_NONE;
}

bool choice_near(const char *words, const char *text, struct str *out)
{
    char *copy = xstrdup(words);
    struct near near;

    near_init(&near, text);
    for (char *rest, *word = strtok_r(copy, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest))
        near_try(&near, word);
    bool found = near_best(&near) != NULL;
    if (found)
        str_adds(out, near_best(&near));
    free(copy);
    return found;
}

const char *arg_expand(const struct arg *arg, const char *words, struct err *err)
{
    int i = arg->quoted ? CHOICE_NONE : choice_find(words, arg->text, err);
    const char *word;

    if (i == CHOICE_MANY)
        return NULL;
    size_t n = i >= 0 ? choice_word(words, i, &word) : 0;
    if (i < 0 || is_word(word, n, arg->text) || !arg->word)
        return arg->text;
    free(arg->word->full);
    arg->word->full = xstrndup(word, n);
    return arg->word->full;
}
