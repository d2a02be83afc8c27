# Checked builds: TENON_SANITIZE for everything, TENON_FUZZ for what the fuzzers
# reach. Debian's LLVM and MLIR stay as they are, so what both sides must agree
# on (memory that allocators mark, types that cross the border) is not checked:
# run the tools with ASAN_OPTIONS=${TENON_ASAN_OPTIONS}, as the tests do.
# Assertions of LLVM's headers stay off: while an operation is made its results
# have less of a type than its accessors say.
set(TENON_ASAN_OPTIONS
  allow_user_poisoning=0:detect_container_overflow=0:detect_odr_violation=0:detect_leaks=0)
set(TENON_CHECKS -fno-sanitize-recover=all -fno-sanitize=vptr,function -fno-omit-frame-pointer
  -gline-tables-only)

if(TENON_SANITIZE)
  list(JOIN TENON_SANITIZE "," sanitizers)
  # Without optimization it builds in half the time.
  add_compile_options(-fsanitize=${sanitizers} ${TENON_CHECKS} -O0)
  # The shared library, because programs that Tenon links have no other.
  add_link_options(-fsanitize=${sanitizers} -shared-libsan)
  set(TENON_SANITIZE_FLAGS " -fsanitize=${sanitizers} -shared-libsan")
  set(library asan)
  if(NOT "address" IN_LIST TENON_SANITIZE)
    set(library ubsan_standalone)
  endif()
  execute_process(COMMAND ${CMAKE_CXX_COMPILER}
      -print-file-name=libclang_rt.${library}-${CMAKE_SYSTEM_PROCESSOR}.so
    OUTPUT_VARIABLE TENON_SANITIZER_LIBRARY OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT EXISTS "${TENON_SANITIZER_LIBRARY}")
    message(FATAL_ERROR "TENON_SANITIZE needs clang's runtime libraries (on Debian: libclang-rt-22-dev)")
  endif()
  get_filename_component(folder ${TENON_SANITIZER_LIBRARY} DIRECTORY)
  list(APPEND CMAKE_BUILD_RPATH ${folder})
  string(APPEND TENON_SANITIZE_FLAGS " -Wl,-rpath,${folder}")
endif()
