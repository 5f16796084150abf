/*
 * Results of commands as data, for tests: runs lines with --json and reads what comes.
 */
#ifndef RESULT_FIXTURE_H
#define RESULT_FIXTURE_H

#include "base/json.h"
#include "command_fixture.h"

/* A session on the model with the prompt TEXT (or none), whose commands give JSON. */
void open_json(struct fixture *f, const char *model, const char *text);
/* Output as a list of the objects of its lines; each line is whole, strict JSON that holds no
 * control sequence. */
json_t *read_lines(const char *text);
/* Runs a line, which must succeed; the result of its last command. */
json_t *result_of(struct fixture *f, const char *line);

/* Typed access to what must be there; path is like "candidates/0/id". */
const json_t *at(const json_t *root, const char *path);
long long int_at(const json_t *root, const char *path);
double number_at(const json_t *root, const char *path);
const char *text_at(const json_t *root, const char *path);
bool null_at(const json_t *root, const char *path);

/* What was computed twice may round differently, here at most so much; print_worst prints the
 * largest difference since the last time. */
#define TOLERANCE 2e-5
void near(const char *what, double got, double want);
void print_worst(const char *test);
/* Nine digits give a float back as it was; null stands for what is not finite. */
void same_float(const char *what, const json_t *got, float want);
void near_float(const char *what, const json_t *got, float want);
/* A region of a value, counts given; yours. */
float *read_region(const struct session *s, int value, const struct region *g);

#endif
