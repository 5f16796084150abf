/* gptscope help --man: the manual page gptscope(1) as mdoc, from the tables. */
#include "ui/tool_input.h"

#include "command/command.h"
#include "command/dump.h"
#include "command/keys.h"
#include "command/screenshot.h"

#include <ctype.h>
#include <string.h>

#define LINE 78

/* A blank between two sentences. */
static bool ends_sentence(const char *text, const char *p)
{
    return *p == ' ' && p > text && strchr(".?!", p[-1]) &&
           (isupper((unsigned char) p[1]) || p[1] == '-' || p[1] == '.');
}

static void add_char(struct str *out, char c)
{
    if (c == '\\')
        str_adds(out, "\\e");
    else if (c == '\'')
        str_adds(out, "\\(aq");
    else if (c == '-')
        str_adds(out, "\\-");
    else if (c == '^')
        str_adds(out, "\\(ha");
    else if (c == '~')
        str_adds(out, "\\(ti");
    else if (c == '`')
        str_adds(out, "\\(ga");
    else
        str_addc(out, c);
}

/* Text as one mdoc line or more: escaped, a new line for each sentence, nothing that would be
 * taken for a request or a macro. */
static void add_text(struct str *out, const char *text)
{
    bool line_start = true;
    for (const char *p = text; *p; p++) {
        if (line_start && *p == '.')
            str_adds(out, "\\&");
        line_start = *p == '\n' || ends_sentence(text, p);
        add_char(out, line_start ? '\n' : *p);
    }
    if (!line_start)
        str_addc(out, '\n');
}

void man_literal(struct str *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '.' && (p == text || p[-1] == '\n'))
            str_adds(out, "\\&");
        add_char(out, *p);
    }
}

/* An argument of a macro: quoted, so that no word is taken for another macro. */
static void add_quoted(struct str *out, const char *text)
{
    str_addc(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"')
            str_adds(out, "\\(dq");
        else
            add_char(out, *p);
    }
    str_addc(out, '"');
}

static void add_sentence(struct str *out, const char *help)
{
    struct str text = STR_INIT;
    str_adds(&text, help);
    text.text[0] = (char) toupper((unsigned char) text.text[0]);
    if (!strchr(".?!", text.text[text.len - 1]))
        str_addc(&text, '.');
    add_text(out, text.text);
    str_release(&text);
}

static void add_synopsis(struct str *out)
{
    str_adds(out, ".Sh SYNOPSIS\n");
    for (const struct tool *t = tool_table; t->name; t++) {
        str_adds(out, ".Nm\n");
        if (*t->name)
            str_addf(out, ".Cm %s\n", t->name);
        str_adds(out, ".No ");
        add_quoted(out, t->usage);
        str_addc(out, '\n');
    }
}

static void add_verbs(struct str *out)
{
    str_adds(out, ".Sh VERBS\n.Bl -tag -width Ds\n");
    for (const struct tool *t = tool_table; t->name; t++) {
        struct str head = STR_INIT;
        tool_summary(t, &head);
        if (*t->name)
            str_addf(out, ".It Cm %s", t->name);
        else
            str_adds(out, ".It No (none)");
        str_adds(out, "\n");
        add_sentence(out, head.text);
        add_text(out, tool_details(t));
        str_release(&head);
    }
    str_adds(out, ".El\n");
}

/* Which verbs take an option. */
static void add_takers(struct str *out, const char *option)
{
    struct str verbs = STR_INIT;
    for (const struct tool *t = tool_table; t->name; t++)
        if (tool_takes(t, option))
            str_addf(&verbs, "%s%s", verbs.len ? ", " : "", *t->name ? t->name : "the screen");
    str_addf(out, "(%s)\n", verbs.text);
    str_release(&verbs);
}

static void add_options(struct str *out)
{
    str_adds(out, ".Sh OPTIONS\n"
                  "Options may stand in any place;\n"
                  ".Fl \\-\n"
                  "ends them.\n"
                  "Long ones take their value as the next argument or after an equals sign.\n"
                  ".Bl -tag -width Ds\n");
    for (const struct option_row *o = option_table; o->name; o++) {
        str_adds(out, ".It ");
        if (o->letter)
            str_addf(out, "Fl %c , ", o->letter);
        str_addf(out, "Fl \\-%s", o->name);
        if (o->arg)
            str_addf(out, " Ar %s", o->arg);
        str_addc(out, '\n');
        add_sentence(out, o->help);
        if (strcmp(o->name, "help") != 0 && strcmp(o->name, "version") != 0)
            add_takers(out, o->name);
    }
    str_adds(out, ".El\n.Ss Settings\n"
                  "All verbs take these; in the program the command\n"
                  ".Cm set\n"
                  "changes them.\n"
                  ".Bl -tag -width Ds\n");
    for (const struct setting *row = setting_table; row->name; row++) {
        struct str allowed = STR_INIT;
        bool flag = row->type == SETTING_BOOL;
        settings_allowed(row, &allowed);
        str_addf(out, ".It Fl \\-%s%s\n", row->name, flag ? "" : " Ar VALUE");
        add_sentence(out, row->help);
        if (flag)
            str_addf(out, "It is turned off by\n.Fl \\-no-%s .\n", row->name);
        else
            add_sentence(out, allowed.text);
        str_release(&allowed);
    }
    str_adds(out, ".El\n");
}

static void add_format(struct str *out, const char *suffix, const char *summary)
{
    str_addf(out, ".It Pa .%s\n", suffix);
    add_sentence(out, summary);
}

static void add_formats(struct str *out)
{
    str_adds(out, ".Sh FILE FORMATS\n"
                  "The suffix of the file that values are dumped to chooses its format.\n"
                  ".Bl -tag -width Ds\n");
    for (const struct dump_format *f = dump_formats; f->suffix; f++)
        add_format(out, f->suffix, f->summary);
    str_adds(out, ".El\n"
                  "So does that of the file that\n"
                  ".Ic screenshot\n"
                  "writes a picture of the screen to.\n"
                  ".Bl -tag -width Ds\n");
    for (const struct picture_format *f = picture_formats; f->suffix; f++)
        add_format(out, f->suffix, f->summary);
    str_adds(out, ".El\n");
}

static void add_examples(struct str *out)
{
    str_adds(out, ".Sh EXAMPLES\n.Bd -literal\n");
    for (const struct tool *t = tool_table; t->name; t++)
        if (t->example) {
            str_adds(out, "$ ");
            for (const char *p = t->example; *p; p++)
                add_char(out, *p);
            str_addc(out, '\n');
        }
    str_adds(out, ".Ed\n");
}

static void add_ending(struct str *out)
{
    str_adds(out, ".Sh ENVIRONMENT\n"
                  ".Bl -tag -width Ds\n"
                  ".It Ev GPTSCOPE_MODELS\n"
                  "A folder where models are looked for.\n"
                  ".It Ev NO_COLOR\n"
                  "When set and not empty, no colours are used.\n"
                  ".It Ev OPENBLAS_CORETYPE\n"
                  "The kernel set of OpenBLAS; chosen by the program when not set.\n"
                  ".It Ev XDG_CONFIG_HOME , XDG_STATE_HOME\n"
                  "Where the files below are, in place of\n"
                  ".Pa ~/.config\n"
                  "and\n"
                  ".Pa ~/.local/state .\n"
                  ".El\n");
    files_man(out);
    str_adds(out, ".Sh EXIT STATUS\n"
                  "0 when all is done, 1 when something failed, 2 for a wrong command line.\n"
                  "Messages are one line on standard error.\n"
                  "Results go to standard output.\n");
}

/* Breaks long lines of text at blanks; lines of macros and of literal text stay. */
static void add_broken(struct str *out, const char *page)
{
    bool literal = false;
    for (const char *line = page; *line;) {
        size_t n = strcspn(line, "\n");
        if (strncmp(line, ".Bd", 3) == 0 || strncmp(line, ".Ed", 3) == 0)
            literal = line[1] == 'B';
        while (!literal && *line != '.' && n > LINE) {
            size_t cut = LINE;
            while (cut > 0 && (line[cut] != ' ' || strchr(".\'", line[cut + 1])))
                cut--;
            if (cut == 0)
                break;
            str_add(out, line, cut);
            str_addc(out, '\n');
            line += cut + 1;
            n -= cut + 1;
        }
        str_add(out, line, n);
        str_addc(out, '\n');
        line += n + (line[n] != '\0');
    }
}

bool tool_man(struct str *page, struct err *err)
{
    struct str text = STR_INIT, *out = &text;
    str_adds(out, ".Dd January 1, 2026\n.Dt GPTSCOPE 1\n.Os\n.Sh NAME\n.Nm gptscope\n"
                  ".Nd a terminal microscope for GPT\n");
    add_synopsis(out);
    str_adds(out, ".Sh DESCRIPTION\n"
                  ".Nm\n"
                  "steps through the forward pass of a transformer operation by operation, "
                  "layer by layer,\n"
                  "token by token, and shows the numbers: tokens, attention with its causal "
                  "mask, every head,\n"
                  "the residual stream, the logits and the cache.\n"
                  "It needs no network, and brings two small trained models along.\n");
    bool ok = man_screens(out, err);
    add_verbs(out);
    add_options(out);
    str_adds(out, ".Sh COMMANDS\n");
    command_man(out);
    view_man(out);
    key_man(out);
    mouse_man(out);
    add_formats(out);
    add_ending(out);
    add_examples(out);
    if (ok)
        add_broken(page, text.text);
    str_release(&text);
    return ok;
}
