# Rows for the tiled FFT: objects, and fft_kernels.inc and fft_products.inc, the tables the runtime
# reads.

set(fft_products_table "// Made from generators/tuned by generators/fft.cmake.\n")
set(fft_table "// Made from generators/tuned by generators/fft.cmake.\n")

# N1 of a transform of N elements (fft/transform.h): codelets of 4 to 16 elements fit the registers.
set(fft_first_8 1)
set(fft_first_16 1)
set(fft_first_24 3)
set(fft_first_32 4)
set(fft_first_48 6)
set(fft_first_64 8)
set(fft_first_96 12)
set(fft_first_128 16)
set(fft_first_256 16)

# corrbank_fft(TARGET LANES SIZE...): the passes of each size, in vectors of LANES transforms.
macro(corrbank_fft target lanes)
  set(vector_lanes ${target_lanes})
  set(target_lanes ${lanes})
  set(prefix corrbank_kernel_f32_${target}_fft)
  string(APPEND fft_table "CORRBANK_FFT_TARGET(${target}, ${lanes})\n")
  foreach(size ${ARGN})
    math(EXPR half "${size} / 2")
    set(rows size=${size} first=${fft_first_${half}})
    set(columns size=${size} first=${fft_first_${size}})
    corrbank_object(${prefix}_rows_forward_${size} corrbank_fft_rows_forward ${rows})
    corrbank_object(${prefix}_columns_forward_${size} corrbank_fft_columns ${columns})
    corrbank_object(${prefix}_columns_inverse_${size} corrbank_fft_columns ${columns} inverse=true)
    corrbank_object(${prefix}_product_columns_${size} corrbank_fft_product_columns ${columns})
    corrbank_object(${prefix}_rows_inverse_${size} corrbank_fft_rows_inverse ${rows})
    string(APPEND fft_table "CORRBANK_FFT_SIZE(${target}, ${size}, ${fft_first_${size}}, ${prefix}_rows_forward_${size}, "
                            "${prefix}_columns_forward_${size}, ${prefix}_columns_inverse_${size}, "
                            "${prefix}_product_columns_${size}, "
                            "${prefix}_rows_inverse_${size})\n")
  endforeach()
  set(target_lanes ${vector_lanes})
  set(fft_lanes ${lanes})
endmacro()

# corrbank_fft_product(TARGET OVER POSITIONS KERNELS): a row for the products, behind the target's corrbank_fft().
macro(corrbank_fft_product target over positions kernels)
  set(vector_lanes ${target_lanes})
  set(target_lanes ${fft_lanes})
  set(symbol corrbank_kernel_f32_${target}_fft_${over}_${positions}x${kernels})
  corrbank_object(${symbol} corrbank_fft_${over} positions=${positions} kernels=${kernels})
  string(APPEND fft_products_table
         "CORRBANK_FFT_PRODUCT(${target}, ${over}, ${positions}, ${kernels}, ${fft_lanes}, ${symbol})\n")
  set(target_lanes ${vector_lanes})
endmacro()
