# Rows for the tiled FFT: objects, and fft_kernels.inc, the table the runtime reads.

set(fft_table "// Made from generators/targets.cmake and generators/fft.cmake.\n")

# corrbank_fft(TARGET LANES SIZE...): the passes of each size, in vectors of LANES transforms.
macro(corrbank_fft target lanes)
  if(current)
    set(fft_sizes_${target} ${ARGN})
    set(vector_lanes ${target_lanes})
    set(target_lanes ${lanes})
    set(prefix corrbank_kernel_f32_${target}_fft)
    corrbank_object(${prefix}_transpose corrbank_fft_transpose)
    string(APPEND fft_table "CORRBANK_FFT_TARGET(${target}, ${lanes}, ${prefix}_transpose)\n")
    foreach(size ${ARGN})
      corrbank_object(${prefix}_rows_forward_${size} corrbank_fft_rows_forward size=${size})
      corrbank_object(${prefix}_columns_forward_${size} corrbank_fft_columns size=${size})
      corrbank_object(${prefix}_columns_inverse_${size} corrbank_fft_columns size=${size} inverse=true)
      corrbank_object(${prefix}_rows_inverse_${size} corrbank_fft_rows_inverse size=${size})
      string(APPEND fft_table "CORRBANK_FFT_SIZE(${target}, ${size}, ${prefix}_rows_forward_${size}, "
                              "${prefix}_columns_forward_${size}, ${prefix}_columns_inverse_${size}, "
                              "${prefix}_rows_inverse_${size})\n")
    endforeach()
    set(target_lanes ${vector_lanes})
  endif()
endmacro()
