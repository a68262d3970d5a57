# What CMakeLists.txt is for the rows of the CPU: the kernels for CUDA. Makes cuda_kernels.inc, the table, and objects:
# one for each row, with the device code as PTX inside, and, where NVIDIA's assembler is found, one with the same code
# assembled for the architectures below. For others, and without it, the driver assembles at first use.

set(cuda_target "${CORRBANK_PLATFORM}-cuda-cuda_capability_70-user_context-no_runtime-no_asserts-no_bounds_query")
set(cuda_architectures 75 80 86 90 100 120)
set(cuda_objects)
set(cuda_ptx)
set(cuda_table "// Made from generators/targets.cmake.
// CORRBANK_CUDA_KERNEL(name, walk, tile_columns, tile_rows, tile_kernels, threads_per_block, kernel_size (0: any),
//                      channel_chunk, function, fat binary or nullptr)
// Blocks: ceil(tiles of the plane) * ceil(K / tile_kernels), along x. The tiles of a plane are
//   thread:      ceil(Wo * ceil(Ho / tile_rows) / tile_columns)
//   warp, patch: ceil(Wo / tile_columns) * ceil(Ho / tile_rows)
// Shared memory of a block, in bytes; up(a, b) is a rounded up to a multiple of b:
//   thread:       0
//   warp, size S: 4 * channel_chunk * up((tile_columns + S - 1) * (tile_rows + S - 1), 32)
//                 + 16 * up(S * S * channel_chunk * tile_kernels / 4, 32)
//   warp, any:    4 * up(64 * (tile_rows + kh - 2) + tile_columns + kw - 1, 32), kw <= 65 - tile_columns
//   patch:        4 * C * (tile_rows + kh - 1) * up(tile_columns + kw - 1, 4)
")

if(CORRBANK_CUDA)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  execute_process(COMMAND "${Python3_EXECUTABLE}" -c "import sysconfig; print(sysconfig.get_path('purelib'))"
                  OUTPUT_VARIABLE site_packages OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(cuda_hints "${site_packages}/nvidia/cu13/bin" /usr/local/cuda/bin)
  find_program(CORRBANK_PTXAS ptxas HINTS ${cuda_hints})
  find_program(CORRBANK_FATBINARY fatbinary HINTS ${cuda_hints})
  mark_as_advanced(CORRBANK_PTXAS CORRBANK_FATBINARY)
  set(assemble_cuda OFF)
  if(CORRBANK_PTXAS AND CORRBANK_FATBINARY)
    execute_process(COMMAND "${CORRBANK_PTXAS}" --help OUTPUT_VARIABLE ptxas_help)
    set(assemble_cuda ON)
    foreach(architecture ${cuda_architectures})
      if(NOT ptxas_help MATCHES "sm_${architecture}'")
        list(REMOVE_ITEM cuda_architectures ${architecture})
      endif()
    endforeach()
    message(STATUS "corrbank: CUDA kernels assembled by ${CORRBANK_PTXAS} for sm_${cuda_architectures}")
  else()
    message(STATUS "corrbank: CUDA kernels as PTX only, ptxas or fatbinary not found")
  endif()
endif()

# The device code of a row, assembled, as an object with the symbol corrbank_fatbin_<name>.
macro(corrbank_fatbin name threads ptx)
  set(stem "${CMAKE_CURRENT_BINARY_DIR}/kernels/corrbank_fatbin_${name}")
  set(assemble)
  set(images)
  foreach(architecture ${cuda_architectures})
    set(cubin "${stem}.sm_${architecture}.cubin")
    list(APPEND assemble
         COMMAND "${CORRBANK_PTXAS}" -arch=sm_${architecture} --maxntid ${threads} "${ptx}" -o "${cubin}")
    list(APPEND images "--image3=kind=elf,sm=${architecture},file=${cubin}")
  endforeach()
  file(CONFIGURE OUTPUT "${stem}.S" CONTENT
"  .section .rodata.corrbank_fatbin_${name}, \"a\", @progbits
  .balign 64
  .globl corrbank_fatbin_${name}
  .hidden corrbank_fatbin_${name}
  .type corrbank_fatbin_${name}, @object
corrbank_fatbin_${name}:
  .incbin \"corrbank_fatbin_${name}.fatbin\"
  .size corrbank_fatbin_${name}, . - corrbank_fatbin_${name}
  .section .note.GNU-stack, \"\", @progbits
")
  add_custom_command(
    OUTPUT "${stem}.o"
    ${assemble}
    COMMAND "${CORRBANK_FATBINARY}" --create "${stem}.fatbin" --64 --compress-all ${images}
    COMMAND "${CMAKE_C_COMPILER}" -c "${stem}.S" -o "${stem}.o"
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/kernels"
    DEPENDS "${ptx}" "${stem}.S"
    COMMENT "Device code of ${name}"
    VERBATIM)
  list(APPEND cuda_objects "${stem}.o")
endmacro()

macro(corrbank_cuda_kernel walk threads_x threads_y columns rows kernels kernel_size channel_chunk)
  math(EXPR tile_columns "${threads_x} * ${columns}")
  math(EXPR tile_rows "${threads_y} * ${rows}")
  math(EXPR threads "${threads_x} * ${threads_y}")
  set(name ${walk}_${tile_columns}x${tile_rows}x${kernels})
  if(NOT ${kernel_size} EQUAL 0)
    string(APPEND name _size${kernel_size})
  endif()
  set(symbol corrbank_kernel_f32_cuda_${name})
  set(stem "${CMAKE_CURRENT_BINARY_DIR}/kernels/${symbol}")
  add_custom_command(
    OUTPUT "${stem}.o" "${stem}.device_code"
    COMMAND ${generator_program} -g corrbank_tiled -f ${symbol} -o "${CMAKE_CURRENT_BINARY_DIR}/kernels"
            -e object,device_code target=${cuda_target} walk=${walk} threads_x=${threads_x} threads_y=${threads_y}
            columns=${columns} rows=${rows} kernels=${kernels} kernel_size=${kernel_size}
            channel_chunk=${channel_chunk}
    DEPENDS ${generator_program}
    COMMENT "Kernel ${symbol}"
    VERBATIM)
  list(APPEND cuda_objects "${stem}.o")
  list(APPEND cuda_ptx "${stem}.device_code")
  set(fatbin nullptr)
  if(assemble_cuda)
    corrbank_fatbin(${name} ${threads} "${stem}.device_code")
    set(fatbin corrbank_fatbin_${name})
    string(APPEND cuda_table "CORRBANK_CUDA_FATBIN(${fatbin})\n")
  endif()
  string(APPEND cuda_table
         "CORRBANK_CUDA_KERNEL(\"${name}\", ${walk}, ${tile_columns}, ${tile_rows}, ${kernels}, ${threads}, "
         "${kernel_size}, ${channel_chunk}, ${symbol}, ${fatbin})\n")
endmacro()

if(CORRBANK_CUDA)
  corrbank_read_tuned(cuda)
  corrbank_require_members("${tuned_text}" "${tuned_file}" "target;machine;date;obtained;kernels")
  corrbank_require_members("${tuned_text}" "${tuned_file}" tiled kernels)
  corrbank_tuned_list(rows "(thread|warp|patch)( [0-9]+)+" kernels tiled)
  foreach(row_words IN LISTS rows)
    separate_arguments(row_words)
    corrbank_cuda_kernel(${row_words})
  endforeach()
endif()
