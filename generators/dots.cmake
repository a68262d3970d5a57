# Rows for correlating u8 in integers: objects, and dots_kernels.inc, the table the runtime reads.

set(dots_table "// Made from generators/targets.cmake.\n")

# Halide features beside the target's for what the CPU may have more: vpdpbusd comes with the model of a CPU alone. The
# runtime asks for what that model allows the compiler; tests/dots_instructions.py that the objects use none of the rest of it.
set(dots_features_avx512_vnni -avx512_zen4)

# corrbank_dots(TARGET EXTENSION TAPS KERNELS...): rows that sum TAPS products at once, for KERNELS each.
macro(corrbank_dots target extension taps)
  if(current)
    set(target_features "${features}")
    set(name i32_${target})
    if(NOT "${extension}" STREQUAL none)
      string(APPEND features "${dots_features_${extension}}")
      string(APPEND name _${extension})
    endif()
    set(types windows.type=int16 weights.type=int16)
    if(${taps} EQUAL 4)
      set(types windows.type=int8 weights.type=uint8)
    endif()
    foreach(kernels ${ARGN})
      set(symbol corrbank_kernel_${name}_dots_${kernels})
      corrbank_object(${symbol} corrbank_dots taps=${taps} kernels=${kernels} ${types})
      string(APPEND dots_table "CORRBANK_DOTS(${target}, ${extension}, ${taps}, ${kernels}, ${symbol})\n")
    endforeach()
    set(features "${target_features}")
    if("${extension}" STREQUAL none)
      set(symbol corrbank_kernel_f32_${target}_dots_to_floats)
      corrbank_object(${symbol} corrbank_dots_to_floats)
      string(APPEND dots_table "CORRBANK_DOTS_TO_FLOATS(${target}, ${symbol})\n")
    endif()
  endif()
endmacro()
