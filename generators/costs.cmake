# costs.inc, the coefficients of the runtime's cost models and the sizes of its blocks, from the tuned files. Each has exactly
# the members that the lists below name.

set(direct_costs cycle_ns tile_overhead position_overhead unpacking strip_overhead strip_zero line_crossing few_sums_delay
                 pixel_reloads strip_spills image_from_l2 image_once streamed_byte uncached_byte l1_bytes cached_bytes rows)
set(winograd_costs scale input_8x8 input_8x8_rows input_6x6 input_4x4 input_1x8 product step sum output scatter_tiles
                   scatter_kernels panel call bank_byte uncached_byte form_byte l2_bytes cached_bytes last_level_bytes)
set(fft_costs scale rows_forward columns_forward columns_inverse rows_inverse product product_sum filled scatter call
              uncached_byte slab_byte form_byte l2_bytes cached_bytes)
set(blocks_costs direct_chunk_bytes winograd_tiles_bytes winograd_finished_bytes winograd_channels_ahead winograd_near_bytes
                 fft_places fft_slab_bytes fft_near_bytes fft_lines_ahead fft_finished_bytes streamed_bytes
                 direct_tasks_per_thread winograd_pieces_per_thread)
# For each size of the FFT, and for each row of an algorithm's list:
set(costs_by_size fft.rows_forward fft.columns_forward fft.columns_inverse fft.rows_inverse)
set(costs_by_row direct.rows winograd.product fft.product)

set(costs_table "// Made from generators/tuned.\n")
set(most_rows 1)  # of the lists of all targets; an array may not be empty

# corrbank_cost(MEMBER PATH...): appends to `costs` a line that sets MEMBER to the number at PATH of the current tuned file.
function(corrbank_cost member)
  string(JSON type TYPE "${tuned_text}" ${ARGN})
  if(NOT type STREQUAL "NUMBER")
    message(FATAL_ERROR "${tuned_file}: ${ARGN} is no number")
  endif()
  string(JSON value GET "${tuned_text}" ${ARGN})
  if("${member}" MATCHES "^blocks" AND NOT value MATCHES "^[1-9][0-9]?[0-9]?[0-9]?[0-9]?[0-9]?[0-9]?[0-9]?[0-9]?$")
    message(FATAL_ERROR "${tuned_file}: ${ARGN} is ${value}, not a whole number from 1 to 999999999")
  endif()
  set(costs "${costs}  CORRBANK_COST(${member}, ${value})\n" PARENT_SCOPE)
endfunction()

# corrbank_costs(TARGET SIZES DIRECT_ROWS WINOGRAD_ROWS FFT_ROWS): those of the current tuned file, which is the target's, with
# these sizes of the FFT and these rows.
function(corrbank_costs target sizes direct_rows winograd_rows fft_rows)
  set(costs)
  foreach(model direct winograd fft blocks)
    corrbank_require_members("${tuned_text}" "${tuned_file}" "${${model}_costs}" ${model})
    foreach(name IN LISTS ${model}_costs)
      if("${model}.${name}" IN_LIST costs_by_size)
        corrbank_require_members("${tuned_text}" "${tuned_file}" "${sizes}" ${model} ${name})
        foreach(size ${sizes})
          corrbank_cost("${model}.${name}.of(${size})" ${model} ${name} ${size})
        endforeach()
      elseif("${model}.${name}" IN_LIST costs_by_row)
        corrbank_require_members("${tuned_text}" "${tuned_file}" "${${model}_rows}" ${model} ${name})
        set(number 0)
        foreach(row IN LISTS ${model}_rows)
          corrbank_cost("${model}.${name}.of(${number})" ${model} ${name} "${row}")
          math(EXPR number "${number} + 1")
        endforeach()
        if(number GREATER most_rows)
          set(most_rows ${number})
          set(most_rows ${number} PARENT_SCOPE)
        endif()
      else()
        corrbank_cost(${model}.${name} ${model} ${name})
      endif()
    endforeach()
  endforeach()
  set(costs_table "${costs_table}CORRBANK_COSTS(${target},\n${costs})\n" PARENT_SCOPE)
endfunction()
