// Where Halide's passes of the FFT meet corrbank: their tables and their arguments.
#include <climits>

#include "halide_buffer.h"
#include "passes.h"

namespace corrbank::detail {
namespace {

using RowsForward = int(halide_buffer_t* image, halide_buffer_t* offsets, halide_buffer_t* shifts, int32_t step,
                        halide_buffer_t* out);
using Columns = int(halide_buffer_t* in, halide_buffer_t* out);
using ProductColumns = int(halide_buffer_t* x, halide_buffer_t* w, halide_buffer_t* out);
using RowsInverse = int(halide_buffer_t* in, halide_buffer_t* offsets, int32_t step, int32_t columns,
                        halide_buffer_t* panel);

}  // namespace

extern "C" {
#define CORRBANK_FFT_TARGET(target, lanes)
#define CORRBANK_FFT_SIZE(target, size, first, rows_forward, columns_forward, columns_inverse, product_columns, \
                          rows_inverse)                                                                         \
  RowsForward rows_forward;                                                                                     \
  Columns columns_forward, columns_inverse;                                                                     \
  ProductColumns product_columns;                                                                               \
  RowsInverse rows_inverse;
#include "fft_kernels.inc"
#undef CORRBANK_FFT_TARGET
#undef CORRBANK_FFT_SIZE
}

namespace {

using Erased = void (*)();

const FftTarget target_table[] = {
#define CORRBANK_FFT_TARGET(target, lanes) {#target, lanes},
#define CORRBANK_FFT_SIZE(target, size, first, rows_forward, columns_forward, columns_inverse, product_columns, \
                          rows_inverse)
#include "fft_kernels.inc"
#undef CORRBANK_FFT_TARGET
#undef CORRBANK_FFT_SIZE
};

const FftSize size_table[] = {
#define CORRBANK_FFT_TARGET(target, lanes)
#define CORRBANK_FFT_SIZE(target, size, first, rows_forward, columns_forward, columns_inverse, product_columns, \
                          rows_inverse)                                                                         \
  {#target,                                                                                                     \
   size,                                                                                                        \
   first,                                                                                                       \
   reinterpret_cast<Erased>(&rows_forward),                                                                     \
   reinterpret_cast<Erased>(&columns_forward),                                                                  \
   reinterpret_cast<Erased>(&columns_inverse),                                                                  \
   reinterpret_cast<Erased>(&product_columns),                                                                  \
   reinterpret_cast<Erased>(&rows_inverse)},
#include "fft_kernels.inc"
#undef CORRBANK_FFT_TARGET
#undef CORRBANK_FFT_SIZE
    {}  // a table may be empty, an array may not
};

// (lane, part, y, x)
Buffer<4> buffer(const Spectra& s, int lanes, int y, int x) noexcept {
  Buffer<4> made(s.data, halide_type_float);
  made.dim(0, lanes, 1)
      .dim(1, 2, lanes)
      .dim(2, y, static_cast<int>(s.y_stride))
      .dim(3, x, static_cast<int>(s.x_stride));
  return made;
}

// (lane, part, k1, k2, x): y = k1 + first * k2
Buffer<5> split_buffer(const Spectra& s, int lanes, const FftSize& size, int x) noexcept {
  const int y = static_cast<int>(s.y_stride);
  Buffer<5> made(s.data, halide_type_float);
  made.dim(0, lanes, 1).dim(1, 2, lanes).dim(2, size.first, y).dim(3, size.size / size.first, size.first * y);
  made.dim(4, x, static_cast<int>(s.x_stride));
  return made;
}

template <typename T>
Buffer<1> line(const T* data, halide_type_code_t code, int extent) noexcept {
  Buffer<1> made(data, code);
  made.dim(0, extent, 1);
  return made;
}

}  // namespace

Table<FftTarget> all_fft_targets() noexcept {
  return {target_table, static_cast<int>(sizeof target_table / sizeof target_table[0])};
}

Table<FftSize> all_fft_sizes() noexcept {
  return {size_table, static_cast<int>(sizeof size_table / sizeof size_table[0]) - 1};
}

void rows_forward(const FftSize& size, int lanes, const float* image, const std::int32_t* offsets, const float* shifts,
                  std::int64_t step, int rows, const Spectra& out) noexcept {
  Buffer<1> elements = line(image, halide_type_float, INT_MAX), first = line(offsets, halide_type_int, lanes),
            added = line(shifts, halide_type_float, lanes);
  Buffer<4> to = buffer(out, lanes, rows, size.bins());
  reinterpret_cast<RowsForward*>(size.rows_forward)(elements, first, added, static_cast<int>(step), to);
}

void columns_forward(const FftSize& size, int lanes, const Spectra& in, const Spectra& out, int count) noexcept {
  Buffer<4> from = buffer(in, lanes, size.size, count);
  Buffer<5> to = split_buffer(out, lanes, size, count);
  reinterpret_cast<Columns*>(size.columns_forward)(from, to);
}

void columns_inverse(const FftSize& size, int lanes, const Spectra& in, const Spectra& out, int count) noexcept {
  Buffer<4> from = buffer(in, lanes, size.size, count);
  Buffer<5> to = split_buffer(out, lanes, size, count);
  reinterpret_cast<Columns*>(size.columns_inverse)(from, to);
}

void product_columns(const FftSize& size, int lanes, const Spectra& x, const float* w, const Spectra& out,
                     int count) noexcept {
  Buffer<4> from = buffer(x, lanes, size.size, count);
  Buffer<3> with(w, halide_type_float);
  with.dim(0, 2, 1).dim(1, size.size, 2).dim(2, count, 2 * size.size);
  Buffer<5> to = split_buffer(out, lanes, size, count);
  reinterpret_cast<ProductColumns*>(size.product_columns)(from, with, to);
}

void rows_inverse(const FftSize& size, int lanes, const Spectra& in, float* panel, const std::int32_t* offsets,
                  std::int64_t step, int rows, int columns) noexcept {
  Buffer<4> from = buffer(in, lanes, rows, size.bins());
  Buffer<1> first = line(offsets, halide_type_int, lanes), to = line(panel, halide_type_float, INT_MAX);
  reinterpret_cast<RowsInverse*>(size.rows_inverse)(from, first, static_cast<int>(step), columns, to);
}

}  // namespace corrbank::detail
