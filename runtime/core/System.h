// Calls of the system, made in place. A function of the C library costs a
// program more than its code does: a symbol, a relocation and a word of a
// table for each. Results below 0 are -errno.
#ifndef TENON_RUNTIME_CORE_SYSTEM_H
#define TENON_RUNTIME_CORE_SYSTEM_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace [[gnu::visibility("hidden")]] tenon {

template <typename... T>
[[gnu::always_inline]] inline long systemCall(long number, T... arguments) {
#if defined(__x86_64__)
  constexpr int count = sizeof...(T);
  const long words[] = {(long)arguments..., 0};
  register long fourth __asm__("r10") = words[count > 3 ? 3 : 0];
  register long fifth __asm__("r8") = words[count > 4 ? 4 : 0];
  register long sixth __asm__("r9") = words[count > 5 ? 5 : 0];
  if constexpr (count == 1)
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(words[0])
                     : "rcx", "r11", "memory");
  else if constexpr (count == 2)
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(words[0]), "S"(words[1])
                     : "rcx", "r11", "memory");
  else if constexpr (count == 3)
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(words[0]), "S"(words[1]), "d"(words[2])
                     : "rcx", "r11", "memory");
  else if constexpr (count == 4)
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(words[0]), "S"(words[1]), "d"(words[2]), "r"(fourth)
                     : "rcx", "r11", "memory");
  else
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(words[0]), "S"(words[1]), "d"(words[2]), "r"(fourth),
                       "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
  return number;
#else
  long result = syscall(number, arguments...);
  return result < 0 ? -long(errno) : result;
#endif
}

[[noreturn]] inline void exitProcess(int status) {
  for (;;)
    systemCall(SYS_exit_group, status);
}

} // namespace tenon

#endif // TENON_RUNTIME_CORE_SYSTEM_H
