/*
 * Time. GPTSCOPE_CLOCK=0 in the environment makes clock_now stand still at 0, for screens and
 * files that must not change from run to run.
 */
#ifndef GPTSCOPE_BASE_CLOCK_H
#define GPTSCOPE_BASE_CLOCK_H

double clock_now(void);     /* seconds from some point; monotonic; can be fixed */
double clock_measure(void); /* the same, never fixed: for benchmarks and time budgets */

#endif
