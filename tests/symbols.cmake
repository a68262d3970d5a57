# cmake -DNM=... -DARCHIVE=... -DSHARED=... -DEXPORTS=... -P symbols.cmake
# The symbols others can link to are those of the checked-in list, in the archive and in the shared library; and neither
# asks anyone for a Halide runtime. A change of the list is a change of what users can rely on: CHANGELOG.md.
cmake_minimum_required(VERSION 3.16)

function(symbols result file)
  execute_process(COMMAND "${NM}" --format=posix --demangle ${ARGN} "${file}"
                  OUTPUT_VARIABLE text RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "nm cannot read ${file}")
  endif()
  string(REPLACE ";" "," text "${text}")
  string(REGEX MATCHALL "[^\n]+" lines "${text}")
  list(FILTER lines EXCLUDE REGEX "\\.o\\]?:$")  # the names of archive members
  list(TRANSFORM lines REPLACE " [A-Za-z]( [0-9a-f]*)*$" "")
  list(REMOVE_DUPLICATES lines)  # constructors and destructors have two symbols of one name
  list(SORT lines)
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()

file(STRINGS "${EXPORTS}" expected)
symbols(archive "${ARCHIVE}" --extern-only --defined-only)
symbols(shared "${SHARED}" --dynamic --defined-only)
foreach(library archive shared)
  set(extra ${${library}})
  list(REMOVE_ITEM extra ${expected})
  set(missing ${expected})
  list(REMOVE_ITEM missing ${${library}})
  list(TRANSFORM extra PREPEND "\n  + ")
  list(TRANSFORM missing PREPEND "\n  - ")
  if(extra OR missing)
    message(NOTICE "The ${library} library against ${EXPORTS}:" ${extra} ${missing})
    set(failed TRUE)
  endif()
endforeach()

symbols(wanted_archive "${ARCHIVE}" --undefined-only)
symbols(wanted_shared "${SHARED}" --dynamic --undefined-only)
set(halide ${wanted_archive} ${wanted_shared})
list(FILTER halide INCLUDE REGEX "halide")
if(halide)
  message(NOTICE "These would have to come from a Halide runtime: ${halide}")
  set(failed TRUE)
endif()
if(failed)
  message(FATAL_ERROR "The libraries' symbols are not what they should be")
endif()
