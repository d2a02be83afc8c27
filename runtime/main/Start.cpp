// Where the system starts a generated executable. With the C library's start
// files it would be larger, and linking it would need the package that has
// them. Not called _start: linkers take that out of archives unasked.
#if defined(__x86_64__)

// main(argc, argv), without constructors before or destructors after it; rdx
// has what the loader wants called at the end.
extern "C" [[gnu::naked, noreturn]] void tenon_start() {
  __asm__("xorl %ebp, %ebp\n"
          "movq %rdx, %r9\n"
          "popq %rsi\n"
          "movq %rsp, %rdx\n"
          "andq $-16, %rsp\n"
          "pushq %rax\n"
          "pushq %rsp\n"
          "xorl %r8d, %r8d\n"
          "xorl %ecx, %ecx\n"
          "leaq main(%rip), %rdi\n"
          "callq *__libc_start_main@GOTPCREL(%rip)\n");
}

#endif
