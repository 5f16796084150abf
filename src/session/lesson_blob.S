/* The lessons, put into the program as they lie in assets/lessons: make joins the files of each
 * language in the build folder. */
#ifdef __APPLE__
#define SYMBOL(name) _##name
        .const
#else
#define SYMBOL(name) name
        .section .rodata
#endif

        .globl  SYMBOL(blob_lessons_en), SYMBOL(blob_lessons_en_end)
SYMBOL(blob_lessons_en):
        .incbin "lessons_en.txt"
SYMBOL(blob_lessons_en_end):
        .byte   0

        .globl  SYMBOL(blob_lessons_zh), SYMBOL(blob_lessons_zh_end)
SYMBOL(blob_lessons_zh):
        .incbin "lessons_zh.txt"
SYMBOL(blob_lessons_zh_end):
        .byte   0

#ifdef __ELF__
        .section .note.GNU-stack, "", %progbits
#endif
