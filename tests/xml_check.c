#include "xml_check.h"

#include "base/utf8.h"

#include <ctype.h>
#include <string.h>

#define DEPTH 16

struct reader {
    const char *p;
    char name[DEPTH][32];
    int depth;
    const char *inside;
    int collecting; /* depth of the element being collected, 0: none */
    struct str *content;
};

/* One character or entity at p, its bytes into out; NULL: not allowed there. */
static const char *character(const char *p, char quote, char out[5])
{
    static const struct {
        const char *text;
        char c;
    } entity[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}};
    uint32_t cp;
    int n = utf8_decode(p, strlen(p), &cp);

    memset(out, 0, 5);
    for (size_t i = 0; i < sizeof entity / sizeof *entity; i++)
        if (!strncmp(p, entity[i].text, strlen(entity[i].text))) {
            out[0] = entity[i].c;
            return p + strlen(entity[i].text);
        }
    if (n == 0 || *p == '&' || *p == '<' || *p == '>' || (quote && *p == quote) ||
        (cp < 0x20 && cp != '\n') || cp == 0xfffe || cp == 0xffff)
        return NULL;
    memcpy(out, p, (size_t) n);
    return p + n;
}

static size_t name_length(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char) p[n]) || (n && strchr("-:", p[n]) && p[n]))
        n++;
    return n;
}

static const char *attributes(struct reader *r)
{
    char seen[16][32], c[5];
    int n_seen = 0;

    while (*r->p == ' ') {
        size_t n = name_length(++r->p);
        if (n == 0 || n > 31 || n_seen == 16)
            return "an attribute has no name";
        memcpy(seen[n_seen], r->p, n);
        seen[n_seen][n] = '\0';
        for (int i = 0; i < n_seen; i++)
            if (!strcmp(seen[i], seen[n_seen]))
                return "an attribute comes twice";
        n_seen++;
        r->p += n;
        if (strncmp(r->p, "=\"", 2))
            return "an attribute has no value in quotes";
        for (r->p += 2; *r->p != '"';)
            if (!(r->p = character(r->p, '"', c)))
                return "a value has a character that must be escaped";
        r->p++;
    }
    return NULL;
}

static const char *tag(struct reader *r)
{
    bool end = *++r->p == '/';
    size_t n = name_length(r->p += end);
    char name[32];

    if (n == 0 || n > 31)
        return "a tag has no name";
    memcpy(name, r->p, n);
    name[n] = '\0';
    r->p += n;
    const char *flaw = end ? NULL : attributes(r);
    if (flaw)
        return flaw;
    bool empty = !end && *r->p == '/';
    r->p += empty;
    if (*r->p++ != '>')
        return "a tag is not closed";
    if (end && (r->depth == 0 || strcmp(r->name[r->depth - 1], name)))
        return "an end tag fits no start tag";
    if (end && r->collecting == r->depth--)
        r->collecting = 0;
    if (!end && !empty && r->depth == DEPTH)
        return "too deep";
    if (!end && !empty)
        strcpy(r->name[r->depth++], name);
    if (!end && !empty && !strcmp(name, r->inside) && !r->collecting)
        r->collecting = r->depth;
    return NULL;
}

const char *xml_check(const char *text, const char *inside, struct str *content)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    struct reader r = {.p = text, .inside = inside, .content = content};
    int roots = 0;
    char c[5];

    if (!strncmp(r.p, doctype, strlen(doctype)))
        r.p += strlen(doctype);
    while (*r.p) {
        if (*r.p == '<') {
            roots += r.depth == 0;
            const char *flaw = tag(&r);
            if (flaw)
                return flaw;
            continue;
        }
        const char *next = character(r.p, 0, c);
        if (!next)
            return "a character must be escaped";
        if (r.depth == 0 && *r.p != '\n')
            return "text outside of the element";
        if (r.collecting)
            str_adds(content, c);
        r.p = next;
    }
    return r.depth ? "an element is not closed" : roots != 1 ? "not one element" : NULL;
}
