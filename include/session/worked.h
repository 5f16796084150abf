/*
 * One element of any value, worked out the way its op makes it, from the numbers that are in
 * the run and in the model:
 *
 *     struct worked w;
 *     if (worked_cell(s, program_value(p, 2, "attn.q"), (int[3]){8, 3, 17}, &w, &err)) {
 *         // w.line[0]: "ln1.out[8] · w[89] = 1.2012", w.table[0]: the products, by size
 *         worked_release(&w);
 *     }
 *
 * The result is held against what the run has there. Weights are read a row at a time: a cell
 * costs what its own op and the values it reads cost for one position.
 */
#ifndef GPTSCOPE_SESSION_WORKED_H
#define GPTSCOPE_SESSION_WORKED_H

#include "session/session.h"

/* A line is text with these bytes in it, from where its part has another tone. */
#define WORKED_STRONG "\1" /* what is worked out, and its result */
#define WORKED_DIM    "\2"
#define WORKED_PLAIN  "\3"

struct worked_line {
    char *text;
    bool detail; /* may be left out where there is little room */
};

/* A number that the lines speak of, exact: "scale" 0.4330127. */
struct worked_fact {
    const char *name; /* lower case, with underscores */
    double x;
};

/* One of the things that are added up. */
struct worked_term {
    int index;      /* channel, key or token id */
    float a, b;     /* the columns of the table */
    double product; /* what is added */
};

struct worked_table {
    char title[64];      /* "q8 · k6" */
    enum axis axis;      /* what an index counts: AXIS_KEY and AXIS_VOCAB are tokens */
    const char *col[3];  /* names of the columns: "x", "w", "product" */
    const char *join[2]; /* between the columns: "×", "=" */
    struct worked_term *term;
    int n;            /* terms here, by falling |product| */
    int n_all;        /* of so many: the smallest of a vocabulary's are left out */
    double rest;      /* the sum of those left out */
    double sum;       /* of all products */
    int from;         /* the value whose elements the first numbers are, or -1 */
    int from_cell[3]; /* the one with index 0 */
    float *part;      /* the products by rising index, [n_part]; for a spark line */
    int n_part;
    bool is_signed;
};

#define WORKED_TABLES 2
struct worked {
    int value, cell[3];
    struct worked_line *line;
    int n_lines, cap_lines;
    struct worked_fact *fact;
    int n_facts, cap_facts;
    struct worked_table table[WORKED_TABLES];
    int n_tables;
    int next;         /* the value of the element that makes most of this one, or -1 */
    int next_cell[3]; /* of the largest term, where there are terms */
    double result;    /* worked out, changes included */
    double actual;    /* what the run has */
    double size;      /* of the numbers that were added up: rounding goes with it */
    bool replaced;    /* the op does something else: no result */
    bool differs;     /* result and actual are further apart than rounding explains */
};

/* False with err when the cell is not there, or not computed yet. */
bool worked_cell(const struct session *s, int value, const int cell[3], struct worked *w,
                 struct err *err);
void worked_release(struct worked *w);

/* The element that a term's first number is; false when it is no element of a value. */
bool worked_origin(const struct session *s, const struct worked_table *t, int term, int *value,
                   int cell[3]);

/* "L2.H3.q 8,17", "logits 12,·Tom": as the command explain takes it. */
void worked_place(const struct session *s, int value, const int cell[3], struct str *out);

/* A number with five digits: "0.04512", "24.811", "1.2e+08". Returns out. */
#define WORKED_NUMBER 24
char *worked_number(char out[WORKED_NUMBER], double x);

#endif
