/* The exercises, put into the program as they lie in assets/exercises: make joins them in the
 * build folder. And the header and the harness that a learner's file is compiled with. */
#ifdef __APPLE__
#define SYMBOL(name) _##name
        .const
#else
#define SYMBOL(name) name
        .section .rodata
#endif

        .globl  SYMBOL(blob_exercises), SYMBOL(blob_exercises_end)
SYMBOL(blob_exercises):
        .incbin "exercises.txt"
SYMBOL(blob_exercises_end):
        .byte   0

        .globl  SYMBOL(blob_exercise_header), SYMBOL(blob_exercise_header_end)
SYMBOL(blob_exercise_header):
        .incbin "include/gptscope/exercise.h"
SYMBOL(blob_exercise_header_end):
        .byte   0

        .globl  SYMBOL(blob_exercise_harness), SYMBOL(blob_exercise_harness_end)
SYMBOL(blob_exercise_harness):
        .incbin "assets/exercises/harness.c"
SYMBOL(blob_exercise_harness_end):
        .byte   0

#ifdef __ELF__
        .section .note.GNU-stack, "", %progbits
#endif
