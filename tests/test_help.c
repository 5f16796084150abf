/* Help and the manual: whatever the tables hold is in them, and everything has its words. What
 * the pages look like is for tests/manual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "command/command.h"
#include "command/dump.h"
#include "command/mdoc.h"
#include "command/parse.h"
#include "command/value_help.h"
#include "engine/select.h"
#include "model/builtin.h"
#include "ui/man.h"
#include "ui/tool.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct program *program[ARCH_COUNT]; /* of the built-in models */

static int open_programs(void **state)
{
    (void) state;
    for (const struct builtin *b = builtins; b->name; b++) {
        struct err err = ERR_INIT;
        struct model *m = model_open(b->name, &err);
        struct program *p = m ? program_build(m, &err) : NULL;
        if (!p || program[p->hp.arch])
            return -1;
        program[p->hp.arch] = p;
        model_free(m);
    }
    return 0;
}

static int close_programs(void **state)
{
    (void) state;
    for (int i = 0; i < ARCH_COUNT; i++)
        program_free(program[i]);
    return 0;
}

/* --- everything has its words --- */

static void groups(void **state)
{
    (void) state;
    for (const struct command *c = command_table; c->name; c++) {
        const char *intro = command_group_intro(c->group);
        if (!intro)
            fail_msg("the group '%s' has no sentence in src/command/groups.c", c->group);
        const char *end = intro + strlen(intro) - 1;
        assert_true(isupper((unsigned char) *intro));
        assert_true(strstr(intro, ".") == end);
    }
    for (const struct command_group *g = command_groups; g->name; g++)
        assert_ptr_equal(command_group_intro(g->name), g->intro); /* none twice */
}

/* "blocks.2.attn.q" as "blocks.N.attn.q" */
static void general(const char *name, struct str *out)
{
    str_clear(out);
    for (const char *p = name; *p; p++) {
        if (p > name && p[-1] == '.' && isdigit((unsigned char) *p)) {
            str_addc(out, 'N');
            while (isdigit((unsigned char) p[1]))
                p++;
        } else {
            str_addc(out, *p);
        }
    }
}

static const struct value_kind *find_kind(const struct value_kind *kind, int n,
                                          const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(kind[i].name, name) == 0)
            return &kind[i];
    return NULL;
}

/* Every value of every family is one of the kinds, with its axes and its meaning. */
static void kinds(void **state)
{
    struct value_kind *kind;
    int n = value_kinds(&kind);
    struct str name = STR_INIT;
    (void) state;
    for (int arch = 0; arch < ARCH_COUNT; arch++) {
        const struct program *p = program[arch];
        for (int i = 0; p && i < p->n_values; i++) {
            general(p->value[i].name, &name);
            const struct value_kind *k = find_kind(kind, n, name.text);
            if (!k || !k->in[arch].there)
                fail_msg("%s is not among the kinds", p->value[i].name);
            if (!k->meaning)
                fail_msg("%s has no meaning in src/engine/value_kind.c", k->name);
            assert_int_equal(k->n_axis, p->value[i].n_axis);
            assert_memory_equal(k->axis, p->value[i].axis,
                                (size_t) k->n_axis * sizeof *k->axis);
        }
    }
    for (int i = 0; i < n; i++) /* none twice */
        assert_ptr_equal(find_kind(kind, n, kind[i].name), &kind[i]);
    str_release(&name);
    free(kind);
}

static void made(void **state)
{
    static const struct {
        const char *name, *made, *families;
    } rows[] = {
        {"blocks.N.attn.pattern",
         "made by softmax(attn.scores): exp(s - max) / sum exp(s - max)", ""},
        {"blocks.N.ln1.scale",
         "in gpt2 made by layernorm(resid_pre); in llama made by rmsnorm(resid_pre)", ""},
        {"blocks.N.mlp.act", "made by silu(mlp.pre): x / (1 + exp(-x))", "llama"},
        {"blocks.N.resid_pre", "another name of blocks.N-1.resid_post", ""},
        {"cache.N.k",
         "in gpt2 another name of blocks.N.attn.k; in llama another name of "
         "blocks.N.attn.rot_k",
         ""},
        {"tokens", "", ""},
    };
    struct value_kind *kind;
    int n = value_kinds(&kind);
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str text = STR_INIT, families = STR_INIT;
        const struct value_kind *k = find_kind(kind, n, rows[i].name);
        assert_non_null(k);
        value_made_print(k, &text);
        value_families_print(k, &families);
        assert_string_equal(text.text, rows[i].made);
        assert_string_equal(families.text, rows[i].families);
        str_release(&text);
        str_release(&families);
    }
    free(kind);
}

static void layouts(void **state)
{
    (void) state;
    for (const struct dump_format *f = dump_formats; f->suffix; f++)
        if (!dump_layout(f->suffix))
            fail_msg("'%s' has no layout in src/command/value_help.c", f->suffix);
}

static void forms(void **state)
{
    (void) state;
    for (const struct value_form *f = value_forms; f->form; f++)
        for (int arch = 0; arch < ARCH_COUNT; arch++) {
            struct selection s = {0};
            struct err err = ERR_INIT;
            if (program[arch] && !selection_parse(&s, program[arch], f->example, &err))
                fail_msg("%s: %s: %s", f->form, f->example, err.text);
            selection_release(&s);
        }
}

/* With layer 2 in place of N. */
static int select_one(const struct program *p, const char *name)
{
    struct str text = STR_INIT;
    struct selection s = {0};
    struct err err = ERR_INIT;
    int value = -1;
    for (const char *c = name; *c; c++)
        str_addc(&text, *c == 'N' && c > name && strchr(".-", c[-1]) ? '2' : *c);
    if (selection_parse(&s, p, text.text, &err) && s.n == 1)
        value = s.item[0].value;
    selection_release(&s);
    str_release(&text);
    return value;
}

/* Other programs' names are understood as what the manual says of them. */
static void other_names(void **state)
{
    struct other_name o;
    int i = 0, known = 0;
    (void) state;
    for (; other_name(i, &o); i++) {
        for (int arch = 0; arch < ARCH_COUNT; arch++) {
            if (!program[arch])
                continue;
            int want = select_one(program[arch], o.value),
                got = select_one(program[arch], o.name);
            if (want < 0 && *o.otherwise)
                want = select_one(program[arch], o.otherwise);
            if (want != got)
                fail_msg("%s is not %s", o.name, o.value);
            known += got >= 0;
        }
    }
    assert_true(known > 40); /* of both families */
    assert_false(other_name(-1, &o));
}

static void topics(void **state)
{
    const char *word;
    size_t n;
    (void) state;
    for (int i = 0; (n = choice_word(command_topics, i, &word)) > 0; i++) {
        char *name = xstrndup(word, n);
        struct str text = STR_INIT;
        struct err err = ERR_INIT;
        if (!command_topic(name, &text, &err) || text.len < 40)
            fail_msg("help %s: %s", name, err.text);
        str_release(&text);
        free(name);
    }
}

/* --- everything is in the pages --- */

static void in_page(const char *page, const char *text)
{
    struct str escaped = STR_INIT;
    mdoc_word(&escaped, text, strlen(text));
    if (!strstr(page, escaped.text + 2))
        fail_msg("'%s' is not in the page", text);
    str_release(&escaped);
}

static void pages(void **state)
{
    struct str tool = STR_INIT, commands = STR_INIT, values = STR_INIT;
    struct value_kind *kind;
    struct err err = ERR_INIT;
    (void) state;
    assert_true(tool_man("", &tool, &err));
    assert_true(tool_man("commands", &commands, &err));
    assert_true(tool_man("values", &values, &err));
    for (const struct tool *t = tool_table; t->name; t++)
        in_page(tool.text, t->name);
    for (const struct option_row *o = option_table; o->name; o++)
        in_page(tool.text, o->name);
    for (const struct command *c = command_table; c->name; c++)
        in_page(commands.text, c->name);
    int n = value_kinds(&kind);
    for (int i = 0; i < n; i++)
        in_page(values.text, kind[i].name);
    for (int i = 0; i < OP_COUNT; i++)
        in_page(values.text, op_info((enum opcode) i)->formula);
    for (const struct dump_format *f = dump_formats; f->suffix; f++)
        in_page(values.text, f->suffix);
    free(kind);
    str_release(&tool);
    str_release(&commands);
    str_release(&values);
    assert_false(tool_man("verbs", &values, &err));
    assert_string_equal(err.text,
                        "there is no page 'verbs'; there are commands and values, and "
                        "the one without a name");
}

/* --- mdoc --- */

static void check(void (*f)(struct str *, const char *), const char *text, const char *want)
{
    struct str out = STR_INIT;
    f(&out, text);
    assert_string_equal(out.text, want);
    str_release(&out);
}

static void mdoc(void **state)
{
    (void) state;
    check(mdoc_text, "One. Two (or so). e.g. this; .x 'y' \"z\" a-b\\",
          "One.\nTwo (or so). e.g. this; \\&.x \\(aqy\\(aq \\(dqz\\(dq a\\-b\\e\n");
    check(mdoc_text, ".x at the start.", "\\&.x at the start.\n");
    check(mdoc_text, "\xc2\xb7 \xe2\x88\x99", "\\[u00B7] \\[u2219]\n");
    check(mdoc_text, "", "");
    check(mdoc_sentence, "go on", "Go on.\n");
    check(mdoc_sentence, "go on!", "Go on!\n");
    check(mdoc_literal, ".x\n\n'", "\\&.x\n\n\\(aq\n");
    check(mdoc_help, "do it\nmore of it\nx   one\n    and on\nyy   two\nlast",
          "Do it.\nmore of it\n.Bl -tag -width Ds -compact\n.It Ic \"x\"\none and on\n"
          ".It Ic \"yy\"\ntwo\n.El\nlast\n");
    check(mdoc_usage, "[-m MODEL] FILE | - | -c COMMANDS",
          ".Oo\n.Fl m Ar \\&MODEL\n.Oc\n.Ar \\&FILE\n|\n.Fl\n|\n.Fl c Ar \\&COMMANDS\n");
    check(mdoc_usage, "[--json] bash | WORDS...",
          ".Oo\n.Fl \\-json\n.Oc\n.Cm \\&bash\n|\n.Ar \\&WORDS ...\n");
    check(mdoc_usage, "", "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups),  cmocka_unit_test(kinds), cmocka_unit_test(made),
        cmocka_unit_test(layouts), cmocka_unit_test(forms), cmocka_unit_test(other_names),
        cmocka_unit_test(topics),  cmocka_unit_test(pages), cmocka_unit_test(mdoc),
    };
    return cmocka_run_group_tests(tests, open_programs, close_programs);
}
