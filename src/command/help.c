/* Help, usage and the manual, printed from the tables. */
#include "command/commands.h"
#include "command/data.h"
#include "command/keys.h"
#include "command/parse.h"

#include "base/mem.h"
#include "base/near.h"
#include "session/expr.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char command_topics[] =
    "keys mouse values ops functions expressions settings views files line json";

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

static void all_commands(struct str *out)
{
    for (const struct command *c = command_table; c->name; c++) {
        if (begins_group(c))
            str_addf(out, "%s%s\n", c == command_table ? "" : "\n", c->group);
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

static const struct help_row mouse_rows[] = {
    {"click",
     "selects what is there and gives its panel the focus; on a key in the last line or "
     "in the list of keys it does what the key does; puts the cursor into the text "
     "that is edited"},
    {"double click", "maximises the panel, and back"},
    {"wheel", "scrolls a list, or goes through the layers"},
    {"Shift wheel", "goes through the tokens, as the wheel does over the tokens at the top"},
    {"pointer", "the message line says what it is on"},
    {"drag", "moves the edge between two panels"},
    {NULL, NULL}};

static const struct help_row file_rows[] = {
    {"~/.config/gptscope/init",
     "commands that the screen and the prompt of repl begin with: set, view, layout ...; "
     "$XDG_CONFIG_HOME in place of ~/.config; an error ends it and is shown"},
    {"~/.local/state/gptscope/layout",
     "views, sizes, colours and scale as they were left, as commands; $XDG_STATE_HOME in place "
     "of ~/.local/state; read before init"},
    {"~/.local/state/gptscope/history", "command lines that were typed"},
    {"~/.local/state/gptscope/prompts", "prompts that were typed"},
    {NULL, NULL}};

static const struct help_row line_rows[] = {
    {"short forms", "the beginning of a word stands for it while no other begins so: commands, "
                    "views, settings and their words, stages, labels of ops, topics of help"},
    {"several lines",
     "a text in double quotes may go over several lines, which stay in it; a "
     "backslash at the end of a line joins it with the next; so in files, too"},
    {"Tab",
     "completes by what may stand there: commands, files, models, names of values, places "
     "like L2.H3, settings and their words, tokens of the prompt and of the vocabulary, "
     "ops, views, numbers of branches, breakpoints and ablations"},
    {"Up, Ctrl-R",
     "earlier lines, also of earlier sessions; one of several lines comes back whole"},
    {"paste", "several lines that are pasted run when Enter is pressed, one after the other"},
    {"Ctrl-C",
     "drops the line that is typed, all of it; stops the command that runs; the session "
     "stays"},
    {"Ctrl-D", "ends the program, on an empty line"},
    {NULL, NULL}};

const struct help_row *help_rows(const char *topic)
{
    return !strcmp(topic, "mouse")  ? mouse_rows
           : !strcmp(topic, "line") ? line_rows
                                    : file_rows;
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

static void topic_values(struct str *out)
{
    str_adds(out,
             "tokens                                  ids\n"
             "embed, pos_embed                        rows of the tables\n"
             "blocks.N.resid_pre, resid_mid, resid_post  the residual stream\n"
             "blocks.N.ln1.mean, .scale, .normalized, .out  (ln2, ln_final alike)\n"
             "blocks.N.attn.q, k, v                   projections [pos, head, d_head]\n"
             "blocks.N.attn.rot_q, rot_k              after rotation, where there is one\n"
             "blocks.N.attn.scores_raw, scores_scaled, scores, pattern  [head, query, key]\n"
             "blocks.N.attn.z                         pattern times V [pos, head, d_head]\n"
             "blocks.N.attn.result                    each head's own output\n"
             "blocks.N.attn_out                       after the output projection\n"
             "blocks.N.mlp.pre, pre_linear, act, post, mlp_out\n"
             "ln_final.out, logits, probs\n"
             "cache.N.k, cache.N.v                    the KV cache\n"
             "\n"
             "Globs: blocks.*.attn.pattern. Several: q,k. Short: L2.attn.q, L0-3.attn.q,\n"
             "L2.H3.pattern for one head. For the selected layer: pattern, attn.q, ln1.scale;\n"
             "'this' is the selected stage of the selected head.\n");
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
} topics[] = {{"keys", topic_keys},           {"mouse", topic_mouse},
              {"values", topic_values},       {"ops", topic_ops},
              {"functions", topic_functions}, {"expressions", topic_expressions},
              {"settings", topic_settings},   {"views", topic_views},
              {"files", topic_files},         {"line", topic_line},
              {"json", data_format_print}};

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
