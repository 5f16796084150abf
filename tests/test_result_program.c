/* Results as data through the program itself: run and repl with --json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "shell.h"

#include <stdio.h>
#include <string.h>

/* How many lines there are; each is an object. *last (or NULL) gets the last one. */
static int count_lines(const char *text, json_t **last)
{
    json_t *o = NULL;
    int n = 0;

    while (*text) {
        size_t len = strcspn(text, "\n");
        json_error_t wrong;
        json_decref(o);
        o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &wrong);
        if (!json_is_object(o))
            fail_msg("%s: %.200s", wrong.text, text);
        assert_int_equal(text[len], '\n');
        text += len + 1;
        n++;
    }
    if (last)
        *last = o;
    else
        json_decref(o);
    return n;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

// clang-format off
static const struct {
    const char *line;
    int status, lines;
    const char *command, *error, *stderr_text; /* of the last line; all of stderr */
} rows[] = {
    {"gptscope run --json -c 'prompt Tom; run; logits 2'", 0, 3, "logits 2", "", ""},
    {"gptscope run --json -p 'Tom gave' -c 'run; show heads; show residual; show attention'", 0, 4,
     "show attention", "", ""},
    {"gptscope run --json -m tiny-llama --color always -p 'Tom gave' -c 'run; show tokens'", 0, 2,
     "show tokens", "", ""},
    {"gptscope run --json -c 'echo a; head x; echo b'", 1, 2, "head x",
     "head takes a number from 0 to 5, +N, -N, first or last, not 'x'",
     "gptscope: command 2: head takes a number from 0 to 5, +N, -N, first or last, not 'x'\n"},
    {"gptscope run --json bad.gpt", 1, 3, "stpe",
     "there is no command 'stpe'; did you mean 'step'?",
     "gptscope: bad.gpt:4: there is no command 'stpe'; did you mean 'step'?\n"},
    {"gptscope run --json - <bad.gpt", 1, 3, "stpe",
     "there is no command 'stpe'; did you mean 'step'?",
     "gptscope: stdin:4: there is no command 'stpe'; did you mean 'step'?\n"},
    {"printf 'prompt Tom\\nrun\\n\\nlogits 1\\n' | gptscope repl --clean --json", 0, 3, "logits 1",
     "", ""},
    {"printf 'version\\nhead x\\nversion\\n' | gptscope repl --clean --json", 1, 2, "head x",
     "head takes a number from 0 to 5, +N, -N, first or last, not 'x'",
     "gptscope: stdin:2: head takes a number from 0 to 5, +N, -N, first or last, not 'x'\n"},
    {"gptscope run --json -p 'Tom gave' -c 'run; show residual; show model' | head -1", 0, 1, "run",
     "", ""},
    {"gptscope run --json -c ''", 0, 0, "", "", ""},
    {"gptscope run --json -c 'prompt \"\"; tokens; show'", 0, 3, "show", "", ""},
    {"gptscope run --json -c 'prompt \"\\xff\\x01\\u202e\\x1b[31m\"; prompt'", 0, 2, "prompt", "", ""},
};
// clang-format on

static void test_program(void **state)
{
    (void) state;
    FILE *file = fopen("bad.gpt", "w");

    assert_non_null(file);
    fputs("prompt Tom gave\n# a comment\nrun\nstpe\nversion\n", file);
    fclose(file);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *last = NULL;
        struct ran r = shell("%s", rows[i].line);
        if (r.status != rows[i].status)
            fail_msg("%s: status %d: %s", rows[i].line, r.status, r.err.text);
        assert_null(strchr(r.out.text, '\x1b'));
        assert_int_equal(count_lines(r.out.text, &last), rows[i].lines);
        assert_string_equal(text_of(last, "command"), rows[i].command);
        assert_string_equal(text_of(last, "error"), rows[i].error);
        assert_string_equal(r.err.text, rows[i].stderr_text);
        json_decref(last);
        ran_release(&r);
    }
}

/* A text as long as the context takes: what is long comes as a window that says so. */
static void test_long(void **state)
{
    (void) state;
    struct ran r =
        shell("gptscope run --json -c 'prompt \"'\"$(yes the red ball | head -80 | tr "
              "'\\n' ' ')\"'\"; run; show residual; show resid_post'");
    json_t *last;

    assert_int_equal(r.status, 0);
    assert_int_equal(count_lines(r.out.text, &last), 4);
    json_t *v = json_array_get(json_object_get(json_object_get(last, "result"), "values"), 0);
    json_t *pos = json_array_get(json_object_get(v, "axes"), 0);
    assert_int_equal(json_integer_value(json_object_get(pos, "size")), 242);
    assert_int_equal(json_integer_value(json_object_get(pos, "count")), 21);
    assert_int_equal(json_integer_value(json_object_get(pos, "first")), 221);
    json_decref(last);
    ran_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, shell_enter, shell_leave);
}
