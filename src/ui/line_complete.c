#include "ui/line_complete.h"

#include "base/file.h"
#include "base/mem.h"
#include "command/parse.h"

#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

/* A file as it is typed: in quotes where it must be, which stay open after a folder. */
static char *file_word(const char *path, bool quoted)
{
    bool folder = file_is_dir(path);
    struct str text = STR_INIT;

    if (quoted || strpbrk(path, " \t\n;\"#\\")) {
        quote_print(path, strlen(path), &text);
        if (folder)
            str_cut(&text, text.len - 1, 1);
    } else {
        str_adds(&text, path);
    }
    if (folder)
        str_addc(&text, '/');
    return str_steal(&text);
}

static void add_files(struct completion *c)
{
    char *path;

    for (int i = 0; (path = rl_filename_completion_function(c->plain, i)); i++) {
        VEC_ROOM(c->word, c->n, c->cap);
        c->word[c->n++] = file_word(path, c->quoted);
        free(path);
    }
}

void line_completion(const struct session *s, const char *line, size_t at, struct completion *c)
{
    command_completion(s, line, at, c);
    if (c->files)
        add_files(c);
}

char *line_common(const struct completion *c)
{
    size_t n = strlen(c->word[0]);

    for (int i = 1; i < c->n; i++)
        for (size_t k = 0; k < n; k++)
            if (c->word[i][k] != c->word[0][k])
                n = k;
    while (n > 0 && (c->word[0][n] & 0xc0) == 0x80) /* no half characters */
        n--;
    return xstrndup(c->word[0], n);
}

bool line_whole(const struct completion *c)
{
    size_t n = c->n == 1 ? strlen(c->word[0]) : 0;

    return n > 0 && !strchr("./,", c->word[0][n - 1]);
}

/* --- readline --- */

static const struct session *session; /* readline's callbacks take no argument */
static const struct str *before;

/* A candidate from where readline thinks that the word begins: it breaks at blanks in quotes,
 * too, and at commas. */
static char *tail(const char *word, size_t from, size_t start, const char *line)
{
    size_t n = strlen(word);

    if (start >= from)
        return xstrdup(word + (start - from < n ? start - from : n));
    return xasprintf("%.*s%s", (int) (from - start), line + start, word);
}

/* In readline's form: what they have in common first, unless there is only one. */
static char **complete(const char *text, int start, int end)
{
    struct str line = STR_INIT;
    struct completion c;
    char **list = NULL;

    (void) text;
    rl_attempted_completion_over = 1; /* never files where something else is wanted */
    str_add(&line, before->text, before->len);
    str_adds(&line, rl_line_buffer);
    line_completion(session, line.text, before->len + (size_t) end, &c);
    if (c.n > 0) {
        size_t at = before->len + (size_t) start;
        char *common = line_common(&c);
        list = xcalloc((size_t) c.n + 2, sizeof *list);
        list[0] = tail(common, c.from, at, line.text);
        for (int i = 0; c.n > 1 && i < c.n; i++)
            list[i + 1] = tail(c.word[i], c.from, at, line.text);
        free(common);
        rl_completion_suppress_append = !line_whole(&c);
    }
    completion_release(&c);
    str_release(&line);
    return list;
}

void readline_completion(const struct session *s, const struct str *text)
{
    session = s;
    before = text;
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = " \t\n;,";
}
