// Memory between two pages that nobody may touch: an access before its first or behind its last byte ends the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <vector>

namespace corrbank_test {

// One page is coarser than most buffers, so data lies against one edge at a time.
enum class Edge { start, end };

class GuardedBuffer {
 public:
  GuardedBuffer(std::size_t bytes, Edge edge) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    inner_ = (bytes + page - 1) / page * page;
    total_ = inner_ + 2 * page;
    void* mapped = mmap(nullptr, total_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    mapped_ = static_cast<char*>(mapped);
    if (inner_ > 0 && mprotect(mapped_ + page, inner_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    begin_ = mapped_ + page;
    data_ = edge == Edge::start ? begin_ : begin_ + inner_ - bytes;
  }
  GuardedBuffer(const std::vector<float>& values, Edge edge) : GuardedBuffer(values.size() * sizeof(float), edge) {
    std::memcpy(data_, values.data(), values.size() * sizeof(float));
  }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  ~GuardedBuffer() { munmap(mapped_, total_); }

  // From now on a write ends the test as well.
  void make_read_only() {
    if (inner_ > 0 && mprotect(begin_, inner_, PROT_READ) != 0) throw std::bad_alloc();
  }
  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] float* floats() const { return static_cast<float*>(static_cast<void*>(data_)); }

 private:
  char* mapped_ = nullptr;
  char* begin_ = nullptr;
  char* data_ = nullptr;
  std::size_t inner_ = 0, total_ = 0;
};

}  // namespace corrbank_test
