/*
 * Time. GPTSCOPE_CLOCK=0 in the environment makes clock_now stand still at 0, for screens and
 * files that must not change from run to run.
 */
#ifndef GPTSCOPE_BASE_CLOCK_H
#define GPTSCOPE_BASE_CLOCK_H

enum { CLOCK_DATE = 40 }; /* bytes of a date */

double clock_now(void);     /* seconds from some point; monotonic; can be fixed */
double clock_measure(void); /* the same, never fixed: for benchmarks and time budgets */
/* The day and the time of day, UTC: "2025-03-01T12:00:00Z"; 1970 began when it is fixed. */
void clock_date(char out[CLOCK_DATE]);

#endif
