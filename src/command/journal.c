#include "command/journal.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "command/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void journal_init(struct journal *j)
{
    memset(j, 0, sizeof *j);
    j->text = (struct str) STR_INIT;
}

void journal_release(struct journal *j)
{
    struct err unheard = ERR_INIT;

    journal_stop(j, &unheard);
    str_release(&j->text);
}

/* A line at once: a program that dies leaves what was done until then. */
static void put(struct journal *j, const char *text)
{
    if (!j->file)
        return;
    fputs(text, j->file);
    fflush(j->file);
}

void journal_note(struct journal *j, const char *line)
{
    j->last = j->text.len;
    for (; *line; line++)
        if (*line == '\n') /* inside quotes: everywhere else it ends a command */
            str_adds(&j->text, "\\n");
        else
            str_addc(&j->text, *line);
    if (j->text.len > 0 && j->text.text[j->text.len - 1] == '\\')
        str_addc(&j->text, ' '); /* it would join the next line */
    str_addc(&j->text, '\n');
    put(j, j->text.text + j->last);
}

void journal_prompt(struct journal *j, const struct session *s)
{
    struct str line = STR_INIT;

    if (!strncmp(j->text.text + j->last, "prompt ", 7) && !j->file)
        str_cut(&j->text, j->last, j->text.len - j->last);
    str_adds(&line, "prompt ");
    quote_print(s->prompt.text, s->prompt.len, &line);
    journal_note(j, line.text);
    str_release(&line);
}

/* A file's name works from every folder. */
static void note_model(struct journal *j, const char *spec)
{
    char *full = file_exists(spec) || file_is_dir(spec) ? realpath(spec, NULL) : NULL;
    struct str line = STR_INIT;

    str_adds(&line, "load ");
    quote_print(full ? full : spec, strlen(full ? full : spec), &line);
    journal_note(j, line.text);
    str_release(&line);
    free(full);
}

void journal_begin(struct journal *j, const struct session *s, const char *model_spec)
{
    struct settings plain;
    struct str value = STR_INIT, line = STR_INIT;

    note_model(j, model_spec);
    settings_init(&plain);
    for (const struct setting *row = setting_table; row->name; row++) {
        str_clear(&value);
        str_clear(&line);
        settings_print(&plain, row, &value);
        str_addf(&line, "set %s ", row->name);
        size_t at = line.len;
        settings_print(&s->set, row, &line);
        if (strcmp(line.text + at, value.text))
            journal_note(j, line.text);
    }
    str_release(&value);
    str_release(&line);
    if (s->ids.n > 0)
        journal_prompt(j, s);
}

/* Not a temporary file that is renamed in the end: what is recorded must be there at any
 * moment. Its owner alone may read it: it holds prompts. */
bool journal_record(struct journal *j, const char *path, struct err *err)
{
    if (!journal_stop(j, err))
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    j->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!j->file) {
        path_error(err, "cannot write", path, errno);
        if (fd >= 0)
            close(fd);
        return false;
    }
    j->path = xstrdup(path);
    put(j, "# a recorded session; gptscope run FILE does it again\n");
    put(j, j->text.text);
    if (!ferror(j->file))
        return true;
    path_error(err, "cannot write", path, errno);
    fclose(j->file);
    j->file = NULL;
    free(j->path);
    j->path = NULL;
    return false;
}

bool journal_stop(struct journal *j, struct err *err)
{
    bool ok = true;

    if (!j->file)
        return true;
    ok = !ferror(j->file);
    ok = fclose(j->file) == 0 && ok;
    j->file = NULL;
    if (!ok)
        path_error(err, "cannot complete", j->path, errno);
    free(j->path);
    j->path = NULL;
    return ok;
}
