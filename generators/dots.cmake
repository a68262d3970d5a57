# Rows for correlating u8 in integers: objects, and dots_kernels.inc, the table the runtime reads.

set(dots_table "// Made from generators/targets.cmake.\n")

# What a CPU may have beside a target: better rows, which the runtime asks for first.
set(dots_extensions_x86_avx512 avx512_vnni)

# Halide features of an extension, and the products that its instruction sums. Halide has vpdpbusd for one model of a CPU
# alone: the runtime asks for what that model allows the compiler, and tests/dots_instructions.py whether the objects use
# none of the rest of it.
set(dots_features_avx512_vnni -avx512_zen4)
set(dots_taps_avx512_vnni 4)
set(dots_features_none "")
set(dots_taps_none ${baseline_taps})

# corrbank_dots(TARGET KERNELS): tiles of 4 vectors of columns x KERNELS and the powers of two below.
macro(corrbank_dots target most)
  set(target_features "${features}")
  foreach(extension IN LISTS dots_extensions_${target} ITEMS none)
    set(features "${target_features}${dots_features_${extension}}")
    set(taps ${dots_taps_${extension}})
    set(types windows.type=int16 weights.type=int16)
    if(taps EQUAL 4)
      set(types windows.type=int8 weights.type=uint8)
    endif()
    set(kernels ${most})
    while(kernels GREATER 0)
      set(symbol corrbank_kernel_i32_${target}_${extension}_dots_${kernels})
      corrbank_object(${symbol} corrbank_dots taps=${taps} kernels=${kernels} ${types})
      string(APPEND dots_table "CORRBANK_DOTS(${target}, ${extension}, ${taps}, ${kernels}, ${symbol})\n")
      math(EXPR kernels "${kernels} / 2")
    endwhile()
  endforeach()
  set(features "${target_features}")
  set(symbol corrbank_kernel_f32_${target}_dots_to_floats)
  corrbank_object(${symbol} corrbank_dots_to_floats)
  string(APPEND dots_table "CORRBANK_DOTS_TO_FLOATS(${target}, ${symbol})\n")
endmacro()
