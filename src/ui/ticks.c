#include "ui/ticks.h"

#include "session/course.h"
#include "ui/state.h"

void ticks_load(struct session *s, const struct tool_args *args)
{
    struct err unheard = ERR_INIT;
    struct course *c = args->clean ? NULL : course_of(s, &unheard);
    struct str text = STR_INIT;

    if (c && state_read("lessons", &text))
        course_load(c, text.text);
    str_release(&text);
}

void ticks_save(const struct session *s, const struct tool_args *args)
{
    struct str text = STR_INIT;

    if (args->clean || !s->course || !s->course->changed)
        return;
    course_save(s->course, &text);
    state_write("lessons", &text);
    s->course->changed = false;
    str_release(&text);
}
