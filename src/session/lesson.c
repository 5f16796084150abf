/* The lessons in the program, and their live numbers. */
#include "session/lesson.h"

#include "base/mem.h"
#include "base/safe.h"
#include "session/expr.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char lesson_prompt[] = "Tom gave the red ball to Anna. Anna";

/* Set down in lesson_blob.S, the files of a language one after the other. */
extern const char blob_lessons_en[], blob_lessons_en_end[];
extern const char blob_lessons_zh[], blob_lessons_zh_end[];

bool lessons_open(struct lessons *l, enum lang lang, struct err *err)
{
    const char *text = lang == LANG_ZH ? blob_lessons_zh : blob_lessons_en;
    const char *end = lang == LANG_ZH ? blob_lessons_zh_end : blob_lessons_en_end;

    return lessons_parse(l, lang == LANG_ZH ? "zh" : "en", text, (size_t) (end - text), err);
}

int lessons_find(const struct lessons *l, const char *name)
{
    char *end;
    long n = strtol(name, &end, 10);

    if (end != name && !*end)
        return n >= 1 && n <= l->n ? (int) n - 1 : -1;
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->lesson[i].name, name))
            return i;
    return -1;
}

/* "expression" or "expression:digits" of the n bytes at text. */
static bool fill_one(const struct session *s, const char *text, size_t n, struct str *out,
                     struct err *err)
{
    struct expr_value v;
    struct str shown = STR_INIT;
    int digits = -1;

    if (n > 2 && text[n - 2] == ':' && isdigit((unsigned char) text[n - 1])) {
        digits = text[n - 1] - '0';
        n -= 2;
    }
    char *one = xstrndup(text, n);
    bool ok = expr_eval(s, one, &v, err);
    free(one);
    if (!ok)
        return false;
    expr_print(&v, digits, &shown);
    safe_add(out, shown.text, shown.len,
             v.kind == EXPR_TEXT ? SAFE_SPACE_DOT : SAFE_SPACE_KEEP);
    str_release(&shown);
    expr_release(&v);
    return true;
}

bool lesson_fill(const struct session *s, const char *text, struct str *out, struct err *err)
{
    while (*text) {
        size_t n = strcspn(text, "{");
        str_add(out, text, n);
        text += n;
        if (!*text)
            break;
        if (text[1] == '{') {
            str_addc(out, '{');
            text += 2;
            continue;
        }
        n = strcspn(text, "}");
        if (!text[n])
            return err_set(err, "a brace is not closed in '%.40s'", text);
        if (!fill_one(s, text + 1, n - 1, out, err))
            return false;
        text += n + 1;
    }
    return true;
}
