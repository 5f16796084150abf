#include "ui/startup.h"

#include "base/file.h"
#include "base/mem.h"
#include "command/layout.h"
#include "session/course.h"
#include "ui/state.h"
#include "ui/tool.h"

#include <stdlib.h>
#include <string.h>

#define FILE_MOST (1 << 20)

/* Settings that are remembered: how things look, not what is computed. */
static const char *const looks[] = {"theme", "scale", "lens"};

/* Each line for itself: one that this version does not know is left out. */
static void run_layout(struct command_env *env, struct err *err)
{
    struct str text = STR_INIT;
    int i = 1;

    if (state_read("layout", &text) && strlen(text.text) == text.len)
        for (const char *p = text.text; *p; i++) {
            size_t n = strcspn(p, "\n");
            char *line = xstrndup(p, n);
            struct err wrong = ERR_INIT;
            if (!command_run(env, line, &wrong) && !*err->text)
                err_set(err, "layout:%d: %s", i, wrong.text);
            free(line);
            p += n + (p[n] != '\0');
        }
    str_release(&text);
}

static void run_init(struct command_env *env, struct err *err)
{
    char *path = config_path("init");
    struct err wrong = ERR_INIT;
    struct str text = STR_INIT;

    if (path && file_exists(path) &&
        !(file_read(&text, path, FILE_MOST, &wrong) &&
          command_script(env, "init", text.text, text.len, &wrong)) &&
        !*err->text)
        *err = wrong;
    str_release(&text);
    free(path);
}

/* Options were given for this time: they come after what is written in files. */
static void options_again(struct session *s, const struct tool_args *args, struct err *err)
{
    struct settings set = s->set;
    struct err wrong = ERR_INIT;
    struct str value = STR_INIT;

    for (const struct setting *row = setting_table; row->name; row++)
        if (args->given >> (row - setting_table) & 1) {
            str_clear(&value);
            settings_print(&args->set, row, &value);
            settings_set(&set, row->name, value.text, &wrong);
        }
    if (memcmp(&set, &s->set, sizeof set) && !session_set_all(s, &set, &wrong) && !*err->text)
        *err = wrong;
    str_release(&value);
}

void startup_run(struct command_env *env, const struct tool_args *args, bool layout,
                 struct err *err)
{
    if (!args->clean) {
        env->depth++; /* scripts */
        if (layout)
            run_layout(env, err);
        run_init(env, err);
        env->depth--;
        options_again(env->session, args, err);
    }
    str_clear(env->out);
}

void startup_save(const struct command_env *env, const struct tool_args *args)
{
    struct str text = STR_INIT;
    struct settings plain;

    if (args->clean)
        return;
    settings_init(&plain);
    str_adds(&text, "# the screen as it was left; gptscope writes this anew at its end\n");
    layout_print(env->screen, &text);
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        const struct setting *row = setting_find(looks[i]);
        if (args->given >> (row - setting_table) & 1)
            continue; /* for this time only */
        str_addf(&text, "set %s ", row->name);
        settings_print(course_settings(env->session), row, &text);
        str_addc(&text, '\n');
    }
    state_write("layout", &text);
    str_release(&text);
}
