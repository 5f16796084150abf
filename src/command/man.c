/* The command and key tables as sections of a manual page, in mdoc. */
#include "command/command.h"
#include "command/keys.h"
#include "command/parse.h"
#include "view/view.h"

#include <ctype.h>
#include <string.h>

/* Text with what roff would take for its own made plain. */
static void roff_text(const char *text, size_t n, struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        bool line_start = i == 0 || text[i - 1] == '\n';
        if (line_start && (text[i] == '.' || text[i] == '\''))
            str_adds(out, "\\&");
        if (text[i] == '\\')
            str_adds(out, "\\e");
        else if (text[i] == '"')
            str_adds(out, "\\(dq");
        else if (text[i] == '-')
            str_adds(out, "\\-");
        else
            str_addc(out, text[i]);
    }
}

/* A word as an argument of a macro: also safe when it looks like a macro's name or is mere
 * punctuation. */
static void roff_word(const char *text, size_t n, struct str *out)
{
    str_adds(out, "\\&");
    roff_text(text, n, out);
}

static void spec_macro(const struct arg_spec *spec, struct str *out)
{
    const char *word;
    size_t n;

    str_adds(out, spec->optional ? " Oo " : " ");
    if (spec->type != ARG_CHOICE)
        str_addf(out, "Ar %s", spec->name);
    for (int i = 0; spec->type == ARG_CHOICE && (n = choice_word(spec->words, i, &word)) > 0;
         i++) {
        str_adds(out, i ? " | Ic " : "Ic ");
        roff_word(word, n, out);
    }
    if (spec->optional)
        str_adds(out, " Oc");
}

#define FILL_COLUMNS 72

/* Columns of n bytes as mandoc counts them: what is not ASCII as "\\[u2713]". */
static size_t fill_width(const char *text, size_t n)
{
    size_t w = 0;

    for (size_t i = 0; i < n; i++)
        w += (unsigned char) text[i] < 0x80 ? 1 : (text[i] & 0xc0) == 0xc0 ? 8 : 0;
    return w;
}

/* Text in lines of its own; each sentence begins a new one, as mdoc wants. */
static void fill(const char *text, struct str *out)
{
    size_t line = out->len;

    while (*(text += strspn(text, " \n"))) {
        size_t n = strcspn(text, " \n");
        const char *next = text + n + strspn(text + n, " \n");
        bool sentence = text[n - 1] == '.' && *next >= 'A' && *next <= 'Z';
        if (out->len > line &&
            fill_width(out->text + line, out->len - line) + fill_width(text, n) >
                FILL_COLUMNS) {
            str_addc(out, '\n');
            line = out->len;
        }
        if (out->len > line)
            str_addc(out, ' ');
        roff_text(text, n, out);
        if (sentence || !*next) {
            str_addc(out, '\n');
            line = out->len;
        }
        text = next;
    }
}

/* A row's help: its first line becomes a sentence. */
static void help_text(const char *help, struct str *out)
{
    size_t n = strcspn(help, "\n");
    struct str text = STR_INIT;

    str_addc(&text, (char) toupper((unsigned char) help[0]));
    str_add(&text, help + 1, n - 1);
    str_addc(&text, '.');
    str_adds(&text, help + n);
    fill(text.text, out);
    str_release(&text);
}

static void command_item(const struct command *c, struct str *out)
{
    str_adds(out, ".It Ic ");
    roff_word(c->name, strlen(c->name), out);
    for (int i = 0; i < COMMAND_ARGS && c->arg[i].name; i++)
        spec_macro(&c->arg[i], out);
    str_addc(out, '\n');
    help_text(c->help, out);
    str_adds(out, ".Dl ");
    roff_word(c->example, strlen(c->example), out);
    str_addc(out, '\n');
}

void command_man(struct str *out)
{
    str_adds(out, ".Sh COMMANDS\n");
    for (const struct command *c = command_table; c->name; c++) {
        if (c == command_table || strcmp(c->group, c[-1].group)) {
            if (c != command_table)
                str_adds(out, ".El\n");
            str_addf(out, ".Ss %c%s\n.Bl -tag -width Ds\n",
                     toupper((unsigned char) c->group[0]), c->group + 1);
        }
        command_item(c, out);
    }
    str_adds(out, ".El\n");
}

static void key_item(const struct key *k, struct str *out)
{
    str_adds(out, ".It Ic ");
    roff_word(k->key, strlen(k->key), out);
    str_addc(out, '\n');
    roff_text(k->help, strlen(k->help), out);
    str_adds(out, "\n.Pq Ic ");
    roff_word(k->line, strlen(k->line), out);
    str_addc(out, '\n');
}

#define KEY_LIST ".Bl -tag -width \"BackSpace\" -compact\n"

void key_man(struct str *out)
{
    str_adds(out, ".Sh KEYS\n" KEY_LIST);
    for (const struct key *k = key_table; k->key; k++)
        if (!k->view)
            key_item(k, out);
    str_adds(out, ".El\nWhile something is searched:\n" KEY_LIST);
    for (const struct key *k = key_table; k->key; k++)
        if (k->view && !strcmp(k->view, "search"))
            key_item(k, out);
    str_adds(out, ".El\n");
}

/* Each view with its help and the keys of its own. */
void view_man(struct str *out)
{
    str_adds(out, ".Sh THE VIEWS\n");
    for (const struct view *v = view_table; v->name; v++) {
        bool any = false;
        str_addf(out, ".Ss %s\n", v->name);
        fill(v->help, out);
        for (const struct key *k = key_table; k->key; k++) {
            if (!k->view || strcmp(k->view, v->name))
                continue;
            if (!any)
                str_adds(out, KEY_LIST);
            any = true;
            key_item(k, out);
        }
        if (any)
            str_adds(out, ".El\n");
    }
}

static void rows_man(const char *topic, const char *macro, struct str *out)
{
    str_adds(out, ".Bl -tag -width Ds\n");
    for (const struct help_row *row = help_rows(topic); row->name; row++) {
        str_addf(out, ".It %s ", macro);
        roff_word(row->name, strlen(row->name), out);
        str_addc(out, '\n');
        roff_text(row->help, strlen(row->help), out);
        str_addc(out, '\n');
    }
    str_adds(out, ".El\n");
}

void mouse_man(struct str *out)
{
    str_adds(out, ".Sh MOUSE\n");
    rows_man("mouse", "Ic", out);
}

void files_man(struct str *out)
{
    str_adds(out, ".Sh FILES\n");
    rows_man("files", "Pa", out);
    str_adds(out, "All are readable by their owner only.\n");
}
