/* A strict reader of the XML that the program writes: well-formed or not, and its text. */
#ifndef XML_CHECK_H
#define XML_CHECK_H

#include "base/str.h"

/* NULL when text is one well-formed element, with perhaps <!DOCTYPE html> in front; otherwise
 * what is wrong. The text inside elements called `inside` is appended to content. */
const char *xml_check(const char *text, const char *inside, struct str *content);

#endif
