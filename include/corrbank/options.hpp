// How a call shall run. Every field has a default that is right for most callers.
#pragma once

#include <cstddef>

namespace corrbank {

// How responses are computed. `automatic` picks what is expected to be fastest for the shape and target (plan() says what and
// why); the others force one, and are refused with the reason where it cannot do the shape (algorithm_unavailable).
enum class Algorithm : int {
  automatic = 0,
  direct = 1,    // multiplies every tap; any shape, any target
  winograd = 2,  // short correlations with fewer multiplications: kernels of 3x3, 5x5, 1xN and Nx1, N = 3, 5, 7
  fft = 3,       // tiles of the image as spectra: kernels of up to 256 a side
};

// Which rounding errors the caller accepts; corrbank.hpp has the bounds.
enum class Exactness : int {
  fast = 0,    // any algorithm, each within its published bound
  direct = 1,  // the direct algorithm alone: integers whose sums f32 holds stay exact
};

// The caller's own threads. A call of correlate() with threads > 1 and more than one task calls
// run(context, tasks, task, argument) one or more times, one after the other; each time run must call task(argument, i)
// once for each i in [0, tasks), on any threads, in any order, and return after the last has returned.
struct Executor {
  void (*run)(void* context, int tasks, void (*task)(void* argument, int index), void* argument) = nullptr;
  void* context = nullptr;
};

struct Options {
  Algorithm algorithm = Algorithm::automatic;
  Exactness exactness = Exactness::fast;
  // How many calls a Bank is expected to serve. winograd and fft prepare the kernels once more for themselves, which `automatic`
  // then counts as its share of a call. 0 (the default): so many that it does not count. The correlate() that takes kernels
  // counts it in full.
  int expected_calls = 0;
  // Threads this call may use, the calling one included: 1 (the default: a library must not guess) to 256.
  // Responses are bit-identical for every number of them.
  int threads = 1;
  // Name of the target to run on, such as "x86_avx2" (see targets()). Null: "cuda" for kernels (or, where there is no
  // Bank yet, an image) in a GPU's memory; else $CORRBANK_TARGET if set, else the best of the CPU.
  // For correlate() and plan(), a target other than the Bank's own is refused.
  const char* target = nullptr;
  // Null: corrbank's own worker threads. They belong to the calling thread, start at its first call with threads > 1
  // and end with it; other users of the library in the process never share them. A plugin that contains the archive
  // must not be unloaded while such a thread lives.
  const Executor* executor = nullptr;
  // At least workspace_bytes(...) bytes, aligned to 4, that no other call uses meanwhile: then correlate() allocates nothing.
  // Null: correlate() allocates that much once and frees it before it returns.
  void* workspace = nullptr;
  std::size_t workspace_size = 0;
  // Upper limit in bytes for what workspace_bytes() may ask for: what is picked keeps to it, or the call is refused with the
  // bytes that it needs (workspace_too_small). 0: no limit but the algorithms' own: winograd takes at most 1.5 MiB a
  // thread, fft at most 32 MiB in all. A limit can change what is picked, and so the responses' last bits.
  std::size_t workspace_limit = 0;
  // Target "cuda": ordinal of the GPU that Bank::create() prepares kernels for; kernels in a GPU's memory go to that GPU.
  // Calls run on their Bank's.
  int device = 0;
  // Target "cuda": the CUstream (the same as a cudaStream_t) that work is put on, of the GPU's primary context. Null: the
  // legacy default stream.
  void* stream = nullptr;
};

}  // namespace corrbank
