# Rows for Winograd's method: objects, and winograd_kernels.inc, the table the runtime reads.

set(winograd_table "// Made from generators/tuned by generators/winograd.cmake.\n")

# corrbank_winograd_transforms(TARGET VARIANT...): each "M_Y R_Y M_X R_X" of F(M_Y x M_X, R_Y x R_X), M_Y x M_X responses of
# R_Y x R_X taps. A side of one tap is not transformed: 1 row, or 8 columns, since a tile's rows are read in vectors.
macro(corrbank_winograd_transforms target)
  set(made)
  foreach(variant ${ARGN})
    separate_arguments(variant)
    list(GET variant 0 m_y)
    list(GET variant 1 r_y)
    list(GET variant 2 m_x)
    list(GET variant 3 r_x)
    math(EXPR rows "${m_y} + ${r_y} - 1")
    math(EXPR columns "${m_x} + ${r_x} - 1")
    set(axes both)
    if(r_y EQUAL 1)
      set(axes columns)
    elseif(r_x EQUAL 1)
      set(axes rows)
    endif()
    set(tile tile_rows=${rows} tile_columns=${columns} axes=${axes})
    set(input corrbank_kernel_f32_${target}_winograd_input_${rows}x${columns}_${axes})
    set(output corrbank_kernel_f32_${target}_winograd_output_${m_y}x${m_x}_${r_y}x${r_x})
    if(NOT input IN_LIST made)  # it depends on the size alone
      corrbank_object(${input} corrbank_winograd_input ${tile})
      list(APPEND made ${input})
    endif()
    corrbank_object(${output} corrbank_winograd_output rows=${m_y} columns=${m_x} ${tile})
    string(APPEND winograd_table "CORRBANK_WINOGRAD_TRANSFORM(${target}, ${m_y}, ${r_y}, ${m_x}, ${r_x}, "
                                 "${input}, ${output})\n")
  endforeach()
endmacro()

# corrbank_winograd_product(TARGET LANES_OVER POSITIONS KERNELS [CONSTANT=VALUE...]): for any number of channels and tiles, or
# for those of the constants channels and tile_count.
macro(corrbank_winograd_product target lanes_over positions kernels)
  corrbank_constants("channels;tile_count" ${ARGN})
  set(symbol corrbank_kernel_f32_${target}_winograd_product_${lanes_over}_${positions}x${kernels}${constants_suffix})
  set(by_lane false)
  if("${target}" MATCHES "^arm")  # multiplies by one lane of a vector
    set(by_lane true)
  endif()
  corrbank_object(${symbol} corrbank_winograd_product lanes_over=${lanes_over} positions=${positions}
                  kernels=${kernels} by_lane=${by_lane} ${constants})
  string(APPEND winograd_table "CORRBANK_WINOGRAD_PRODUCT(${target}, ${lanes_over}, ${positions}, ${kernels}, "
                               "${target_lanes}, ${constant_values}, ${symbol})\n")
endmacro()
