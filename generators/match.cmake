# Rows for matching templates: objects, and match_kernels.inc, the table the runtime reads.

set(match_table "// Made from generators/tuned.\n")

macro(corrbank_match target positions)
  set(exact corrbank_kernel_f64_${target}_exact)
  corrbank_object(${exact} corrbank_exact positions=${positions} kernels=4)
  set(symbols)
  foreach(name window_columns window_row window_last_row small_norms small_channels small_squares scores best_scores
      largest)
    set(symbol corrbank_kernel_f64_${target}_${name})
    corrbank_object(${symbol} corrbank_${name})
    string(APPEND symbols ", ${symbol}")
  endforeach()
  string(APPEND match_table "CORRBANK_MATCH(${target}, ${exact}${symbols})\n")
endmacro()
