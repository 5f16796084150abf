#include "base/near.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define LONGEST 63

static int min2(int a, int b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char) a) == tolower((unsigned char) b);
}

int near_distance(const char *a, const char *b)
{
    int n = (int) strnlen(a, LONGEST), m = (int) strnlen(b, LONGEST);
    int d[LONGEST + 1][LONGEST + 1];
    for (int i = 0; i <= n; i++)
        d[i][0] = i;
    for (int j = 0; j <= m; j++)
        d[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            d[i][j] = min2(d[i - 1][j], d[i][j - 1]) + 1;
            d[i][j] = min2(d[i][j], d[i - 1][j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                d[i][j] = min2(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

void near_init(struct near *n, const char *typed)
{
    *n = (struct near){.typed = typed, .distance = INT_MAX};
}

void near_try(struct near *n, const char *name)
{
    int d = near_distance(n->typed, name);
    if (d < n->distance) {
        n->distance = d;
        n->best = name;
    }
}

const char *near_best(const struct near *n)
{
    if (!n->best)
        return NULL;
    int letters = (int) strnlen(n->best, LONGEST);
    return n->distance * 3 <= letters + 1 ? n->best : NULL;
}
