/* gptscope-commands(7). */
#include "ui/man.h"

#include "base/mem.h"
#include "command/command.h"
#include "command/keys.h"
#include "command/mdoc.h"
#include "command/parse.h"

#include <stdlib.h>
#include <string.h>

/* Topics that are sections of a page; others are printed here as they are. */
static const char placed[] =
    "commands language arguments line keys mouse values names ops settings "
    "views files formats environment";

static bool is_placed(const char *topic, size_t n)
{
    const char *word;
    size_t len;

    for (int i = 0; (len = choice_word(placed, i, &word)) > 0; i++)
        if (len == n && memcmp(word, topic, n) == 0)
            return true;
    return false;
}

/* A topic that has no section of its own, as the program prints it. */
static void add_topic(const char *topic, size_t n, struct str *out)
{
    char *name = xstrndup(topic, n);
    struct str text = STR_INIT;
    struct err err = ERR_INIT;

    if (command_topic(name, &text, &err)) {
        str_addf(out, ".Ss %s\n", name);
        mdoc_lines(out, text.text);
    }
    str_release(&text);
    free(name);
}

static void add_topics(struct str *out)
{
    const char *word;
    size_t n;

    str_adds(out, ".Sh HELP TOPICS\n"
                  "The command\n"
                  ".Ic help\n"
                  "lists the commands, and with one of these words it says what this manual\n"
                  "says:\n");
    for (int i = 0; (n = choice_word(command_topics, i, &word)) > 0; i++)
        str_addf(out, ".Ic %.*s%s\n", (int) n, word, word[n] ? " ," : " .");
    for (int i = 0; (n = choice_word(command_topics, i, &word)) > 0; i++)
        if (!is_placed(word, n))
            add_topic(word, n, out);
}

bool man_commands(struct str *out, struct err *err)
{
    (void) err;
    str_adds(out, ".Sh DESCRIPTION\n"
                  "The same commands are typed on the screen of\n"
                  ".Xr gptscope 1\n"
                  "after a colon, at the prompt of\n"
                  ".Ic gptscope repl ,\n"
                  "and stand in scripts for\n"
                  ".Ic gptscope run ;\n"
                  "keys and clicks are names for them.\n"
                  ".Sh LANGUAGE\n");
    rows_man("language", "Sy", out);
    str_adds(out, ".Ss The prompt\n");
    rows_man("line", "Sy", out);
    str_adds(out, ".Sh ARGUMENTS\n"
                  "What the words of a usage stand for:\n");
    rows_man("arguments", "Ar", out);
    command_man(out);
    add_topics(out);
    return true;
}
