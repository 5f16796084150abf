/* gptscope-values(7). */
#include "ui/man.h"

#include "command/dump.h"
#include "command/keys.h"
#include "command/mdoc.h"
#include "command/value_help.h"
#include "engine/select.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

static void add_kind(const struct value_kind *kind, struct str *out)
{
    struct str shape = STR_INIT, made = STR_INIT, families = STR_INIT;

    value_axes_print(kind->axis, kind->n_axis, &shape);
    value_made_print(kind, &made);
    value_families_print(kind, &families);
    str_addf(out, ".It Va %s No ", kind->name);
    mdoc_quoted(out, shape.text);
    str_addc(out, '\n');
    mdoc_sentence(out, kind->meaning ? kind->meaning : "");
    mdoc_sentence(out, made.text);
    if (families.len > 0) {
        struct str only = STR_INIT;
        str_addf(&only, "Only in %s.", families.text);
        mdoc_text(out, only.text);
        str_release(&only);
    }
    str_release(&shape);
    str_release(&made);
    str_release(&families);
}

static void add_values(struct str *out)
{
    struct value_kind *kind;
    int n = value_kinds(&kind);

    str_adds(out,
             ".Sh VALUES\n"
             "N is the number of a layer, from 0 on.\n"
             "After each name stands its shape: pos counts positions, and is the query where\n"
             "there is a key; a model with fewer key/value heads than heads has kv_head of\n"
             "them.\n"
             "Then come the operation that makes it and its formula.\n"
             ".Bl -tag -width Ds\n");
    for (int i = 0; i < n; i++)
        add_kind(&kind[i], out);
    str_adds(out, ".El\n");
    free(kind);
}

static void add_forms(struct str *out)
{
    str_adds(out, ".Sh SHORT FORMS AND GLOBS\n"
                  "Wherever names of values are wanted, they may be given so:\n"
                  ".Bl -tag -width Ds\n");
    for (const struct value_form *f = value_forms; f->form; f++) {
        str_adds(out, ".It Ic ");
        mdoc_quoted(out, f->form);
        str_addc(out, '\n');
        mdoc_sentence(out, f->meaning);
        mdoc_example(out, f->example);
    }
    str_adds(out,
             ".El\n"
             ".Pp\n"
             "In the program a name without its block, like\n"
             ".Ic pattern\n"
             "or\n"
             ".Ic ln1.out ,\n"
             "is that of the selected layer, and of the selected head where it has heads;\n"
             ".Ic this\n"
             "is the selected stage of the selected head.\n"
             "A dump calls one head of a value\n"
             ".Va L5.H1.attn.pattern ,\n"
             "and it has no axis of heads.\n");
}

/* The value of a stage, as value_kinds has it. */
static void add_stage(enum stage stage, const struct value_kind *kind, int n, struct str *out)
{
    struct str name = STR_INIT, made = STR_INIT;

    str_addf(&name, "blocks.N.%s", stage_suffix(stage));
    str_adds(out, ".It Sy ");
    mdoc_quoted(out, stage_name(stage));
    str_addf(out, "\n.Va %s :\n", name.text);
    for (int i = 0; i < n; i++)
        if (strcmp(kind[i].name, name.text) == 0)
            value_made_print(&kind[i], &made);
    mdoc_text(out, made.text);
    str_release(&name);
    str_release(&made);
}

static void add_stages(struct str *out)
{
    struct value_kind *kind;
    int n = value_kinds(&kind);

    str_adds(out, ".Sh STAGES OF ATTENTION\n"
                  "The views and commands that show a head show it at one of these stages.\n"
                  "Query i and key j are positions; a head's keys and values are those of its\n"
                  "key/value head.\n"
                  ".Bl -tag -width \"weighted V\" -compact\n");
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        add_stage((enum stage) stage, kind, n, out);
    str_adds(out, ".El\n");
    free(kind);
}

static void add_others(struct str *out)
{
    struct other_name o;
    const char *program = "";

    str_adds(out, ".Sh NAMES OF OTHER PROGRAMS\n"
                  "These are understood, too.\n"
                  "A name of TransformerLens may keep its\n"
                  ".Ic hook_ ;\n"
                  "those that differ by more are listed.\n");
    for (int i = 0; other_name(i, &o); i++) {
        if (strcmp(program, o.program) != 0)
            str_addf(out, "%s.Ss %s\n.Bl -tag -width \"kq_soft_max_ext-N\" -compact\n",
                     *program ? ".El\n" : "", o.program);
        program = o.program;
        str_adds(out, ".It Va ");
        mdoc_word(out, o.name, strlen(o.name));
        str_addf(out, "\n.Va %s\n", o.value);
        if (*o.otherwise)
            str_addf(out, "or, where there is none,\n.Va %s\n", o.otherwise);
    }
    str_adds(out, *program ? ".El\n" : "");
}

static void add_ops(struct str *out)
{
    str_adds(out, ".Sh OPERATIONS\n"
                  ".Bl -tag -width Ds\n");
    for (int i = 0; i < OP_COUNT; i++) {
        const struct op_info *info = op_info((enum opcode) i);
        str_adds(out, ".It Sy ");
        mdoc_quoted(out, info->name);
        str_addc(out, '\n');
        str_adds(out, ".D1 ");
        mdoc_quoted(out, info->formula);
        str_addc(out, '\n');
        mdoc_text(out, info->help);
    }
    str_adds(out, ".El\n");
}

static void add_formats(struct str *out)
{
    str_adds(out,
             ".Sh FILES OF DUMPS\n"
             "The suffix of a file chooses its format, or\n"
             ".Fl \\-format\n"
             "does.\n"
             "A file comes into its place when it is complete; whatever happens before leaves\n"
             "an older one as it was.\n"
             ".Bl -tag -width Ds\n");
    for (const struct dump_format *f = dump_formats; f->suffix; f++) {
        const char *layout = dump_layout(f->suffix);
        str_addf(out, ".It Pa .%s\n", f->suffix);
        mdoc_sentence(out, f->summary);
        mdoc_text(out, layout ? layout : "");
    }
    str_adds(out, ".El\n");
}

bool man_values(struct str *out, struct err *err)
{
    (void) err;
    str_adds(out,
             ".Sh DESCRIPTION\n"
             "What\n"
             ".Xr gptscope 1\n"
             "shows, compares, changes and writes to files are the values of one forward\n"
             "pass.\n"
             "Each has a name, which is the same in views, commands and files.\n"
             "All are 32-bit floats; a value that the pass has not kept is computed again\n"
             "from what it has, by the same operations.\n");
    add_values(out);
    add_forms(out);
    add_stages(out);
    add_others(out);
    add_ops(out);
    add_formats(out);
    return true;
}
