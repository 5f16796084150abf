/*
 * The one flag that a signal handler sets: long work looks at it and stops at a safe place.
 */
#ifndef GPTSCOPE_BASE_INTERRUPT_H
#define GPTSCOPE_BASE_INTERRUPT_H

#include <stdbool.h>

void interrupt_set(void); /* async-signal-safe */
bool interrupt_pending(void);
void interrupt_clear(void);

#endif
