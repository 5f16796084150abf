/* The tables of commands, keys, views and topics as sections of manual pages, in mdoc. */
#include "command/command.h"
#include "command/keys.h"
#include "command/mdoc.h"
#include "command/parse.h"
#include "view/view.h"

#include <ctype.h>
#include <string.h>

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
        mdoc_word(out, word, n);
    }
    if (spec->optional)
        str_adds(out, " Oc");
}

static void command_item(const struct command *c, struct str *out)
{
    str_adds(out, ".It Ic ");
    mdoc_word(out, c->name, strlen(c->name));
    for (int i = 0; i < COMMAND_ARGS && c->arg[i].name; i++)
        spec_macro(&c->arg[i], out);
    str_addc(out, '\n');
    mdoc_help(out, c->help);
    mdoc_example(out, c->example);
}

void command_man(struct str *out)
{
    str_adds(out, ".Sh COMMANDS\n");
    for (const struct command *c = command_table; c->name; c++) {
        if (c == command_table || strcmp(c->group, c[-1].group)) {
            const char *intro = command_group_intro(c->group);
            if (c != command_table)
                str_adds(out, ".El\n");
            str_addf(out, ".Ss %c%s\n", toupper((unsigned char) c->group[0]), c->group + 1);
            mdoc_text(out, intro ? intro : "");
            str_adds(out, ".Bl -tag -width Ds\n");
        }
        command_item(c, out);
    }
    str_adds(out, ".El\n");
}

static void key_item(const struct key *k, struct str *out)
{
    str_adds(out, ".It Ic ");
    mdoc_word(out, k->key, strlen(k->key));
    str_addc(out, '\n');
    mdoc_text(out, k->help);
    str_adds(out, ".Pq Ic ");
    mdoc_quoted(out, k->line);
    str_addc(out, '\n');
}

#define KEY_LIST ".Bl -tag -width \"BackSpace\" -compact\n"

void key_man(struct str *out)
{
    str_adds(out, ".Sh KEYS\n" KEY_LIST);
    for (const struct key *k = key_table; k->key; k++)
        if (!k->view)
            key_item(k, out);
    str_adds(out, ".El\n.Pp\nWhile something is searched:\n" KEY_LIST);
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
        mdoc_sentence(out, v->help);
        for (const struct key *k = key_table; k->key; k++) {
            if (!k->view || strcmp(k->view, v->name))
                continue;
            if (!any)
                str_adds(out, ".Pp\n" KEY_LIST);
            any = true;
            key_item(k, out);
        }
        if (any)
            str_adds(out, ".El\n");
    }
}

void rows_man(const char *topic, const char *macro, struct str *out)
{
    str_adds(out, ".Bl -tag -width Ds\n");
    for (const struct help_row *row = help_rows(topic); row->name; row++) {
        str_addf(out, ".It %s ", macro);
        mdoc_quoted(out, row->name);
        str_addc(out, '\n');
        mdoc_sentence(out, row->help);
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
    str_adds(out, ".Pp\nAll are readable by their owner only.\n");
}
