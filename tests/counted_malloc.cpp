#include "counted_malloc.h"

#if CORRBANK_COUNTED_MALLOC

#include <atomic>
#include <cerrno>

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* memory);
}

namespace {

std::atomic<bool> on{false};
std::atomic<int> made{0}, freed{0}, failed{0}, fail_at{-1};

bool fails() {
  if (!on) return false;
  if (made.fetch_add(1) != fail_at) return false;
  ++failed;
  errno = ENOMEM;
  return true;
}

}  // namespace

namespace corrbank_test::counting {

void start(int fail) {
  made = freed = failed = 0;
  fail_at = fail;
  on = true;
}

Allocations stop() {
  on = false;
  return {made, made - failed - freed};
}

}  // namespace corrbank_test::counting

extern "C" {

void* malloc(std::size_t bytes) { return fails() ? nullptr : __libc_malloc(bytes); }
void* calloc(std::size_t count, std::size_t bytes) { return fails() ? nullptr : __libc_calloc(count, bytes); }
void* memalign(std::size_t alignment, std::size_t bytes) {
  return fails() ? nullptr : __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  void* made_here = memalign(alignment, bytes);
  if (made_here == nullptr) return ENOMEM;
  *memory = made_here;
  return 0;
}
void* realloc(void* memory, std::size_t bytes) {
  if (fails()) return nullptr;
  if (on && memory != nullptr) ++freed;
  return __libc_realloc(memory, bytes);
}
void free(void* memory) {
  if (on && memory != nullptr) ++freed;
  __libc_free(memory);
}

}  // extern "C"

#else

namespace corrbank_test::counting {

void start(int) {}
Allocations stop() { return {0, 0}; }

}  // namespace corrbank_test::counting

#endif
