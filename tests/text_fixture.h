/*
 * What tests of tokenizers share.
 */
#ifndef TEXT_FIXTURE_H
#define TEXT_FIXTURE_H

#include "text/tokenizer.h"

#include <jansson.h>

/* Files. The paths are yours. */
char *data_path(const char *name); /* in tests/data */
/* A fixture that is not part of the project: it lies beside it, in ../shared/fixtures. A name
 * that ends in .gz is unpacked first. NULL, and a message, when there is none. */
char *shared_path(const char *name);
char *write_file(const char *name, const void *bytes, size_t n); /* in a folder for the test */
char *temp_folder(void); /* that folder; it exists until temp_remove */
int temp_remove(void **state);

struct tokenizer *open_tokenizer(const char *path); /* fails the test when it cannot */
/* Holds the message of a tokenizer that must not open against this one; "~text": is in it. */
void assert_no_tokenizer(const char *path, const char *message);

struct ids encode(const struct tokenizer *t, const char *text, size_t n, int flags);
struct ids encode_text(const struct tokenizer *t, const char *text, int flags);
/* Ids written as numbers with spaces between, "1 2 3". */
void assert_ids(const struct tokenizer *t, const char *text, int flags, const char *ids);
bool ids_equal(const struct ids *a, const json_t *b);
char *decode_whole(const struct tokenizer *t, const struct ids *ids, size_t *n);
/* Decodes one by one; each step must give whole characters only. */
char *decode_stream(const struct tokenizer *t, const struct ids *ids, size_t *n);

#endif
