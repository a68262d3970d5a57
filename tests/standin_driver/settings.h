// What the environment says. It is read at every use, so that a test can change it between two calls.
//
//   STANDIN_CUDA_DEVICES=1           number of devices; 0 makes cuInit answer that there is none
//   STANDIN_CUDA_CAPABILITY=9.0      compute capability of all of them
//   STANDIN_CUDA_MEMORY=2147483648   bytes of each
//   STANDIN_CUDA_STREAMS=deferred    queued work waits for a call that synchronises; immediate: it does not
//   STANDIN_CUDA_SCHEDULE=warp       lanes go on together; serial: each thread alone, up to the next barrier
//   STANDIN_CUDA_CHECK=full          bounds: no search for races, nor for shared memory read before written
//   STANDIN_CUDA_TRACE=0             1: a line on stderr for each launch
//   STANDIN_CUDA_FAIL=               cuMemAlloc:2:719 makes the second call answer 719; several with commas between
#pragma once

#include <cstddef>

namespace standin {

struct Capability {
  int major, minor;
};

int device_count();
Capability capability();
std::size_t memory_bytes();
bool streams_are_immediate();
bool threads_run_serially();
bool checks_are_full();
bool trace();

// The code with which this call of the entry point has to fail, or 0. Calls are counted from 1, anew when the variable
// changes.
int injected_failure(const char* entry_point);

}  // namespace standin
