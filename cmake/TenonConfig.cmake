# Tenon, installed: the targets Tenon::tenon (the compiler) and Tenon::runtime
# (libtenon.a with its headers), and tenon_add_model(). The prefix may be moved.
get_filename_component(_tenon_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET Tenon::tenon)
  add_executable(Tenon::tenon IMPORTED GLOBAL)
  set_target_properties(Tenon::tenon PROPERTIES
    IMPORTED_LOCATION "${_tenon_prefix}/bin/tenon")
  add_library(Tenon::runtime STATIC IMPORTED GLOBAL)
  set_target_properties(Tenon::runtime PROPERTIES
    IMPORTED_LOCATION "${_tenon_prefix}/lib/tenon/libtenon.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_tenon_prefix}/include"
    INTERFACE_LINK_LIBRARIES "m;dl;pthread")
endif()
unset(_tenon_prefix)

# tenon_add_model(NAME MODEL file-or-folder [OPTIONS option...])
#
# Adds the library NAME: the model compiled with `tenon compile`, its functions
# prefixed NAME_ and declared in NAME.h, which targets that link it can include.
# OPTIONS are further options of `tenon compile`.
function(tenon_add_model name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "MODEL" "OPTIONS")
  if(NOT ARG_MODEL OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "usage: tenon_add_model(NAME MODEL file-or-folder [OPTIONS option...])")
  endif()
  get_filename_component(model "${ARG_MODEL}" ABSOLUTE
    BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/tenon/${name}")
  file(MAKE_DIRECTORY "${folder}")
  # A model that is a folder changes when a file in it does.
  set(inputs "${model}")
  if(IS_DIRECTORY "${model}")
    file(GLOB_RECURSE inputs CONFIGURE_DEPENDS "${model}/*")
  endif()
  add_custom_command(
    OUTPUT "${folder}/${name}.o" "${folder}/${name}.h"
    COMMAND Tenon::tenon compile "${model}" -o "${folder}/${name}.o"
            --name "${name}" ${ARG_OPTIONS}
    DEPENDS ${inputs} Tenon::tenon Tenon::runtime
    COMMENT "Compiling the model ${name}"
    VERBATIM)
  set_source_files_properties("${folder}/${name}.o" PROPERTIES
    EXTERNAL_OBJECT TRUE GENERATED TRUE)
  add_library(${name} STATIC "${folder}/${name}.o" "${folder}/${name}.h")
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(${name} INTERFACE "${folder}")
  target_link_libraries(${name} INTERFACE Tenon::runtime)
endfunction()
