/* gptscope(1). */
#include "ui/man.h"

#include "command/command.h"
#include "command/dump.h"
#include "command/keys.h"
#include "command/mdoc.h"
#include "command/screenshot.h"
#include "ui/tool.h"

#include <string.h>

static void add_synopsis(struct str *out)
{
    str_adds(out, ".Sh SYNOPSIS\n");
    for (const struct tool *t = tool_table; t->name; t++) {
        str_adds(out, ".Nm\n");
        if (*t->name)
            str_addf(out, ".Cm %s\n", t->name);
        mdoc_usage(out, t->usage);
    }
}

static void add_verbs(struct str *out)
{
    str_adds(out, ".Sh VERBS\n.Bl -tag -width Ds\n");
    for (const struct tool *t = tool_table; t->name; t++) {
        if (*t->name)
            str_addf(out, ".It Cm %s\n", t->name);
        else
            str_adds(out, ".It No (none)\n");
        mdoc_help(out, t->help);
    }
    str_adds(out, ".El\n");
}

/* Which verbs take an option. */
static void add_takers(struct str *out, const char *option)
{
    struct str verbs = STR_INIT;
    for (const struct tool *t = tool_table; t->name; t++)
        if (tool_takes(t, option))
            str_addf(&verbs, "%s%s", verbs.len ? ", " : "(", *t->name ? t->name : "the screen");
    str_adds(&verbs, ")");
    mdoc_text(out, verbs.text);
    str_release(&verbs);
}

static void add_option(struct str *out, const struct option_row *o)
{
    str_adds(out, ".It ");
    if (o->letter)
        str_addf(out, "Fl %c , ", o->letter);
    str_adds(out, "Fl \\-");
    mdoc_word(out, o->name, strlen(o->name));
    if (o->arg)
        str_addf(out, " Ar %s", o->arg);
    str_addc(out, '\n');
    mdoc_sentence(out, o->help);
    if (strcmp(o->name, "help") != 0 && strcmp(o->name, "version") != 0)
        add_takers(out, o->name);
}

static void add_setting(struct str *out, const struct setting *row)
{
    struct str allowed = STR_INIT;
    bool flag = row->type == SETTING_BOOL;

    settings_allowed(row, &allowed);
    str_adds(out, ".It Fl \\-");
    mdoc_word(out, row->name, strlen(row->name));
    str_adds(out, flag ? "\n" : " Ar VALUE\n");
    mdoc_sentence(out, row->help);
    if (flag)
        str_addf(out, "It is turned off by\n.Fl \\-no\\-%s .\n", row->name);
    else
        mdoc_sentence(out, allowed.text);
    str_release(&allowed);
}

static void add_options(struct str *out)
{
    str_adds(out, ".Sh OPTIONS\n"
                  "Options may stand in any place;\n"
                  ".Fl \\-\n"
                  "ends them.\n"
                  "Long ones take their value as the next argument or after an equals sign.\n"
                  ".Bl -tag -width Ds\n");
    for (const struct option_row *o = option_table; o->name; o++)
        add_option(out, o);
    str_adds(out, ".El\n.Ss Settings\n"
                  "All verbs take these; in the program the command\n"
                  ".Ic set\n"
                  "changes them.\n"
                  ".Bl -tag -width Ds\n");
    for (const struct setting *row = setting_table; row->name; row++)
        add_setting(out, row);
    str_adds(out, ".El\n");
}

static void add_format(struct str *out, const char *suffix, const char *summary)
{
    str_addf(out, ".It Pa .%s\n", suffix);
    mdoc_sentence(out, summary);
}

static void add_formats(struct str *out)
{
    str_adds(out, ".Sh FILE FORMATS\n"
                  "The suffix of the file that values are dumped to chooses its format;\n"
                  ".Xr gptscope-values 7\n"
                  "says how each is laid out.\n"
                  ".Bl -tag -width \".safetensors\" -compact\n");
    for (const struct dump_format *f = dump_formats; f->suffix; f++)
        add_format(out, f->suffix, f->summary);
    str_adds(out, ".El\n"
                  ".Pp\n"
                  "So does that of the file that\n"
                  ".Ic screenshot\n"
                  "writes a picture of the screen to.\n"
                  ".Bl -tag -width \".safetensors\" -compact\n");
    for (const struct picture_format *f = picture_formats; f->suffix; f++)
        add_format(out, f->suffix, f->summary);
    str_adds(out, ".El\n");
}

static void add_pipes(struct str *out)
{
    str_adds(out,
             ".Sh STANDARD STREAMS\n"
             "Results go to standard output, messages to standard error, one line each.\n"
             "The text\n"
             ".Sq \\-\n"
             "is standard input where a prompt, a text or a script is wanted, and standard\n"
             "output after\n"
             ".Fl o ,\n"
             "unless that is a terminal.\n"
             "Where standard output is not a terminal, there are no colours, unless\n"
             ".Fl \\-color\n"
             "asks for them.\n"
             "Output comes as it is made: a command's when it ends, generated text token\n"
             "by token.\n"
             "When its reader has gone, the program ends at the next write.\n");
}

static void add_examples(struct str *out)
{
    str_adds(out, ".Sh EXAMPLES\n");
    for (const struct tool *t = tool_table; t->name; t++)
        if (t->example)
            mdoc_example(out, t->example);
}

static void add_ending(struct str *out)
{
    str_adds(out, ".Sh ENVIRONMENT\n");
    rows_man("environment", "Ev", out);
    files_man(out);
    str_adds(out, ".Sh EXIT STATUS\n"
                  ".Bl -tag -width \"141\" -compact\n"
                  ".It 0\n"
                  "All is done.\n"
                  ".It 1\n"
                  "Something failed; a line on standard error says what, and what to do.\n"
                  "So does output that cannot be written, to a full disk for one.\n"
                  ".It 2\n"
                  "The command line is wrong.\n"
                  ".It 141\n"
                  "In a shell: nobody read the output any more.\n"
                  "The program was ended by SIGPIPE, without a message, even where it was\n"
                  "started with that signal ignored.\n"
                  ".El\n");
}

bool man_tool(struct str *out, struct err *err)
{
    add_synopsis(out);
    str_adds(out, ".Sh DESCRIPTION\n.Nm\n");
    mdoc_text(out, "steps through the forward pass of a transformer operation by operation, "
                   "layer by layer, token by token, and shows the numbers: tokens, attention "
                   "with its causal mask, every head, the residual stream, the logits and the "
                   "cache. It needs no network, and brings two small trained models along. ");
    str_adds(out, "Its commands are in\n.Xr gptscope-commands 7 ,\n"
                  "the numbers that it shows and writes in\n.Xr gptscope-values 7 .\n");
    bool ok = man_screens(out, err);
    add_verbs(out);
    add_options(out);
    view_man(out);
    key_man(out);
    mouse_man(out);
    add_formats(out);
    add_pipes(out);
    add_ending(out);
    add_examples(out);
    return ok;
}
