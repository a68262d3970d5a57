// What algorithms make of a bank's kernels beside the direct packing: made when a call first needs it, kept as long as the
// bank. Any number of threads may ask at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace corrbank::detail {

// Names a form: which algorithm's, and up to seven numbers that tell its variants apart.
struct FormKey {
  enum Kind : std::int16_t { tap_sums, winograd, fft } kind = tap_sums;
  std::int16_t numbers[7] = {};

  friend bool operator==(const FormKey& a, const FormKey& b) noexcept;
};

class Forms {
 public:
  Forms() = default;
  Forms(const Forms&) = delete;
  Forms& operator=(const Forms&) = delete;
  ~Forms();

  // The form of `key`: `bytes` of memory aligned to 64 bytes, which make(context, memory) fills if nobody has asked before.
  // Null: no memory, or make() returned false for the lack of it.
  using Make = bool (*)(const void* context, void* memory);
  const void* get(const FormKey& key, std::size_t bytes, Make make, const void* context) noexcept;

  // Whether get() would find it.
  [[nodiscard]] bool has(const FormKey& key) const noexcept { return find(key) != nullptr; }
  // Memory held.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  struct Form;
  [[nodiscard]] const Form* find(const FormKey& key) const noexcept;

  std::atomic<Form*> newest_{nullptr};  // a list that only grows
  std::atomic<std::size_t> bytes_{0};
  std::mutex making_;
};

}  // namespace corrbank::detail
