/* Tab on the `:` line: commands, settings, values, files. */
#include "ui/curses_app.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

/* File names, as readline finds them. */
static char **complete_file(const char *word)
{
    char **found = NULL, *name;
    int n = 0, cap = 0;

    for (int i = 0; (name = rl_filename_completion_function(word, i)); i++) {
        VEC_ROOM(found, n, cap);
        found[n++] = name;
    }
    VEC_ROOM(found, n, cap);
    found[n] = NULL;
    return found;
}

static size_t common(char **word)
{
    size_t n = strlen(word[0]);

    for (int i = 1; word[i]; i++)
        for (size_t k = 0; k < n; k++)
            if (word[i][k] != word[0][k])
                n = k;
    while (n > 0 && (word[0][n] & 0xc0) == 0x80)
        n--;
    return n;
}

void entry_complete(struct app *a)
{
    struct entry *e = &a->entry;
    struct line_edit *l = &e->edit;
    size_t from = l->at;

    while (from > 0 && !strchr(" \t\n;", l->text.text[from - 1]))
        from--;
    char *word = xstrndup(l->text.text + from, l->at - from);
    char **found = command_complete(a->s, l->text.text, l->at);
    bool file = !found;
    if (file)
        found = complete_file(word);
    if (!found[0])
        term_beep();
    if (found[0]) {
        struct str put = STR_INIT;
        str_add(&put, found[0], common(found));
        if (!found[1] && !file)
            str_addc(&put, ' ');
        if (put.len >= l->at - from)
            line_edit_replace(l, l->at - from, put.text);
        str_release(&put);
    }
    for (int i = 0; found[i]; i++) {
        if (found[1])
            str_addf(&e->completion, "%s%s", i ? "  " : "", found[i]);
        free(found[i]);
    }
    free(found);
    free(word);
}
