// A schedule places the Funcs of the direct algorithm for one target. One file a target; schedule.cpp holds the name
// table and what all CPU targets share: the register tile.
#pragma once

#include <string>

#include "../algorithm.h"
#include "../strips_algorithm.h"
#include "../tiled_algorithm.h"

namespace corrbank_generators {

using DirectSchedule = void (*)(DirectFuncs& funcs, const TileShape& shape);

// Null for an unknown name.
DirectSchedule find_direct_schedule(const std::string& target);

// One tile at a time, its sums in registers from the first tap to the last, the taps in order c, i, j.
void schedule_register_tile(DirectFuncs& funcs, const TileShape& shape);

// Rows walk: the weights of a tap are loaded together, for CPUs that multiply by one lane of a vector.
void place_weights_in_vectors(DirectFuncs& funcs, const TileShape& shape);

void schedule_portable(DirectFuncs& funcs, const TileShape& shape);
void schedule_x86_sse41(DirectFuncs& funcs, const TileShape& shape);
void schedule_x86_avx2(DirectFuncs& funcs, const TileShape& shape);
void schedule_x86_avx512(DirectFuncs& funcs, const TileShape& shape);
void schedule_arm64_neon(DirectFuncs& funcs, const TileShape& shape);
void schedule_arm32_neon(DirectFuncs& funcs, const TileShape& shape);

// Strips of rows for few kernels; the same for every CPU target.
void schedule_strips(StripFuncs& funcs, const StripShape& shape,
                     Halide::GeneratorInput<Halide::Buffer<float, 3>>& image);

// The weights of a channel stay in registers, the kernels of a tap together, for CPUs that multiply by one lane.
void place_strip_weights_in_vectors(StripFuncs& funcs, const StripShape& shape);

// Tiles of a block of threads, for CUDA (schedules/cuda.cpp).
void schedule_threads(ThreadFuncs& funcs, const TiledShape& shape);
void schedule_warp(WarpFuncs& funcs, const TiledShape& shape);

}  // namespace corrbank_generators
