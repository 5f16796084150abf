/* Tab on the `:` line: commands, settings, values, files. */
#include "ui/curses_app.h"

#include "ui/line_complete.h"

#include <stdlib.h>
#include <string.h>

void entry_complete(struct app *a)
{
    struct entry *e = &a->entry;
    struct line_edit *l = &e->edit;
    struct completion c;

    line_completion(a->s, l->text.text, l->at, &c);
    if (c.n == 0)
        term_beep();
    if (c.n > 0) {
        struct str put = STR_INIT;
        char *common = line_common(&c);
        str_adds(&put, common);
        if (line_whole(&c))
            str_addc(&put, ' ');
        if (put.len >= l->at - c.from)
            line_edit_replace(l, l->at - c.from, put.text);
        str_release(&put);
        free(common);
    }
    for (int i = 0; c.n > 1 && i < c.n; i++)
        str_addf(&e->completion, "%s%s", i ? "  " : "", c.word[i]);
    completion_release(&c);
}
