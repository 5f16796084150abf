#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double clock_measure(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

double clock_now(void)
{
    const char *fixed = getenv("GPTSCOPE_CLOCK");

    return fixed && strcmp(fixed, "0") == 0 ? 0 : clock_measure();
}
