#include "same_screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

static double number_at(const char **p, double *unit)
{
    const char *begin = *p;
    char text[32];
    size_t n = strspn(begin, "0123456789.");

    snprintf(text, sizeof text, "%.*s", (int) n, begin);
    const char *dot = strchr(text, '.');
    *unit = dot ? pow(10, -(double) strlen(dot + 1)) : 0;
    *p = begin + n;
    return atof(text);
}

bool same_screen(const char *want, const char *got)
{
    while (*want && *got) {
        if (!is_number_char(*want) || !is_number_char(*got)) {
            if (*want++ != *got++)
                return false;
            continue;
        }
        double unit, unused, a = number_at(&want, &unit), b = number_at(&got, &unused);
        if (fabs(a - b) > unit * 1.01 && (unit == 0 || fabs(a - b) > 1e-4 * fabs(a)))
            return false;
    }
    return *want == *got;
}
