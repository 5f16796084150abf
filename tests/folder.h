/*
 * A folder of a test's own, for tests that stay where they are.
 */
#ifndef GPTSCOPE_TESTS_FOLDER_H
#define GPTSCOPE_TESTS_FOLDER_H

extern char folder[64]; /* its path */
/* Before and after a group of tests: makes it; removes it with what is in it. */
int folder_enter(void **state);
int folder_leave(void **state);
/* How many names it holds besides . and ..: temporaries must be gone. */
int names_in_folder(void);

#endif
