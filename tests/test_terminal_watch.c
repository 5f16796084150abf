/* Watching an exercise on the screen: a wrong mask is a wrong picture, and saving the file puts
 * it right without a key. */
#include "terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static void shell_line(const char *line)
{
    if (system(line) != 0)
        fail_msg("%s", line);
}

static void test_watch(void **state)
{
    (void) state;
    shell_line("$GPTSCOPE exercise solution attention >right.c; "
               "sed 's/j = i + 1/j = i + 2/' right.c >wrong.c; cp wrong.c attention.c");
    struct terminal *t =
        terminal_start(120, 40, (struct variable[]){{0}}, "exercise watch attention .");
    terminal_wait(t, "the mask is off by one");
    terminal_keys(t, "q"); /* the text laid over the screen */
    terminal_keys(t, ":calc L0.H1.pattern[1,3] < 0 or L0.H1.pattern[1,2] > 0.01\r");
    terminal_keys(t, ":echo ready\r");
    terminal_wait(t, "ready");
    shell_line("cp right.c attention.c");
    terminal_wait(t, "7 of 7 TODOs pass");
    shell_line("sed -i 's/float sum = 0;/float sum = 0/' attention.c");
    terminal_wait(t, "does not compile");
    terminal_keys(t, ":watch end\r");
    terminal_wait(t, "nothing is watched");
    terminal_quit(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_watch)};

    return cmocka_run_group_tests(tests, terminal_enter, terminal_leave);
}
