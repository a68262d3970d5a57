# Rows for matching templates: objects, and match_kernels.inc, the table the runtime reads.

set(match_table "// Made from generators/targets.cmake.\n")

macro(corrbank_exact target positions)
  if(current)
    set(symbol corrbank_kernel_f64_${target}_exact)
    corrbank_object(${symbol} corrbank_exact positions=${positions} kernels=4)
    string(APPEND match_table "CORRBANK_EXACT(${target}, ${symbol})\n")
  endif()
endmacro()
