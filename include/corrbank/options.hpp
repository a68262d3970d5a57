// How a call shall run. Every field has a default that is right for most callers.
#pragma once

#include <cstddef>

namespace corrbank {

// `automatic` lets corrbank pick; `direct` multiplies every tap. In this version both run the direct method.
enum class Algorithm : int { automatic = 0, direct = 1 };

// The caller's own threads. A call of correlate() with threads > 1 and more than one task calls
// run(context, tasks, task, argument) once; run must call task(argument, i) once for each i in [0, tasks), on any
// threads, in any order, and return after the last has returned.
struct Executor {
  void (*run)(void* context, int tasks, void (*task)(void* argument, int index), void* argument) = nullptr;
  void* context = nullptr;
};

struct Options {
  Algorithm algorithm = Algorithm::automatic;
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
  // Target "cuda": ordinal of the GPU that Bank::create() prepares kernels for; kernels in a GPU's memory go to that GPU.
  // Calls run on their Bank's.
  int device = 0;
  // Target "cuda": the CUstream (the same as a cudaStream_t) that work is put on, of the GPU's primary context. Null: the
  // legacy default stream.
  void* stream = nullptr;
};

}  // namespace corrbank
