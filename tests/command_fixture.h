/*
 * What tests of the command language share: a session on the built-in model with its output and
 * a screen, in a folder of the test's own.
 */
#ifndef COMMAND_FIXTURE_H
#define COMMAND_FIXTURE_H

#include "command/command.h"
#include "view/view.h"

#define TEXT "Tom gave the red ball to Anna. Anna"

/* The folder with the tests' data; the working folder is a fresh one. */
extern char *tests_dir;
int fixture_setup(void **state);
int fixture_teardown(void **state);

struct fixture {
    struct command_env env;
    struct session *session;
    struct str out;
    struct screen screen;
    struct err err;
};
void open_fixture(struct fixture *f, const char *text, bool screen);
void close_fixture(struct fixture *f);

void put_file(const char *path, const char *text);
/* Nothing but printable text and newlines. */
void assert_safe(const char *text);
/* Holds output against tests/script/NAME.out; GOLDEN_UPDATE=1 writes that anew. */
void golden(const char *name, const char *got);

/* The first candidate for the end of the line, and one that is among them; first NULL: none. */
void completes(const struct session *s, const char *line, const char *first, const char *holds);

#endif
