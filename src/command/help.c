/* Help, usage and the manual, printed from the tables. */
#include "command/commands.h"
#include "command/data.h"
#include "command/keys.h"
#include "command/parse.h"
#include "command/value_help.h"

#include "base/mem.h"
#include "base/near.h"
#include "session/expr.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char command_topics[] = "commands language arguments line keys mouse values names ops "
                              "functions expressions settings "
                              "views files formats environment json";

/* "op|layer|token" or "FILE" */
static void spec_print(const struct arg_spec *spec, struct str *out)
{
    const char *word;
    size_t n;

    if (spec->type != ARG_CHOICE) {
        str_adds(out, spec->name);
        return;
    }
    for (int i = 0; (n = choice_word(spec->words, i, &word)) > 0; i++) {
        if (i > 0)
            str_addc(out, '|');
        str_add(out, word, n);
    }
}

void command_usage(const struct command *c, struct str *out)
{
    str_adds(out, c->name);
    for (int i = 0; i < COMMAND_ARGS && c->arg[i].name; i++) {
        str_adds(out, c->arg[i].optional ? " [" : " ");
        spec_print(&c->arg[i], out);
        if (c->arg[i].optional)
            str_addc(out, ']');
    }
}

static size_t summary_length(const char *help)
{
    return strcspn(help, "\n");
}

static void one_line(const struct command *c, struct str *out)
{
    struct str usage = STR_INIT;

    command_usage(c, &usage);
    str_addf(out, "  %-30s  %.*s\n", usage.text, (int) summary_length(c->help), c->help);
    str_release(&usage);
}

/* Calls fn for each group's first row. */
static bool begins_group(const struct command *c)
{
    return c == command_table || strcmp(c->group, c[-1].group) != 0;
}

static void begin_group(const struct command *c, struct str *out)
{
    const char *intro = command_group_intro(c->group);

    str_addf(out, "%s%s%s%s\n", c == command_table ? "" : "\n", c->group, intro ? ": " : "",
             intro ? intro : "");
}

static void all_commands(struct str *out)
{
    for (const struct command *c = command_table; c->name; c++) {
        if (begins_group(c))
            begin_group(c, out);
        one_line(c, out);
    }
    str_addf(out, "\nhelp COMMAND says more; so does help with one of: %s\n", command_topics);
}

void command_help(const struct command *c, struct str *out)
{
    if (!c) {
        all_commands(out);
        return;
    }
    str_adds(out, "usage: ");
    command_usage(c, out);
    str_addf(out, "\n%s\nexample: %s\n", c->help, c->example);
    for (const struct key *k = key_table; k->key; k++)
        if (key_runs(k, c->name))
            str_addf(out, "key %s: %s\n", k->key, k->help);
}

/* --- topics --- */

static void own_keys(const char *view, const char *title, struct str *out)
{
    bool any = false;

    for (const struct key *k = key_table; k->key; k++) {
        if (!k->view || strcmp(k->view, view))
            continue;
        if (!any)
            str_addf(out, "\n%s\n", title);
        any = true;
        str_addf(out, "  %-8s  %-40s  %s\n", k->key, k->help, k->line);
    }
}

static void topic_keys(struct str *out)
{
    for (const struct key *k = key_table; k->key; k++)
        if (!k->view)
            str_addf(out, "  %-8s  %-40s  %s\n", k->key, k->help, k->line);
    own_keys("search", "while something is searched", out);
    for (const struct view *v = view_table; v->name; v++) {
        char title[64];
        snprintf(title, sizeof title, "in the view %s", v->name);
        own_keys(v->name, title, out);
    }
}

static void topic_rows(const char *topic, struct str *out)
{
    for (const struct help_row *row = help_rows(topic); row->name; row++)
        str_addf(out, "%s\n    %s\n", row->name, row->help);
}

static void topic_mouse(struct str *out)
{
    topic_rows("mouse", out);
    str_adds(out, "'set mouse off' (--no-mouse) leaves the mouse to the terminal.\n");
}

static void topic_files(struct str *out)
{
    topic_rows("files", out);
    str_adds(out, "--clean begins without them and leaves them alone.\n");
}

static void topic_line(struct str *out)
{
    topic_rows("line", out);
}

static void topic_functions(struct str *out)
{
    functions_print(NULL, -1, out);
}

static void topic_language(struct str *out)
{
    topic_rows("language", out);
}

static void topic_arguments(struct str *out)
{
    topic_rows("arguments", out);
}

static void topic_environment(struct str *out)
{
    topic_rows("environment", out);
}

static void topic_ops(struct str *out)
{
    for (int i = 0; i < OP_COUNT; i++) {
        const struct op_info *info = op_info((enum opcode) i);
        str_addf(out, "  %-12s  %s\n", info->name, info->formula);
        str_addf(out, "  %-12s  %s\n", "", info->help);
    }
}

static void topic_expressions(struct str *out)
{
    for (const struct expr_function *f = expr_functions; f->name; f++) {
        char usage[96];
        snprintf(usage, sizeof usage, "%s(%s)", f->name, f->args);
        str_addf(out, "  %-16s  %s\n", usage, f->help);
    }
}

static void topic_settings(struct str *out)
{
    for (const struct setting *row = setting_table; row->name; row++) {
        str_addf(out, "  %-12s  %s (", row->name, row->help);
        settings_allowed(row, out);
        str_adds(out, ")\n");
    }
}

static void topic_views(struct str *out)
{
    for (const struct view *v = view_table; v->name; v++)
        str_addf(out, "  %1s  %-10s  %s\n", v->digit, v->name, v->help);
}

static const struct {
    const char *name;
    void (*print)(struct str *out);
} topics[] = {
    {"commands", all_commands},
    {"language", topic_language},
    {"arguments", topic_arguments},
    {"line", topic_line},
    {"keys", topic_keys},
    {"mouse", topic_mouse},
    {"values", help_values},
    {"names", help_names},
    {"ops", topic_ops},
    {"functions", topic_functions},
    {"expressions", topic_expressions},
    {"settings", topic_settings},
    {"views", topic_views},
    {"files", topic_files},
    {"formats", help_formats},
    {"environment", topic_environment},
    {"json", data_format_print},
};

/* Commands and topics, apart by blanks. */
static void list_names(struct str *out)
{
    for (const struct command *c = command_table; c->name; c++)
        str_addf(out, "%s ", c->name);
    str_adds(out, command_topics);
}

/* Topics come before commands of their name. */
static bool print_exactly(const char *topic, struct str *out)
{
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (!strcmp(topics[i].name, topic)) {
            topics[i].print(out);
            return true;
        }
    for (const struct command *c = command_table; c->name; c++)
        if (!strcmp(c->name, topic)) {
            command_help(c, out);
            return true;
        }
    return false;
}

bool command_topic(const char *topic, struct str *out, struct err *err)
{
    struct str names = STR_INIT, near = STR_INIT;
    const char *word;

    list_names(&names);
    int i = choice_find(names.text, topic, err);
    bool found = i >= 0;
    if (found) {
        size_t n = choice_word(names.text, i, &word);
        char *name = xstrndup(word, n);
        print_exactly(name, out);
        free(name);
    } else if (i == CHOICE_NONE && choice_near(command_topics, topic, &near)) {
        err_set(err, "there is no help on '%s'; did you mean '%s'?", topic, near.text);
    } else if (i == CHOICE_NONE) {
        command_find(topic, err); /* for its message */
    }
    str_release(&names);
    str_release(&near);
    return found;
}
