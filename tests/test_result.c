/* Results of commands as data: every command and every view gives what its help says, errors
 * end the output, and the program prints nothing but whole lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command/data.h"
#include "command/parse.h"
#include "result_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const models[] = {"tiny-gpt2", "tiny-llama"};

static bool among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name))
        names++;
    return *names != NULL;
}

/* --- what help says --- */

/* The row that speaks of a name, among those that are apart by blanks. */
static const struct data_format *format_of(const char *name)
{
    const char *word;
    size_t n;

    for (const struct data_format *row = data_formats; row->name; row++)
        for (int i = 0; (n = choice_word(row->name, i, &word)) > 0; i++)
            if (strlen(name) == n && !memcmp(name, word, n))
                return row;
    return NULL;
}

/* Whether a key is in a list like "a [b]"; *needed: without brackets. */
static bool lists(const char *keys, const char *key)
{
    const char *word;
    size_t n, m = strlen(key);

    for (int i = 0; (n = choice_word(keys, i, &word)) > 0; i++)
        if ((n == m && !memcmp(word, key, n)) ||
            (n == m + 2 && *word == '[' && !memcmp(word + 1, key, m)))
            return true;
    return false;
}

/* The object has the keys that are listed and no others; `extra` may be there, too. Notes those
 * that were seen in `seen`. */
static void check_keys(const char *what, const json_t *o, const char *keys, const char *extra,
                       json_t *seen)
{
    const char *word, *key;
    json_t *v;
    size_t n;

    if (!json_is_object(o))
        fail_msg("%s: no object", what);
    json_object_foreach((json_t *) o, key, v)
    {
        if (!lists(keys, key) && strcmp(key, extra))
            fail_msg("%s: help json does not have '%s'", what, key);
        if (seen)
            json_object_set_new(seen, key, json_true());
    }
    for (int i = 0; (n = choice_word(keys, i, &word)) > 0; i++)
        if (*word != '[' && !json_object_getn(o, word, n))
            fail_msg("%s: no '%.*s'", what, (int) n, word);
}

static const struct data_view *view_row(const char *view)
{
    for (const struct data_view *row = data_view_table; row->view; row++)
        if (!strcmp(row->view, view))
            return row;
    return NULL;
}

/* --- every command --- */

static const char *const text_only[] = {"echo", NULL};
static const char *const silent[] = {"view",   "panel", "maximise", "resize", "scroll",
                                     "open",   "close", "quit",     "layout", "source",
                                     "search", "match", NULL};
/* These need the screen of a terminal, where there is no JSON. */
static const char *const screen_only[] = {"search", "command-line", "edit", NULL};

static json_t *all_seen; /* keys by row of data_formats */

static json_t *seen_in(const char *row)
{
    json_t *o = json_object_get(all_seen, row);

    if (!o)
        json_object_set_new(all_seen, row, o = json_object());
    return o;
}

static int missing_rows;

/* The row that data_formats lacks. */
static void print_missing(const char *name, const json_t *result)
{
    struct str keys = STR_INIT;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *) result, key, v)
        str_addf(&keys, "%s%s", keys.len ? " " : "", key);
    print_error("missing in data_formats: {\"%s\", \"%s\", \"\"},\n", name, keys.text);
    str_release(&keys);
    missing_rows++;
}

/* A line of output holds what is said of its command. */
static void check_line(const json_t *line)
{
    const char *typed = text_at(line, "command");
    const json_t *result = json_object_get(line, "result");
    const json_t *view = json_object_get(result, "view");
    struct err err = ERR_INIT;
    char name[32];

    snprintf(name, sizeof name, "%.*s", (int) strcspn(typed, " "), typed);
    const struct command *c = command_find(name, &err);
    assert_non_null(c);
    if (json_object_get(line, "error"))
        fail_msg("%s: %s", typed, text_at(line, "error"));
    if (json_object_get(line, "text")) {
        if (!among(c->name, text_only))
            fail_msg("%s gives text", typed);
        return;
    }
    if (!result) {
        if (!among(c->name, silent))
            fail_msg("%s gives nothing", typed);
        return;
    }
    const struct data_format *row = format_of(c->name);
    if (!row) {
        print_missing(c->name, result);
        return;
    }
    if (view && !json_object_get(result, "missing"))
        check_keys(typed, result, view_row(json_string_value(view))->keys, "view",
                   seen_in(json_string_value(view)));
    if (!view || json_object_get(result, "missing"))
        check_keys(typed, result, row->keys, "", seen_in(row->name));
    else
        json_object_set_new(seen_in(row->name), "view", json_true());
}

static void run_checked(struct fixture *f, const char *line)
{
    str_clear(&f->out);
    if (!command_run(&f->env, line, &f->err))
        fail_msg("%s: %s", line, f->err.text);
    json_t *lines = read_lines(f->out.text);
    assert_true(json_array_size(lines) > 0);
    for (size_t i = 0; i < json_array_size(lines); i++)
        check_line(json_array_get(lines, i));
    json_decref(lines);
}

static void test_examples(void **state)
{
    (void) state;
    put_file("example.gpt", "step\n");
    for (int m = 0; m < 2; m++)
        for (const struct command *c = command_table; c->name; c++) {
            struct fixture f;
            if (among(c->name, screen_only))
                continue;
            open_json(&f, models[m], TEXT);
            run_checked(&f, c->example);
            close_fixture(&f);
        }
    assert_int_equal(missing_rows, 0);
}

/* Before the prompt, before the run, in a pass, after it, and while runs are compared. */
static const char *const moments[] = {"prompt \"\"", "truncate 10", "until L1.softmax", "run",
                                      "mark; ablate L1.H2; compare on"};

static void test_views(void **state)
{
    (void) state;
    char line[64];

    for (const struct view *v = view_table; v->name; v++)
        if (!view_row(v->name))
            fail_msg("the view %s has no data", v->name);
    for (int m = 0; m < 2; m++) {
        struct fixture f;
        open_json(&f, models[m], TEXT);
        for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
            run_checked(&f, i == 1 ? "prompt " TEXT : moments[i]);
            for (const struct view *v = view_table; v->name; v++) {
                snprintf(line, sizeof line, "show %s", v->name);
                run_checked(&f, line);
                json_t *result = result_of(&f, line);
                bool missing = json_object_get(result, "missing") != NULL;
                if (missing && i >= 3 && strcmp(v->name, "lesson") && strcmp(v->name, "game") &&
                    (strcmp(v->name, "compare") || i == 4))
                    fail_msg("%s: %s", line, text_at(result, "missing"));
                json_decref(result);
            }
        }
        close_fixture(&f);
    }
}

/* Other forms of commands than their examples. */
static const char *const more[] = {
    "prompt",
    "set",
    "set temp",
    "set top-k 5; run; logits; generate 2; set logits-at cursor; query 3; candidate next",
    "show; run; show ablations; ablate; show; clear",
    "run; show L1.attn.q,logits 3; show tokens; show blocks.0.ln1.scale; value tokens; value",
    "break softmax; break L1; break L1.H2; break entropy L1.H2 < 0.5; break top; break here",
    "break token \" Anna\"; break 1 off; run; show; generate; break; unbreak 1; break here; "
    "break here; unbreak all",
    "help; help keys; help values; help settings; help views; help ops; help files; help json",
    "find pattern; match; find softmax; find ablate; find sampling; match previous; match end",
    "find red; find L1.softmax; find \"play faster\"; find \"how many colours\"",
    "layout; layout right 3; layout",
    "replace L1.softmax; replace L1.softmax uniform; clear",
    "record session.gpt; record; record off",
    "neuron; run; neuron last; neuron first",
    "verify; run; verify; show cache",
    "mark clear",
    "run; patch L0.attn.q scale 0.5; patch L1.resid_post add 0.1 3; patch L1.H1.z mean",
    "run; mark a; patch L1.mlp_out from mark; mark recomputed; compare; show compare; compare",
    "set merges on; query 5; show tokens; set hide-sink on; run; show attention; stage z; "
    "show attention",
    "step layer; step token; back; back layer; play",
    "run; explain probs 4,100; explain L1.ln1.out 3,4; explain L0.mlp.post 2,3; explain embed "
    "1,2",
    "truncate 0; tokens; show tokens; show; layer 2",
    "move left; view map; move down; view logits; run; move down 2; select",
    "keys; version; speed; op; point",
    "screenshot gptscope.txt 40x20",
    "exercise start mlp .; exercise check mlp .; exercise hint mlp; exercise solution mlp",
    "lesson list; lesson 1 2; answer a; show lesson; lesson 1 4; lesson next; lesson next; "
    "show lesson",
    "checklist; checklist mask; checklist 4; game; show game; game softmax; game hint; "
    "game embed; game end; game new",
};

static void test_other_forms(void **state)
{
    (void) state;
    for (int m = 0; m < 2; m++)
        for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
            struct fixture f;
            open_json(&f, models[m], TEXT);
            if (!strncmp(more[i], "mark clear", 10))
                run_checked(&f, "run; mark");
            run_checked(&f, more[i]);
            close_fixture(&f);
        }
}

static void all_were_seen(const char *row, const char *keys)
{
    const json_t *seen = json_object_get(all_seen, row);
    const char *word;
    char key[64];
    size_t n;

    for (int i = 0; (n = choice_word(keys, i, &word)) > 0; i++) {
        bool optional = *word == '[';
        snprintf(key, sizeof key, "%.*s", (int) (optional ? n - 2 : n), word + optional);
        if (!json_object_get(seen, key))
            fail_msg("help json has '%s' for %s, which never comes", key, row);
    }
}

/* After the tests above: nothing in the help is out of date. */
static void test_help_is_true(void **state)
{
    (void) state;
    for (const struct data_format *row = data_formats; row->name; row++)
        all_were_seen(row->name, row->keys);
    for (const struct data_view *row = data_view_table; row->view; row++)
        all_were_seen(row->view, row->keys);
}

/* A place where each noun appears. */
static const struct {
    const char *noun, *line, *path;
} nouns[] = {
    {"token", "prompt", "tokens/0"},
    {"token in its place", "run; logits", "after"},
    {"draw", "generate", "tokens/0/draw"},
    {"pass", "step", "pass"},
    {"value", "run; show L1.H2.pattern", "values/0"},
    {"statistics", "run; show resid_post", "values/0/statistics"},
    {"breakpoint", "break L1.H2", "breakpoints/0"},
    {"head", "run; show heads", "heads/3"},
    {"point", "run; show residual", "points/2"},
};

static void test_nouns(void **state)
{
    (void) state;
    for (const struct data_format *row = data_nouns; row->name; row++) {
        bool found = false;
        for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++) {
            struct fixture f;
            if (strcmp(nouns[i].noun, row->name))
                continue;
            found = true;
            open_json(&f, "tiny-llama", TEXT);
            json_t *result = result_of(&f, nouns[i].line);
            check_keys(row->name, at(result, nouns[i].path), row->keys, "", NULL);
            json_decref(result);
            close_fixture(&f);
        }
        if (!found)
            fail_msg("no place for %s", row->name);
    }
}

/* --- errors --- */

static const json_t *last_of(const json_t *lines)
{
    return json_array_get(lines, json_array_size(lines) - 1);
}

static void test_errors(void **state)
{
    (void) state;
    struct fixture f;

    open_json(&f, "tiny-gpt2", TEXT);
    put_file("bad.gpt", "echo one\n\nstpe; echo two\necho three\n");
    static const struct {
        const char *line, *command, *error, *file;
        int at, lines;
    } rows[] = {
        {"echo one; stpe; echo two", "stpe", "there is no command 'stpe'; did you mean 'step'?",
         NULL, 0, 2},
        {"head x; head 1", "head x",
         "head takes a number from 0 to 5, +N, -N, first or last, not 'x'", NULL, 0, 1},
        {"echo \"a", "echo \"a", "the quote at column 6 is not closed", NULL, 0, 1},
        {"echo one;  prompt \"a\"b", "prompt \"a\"b",
         "a blank is missing after the closing quote at column 21", NULL, 0, 2},
        {"source bad.gpt; version", "stpe", "there is no command 'stpe'; did you mean 'step'?",
         "bad.gpt", 3, 2},
        {"source", "source", "source: FILE is missing; usage: source FILE", NULL, 0, 1},
        {"version; source missing.gpt", "source missing.gpt",
         "cannot read 'missing.gpt': no such file or folder; check the path", NULL, 0, 2},
        {"show pattern", "show pattern",
         "blocks.0.attn.pattern is not computed yet; step or run first", NULL, 0, 1},
        {"explain", "explain",
         "blocks.0.attn.pattern is not computed at position 9 yet; step on or run", NULL, 0, 1},
        {"logits x", "logits x", "logits: 'x' is not a whole number; usage: logits [N]", NULL,
         0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str_clear(&f.out);
        assert_false(command_run(&f.env, rows[i].line, &f.err));
        json_t *lines = read_lines(f.out.text);
        const json_t *last = last_of(lines);
        assert_int_equal(json_array_size(lines), rows[i].lines);
        assert_string_equal(text_at(last, "command"), rows[i].command);
        assert_string_equal(text_at(last, "error"), rows[i].error);
        assert_null(json_object_get(last, "result"));
        assert_int_equal(json_object_size(last), rows[i].file ? 4 : 2);
        if (rows[i].file) {
            assert_string_equal(text_at(last, "file"), rows[i].file);
            assert_int_equal(int_at(last, "line"), rows[i].at);
        }
        json_decref(lines);
    }
    str_clear(&f.out);
    assert_false(command_script(&f.env, "x", "echo a\0b\n", 9, &f.err));
    json_t *lines = read_lines(f.out.text);
    assert_int_equal(json_array_size(lines), 1);
    assert_string_equal(text_at(last_of(lines), "error"), "the line holds a NUL byte");
    json_decref(lines);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),     cmocka_unit_test(test_views),
        cmocka_unit_test(test_other_forms),  cmocka_unit_test(test_nouns),
        cmocka_unit_test(test_help_is_true), cmocka_unit_test(test_errors),
    };

    all_seen = json_object();
    int failed = cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
    json_decref(all_seen);
    return failed;
}
