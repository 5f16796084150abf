/* What all results are made with. */
#include "command/data.h"

#include <string.h>

json_t *data_index(int i)
{
    return i < 0 ? json_null() : json_integer(i);
}

json_t *data_string(const char *text)
{
    return result_text(text, strlen(text));
}

json_t *data_lines(const char *text)
{
    json_t *list = json_array();

    while (*text) {
        size_t n = strcspn(text, "\n");
        json_array_append_new(list, result_text(text, n));
        text += n + (text[n] != '\0');
    }
    return list;
}

json_t *data_join(json_t *o, json_t *more)
{
    json_object_update(o, more);
    json_decref(more);
    return o;
}

json_t *data_part(const char *name, int size, int first, int count)
{
    json_t *o = json_object();

    if (name)
        json_object_set_new(o, "name", json_string(name));
    return data_join(
        o, json_pack("{s:i, s:i, s:i}", "size", size, "first", first, "count", count));
}

int data_window(int at, int n, int total)
{
    int first = at - n + 1;

    if (first > total - n)
        first = total - n;
    return first < 0 ? 0 : first;
}

int data_most(int rows, int otherwise, int n)
{
    int most = rows > 0 ? rows : otherwise;

    return most < n ? most : n;
}

json_t *data_table(const float *x, int rows, int cols)
{
    json_t *list = json_array();

    for (int i = 0; i < rows; i++)
        json_array_append_new(list,
                              result_floats(x + (size_t) i * (size_t) cols, (size_t) cols));
    return list;
}
