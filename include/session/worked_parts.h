/*
 * Inside the working of a cell: shared by worked.c and the files of the families of ops. Nobody
 * else includes this.
 */
#ifndef GPTSCOPE_SESSION_WORKED_PARTS_H
#define GPTSCOPE_SESSION_WORKED_PARTS_H

#include "session/worked.h"

/* A cell being worked. Row values are [pos, channel] or [pos, head, channel]; the scores and
 * the pattern are [head, query, key]. */
struct working {
    const struct session *s;
    const struct program *p;
    const struct op *op;
    int value; /* resolved */
    int out;   /* which output of the op */
    int pos;   /* position; the query of a stage */
    int head;  /* 0 where the value has none */
    int at;    /* channel, token id or key */
    struct worked *w;
    struct err *err;
};
/* Fills lines, tables, result and size. */
typedef bool working_function(struct working *k);

working_function work_embed, work_pair, work_act, work_rope, work_norm, work_linear,
    work_result, work_scores, work_softmax, work_mix;

/* Adds a line; NUM(x) makes a number for it. */
void work_say(struct working *k, bool detail, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Keeps a number of the working under a name. */
void work_fact(struct working *k, const char *name, double x);
#define NUM(x) worked_number((char[WORKED_NUMBER]){0}, x)
/* The same after + or -: negative ones in parentheses. */
char *worked_operand(char out[WORKED_NUMBER], double x);
#define OPERAND(x) worked_operand((char[WORKED_NUMBER]){0}, x)

/* The last axis of a row value at a position (and head), or `n` keys from 0 on of a stage's
 * row. Yours; NULL with err. */
float *work_row(struct working *k, int value, int pos, int head, int *n);
float *work_stage_row(struct working *k, int value, int n);
/* v's element at one position, head and channel (or key). */
bool work_one(struct working *k, int value, int pos, int head, int at, double *x);

/* "L2.ln1.out", "L2.v": without the cell. */
#define WORK_NAME 64
char *work_name(const struct working *k, int value, char out[WORK_NAME]);
#define NAME(k, value) work_name(k, value, (char[WORK_NAME]){0})
/* The label of a token, or "" without a tokenizer. */
#define WORK_LABEL 64
char *work_label(const struct working *k, int id, char out[WORK_LABEL]);
#define LABEL(k, id) work_label(k, id, (char[WORK_LABEL]){0})

/* A new table of n products a[i] * b[i], by size; its sum is then in table->sum. */
struct worked_table *work_products(struct working *k, const float *a, const float *b, int n,
                                   const char *name_a, const char *name_b);
/* A new table of terms that are filled in; n of them are room for. */
struct worked_table *work_table(struct working *k, int n);
/* Says that the terms' first numbers are the elements of v along its last axis; of all heads,
 * one after the other, for head 0 of a whole row. */
void work_from(struct worked_table *t, const struct working *k, int value, int head);
/* Sorts the terms, and makes part, sum. */
void work_table_done(struct worked_table *t);

/* Says which element of a row value makes most of this one, at this position and head. */
void work_next(struct working *k, int value, int at);
/* Which kv head a head reads. */
int work_kv_head(const struct working *k, int head);

#endif
