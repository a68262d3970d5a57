// Runs independent tasks on the caller's threads or on corrbank's own workers.
#pragma once

#include "corrbank/options.hpp"
#include "corrbank/status.hpp"

namespace corrbank::detail {

constexpr int max_threads = 256;  // of a call, as options.hpp has it

using Task = void (*)(void* argument, int index);

// Calls task(argument, i) once for each i in [0, tasks) and returns when all have returned. On the calling thread
// alone if options.threads is 1; else on options.executor, or on the calling thread and up to options.threads - 1
// workers. Every task sees the caller's floating-point environment (rounding, flush to zero), so that results do not
// depend on which thread ran it.
void run_tasks(const Options& options, int tasks, Task task, void* argument) noexcept;

}  // namespace corrbank::detail
