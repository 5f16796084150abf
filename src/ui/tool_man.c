/* gptscope help --man: the pages of the manual. */
#include "ui/man.h"

#include "command/mdoc.h"
#include "ui/tool.h"

#include <string.h>

const struct man_page man_pages[] = {
    {"", "gptscope", 1, "a terminal microscope for GPT", man_tool},
    {"commands", "gptscope-commands", 7, "the command language of gptscope", man_commands},
    {"values", "gptscope-values", 7, "the values of a pass, their names and their files",
     man_values},
    {NULL, NULL, 0, NULL, NULL},
};

static void see_also(const struct man_page *self, struct str *out)
{
    struct str name[3] = {STR_INIT, STR_INIT, STR_INIT};
    const char *list[4] = {NULL};
    int n = 0;

    for (const struct man_page *p = man_pages; p->page; p++) {
        if (p == self || n == 3)
            continue;
        str_addf(&name[n], "%s %d", p->name, p->section);
        list[n] = name[n].text;
        n++;
    }
    mdoc_see_also(out, list);
    for (int i = 0; i < n; i++)
        str_release(&name[i]);
}

bool tool_man(const char *page, struct str *out, struct err *err)
{
    struct str names = STR_INIT;

    for (const struct man_page *p = man_pages; p->page; p++) {
        if (strcmp(p->page, page) == 0) {
            str_release(&names);
            mdoc_head(out, p->name, p->section, p->about);
            bool ok = p->write(out, err);
            see_also(p, out);
            return ok;
        }
        str_addf(&names, "%s%s", names.len ? " and " : "", p->page);
    }
    err_set(err, "there is no page '%s'; there are %s, and the one without a name", page,
            names.text);
    str_release(&names);
    return false;
}
