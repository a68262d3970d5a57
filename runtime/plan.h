// The planner: which algorithm a call runs. It depends on shape, target and the caller's limits, never on threads.
#pragma once

#include <atomic>

#include "corrbank/options.hpp"
#include "corrbank/status.hpp"
#include "direct/direct.h"
#include "fft/fft.h"
#include "geometry.h"
#include "winograd/winograd.h"

namespace corrbank::detail {

struct Call;

struct CallPlan {
  CallPlan() noexcept;  // out of line: it is long

  Algorithm algorithm = Algorithm::direct;
  DirectPlan direct;  // always: the others redo tiles by it
  WinogradPlan winograd{};
  FftPlan fft{};
  // Why winograd and fft cannot; null: they can, or nobody asked, which `compared` tells.
  const char* no_winograd = nullptr;
  const char* no_fft = nullptr;
  bool compared = false;

  [[nodiscard]] double nanoseconds() const noexcept;
  [[nodiscard]] int tasks() const noexcept;
  // What a call needs in all: tables, means and corrections, and the algorithm's own.
  std::size_t workspace_bytes = 0;
};

// Refuses an algorithm that cannot do it, and a limit that nothing keeps to.
Status plan_call(const Geometry& geometry, const PackedBank& bank, const Options& options, CallPlan& plan) noexcept;

// The last plan of a bank, since calls of one shape follow each other and planning takes as long as a small call. Shared by
// threads: who finds it in use plans anew.
class PlanCache {
 public:
  // As plan_call().
  Status get(const Geometry& geometry, const PackedBank& bank, const Options& options, CallPlan& plan) noexcept;

 private:
  struct Key {
    Geometry geometry{};
    Algorithm algorithm{};
    Exactness exactness{};
    int threads = 0, expected_calls = 0;  // threads is 0: nothing is kept
    std::size_t workspace_limit = 0;

    [[nodiscard]] bool is(const Key& other) const noexcept;
  };
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  Key key_;
  CallPlan plan_;
};

// Where in a workspace of plan.workspace_bytes the parts lie, for memory at any multiple of 4.
struct WorkspaceParts {
  std::int32_t *inner_taps, *outer_taps;
  float *means, *corrections;
  char* own;  // the algorithm's, aligned to 64 bytes
};
WorkspaceParts workspace_parts(const CallPlan& plan, const PackedBank& bank, void* workspace) noexcept;

// What the bank holds, or will once the plan has run.
std::size_t bank_bytes(const CallPlan& plan, const PackedBank& bank) noexcept;

// Makes what the plan needs of the bank. False: no memory.
bool prepare(const CallPlan& plan, const PackedBank& bank) noexcept;

// Settles on an algorithm whose own plan is made, as that of direct is: what the call then needs in all.
void choose(CallPlan& plan, const PackedBank& bank, Algorithm algorithm) noexcept;

// Runs a planned call.
void run_algorithm(const Call& call, const CallPlan& plan) noexcept;

// The same from the beginning, once it is prepared, in a workspace of plan.workspace_bytes.
struct Operands {
  const float* image;
  float* responses;
  std::int64_t response_kernel_stride;  // 0 for a single kernel
};
void run_planned(const Geometry& geometry, const PackedBank& bank, const Options& options, const CallPlan& plan,
                 const Operands& operands, void* workspace) noexcept;

}  // namespace corrbank::detail
