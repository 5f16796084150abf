#include "view/figure.h"

#include "base/mem.h"
#include "base/safe.h"
#include "view/figure_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void figure_init(struct figure *f, const struct theme *theme, enum color_scale kind)
{
    *f = (struct figure){.theme = theme ? theme : &themes[0],
                         .kind = kind,
                         .title = STR_INIT,
                         .about = STR_INIT,
                         .foot = STR_INIT};
}

void figure_release(struct figure *f)
{
    for (int i = 0; i < f->n_groups; i++) {
        heat_range_release(&f->group[i].range);
        str_release(&f->group[i].title);
    }
    for (int i = 0; i < f->n_maps; i++)
        heat_release(&f->map[i].heat);
    for (int i = 0; i < f->n_token; i++)
        free(f->token[i]);
    free(f->group);
    free(f->map);
    free(f->token);
    str_release(&f->title);
    str_release(&f->about);
    str_release(&f->foot);
}

void figure_token(struct figure *f, const char *bytes, size_t n)
{
    struct str text = STR_INIT;

    str_addf(&text, "%d ", f->n_token);
    safe_add(&text, bytes, n, SAFE_SPACE_DOT);
    f->token = xrealloc(f->token, (size_t) f->n_token + 1, sizeof *f->token);
    f->token[f->n_token++] = str_steal(&text);
}

struct figure_group *figure_group(struct figure *f)
{
    VEC_ROOM(f->group, f->n_groups, f->cap_groups);
    struct figure_group *g = &f->group[f->n_groups++];
    *g = (struct figure_group){.title = STR_INIT, .first = f->n_maps};
    return g;
}

struct figure_map *figure_map(struct figure *f, const char *title)
{
    VEC_ROOM(f->map, f->n_maps, f->cap_maps);
    struct figure_map *m = &f->map[f->n_maps++];
    *m = (struct figure_map){.group = f->n_groups - 1};
    snprintf(m->title, sizeof m->title, "%s", title);
    f->group[m->group].n++;
    return m;
}

void figure_row(struct figure *f, int map, int row, const float *x)
{
    struct figure_map *m = &f->map[map];
    struct figure_group *g = &f->group[m->group];

    heat_row(&m->heat, row, x, g->is_signed, f->kind);
    heat_range_add(&g->range, &m->heat, row, x);
}

void figure_end(struct figure *f)
{
    for (int i = 0; i < f->n_groups; i++) {
        struct figure_group *g = &f->group[i];
        double limit = g->limit > 0 ? g->limit : heat_range_limit(&g->range);
        g->scale = (struct scale){f->kind, g->is_signed, limit};
    }
}

uint32_t figure_color(const struct figure *f, const struct figure_map *m, int row, int col)
{
    return heat_color(f->theme, &f->group[m->group].scale, *heat_at(&m->heat, row, col));
}
