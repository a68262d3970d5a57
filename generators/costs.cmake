# costs.inc, the coefficients of the runtime's cost models, from the tuned files. Each has exactly the members that the
# lists below name.

set(direct_costs cycle_ns tile_overhead position_overhead unpacking strip_overhead strip_zero line_crossing few_sums_delay
                 pixel_reloads strip_spills image_from_l2 image_once streamed_byte uncached_byte)
set(winograd_costs scale input_8x8 input_8x8_rows input_6x6 input_4x4 input_1x8 product step sum output scatter_tiles
                   scatter_kernels panel call uncached_byte form_byte)
set(fft_costs scale rows_forward columns_forward columns_inverse rows_inverse products_tiles products_kernels
              product_sum scatter call uncached_byte slab_byte form_byte)
set(fft_costs_by_size rows_forward columns_forward columns_inverse rows_inverse)  # for each size of the FFT

set(costs_table "// Made from generators/tuned.\n")

# corrbank_cost(MEMBER PATH...): appends to `costs` a line that sets MEMBER to the number at PATH of the current tuned file.
function(corrbank_cost member)
  string(JSON type TYPE "${tuned_text}" ${ARGN})
  if(NOT type STREQUAL "NUMBER")
    message(FATAL_ERROR "${tuned_file}: ${ARGN} is no number")
  endif()
  string(JSON value GET "${tuned_text}" ${ARGN})
  set(costs "${costs}  CORRBANK_COST(${member}, ${value})\n" PARENT_SCOPE)
endfunction()

# corrbank_costs(TARGET SIZE...): those of the current tuned file, which is the target's, with these sizes of the FFT.
function(corrbank_costs target)
  set(costs)
  foreach(model direct winograd fft)
    corrbank_require_members("${tuned_text}" "${tuned_file}" "${${model}_costs}" ${model})
    foreach(name IN LISTS ${model}_costs)
      if("${model}" STREQUAL fft AND name IN_LIST fft_costs_by_size)
        corrbank_require_members("${tuned_text}" "${tuned_file}" "${ARGN}" fft ${name})
        foreach(size ${ARGN})
          corrbank_cost("fft.${name}.of(${size})" fft ${name} ${size})
        endforeach()
      else()
        corrbank_cost(${model}.${name} ${model} ${name})
      endif()
    endforeach()
  endforeach()
  set(costs_table "${costs_table}CORRBANK_COSTS(${target},\n${costs})\n" PARENT_SCOPE)
endfunction()
