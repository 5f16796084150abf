#include "command/mdoc.h"

#include "base/utf8.h"

#include <ctype.h>
#include <string.h>

enum {
    COLUMNS = 78, /* of a line of the page's source */
    LINE = 73,    /* of lines that are printed as they are, without a further indent */
    DISPLAY = 60  /* of an example */
};

/* --- characters and words --- */

/* One character, escaped; its bytes. */
static size_t add_char(struct str *out, const char *p, size_t n)
{
    static const char *const plain[][2] = {{"\\", "\\e"}, {"\"", "\\(dq"}, {"'", "\\(aq"},
                                           {"-", "\\-"},  {"^", "\\(ha"},  {"~", "\\(ti"},
                                           {"`", "\\(ga"}};
    uint32_t cp = 0;

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (*p == *plain[i][0]) {
            str_adds(out, plain[i][1]);
            return 1;
        }
    }
    if ((unsigned char) *p < 0x80) {
        str_addc(out, *p);
        return 1;
    }
    int len = utf8_decode(p, n, &cp);
    str_addf(out, "\\[u%04X]", (unsigned) cp);
    return len > 0 ? (size_t) len : 1;
}

static void add_chars(struct str *out, const char *text, size_t n)
{
    while (n > 0) {
        size_t len = add_char(out, text, n);
        text += len;
        n -= len;
    }
}

void mdoc_word(struct str *out, const char *text, size_t n)
{
    str_adds(out, "\\&");
    add_chars(out, text, n);
}

void mdoc_quoted(struct str *out, const char *text)
{
    str_addc(out, '"');
    add_chars(out, text, strlen(text));
    str_addc(out, '"');
}

void mdoc_literal(struct str *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (*text == '.')
            str_adds(out, "\\&");
        add_chars(out, text, n);
        str_addc(out, '\n');
        text += n + (text[n] != '\0');
    }
}

/* --- text --- */

/* A word that ends a sentence, before one that begins the next. */
static bool ends_sentence(const char *word, size_t n, const char *next)
{
    while (n > 1 && strchr(")\"'", word[n - 1]))
        n--;
    return strchr(".?!", word[n - 1]) && *next && !islower((unsigned char) *next);
}

static void fill(struct str *out, const char *text, size_t length)
{
    const char *end = text + length;
    size_t begin = out->len;

    while (text < end && (text += strspn(text, " \n")) < end) {
        size_t n = strcspn(text, " \n"), before = out->len;
        const char *next = text + n + strspn(text + n, " \n");
        if (next >= end)
            next = "";
        if (before > begin)
            str_addc(out, ' ');
        size_t word = out->len;
        if (*text == '.')
            str_adds(out, "\\&");
        add_chars(out, text, n);
        if (out->len - begin > COLUMNS && before > begin) {
            out->text[before] = '\n';
            begin = word;
        }
        if (!*next || ends_sentence(text, n, next)) {
            str_addc(out, '\n');
            begin = out->len;
        }
        text += n;
    }
}

void mdoc_text(struct str *out, const char *text)
{
    fill(out, text, strlen(text));
}

static void add_sentence(struct str *out, const char *text, size_t n)
{
    struct str s = STR_INIT;

    if (n == 0)
        return;
    str_addc(&s, (char) toupper((unsigned char) *text));
    str_add(&s, text + 1, n - 1);
    if (!strchr(".?!", s.text[s.len - 1]))
        str_addc(&s, '.');
    mdoc_text(out, s.text);
    str_release(&s);
}

void mdoc_sentence(struct str *out, const char *text)
{
    add_sentence(out, text, strlen(text));
}

/* The second column of a line: where it begins, after three blanks or more; 0: there is none.
 */
static size_t second_column(const char *line, size_t n)
{
    for (size_t i = 1; i + 3 < n; i++) {
        size_t gap = strspn(line + i, " ");
        if (gap >= 3 && i + gap < n && *line != ' ')
            return i + gap;
    }
    return 0;
}

/* A line of two columns and those after it that go on under the second; what follows them. */
static const char *add_item(struct str *out, const char *line, size_t n, size_t column)
{
    struct str text = STR_INIT;
    size_t head = column;

    while (line[head - 1] == ' ')
        head--;
    str_adds(out, ".It Ic ");
    struct str label = STR_INIT;
    str_add(&label, line, head);
    mdoc_quoted(out, label.text);
    str_release(&label);
    str_addc(out, '\n');
    str_add(&text, line + column, n - column);
    line += n + (line[n] == '\n');
    while (*line == ' ') {
        n = strcspn(line, "\n");
        str_addc(&text, ' ');
        str_add(&text, line, n);
        line += n + (line[n] == '\n');
    }
    mdoc_text(out, text.text);
    str_release(&text);
    return line;
}

static const char *add_list(struct str *out, const char *line)
{
    size_t n, column;

    str_adds(out, ".Bl -tag -width Ds -compact\n");
    while (*line && (n = strcspn(line, "\n"), column = second_column(line, n)) > 0)
        line = add_item(out, line, n, column);
    str_adds(out, ".El\n");
    return line;
}

void mdoc_help(struct str *out, const char *help)
{
    size_t n = strcspn(help, "\n");
    const char *line = help + n + (help[n] == '\n'), *from = line;

    add_sentence(out, help, n);
    while (*line) {
        n = strcspn(line, "\n");
        if (second_column(line, n) > 0) {
            fill(out, from, (size_t) (line - from));
            from = line = add_list(out, line);
        } else {
            line += n + (line[n] == '\n');
        }
    }
    fill(out, from, (size_t) (line - from));
}

/* --- examples --- */

/* Where a line that is too long is cut: after a ';', or before an option of the shell. */
static size_t cut_of(const char *line, bool *shell)
{
    size_t commands = 0, option = 0;

    for (size_t i = 1; line[i] && i < DISPLAY; i++) {
        if (line[i] == ' ' && line[i - 1] == ';')
            commands = i;
        else if (line[i] == ' ' && (line[i + 1] == '-' || line[i + 1] == '|'))
            option = i;
    }
    *shell = commands == 0 && option > 0;
    return commands ? commands : option;
}

void mdoc_example(struct str *out, const char *line)
{
    struct str text = STR_INIT;
    bool shell;
    size_t cut;

    str_adds(out, ".Bd -literal -offset indent -compact\n");
    while (strlen(line) > DISPLAY && (cut = cut_of(line, &shell)) > 0) {
        str_add(&text, line, cut);
        str_adds(&text, shell ? " \\\n   " : "\n");
        line += cut + (shell ? 0 : 1);
    }
    str_addf(&text, "%s\n", line);
    mdoc_literal(out, text.text);
    str_adds(out, ".Ed\n");
    str_release(&text);
}

void mdoc_lines(struct str *out, const char *text)
{
    struct str lines = STR_INIT;

    while (*text) {
        size_t n = strcspn(text, "\n"), indent = strspn(text, " "), least = indent;
        for (size_t room = LINE; n > room; room = LINE - indent - 4) {
            size_t cut = room;
            while (cut > least && text[cut] != ' ')
                cut--;
            if (cut <= least || indent > LINE / 2)
                break;
            str_add(&lines, text, cut);
            str_addf(&lines, "\n%*s", (int) indent + 4, "");
            text += cut + 1;
            n -= cut + 1;
            least = 0;
        }
        str_add(&lines, text, n);
        str_addc(&lines, '\n');
        text += n + (text[n] != '\0');
    }
    str_adds(out, ".Bd -literal\n");
    mdoc_literal(out, lines.text);
    str_adds(out, ".Ed\n");
    str_release(&lines);
}

/* --- pages --- */

void mdoc_head(struct str *out, const char *name, int section, const char *about)
{
    str_adds(out, ".Dd January 1, 2026\n.Dt ");
    for (const char *p = name; *p; p++)
        str_addc(out, (char) toupper((unsigned char) *p));
    str_addf(out, " %d\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", section, name, about);
}

void mdoc_see_also(struct str *out, const char *const *pages)
{
    str_adds(out, ".Sh SEE ALSO\n");
    for (; *pages; pages++)
        str_addf(out, ".Xr %s%s\n", *pages, pages[1] ? " ," : "");
}

/* An option, or a word of a usage that is none. */
static void add_token(struct str *out, const char *p, size_t n)
{
    if (*p == '-') {
        str_adds(out, "Fl");
        if (n > 1)
            str_addc(out, ' ');
        add_chars(out, p + 1, n - 1);
    } else {
        size_t dots = n > 3 && !strncmp(p + n - 3, "...", 3) ? 3 : 0;
        str_adds(out, isupper((unsigned char) *p) ? "Ar " : "Cm ");
        mdoc_word(out, p, n - dots);
        str_adds(out, dots ? " ..." : "");
    }
}

void mdoc_usage(struct str *out, const char *usage)
{
    bool after_option = false;

    for (const char *p = usage; *(p += strspn(p, " "));) {
        size_t n = strchr("[]|", *p) ? 1 : strcspn(p, " []|");
        bool option = *p == '-' && n > 1, value = after_option && isupper((unsigned char) *p);
        if (value)
            str_addc(out, ' ');
        else if (p > usage)
            str_addc(out, '\n');
        if (*p == '[')
            str_adds(out, ".Oo");
        else if (*p == ']')
            str_adds(out, ".Oc");
        else if (*p == '|')
            str_addc(out, '|');
        else {
            str_adds(out, value ? "" : ".");
            add_token(out, p, n);
        }
        after_option = option;
        p += n;
    }
    if (*usage)
        str_addc(out, '\n');
}
