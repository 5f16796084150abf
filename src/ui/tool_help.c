/* gptscope help: the tables of verbs, options and settings as text. */
#include "ui/tool_input.h"

#include "base/near.h"
#include "command/command.h"

#include <string.h>

#define WIDTH  80
#define INDENT 24

/* Appends words of text, wrapped, from column `at` on; further lines begin at `indent`. */
static void add_wrapped(struct str *out, const char *text, int at, int indent)
{
    bool first = true;
    for (const char *p = text; *p;) {
        int n = (int) strcspn(p, " \n");
        if (!first && at + 1 + n > WIDTH) {
            str_addf(out, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            str_addc(out, ' ');
            at++;
        }
        str_add(out, p, (size_t) n);
        at += n;
        p += n;
        p += strspn(p, " \n");
        first = false;
    }
    str_addc(out, '\n');
}

static void add_row(struct str *out, const char *left, const char *help)
{
    int n = (int) strlen(left);
    str_addf(out, "  %s", left);
    if (n + 4 > INDENT)
        str_addf(out, "\n%*s", INDENT, "");
    else
        str_addf(out, "%*s", INDENT - n - 2, "");
    add_wrapped(out, help, INDENT, INDENT);
}

static void add_option(struct str *out, const struct option_row *o, const char *help)
{
    char left[80];
    snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name, o->arg ? " " : "",
             o->arg ? o->arg : "");
    add_row(out, left, help);
}

static void add_setting(struct str *out, const struct setting *row)
{
    struct str help = STR_INIT, left = STR_INIT;
    str_addf(&left, "    --%s%s", row->name, row->type == SETTING_BOOL ? "" : " VALUE");
    str_addf(&help, "%s (", row->help);
    if (row->type == SETTING_BOOL)
        str_addf(&help, "--no-%s is off", row->name);
    else
        settings_allowed(row, &help);
    str_adds(&help, ")");
    add_row(out, left.text, help.text);
    str_release(&help);
    str_release(&left);
}

/* A setting that has the name of one of the verb's own options cannot be set there. */
static void add_settings(struct str *out, const struct tool *t)
{
    str_adds(out, "\nsettings, for all verbs\n");
    for (const struct setting *row = setting_table; row->name; row++)
        if (!tool_takes(t, row->name))
            add_setting(out, row);
}

void tool_summary(const struct tool *t, struct str *out)
{
    str_add(out, t->help, strcspn(t->help, "\n"));
}

const char *tool_details(const struct tool *t)
{
    const char *nl = strchr(t->help, '\n');
    return nl ? nl + 1 : "";
}

void tool_help_all(struct str *out)
{
    struct str text = STR_INIT;
    str_adds(out, "gptscope " PACKAGE_VERSION ": a terminal microscope for GPT\n\n"
                  "usage: gptscope [-m MODEL] [PROMPT]     the screen\n"
                  "       gptscope VERB [OPTIONS] ...\n\nverbs\n");
    for (const struct tool *t = tool_table + 1; t->name; t++) {
        if (tool_hidden(t))
            continue;
        str_clear(&text);
        tool_summary(t, &text);
        add_row(out, t->name, text.text);
    }
    str_release(&text);
    str_adds(out, "\noptions\n");
    for (const struct option_row *o = option_table; o->name; o++)
        if (tool_takes(tool_table, o->name))
            add_option(out, o, o->help);
    add_settings(out, tool_table);
    str_adds(out, "\n'gptscope help VERB' shows the options of a verb; after -- all words are "
                  "arguments.\n");
}

void tool_help_one(const struct tool *t, struct str *out)
{
    str_addf(out, "usage: gptscope %s%s%s\n\n", t->name, *t->name ? " " : "", t->usage);
    tool_summary(t, out);
    str_adds(out, "\n\n");
    add_wrapped(out, tool_details(t), 0, 0);
    str_adds(out, "\noptions\n");
    for (const struct option_row *o = option_table; o->name; o++)
        if (tool_takes(t, o->name))
            add_option(out, o, o->help);
    add_settings(out, t);
    if (t->example)
        str_addf(out, "\nexample\n  %s\n", t->example);
}

/* Neither a verb nor a command. */
static bool unknown_topic(const char *topic, struct err *err)
{
    struct near near;
    near_init(&near, topic);
    for (const struct tool *t = tool_table + 1; t->name; t++)
        near_try(&near, t->name);
    for (const struct command *c = command_table; c->name; c++)
        near_try(&near, c->name);
    if (near_best(&near))
        return err_set(err, "there is no verb or command '%s'; did you mean '%s'", topic,
                       near_best(&near));
    return err_set(err, "there is no verb or command '%s'", topic);
}

int tool_help(const struct tool_args *a, FILE *out, struct err *err)
{
    struct str text = STR_INIT;
    int status = 0;
    const struct tool *t = a->n_rest ? tool_find(a->rest[0]) : NULL;
    struct err ignored = ERR_INIT;
    if (a->n_rest > 1) {
        err_set(err, "'%s' is too much", a->rest[1]);
        status = 2;
    } else if (a->man) {
        status = tool_man(a->n_rest ? a->rest[0] : "", &text, err) ? 0 : 2;
    } else if (!a->n_rest) {
        tool_help_all(&text);
    } else if (t) {
        tool_help_one(t, &text);
    } else if (!command_topic(a->rest[0], &text, &ignored)) {
        unknown_topic(a->rest[0], err);
        status = 2;
    }
    tool_put(out, &text);
    return status;
}
