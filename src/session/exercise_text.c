/* An exercise's code as the file to fill in, and as the solution. */
#include "session/exercise.h"

#include "base/mem.h"
#include "base/wrap.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80 };

/* The text as // comments, `indent` columns in. Formulas begin with four blanks. */
static void add_comment(struct str *out, int indent, const char *text)
{
    while (*text) {
        bool formula = !strncmp(text, "    ", 4);
        size_t all = strcspn(text, "\n");
        char *line = xstrndup(text, all);
        const char *next = line;
        do {
            const char *at = next;
            size_t n =
                formula ? strlen(at) : wrap_line(at, strlen(at), COLUMNS - indent - 3, &next);
            str_addf(out, "%*s// %.*s\n", indent, "", (int) n, at);
            if (formula)
                break;
        } while (*next);
        free(line);
        text += all + (text[all] == '\n');
    }
}

static void add_todo(struct str *out, const struct exercise *e, const char *name, int indent,
                     enum lang lang)
{
    for (int i = 0; i < e->n_todos; i++) {
        const struct exercise_todo *t = &e->todo[i];
        if (strcmp(t->name, name))
            continue;
        char *text = xasprintf(in_lang(lang, "TODO %d, %s: %s", "TODO %d，%s：%s"), i + 1,
                               t->name, t->text[lang]);
        add_comment(out, indent, text);
        free(text);
    }
}

static void add_head(struct str *out, const struct exercise *e, enum lang lang, bool whole)
{
    str_addf(out, in_lang(lang, "// Exercise %d: %s%s\n//\n", "// 练习 %d：%s%s\n//\n"),
             e->number, e->title[lang],
             !whole            ? ""
             : lang == LANG_ZH ? "（参考答案）"
                               : " (solution)");
    add_comment(out, 0, e->about[lang]);
    if (!whole)
        str_addf(out,
                 in_lang(lang,
                         "//\n// Fill in every TODO. Shapes of all arrays are in exercise.h.\n"
                         "// To see how far you are:  gptscope exercise check %s\n"
                         "// When you are stuck:      gptscope exercise hint %s\n",
                         "//\n// 请完成每一处 TODO。所有数组的形状都写在 exercise.h 里。\n"
                         "// 检查进度：  gptscope exercise check %s\n"
                         "// 需要提示：  gptscope exercise hint %s\n"),
                 e->name, e->name);
}

/* One line of the code. `name`: of the region that it is in, or "". */
static void add_line(struct str *out, const struct exercise *e, char *line, enum lang lang,
                     bool whole, bool *inside)
{
    char *mark = line + strspn(line, " ");
    int indent = (int) (mark - line);

    if (!strncmp(mark, "@todo ", 6)) {
        if (!whole)
            add_todo(out, e, mark + 6, indent, lang);
        *inside = true;
    } else if (!strcmp(mark, "@end")) {
        *inside = false;
    } else if (*inside && !whole) {
        return;
    } else if (!strncmp(mark, "@en ", 4) || !strncmp(mark, "@zh ", 4)) {
        if ((mark[1] == 'z') == (lang == LANG_ZH))
            str_addf(out, "%*s// %s\n", indent, "", mark + 4);
    } else {
        str_addf(out, "%s\n", line);
    }
}

static void add_code(struct str *out, const struct exercise *e, enum lang lang, bool whole)
{
    bool inside = false;

    for (const char *p = e->code; *p;) {
        size_t n = strcspn(p, "\n");
        char *line = xstrndup(p, n);
        add_line(out, e, line, lang, whole, &inside);
        free(line);
        p += n + (p[n] == '\n');
    }
}

void exercise_template(const struct exercise *e, enum lang lang, struct str *out)
{
    add_head(out, e, lang, false);
    str_addc(out, '\n');
    add_code(out, e, lang, false);
}

void exercise_solution(const struct exercise *e, enum lang lang, struct str *out)
{
    add_head(out, e, lang, true);
    str_addc(out, '\n');
    add_code(out, e, lang, true);
}

void exercise_makefile(const struct exercise *e, struct str *out)
{
    str_addf(out,
             "CFLAGS = -std=c11 -Wall -Wextra -O1 -g\n\n"
             "# Only compiles, to see the warnings.\n"
             "%s.o: %s.c exercise.h\n\t$(CC) $(CFLAGS) -c %s.c\n\n"
             "check:\n\tgptscope exercise check %s .\n\n"
             "watch:\n\tgptscope exercise watch %s .\n\n"
             "hint:\n\tgptscope exercise hint %s\n\n"
             "clean:\n\trm -f %s.o\n\n"
             ".PHONY: check watch hint clean\n",
             e->name, e->name, e->name, e->name, e->name, e->name, e->name);
}
