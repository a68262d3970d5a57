// Where Halide's kernels for integers meet corrbank: their table and their arguments.
#include <climits>
#include <cstring>

#include "halide_buffer.h"
#include "match/dots.h"
#include "targets.h"

namespace corrbank::detail {
namespace {

using DotsFunction = int(halide_buffer_t* windows, halide_buffer_t* weights, halide_buffer_t* offsets,
                         halide_buffer_t* bias, int32_t row_stride, halide_buffer_t* sums);
using ToFloatsFunction = int(halide_buffer_t* sums, halide_buffer_t* maps, halide_buffer_t* factors, double scale,
                             double add, halide_buffer_t* floats);

}  // namespace

extern "C" {
#define CORRBANK_DOTS(target, extension, taps, kernels, symbol) DotsFunction symbol;
#define CORRBANK_DOTS_TO_FLOATS(target, symbol) ToFloatsFunction symbol;
#include "dots_kernels.inc"
#undef CORRBANK_DOTS
#undef CORRBANK_DOTS_TO_FLOATS
}

namespace {

const DotsRow rows[] = {
#define CORRBANK_DOTS(target, extension, taps, kernels, symbol) \
  {#target, #extension, taps, kernels, reinterpret_cast<void (*)()>(&symbol)},
#define CORRBANK_DOTS_TO_FLOATS(target, symbol)
#include "dots_kernels.inc"
#undef CORRBANK_DOTS
#undef CORRBANK_DOTS_TO_FLOATS
};

struct ToFloats {
  const char* target;
  ToFloatsFunction* function;
};

const ToFloats to_floats[] = {
#define CORRBANK_DOTS(target, extension, taps, kernels, symbol)
#define CORRBANK_DOTS_TO_FLOATS(target, symbol) {#target, &symbol},
#include "dots_kernels.inc"
#undef CORRBANK_DOTS
#undef CORRBANK_DOTS_TO_FLOATS
};

constexpr int tile_vectors = 4;  // generators/match/dots_generator.cpp

}  // namespace

Table<DotsRow> all_dots() noexcept { return {rows, static_cast<int>(sizeof rows / sizeof *rows)}; }

DotsForm dots_form(const Target& target) noexcept {
  DotsForm form;
  for (const DotsRow& row : rows) {
    if (std::strcmp(row.target, target.name) != 0) continue;
    if (form.empty() ? !cpu_has(row.extension) : std::strcmp(row.extension, form.rows->extension) != 0) continue;
    if (form.empty()) form.rows = &row;
    ++form.count;
  }
  return form;
}

int dots_columns(const Target& target) noexcept { return tile_vectors * target.lanes; }

void sum_dots(const DotsRow& row, const DotsCall& call) noexcept {
  const int bits = row.taps == 4 ? 8 : 16;
  Buffer<1> windows(call.windows, halide_type_int, bits);
  windows.dim(0, INT_MAX, 1);
  Buffer<3> weights(call.weights, row.taps == 4 ? halide_type_uint : halide_type_int, bits);
  weights.dim(0, row.taps, 1).dim(1, row.kernels, row.taps).dim(2, call.groups, row.taps * row.kernels);
  Buffer<1> offsets(call.offsets, halide_type_int), bias(call.bias, halide_type_int);
  offsets.dim(0, call.groups, 1);
  bias.dim(0, row.kernels, 1);
  Buffer<3> sums(call.sums, halide_type_int);
  sums.dim(0, call.columns, 1)
      .dim(1, call.rows, static_cast<int>(call.sum_row_stride))
      .dim(2, row.kernels, static_cast<int>(call.sum_kernel_stride));
  reinterpret_cast<DotsFunction*>(row.function)(windows, weights, offsets, bias, static_cast<int32_t>(call.row_stride),
                                                sums);
}

void make_floats(const Target& target, const DotsToFloats& call) noexcept {
  Buffer<2> sums(call.sums, halide_type_int), floats(call.sums, halide_type_float);
  for (Buffer<2>* both : {&sums, &floats}) both->dim(0, call.columns, 1).dim(1, call.rows, call.columns);
  Buffer<3> maps(call.maps, halide_type_int);
  maps.dim(0, call.columns, 1)
      .dim(1, call.rows, call.columns)
      .dim(2, call.map_count, static_cast<int>(call.map_stride));
  Buffer<1> factors(call.factors, halide_type_float, 64);
  factors.dim(0, call.map_count, 1);
  const ToFloats* row = to_floats;
  while (std::strcmp(row->target, target.name) != 0) ++row;
  row->function(sums, maps, factors, call.scale, call.add, floats);
}

}  // namespace corrbank::detail
