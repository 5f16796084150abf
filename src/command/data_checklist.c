/* The checklist as data. */
#include "command/data.h"

#include "session/checklist.h"

static json_t *part(const struct checklist_part *p)
{
    static const char *const kinds[] = {"lesson", "game", "exercise"};

    return json_pack("{s:s, s:s?, s:b}", "kind", kinds[p->kind], "name",
                     *p->name ? p->name : NULL, "done", p->done);
}

json_t *data_checklist_item(struct session *s, int item)
{
    const struct checklist_item *row = &checklist_table[item];
    json_t *parts = json_array(), *next = json_null();
    struct err unheard = ERR_INIT;
    struct checklist_state st;

    if (!checklist_read(&st, s, item, &unheard))
        st.n = 0;
    for (int i = 0; i < st.n; i++)
        json_array_append_new(parts, part(&st.part[i]));
    if (st.next) {
        struct str line = STR_INIT;
        checklist_part_print(st.next, &line);
        next = data_string(line.text);
        str_release(&line);
    }
    return json_pack("{s:i, s:s, s:s, s:b, s:i, s:i, s:o, s:o}", "number", item + 1, "name",
                     row->name, "title", row->title[s->set.lang], "done", !st.next, "n_done",
                     st.n_done, "n_parts", st.n, "parts", parts, "next", next);
}

json_t *data_checklist(struct session *s)
{
    json_t *items = json_array();

    for (int i = 0; i < CHECKLIST_ITEMS; i++)
        json_array_append_new(items, data_checklist_item(s, i));
    return json_pack("{s:o}", "items", items);
}
