/* The command and key tables as sections of a manual page, in mdoc. */
#include "command/command.h"
#include "command/keys.h"
#include "command/parse.h"

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

    str_adds(out, spec->optional ? " Op " : " ");
    if (spec->type != ARG_CHOICE) {
        str_addf(out, "Ar %s", spec->name);
        return;
    }
    for (int i = 0; (n = choice_word(spec->words, i, &word)) > 0; i++) {
        str_adds(out, i ? " | Ic " : "Ic ");
        roff_word(word, n, out);
    }
}

/* Sentences begin on lines of their own, as mdoc wants. */
static void paragraph(const char *text, struct str *out)
{
    for (size_t n; *text; text += n + (text[n] != '\0')) {
        n = strcspn(text, "\n");
        const char *at = text, *end = text + n, *stop;
        while ((stop = memchr(at, '.', (size_t) (end - at))) && stop + 2 < end) {
            bool sentence = stop[1] == ' ' && stop[2] >= 'A' && stop[2] <= 'Z';
            if (!sentence) {
                const char *rest = stop + 1;
                roff_text(at, (size_t) (rest - at), out);
                at = rest;
                continue;
            }
            roff_text(at, (size_t) (stop + 1 - at), out);
            str_addc(out, '\n');
            at = stop + 2;
        }
        roff_text(at, (size_t) (end - at), out);
        str_addc(out, '\n');
    }
}

void command_man(struct str *out)
{
    str_adds(out, ".Sh COMMANDS\n");
    for (const struct command *c = command_table; c->name; c++) {
        if (c == command_table || strcmp(c->group, c[-1].group)) {
            if (c != command_table)
                str_adds(out, ".El\n");
            str_addf(out, ".Ss %c%s\n.Bl -tag -width Ds\n",
                     c->group[0] >= 'a' ? c->group[0] - 32 : c->group[0], c->group + 1);
        }
        str_adds(out, ".It Ic ");
        roff_word(c->name, strlen(c->name), out);
        for (int i = 0; i < COMMAND_ARGS && c->arg[i].name; i++)
            spec_macro(&c->arg[i], out);
        str_addc(out, '\n');
        paragraph(c->help, out);
        str_adds(out, "Example:\n.Dl ");
        roff_word(c->example, strlen(c->example), out);
        str_addc(out, '\n');
    }
    str_adds(out, ".El\n");
}

void key_man(struct str *out)
{
    str_adds(out, ".Sh KEYS\n.Bl -tag -width \"BackSpace\" -compact\n");
    for (const struct key *k = key_table; k->key; k++) {
        str_adds(out, ".It Ic ");
        roff_word(k->key, strlen(k->key), out);
        str_addc(out, '\n');
        roff_text(k->help, strlen(k->help), out);
        str_adds(out, "\n.Pq Ic ");
        roff_word(k->line, strlen(k->line), out);
        str_addc(out, '\n');
    }
    str_adds(out, ".El\n");
}
