/*
 * A value as maps of rows and columns, for pictures and pages: one for each head where it has
 * heads. [head, query, key] and [pos, head, d_head] have a map a head, [pos, d_model] one map;
 * what is one number a position is a map of one row.
 */
#ifndef GPTSCOPE_COMMAND_DUMP_MAPS_H
#define GPTSCOPE_COMMAND_DUMP_MAPS_H

#include "command/dump_label.h"
#include "view/figure.h"

struct dump_maps {
    struct dump_array *a; /* borrowed */
    struct dump_place place;
    int head_axis;     /* of the array; -1: there is none */
    int n, rows, cols; /* n maps of rows x cols numbers */
    enum axis row_axis, col_axis;
    int first_row, first_col; /* where they begin in the value: positions, keys or channels */
    bool causal, is_signed;   /* keys after the query are masked; below and above 0 */
    double limit;             /* 1 for weights and probabilities; 0: as the numbers are */
};

void dump_maps_of(struct dump_array *a, struct dump_maps *m);
int dump_maps_head(const struct dump_maps *m, int map); /* of the model; -1 without heads */
void dump_maps_title(const struct dump_maps *m, int map, char *out, size_t size); /* "L0.H3" */

/* What a figure's group has of them: axes, sizes, sign, limit. */
void dump_maps_group(const struct dump_maps *m, struct figure_group *g);

/* Gives each row of each map once, in the array's order. */
typedef bool dump_row(void *user, int map, int row, const float *x, struct err *err);
bool dump_maps_read(const struct dump_maps *m, dump_row *row, void *user, struct err *err);

/* Lines of safe text about a dump: "tiny-gpt2"; "Tom gave" 2 tokens; "gptscope 1.0". */
void dump_model_line(const struct dump_job *job, struct str *out);
void dump_prompt_line(const struct dump_job *job, struct str *out);
/* The tokens of all positions. */
void dump_figure_tokens(struct figure *f, const struct dump_job *job,
                        const struct dump_array *a);
/* The session's theme and scale, or the defaults. */
const struct theme *dump_theme(const struct dump_job *job);
enum color_scale dump_scale(const struct dump_job *job);

#endif
