/*
 * Any value as a table of rows and columns: the view and the commands that show numbers share
 * it.
 *
 *     struct sheet t;
 *     sheet_init(&t, s, value, -1);
 *     sheet_read(&t, s, sheet_row(&t, s), 1, 0, t.cols, out, &err);
 *
 * Rows are positions; columns are the axis that is left; the heads' axis stands at one head.
 */
#ifndef GPTSCOPE_SESSION_SHEET_H
#define GPTSCOPE_SESSION_SHEET_H

#include "session/session.h"
#include "tensor/stats.h"

struct sheet {
    int value;
    int row_axis, col_axis, head_axis; /* of the value; -1: there is none */
    int rows, cols;                    /* 1 where there is no such axis; rows 0: to do */
    int head;                          /* index on the heads' axis; 0 without one */
};

/* The selected head as an index of the value's head axis; 0 when it has none. */
int value_head(const struct session *s, int value);

/* At one head, -1: the selected one. */
void sheet_init(struct sheet *t, const struct session *s, int value, int head);
/* What the rows and columns count; AXIS_ONE where there is no such axis. */
enum axis sheet_row_kind(const struct sheet *t, const struct session *s);
enum axis sheet_col_kind(const struct sheet *t, const struct session *s);
/* A rectangle of it, [rows, cols]. */
bool sheet_read(const struct sheet *t, const struct session *s, int row, int rows, int col,
                int cols, float *out, struct err *err);
/* Of the whole of it, read in blocks of rows. */
bool sheet_stats(const struct sheet *t, const struct session *s, struct stats *all,
                 struct err *err);
/* Where the session's cursor is: the query's row; the key's column, or else at.column. Always
 * inside when there are rows. */
int sheet_row(const struct sheet *t, const struct session *s);
int sheet_col(const struct sheet *t, const struct session *s);
/* The coordinate of the session that is the sheet's column. */
int *sheet_col_cursor(const struct sheet *t, struct session *s);

#endif
