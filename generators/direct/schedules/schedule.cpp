#include "schedule.h"

#include <map>

namespace corrbank_generators {

using namespace Halide;

DirectSchedule find_direct_schedule(const std::string& target) {
  static const std::map<std::string, DirectSchedule> schedules = {
      {"portable", schedule_portable},     {"x86_sse41", schedule_x86_sse41},   {"x86_avx2", schedule_x86_avx2},
      {"x86_avx512", schedule_x86_avx512}, {"arm64_neon", schedule_arm64_neon}, {"arm32_neon", schedule_arm32_neon},
  };
  const auto found = schedules.find(target);
  return found == schedules.end() ? nullptr : found->second;
}

void schedule_register_tile(DirectFuncs& f, const TileShape& shape) {
  const bool along_rows = shape.walk == Walk::rows;
  Stage store = f.responses.update(0);
  // Positions of a tile are different elements, or repeat the same value.
  store.allow_race_conditions();
  store.vectorize(f.store_lane).unroll(f.store_position).unroll(f.store_kernel);
  f.sum.compute_at(f.responses, f.store_tile);
  f.image_origin.compute_at(f.responses, f.store_tile).unroll(f.position);
  if (along_rows) f.response_origin.compute_at(f.responses, f.store_tile).unroll(f.position);

  // The side with fewer registers goes innermost: it is loaded once a tap and kept, the other passes by.
  const bool kernels_inner = shape.positions > shape.kernels;
  const Var& inner = kernels_inner ? f.kernel : f.position;
  const Var& outer = kernels_inner ? f.position : f.kernel;
  f.sum.vectorize(f.lane).unroll(f.position).unroll(f.kernel);
  f.sum.update(0).reorder(f.lane, inner, outer, f.taps.x, f.taps.y).vectorize(f.lane).unroll(inner).unroll(outer);
}

void place_weights_in_vectors(DirectFuncs& f, const TileShape& shape) {
  if (shape.walk != Walk::rows || shape.kernels == 1) return;
  const Var kernel = f.weight.args()[0];
  f.weight.compute_at(f.sum, f.taps.x)
      .store_in(MemoryType::Register)
      .bound_extent(kernel, shape.kernels)
      .vectorize(kernel);
}

}  // namespace corrbank_generators
