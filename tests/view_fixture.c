#include "view_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *const models[2] = {"tiny-gpt2", "tiny-llama"};
const char text[62] = "Tom gave the red ball to Anna. Anna gave the red ball to Tom.";

void begin(struct fixture *f, const char *model, const char *prompt)
{
    struct settings set;
    settings_init(&set);
    memset(f, 0, sizeof *f);
    f->compute = compute_new(1);
    f->s = session_new(model, f->compute, &set, &f->err);
    if (!f->s || !session_prompt(f->s, prompt, strlen(prompt), &f->err))
        fail_msg("%s", f->err.text);
    f->cache = cache_new();
}

void end(struct fixture *f)
{
    cache_free(f->cache);
    session_free(f->s);
    compute_free(f->compute);
}

void run(struct fixture *f)
{
    bool more;
    if (!session_run(f->s, 0, &more, &f->err))
        fail_msg("%s", f->err.text);
}

float read_one(struct fixture *f, int layer, enum stage stage, int a, int b, int c)
{
    struct region one = {{a, b, c}, {1, 1, 1}};
    float v;
    if (!run_read(f->s->run, session_stage_value(f->s, layer, stage), &one, &v, &f->err))
        fail_msg("%s", f->err.text);
    return v;
}

void same(float a, float b)
{
    if (isnan(a) != isnan(b) || fabsf(a - b) > 1e-5F * (1 + fabsf(b)))
        fail_msg("%g is not %g", (double) a, (double) b);
}
