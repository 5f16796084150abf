#include "base/interrupt.h"

#include <stdatomic.h>

/* The one global below the user interface: a signal handler has no other way to reach us. */
static atomic_bool pending;

void interrupt_set(void)
{
    atomic_store(&pending, true);
}

bool interrupt_pending(void)
{
    return atomic_load_explicit(&pending, memory_order_relaxed);
}

void interrupt_clear(void)
{
    atomic_store(&pending, false);
}
