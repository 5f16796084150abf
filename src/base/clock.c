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

static int is_fixed(void)
{
    const char *fixed = getenv("GPTSCOPE_CLOCK");

    return fixed && strcmp(fixed, "0") == 0;
}

double clock_now(void)
{
    return is_fixed() ? 0 : clock_measure();
}

void clock_date(char out[CLOCK_DATE])
{
    time_t now = is_fixed() ? 0 : time(NULL);
    struct tm day;

    gmtime_r(&now, &day);
    strftime(out, CLOCK_DATE, "%Y-%m-%dT%H:%M:%SZ", &day);
}
