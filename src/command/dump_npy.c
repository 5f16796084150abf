#include "command/dump_array.h"

#define ALIGN      64
#define PREFIX_LEN 10 /* magic, version, length of the dictionary */

static const char *byte_order(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *) &one ? "<" : ">";
}

static void add_descr(const struct dump_array *a, struct str *out)
{
    switch (a->type) {
    case DUMP_F32:
        str_addf(out, "%sf4", byte_order());
        break;
    case DUMP_I32:
        str_addf(out, "%si4", byte_order());
        break;
    case DUMP_TEXT:
        str_addf(out, "%sU%d", byte_order(), a->width);
        break;
    }
}

/*
 *     93 N U M P Y 01 00 | u16 length | {'descr': '<f4', ... 'shape': (10, 192), } blanks \n
 */
void dump_npy_header(const struct dump_array *a, struct str *out)
{
    struct str dict = STR_INIT;
    str_adds(&dict, "{'descr': '");
    add_descr(a, &dict);
    str_adds(&dict, "', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < a->n_axis; i++)
        str_addf(&dict, i ? " %d," : "%d,", a->shape[i]);
    if (a->n_axis > 1) /* a tuple of one has a comma, others need none at the end */
        str_cut(&dict, dict.len - 1, 1);
    str_adds(&dict, "), }");
    while ((PREFIX_LEN + dict.len + 1) % ALIGN)
        str_addc(&dict, ' ');
    str_addc(&dict, '\n');
    str_add(out, "\x93NUMPY\x01\x00", 8);
    str_addc(out, (char) (dict.len & 0xff));
    str_addc(out, (char) (dict.len >> 8));
    str_add(out, dict.text, dict.len);
    str_release(&dict);
}

bool dump_npy(const struct dump_job *job, struct outfile *f, struct err *err)
{
    struct dump_array *a = &job->array[0];
    struct str header = STR_INIT;
    dump_npy_header(a, &header);
    bool ok = job->stream || outfile_reserve(f, header.len + dump_array_bytes(a), err);
    outfile_write(f, header.text, header.len);
    str_release(&header);
    if (!ok || !dump_array_open(a, err))
        return false;
    const void *data;
    size_t n = 0;
    while ((ok = dump_array_next(a, &data, &n, err) && outfile_check(f, err)) && n)
        outfile_write(f, data, n);
    dump_array_close(a);
    return ok;
}
