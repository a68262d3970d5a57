#include "schedule.h"

namespace corrbank_generators {

using namespace Halide;

// Evidence, 2026-11-25, no GPU at hand: ptxas 13.5.37 for sm_75 to sm_120 (bench/results/ptx.json). No spills; FFMA are
// 84 to 94 % of the instructions of the hot loops, but for the rows that bench/ptx_gate.py names. An SM issues one
// instruction a cycle for each of its four parts, so this bounds the share of the FMA peak. Of all instructions of a
// run, staging and stores included (counted in the PTX; 64 channels, 64 x 64 responses, 16 kernels), multiply-adds are
// 75 to 87 % with 3x3, 82 to 84 % with 5x5 and 7x7.

void schedule_threads(ThreadFuncs& f, const TiledShape& shape) {
  f.responses.update(0)
      .allow_race_conditions()
      .gpu_blocks(f.store_block)
      .gpu_threads(f.store_thread)
      .unroll(f.store_column)
      .unroll(f.store_row)
      .unroll(f.store_kernel);
  f.sum.compute_at(f.responses, f.store_thread).unroll(f.column).unroll(f.row).unroll(f.kernel);
  for (size_t p = 0; p < f.parts.size(); ++p) {
    TapPart& part = f.parts[p];
    const RVar &tap = part.taps.x, &chunk = part.taps.y, &tap_row = part.taps.z, &channel = part.taps.w;
    f.sum.update(p)
        .reorder(f.kernel, f.column, f.row, tap, chunk, tap_row, channel)
        .unroll(f.kernel)
        .unroll(f.column)
        .unroll(f.row)
        .unroll(tap);
    // At the chunk they would be an array in local memory.
    part.weight.compute_at(f.sum, tap).vectorize(f.kernel, 4).unroll(f.kernel);
    if (shape.walk == TiledWalk::patch) {
      const Var pixel = part.window.args()[0];
      part.window.compute_at(f.sum, chunk).unroll(f.row).vectorize(pixel, 4, TailStrategy::RoundUp).unroll(pixel);
    }
  }
  if (shape.walk == TiledWalk::patch) {
    Var turn_x("turn_x"), turn_y("turn_y"), thread_x("thread_x"), thread_y("thread_y");
    f.patch.compute_at(f.responses, f.store_block)
        .store_in(MemoryType::GPUShared)
        .align_storage(f.patch_column, 4)
        .split(f.patch_column, turn_x, thread_x, shape.threads_x, TailStrategy::GuardWithIf)
        .split(f.patch_row, turn_y, thread_y, shape.threads_y, TailStrategy::GuardWithIf)
        .reorder(turn_x, turn_y, thread_x, thread_y)
        .fuse(thread_x, thread_y, f.thread)
        .gpu_threads(f.thread);
  }
}

// The sums are registers of the block, spread over the lanes of its one warp; over gpu_threads, Halide 21 would give
// each thread all of them. It emits barriers only where there is a loop over threads: store_warp, of one iteration.
void schedule_warp(WarpFuncs& f, const TiledShape& shape) {
  f.responses.update(0)
      .allow_race_conditions()
      .reorder(f.store_row, f.store_kernel, f.store_lane, f.store_warp, f.store_block)
      .gpu_blocks(f.store_block)
      .gpu_threads(f.store_warp)
      .gpu_lanes(f.store_lane)
      .unroll(f.store_row)
      .unroll(f.store_kernel);
  f.sum.compute_at(f.responses, f.store_block)
      .store_in(MemoryType::Register)
      .reorder(f.kernel, f.row, f.lane, f.block)
      .gpu_lanes(f.lane)
      .unroll(f.kernel)
      .unroll(f.row);
  f.sum.update(0)
      .reorder(f.kernel, f.row, f.taps.x, f.taps.y, f.lane, f.taps.z, f.taps.w)
      .gpu_lanes(f.lane)
      .unroll(f.kernel)
      .unroll(f.row);
  if (shape.kernel_size > 0) f.sum.update(0).unroll(f.taps.x);
  // Unrolled, larger kernels outgrow the instruction caches: 27 KB at 5x5.
  if (shape.kernel_size > 0 && shape.kernel_size <= 3) f.sum.update(0).unroll(f.taps.y);

  // Lanes outermost: a barrier follows each loop over them.
  Var lane("lane"), turn("turn"), quad("quad"), item("item");
  f.patch.compute_at(f.sum, f.taps.w)
      .store_in(MemoryType::GPUShared)
      .split(f.element, turn, lane, 32, TailStrategy::RoundUp)
      .reorder(turn, f.channel, lane)
      .gpu_lanes(lane);
  if (shape.kernel_size == 0) {
    f.weights.compute_at(f.sum, f.taps.x).vectorize(f.kernel, 4).unroll(f.kernel);
    return;
  }
  f.patch.unroll(turn);
  f.offset.compute_at(f.responses, f.store_block)
      .store_in(MemoryType::Register)
      .split(f.element, turn, lane, 32, TailStrategy::RoundUp)
      .reorder(turn, lane)
      .gpu_lanes(lane)
      .unroll(turn);
  f.weights.compute_at(f.sum, f.taps.w)
      .store_in(MemoryType::GPUShared)
      .split(f.kernel, quad, f.kernel, 4)
      .vectorize(f.kernel)
      .fuse(quad, f.tap, item)
      .split(item, turn, lane, 32, TailStrategy::RoundUp)
      .reorder(f.kernel, turn, lane)
      .gpu_lanes(lane)
      .unroll(turn);
}

}  // namespace corrbank_generators
