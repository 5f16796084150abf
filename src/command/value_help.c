#include "command/value_help.h"

#include "command/dump.h"
#include "command/screenshot.h"
#include "engine/select.h"

#include <stdlib.h>
#include <string.h>

// clang-format off
const struct value_form value_forms[] = {
    {"NAME", "a value by its name, with the number of the layer in place of N",
     "blocks.2.attn.pattern"},
    {"GLOB", "all whose names fit: * is any text, ? a character, [abc] one of these",
     "blocks.*.attn.pattern"},
    {"A,B", "several, joined by commas; each is written once, in the order of the pass",
     "embed,logits"},
    {"L2.NAME", "the value of layer 2; L* is all layers", "L2.attn.q"},
    {"L0-3.NAME", "of the layers 0 to 3", "L0-3.mlp_out"},
    {"L2.pattern", "without attn. or mlp., where one value alone is called so",
     "L2.pattern"},
    {"L2.H1.NAME", "one head of it; H0-3 is several, H* all; k and v count key/value heads",
     "L2.H1.pattern"},
    {"hook_...", "names of TransformerLens: its hook_ may stand before any part of a name",
     "blocks.0.attn.hook_q"},
    {"name-2", "names of llama.cpp, with the layer after a hyphen; * is all layers",
     "kq_soft_max-2"},
    {"hidden_states.2", "names of Hugging Face: what its models and their modules give out",
     "transformer.h.0.mlp"},
    {NULL, NULL, NULL},
};

static const struct {
    const char *suffix, *text;
} layouts[] = {
    {"npz",
     "Each value is an array of 32-bit floats in C order under its own name, with the shape that is "
     "given above; tokens is an array of 32-bit integers [pos], token_str one of the tokens' texts. "
     "Beyond 4 GB it is a zip64 archive."},
    {"npy",
     "Format version 1.0, C order, data from a multiple of 64 bytes on. It holds one value, or one "
     "head of one."},
    {"safetensors",
     "A header of JSON, then the tensors one after the other, 32-bit floats in C order; tokens are "
     "32-bit integers. The metadata hold the tokens' texts and the axes' names as JSON in a "
     "string."},
    {"json",
     "One object: {\"tokens\": [ids], \"token_str\": [texts], \"values\": {NAME: {\"shape\": [...], \"axes\": "
     "[names], \"data\": nested lists}}}. Nine digits give "
     "each float back as it was."},
    {"csv",
     "A line for each number after a line of column names: what it belongs to, then the number. "
     "A column that a value does not have is empty; a masked score is -inf. Fields are quoted as "
     "RFC 4180 says."},
    {"tsv",
     "The same with tabs between the fields; a tab, a line end and a backslash inside of one are "
     "\\t \\n \\r \\\\."},
    {"png", "A picture of the numbers, a map for each head where there are heads."},
    {"svg", "The same picture as a drawing that can be enlarged."},
    {"html", "A page that stands on its own, with a map for each head; it needs no network."},
};
// clang-format on

const char *dump_layout(const char *suffix)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (strcmp(layouts[i].suffix, suffix) == 0)
            return layouts[i].text;
    return NULL;
}

/* --- values --- */

static void made_print(const struct value_made *m, struct str *out)
{
    if (m->alias)
        str_addf(out, "another name of %s", m->how);
    else if (m->code < OP_COUNT)
        str_addf(out, "made by %s%s%s", m->how, m->main ? ": " : "",
                 m->main ? op_info(m->code)->formula : "");
}

static bool same_made(const struct value_made *a, const struct value_made *b)
{
    return a->code == b->code && a->alias == b->alias && strcmp(a->how, b->how) == 0;
}

void value_made_print(const struct value_kind *kind, struct str *out)
{
    const struct value_made *first = NULL;
    bool alike = true;

    for (int arch = 0; arch < ARCH_COUNT; arch++) {
        const struct value_made *m = &kind->in[arch];
        alike = alike && (!m->there || !first || same_made(m, first));
        first = m->there && !first ? m : first;
    }
    bool next = false;
    for (int arch = 0; arch < ARCH_COUNT; arch++) {
        const struct value_made *m = &kind->in[arch];
        if (!m->there || (alike && m != first))
            continue;
        str_adds(out, next ? "; " : "");
        if (!alike)
            str_addf(out, "in %s ", arch_name((enum arch) arch));
        made_print(m, out);
        next = true;
    }
}

void value_families_print(const struct value_kind *kind, struct str *out)
{
    int n = 0, there = 0;

    for (int arch = 0; arch < ARCH_COUNT; arch++)
        there += kind->in[arch].there;
    for (int arch = 0; there < ARCH_COUNT && arch < ARCH_COUNT; arch++)
        if (kind->in[arch].there)
            str_addf(out, "%s%s", n++ ? ", " : "", arch_name((enum arch) arch));
}

void help_values(struct str *out)
{
    struct value_kind *kind;
    int n = value_kinds(&kind);

    for (int i = 0; i < n; i++) {
        struct str left = STR_INIT, families = STR_INIT;
        str_addf(&left, "%s ", kind[i].name);
        value_axes_print(kind[i].axis, kind[i].n_axis, &left);
        value_families_print(&kind[i], &families);
        str_addf(out, "%-46s  %s%s%s%s\n", left.text, kind[i].meaning ? kind[i].meaning : "",
                 families.len ? " (" : "", families.text, families.len ? ")" : "");
        str_release(&left);
        str_release(&families);
    }
    free(kind);
    str_adds(out, "\n");
    for (const struct value_form *f = value_forms; f->form; f++)
        str_addf(out, "%-10s  %-24s  %s\n", f->form, f->example, f->meaning);
    str_adds(out,
             "\nFor the selected layer: pattern, attn.q, ln1.scale; 'this' is the selected "
             "stage of the\nselected head. 'help names' has the names of other programs.\n");
}

void help_names(struct str *out)
{
    struct other_name o;
    const char *program = "";

    for (int i = 0; other_name(i, &o); i++) {
        if (strcmp(program, o.program) != 0)
            str_addf(out, "%s%s\n", *program ? "\n" : "", o.program);
        program = o.program;
        str_addf(out, "  %-30s  %s%s%s\n", o.name, o.value, *o.otherwise ? ", or " : "",
                 o.otherwise);
    }
}

void help_formats(struct str *out)
{
    str_adds(out, "of dumps\n");
    for (const struct dump_format *f = dump_formats; f->suffix; f++)
        str_addf(out, "  .%-11s  %s\n", f->suffix, f->summary);
    str_adds(out, "\nof pictures of the screen\n");
    for (const struct picture_format *f = picture_formats; f->suffix; f++)
        str_addf(out, "  .%-11s  %s\n", f->suffix, f->summary);
}
