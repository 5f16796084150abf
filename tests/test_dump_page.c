/*
 * Dumps as other programs see them: Python reads the tables and safetensors, validators the
 * pictures, and Chromium opens the page, where a script moves about. Each is skipped, and says
 * so, where its program is absent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BALL "Tom gave the red ball to Anna. Anna"

static void fail_with(const char *what, const struct ran *r)
{
    fail_msg("%s: status %d\n%.3000s\n%.3000s", what, r->status, r->out.text, r->err.text);
}

/* Skips the test where the program is not installed. */
static void need(const char *program)
{
    struct ran r = shell("command -v %s >/dev/null", program);
    bool there = r.status == 0;

    ran_release(&r);
    if (there)
        return;
    print_message("%s is not installed: skipped\n", program);
    skip();
}

static void run_ok(const char *line)
{
    struct ran r = shell("%s", line);

    if (r.status != 0)
        fail_with(line, &r);
    ran_release(&r);
}

static void python_reads_it(void **state)
{
    (void) state;
    need("python3");
    run_ok(
        "for f in safetensors csv tsv json; do gptscope dump -m tiny-llama -p 'Tom, \"gave\" "
        "the red\tball' --select 'blocks.1.*,logits' -o f.$f || exit; done");
    run_ok("gptscope dump -m tiny-llama -p 'Tom, \"gave\" the red\tball' --select "
           "'blocks.1.*,logits' -o - --format safetensors | cmp - f.safetensors");
    struct ran r = shell("python3 '%s'", shell_data("../read_formats.py"));
    if (r.status != 0 || !strstr(r.out.text, " lines: fine\n"))
        fail_with("python", &r);
    print_message("%s", r.out.text);
    ran_release(&r);
}

static void pictures_are_valid(void **state)
{
    static const char *const select[] = {"L0.H3.pattern", "blocks.*.attn.pattern", "blocks.0.*",
                                         "logits"};

    (void) state;
    need("pngcheck");
    need("xmllint");
    for (size_t i = 0; i < sizeof select / sizeof *select; i++) {
        struct ran r = shell("for f in png svg; do gptscope dump -p '" BALL
                             "' --select '%s' -o v.$f || exit 1; "
                             "done; pngcheck -q v.png && xmllint --noout v.svg",
                             select[i]);
        if (r.status != 0 || r.err.len)
            fail_with(select[i], &r);
        ran_release(&r);
    }
}

/* --- Chromium --- */

/* What the page shows after a script in it has done something: `steps` are lines of JavaScript
 * that put strings into the list `seen`. Errors of the page are put there, too. */
static struct ran page_after(const char *page, const char *steps)
{
    return shell(
        "cat >steps.txt <<'END'\n<script>\nvar seen = [];\nwindow.onload = function () {\n"
        "function el(id) { return document.getElementById(id); }\n"
        "function key(k, on) { (on || el('stack')).dispatchEvent(new KeyboardEvent('keydown', "
        "{ key: k, bubbles: true })); }\n"
        "function mouse(type, q, k) { var m = el('map').getBoundingClientRect(), n = %s;\n"
        "  el('stack').dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: m.left + "
        "(k + "
        "0.5) * m.width / n, clientY: m.top + (q + 0.5) * m.height / n })); }\n"
        "function say() { seen.push(el('query').textContent + ' | ' + el('key').textContent + "
        "' "
        "| ' + el('number').textContent); }\n%s\n"
        "var out = document.createElement('pre'); out.id = 'seen'; out.textContent = "
        "seen.join('\\n') + '\\nend of it'; document.body.appendChild(out); };\n"
        "</script>\nEND\n"
        "printf '<script>window.onerror = function (m) { seen.push(\"error: \" + m); };"
        "</script>' >first.txt\n"
        "sed -e '/<body>/r first.txt' -e '/<footer>/{' -e 'r steps.txt' -e '}' '%s' "
        ">tried.html\n"
        "d=$(mktemp -d); timeout 100 chromium --headless --no-sandbox --disable-gpu "
        "--disable-background-networking --no-first-run --user-data-dir=$d "
        "--window-size=1300,900 --dump-dom \"file://$PWD/tried.html\" 2>chromium.txt "
        ">dom.html; "
        "status=$?; rm -rf \"$d\"; "
        "sed -n '/<pre id=\"seen\">/,/end of it/p' dom.html | sed 's/.*<pre id=\"seen\">//; "
        "s/<.pre>.*//'; exit $status",
        "Math.round(m.width / m.height * 10)", steps, page);
}

static void one_head(void **state)
{
    (void) state;
    need("chromium");
    run_ok("gptscope dump -p '" BALL "' --select L0.H3.pattern -o one.html");
    struct ran r = page_after(
        "one.html",
        "seen.push(document.documentElement.dataset.ready); say();\n"
        "mouse('mousemove', 6, 3); say();\n"
        "mouse('mousemove', 2, 8); say();\n"                       /* masked: stays */
        "mouse('click', 7, 6); mouse('mousemove', 6, 3); say();\n" /* held */
        "key('ArrowUp'); say(); key('ArrowLeft'); say(); key('ArrowDown'); say();\n"
        "el('row').children[4].click(); say();\n"
        "seen.push(el('row-title').textContent);\n"
        "el('col').children[3].click(); say();\n"
        "seen.push(el('col').children[3].className + ' ' + el('row').children[4].title);\n"
        "el('scale').value = 'linear'; el('scale').dispatchEvent(new Event('change'));\n"
        "seen.push(el('row').children[3].style.background); el('look').click(); "
        "key('Escape'); say();");
    struct ran want =
        shell("gptscope dump -p '" BALL "' --select L0.H3.pattern -o - --format csv "
              "| awk -F, '$4==6 && $6==3 {print $10}'");
    if (r.status != 0 || strstr(r.out.text, "error:") || !strstr(r.out.text, "end of it"))
        fail_with("chromium", &r);
    print_message("%s", r.out.text);
    static const char *const line[] = {
        "true\nquery 9 \xc2\xb7"
        "Anna | key 8 . | ",
        "query 6 \xc2\xb7to | key 3 \xc2\xb7the | ",
        "query 7 \xc2\xb7"
        "Anna | key 6 \xc2\xb7to | ",
        "query 6 \xc2\xb7to | key 6 \xc2\xb7to | ",
        "query 6 \xc2\xb7to | key 5 \xc2\xb7"
        "ball | ",
        "query 4 \xc2\xb7red | key 4 \xc2\xb7red | ",
        "What 4 \xc2\xb7red looks at (its row)",
        "query 4 \xc2\xb7red | key 3 \xc2\xb7the | ",
        "token at 4: 0.00",
    };
    const char *at = r.out.text;
    for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
        at = strstr(at, line[i]);
        if (!at)
            fail_msg("the page does not show '%s' in\n%s", line[i], r.out.text);
    }
    /* The number is the float itself: shown with the fewest digits that give it back. */
    at = strstr(r.out.text, line[1]) + strlen(line[1]);
    assert_true(strtof(at, NULL) == strtof(want.out.text, NULL));
    ran_release(&r);
    ran_release(&want);
}

static void overview(void **state)
{
    (void) state;
    need("chromium");
    run_ok("gptscope dump -m tiny-llama -p '" BALL "' --select 'blocks.*.attn.pattern' "
           "-o all.html");
    struct ran r = page_after(
        "all.html",
        "seen.push(document.querySelectorAll('.head').length + ' heads');\n"
        "document.querySelectorAll('.head')[13].click(); seen.push(el('name').textContent);\n"
        "seen.push(document.querySelectorAll('.head')[13].getAttribute('aria-current'));\n"
        "key(']'); seen.push(el('name').textContent); key('['); key('[');\n"
        "seen.push(el('name').textContent); key('K'); seen.push(el('name').textContent);\n"
        "key('J'); key('J'); key('J'); seen.push(el('name').textContent);\n"
        "mouse('mousemove', 5, 2); say();\n"
        "seen.push(document.querySelector('.head img').naturalWidth + ' pixels');");
    const char *want = "32 heads\nL1.H5 attn.pattern\ntrue\nL1.H6 attn.pattern\n"
                       "L1.H4 attn.pattern\nL2.H4 attn.pattern\nL0.H4 attn.pattern\n"
                       "query 5 \xc2\xb7"
                       "ball | key 2 \xc2\xb7gave | 0.";
    if (r.status != 0 || strstr(r.out.text, "error:") ||
        strncmp(r.out.text, want, strlen(want)) != 0 || !strstr(r.out.text, "\n10 pixels\n"))
        fail_with("chromium", &r);
    ran_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_reads_it),
        cmocka_unit_test(pictures_are_valid),
        cmocka_unit_test(one_head),
        cmocka_unit_test(overview),
    };

    return cmocka_run_group_tests(tests, shell_enter, shell_leave);
}
