/* The style, the script and the view of the page that dump_html.c writes, as they lie in
 * assets/page. The assembler gets the source folder with -I. */
#ifdef __APPLE__
#define SYMBOL(name) _##name
        .const
#else
#define SYMBOL(name) name
        .section .rodata
#endif

        .globl  SYMBOL(page_css), SYMBOL(page_js), SYMBOL(page_view)
SYMBOL(page_css):
        .incbin "assets/page/page.css"
        .byte   0
SYMBOL(page_js):
        .incbin "assets/page/page.js"
        .byte   0
SYMBOL(page_view):
        .incbin "assets/page/view.html"
        .byte   0

#ifdef __ELF__
        .section .note.GNU-stack, "", %progbits
#endif
