// What the environment says. It is read at every use, so that a test can change it between two calls.
#pragma once

#include <cstddef>

namespace standin {

struct Capability {
  int major, minor;
};

int device_count();            // STANDIN_CUDA_DEVICES
Capability capability();       // STANDIN_CUDA_CAPABILITY
std::size_t memory_bytes();    // STANDIN_CUDA_MEMORY, of each device
bool streams_are_immediate();  // STANDIN_CUDA_STREAMS=immediate
bool threads_run_serially();   // STANDIN_CUDA_SCHEDULE=serial
bool checks_are_full();        // STANDIN_CUDA_CHECK=full|bounds
bool trace();                  // STANDIN_CUDA_TRACE=1

// STANDIN_CUDA_FAIL=<entry point>:<n>:<code>[,...]: the code with which this call of the entry point has to fail, or 0.
// Calls are counted from 1, anew when the variable changes.
int injected_failure(const char* entry_point);

}  // namespace standin
