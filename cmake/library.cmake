# The two libraries people link: corrbank (libcorrbank.a) and corrbank_shared (libcorrbank.so), made from the same
# objects. Reads the target corrbank_objects (C++ objects, hidden visibility, position independent) and the list
# CORRBANK_KERNEL_OBJECTS (the generated kernels).
#
# Only corrbank's own symbols may be global in either. An archive knows no visibility, so on ELF the objects are first
# merged into one, in which everything but the public functions is local. Where that cannot be done (no ELF, no
# such linker, instrumented objects) the archive is a plain one.
include(GNUInstallDirs)
find_package(Threads REQUIRED)

block()

set_target_properties(corrbank_objects PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)  # ld -r needs machine code

# The compiler's own linker, or GNU ld beside it, with the options that the compiler is called with.
set(merge "")
if(CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF" AND CMAKE_OBJCOPY AND NOT CORRBANK_SANITIZE)
  separate_arguments(compiler NATIVE_COMMAND "${CMAKE_CXX_FLAGS}")
  list(PREPEND compiler "${CMAKE_CXX_COMPILER}")
  if(CMAKE_CXX_COMPILER_TARGET)
    list(APPEND compiler "${CMAKE_CXX_COMPILE_OPTIONS_TARGET}${CMAKE_CXX_COMPILER_TARGET}")
  endif()
  foreach(linker "" -fuse-ld=bfd)
    execute_process(COMMAND ${compiler} ${linker} -Wl,--help OUTPUT_VARIABLE linker_help ERROR_QUIET)
    if(NOT merge AND linker_help MATCHES "force-group-allocation")
      set(merge ${compiler} ${linker} -r -nostdlib -Wl,--force-group-allocation)
    endif()
  endforeach()
endif()

set(objects $<TARGET_OBJECTS:corrbank_objects> ${CORRBANK_KERNEL_OBJECTS})
if(merge)
  set(merged "${PROJECT_BINARY_DIR}/corrbank.o")
  # Groups are dissolved, or a linker that drops a second instance of a template would drop what a symbol of ours, local
  # now, refers to.
  add_custom_command(
    OUTPUT "${merged}"
    COMMAND ${merge} -o "${merged}" ${objects}
    COMMAND "${CMAKE_OBJCOPY}" --wildcard --localize-hidden --localize-symbol=corrbank_kernel_*
            --keep-global-symbol=corrbank_* --keep-global-symbol=_ZN8corrbank* --keep-global-symbol=_ZNK8corrbank*
            "${merged}"
    DEPENDS corrbank_objects ${objects}
    COMMENT "Merging corrbank's objects"
    COMMAND_EXPAND_LISTS VERBATIM)
  set(objects "${merged}")
  set_source_files_properties("${merged}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
else()
  message(STATUS "corrbank: plain archive, its internal symbols stay global")
endif()

add_library(corrbank STATIC ${objects})
add_library(corrbank_shared SHARED ${objects})
add_library(corrbank::corrbank ALIAS corrbank)
add_library(corrbank::corrbank_shared ALIAS corrbank_shared)

# While the major version is 0, a new minor version may break binaries.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(soversion "0.${PROJECT_VERSION_MINOR}")
else()
  set(soversion "${PROJECT_VERSION_MAJOR}")
endif()
set_target_properties(corrbank_shared PROPERTIES OUTPUT_NAME corrbank VERSION ${PROJECT_VERSION} SOVERSION ${soversion})

foreach(library corrbank corrbank_shared)
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(${library} INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
endforeach()
target_link_libraries(corrbank INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
target_link_libraries(corrbank_shared PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
# Calls inside the library never go to another copy of corrbank in the process.
if(merge)
  # nodelete: worker threads of the main thread outlive a dlclose().
  target_link_options(corrbank_shared PRIVATE LINKER:-Bsymbolic LINKER:--no-undefined LINKER:-z,nodelete
                      LINKER:--gc-sections)
  # No pages of their own for the code and for what is only written while loading: up to 12 KB of padding.
  target_link_options(corrbank_shared PRIVATE
                      $<$<CONFIG:MinSizeRel>:LINKER:-z,noseparate-code,-z,norelro,-z,common-page-size=64>)
endif()
endblock()
