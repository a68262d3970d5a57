// The memory of a call: the caller's, or its own.
#pragma once

#include <cstddef>
#include <new>

#include "corrbank/options.hpp"
#include "validate.h"

namespace corrbank::detail {

class Workspace {
 public:
  Workspace(const Options& options, std::size_t bytes) noexcept : data_(options.workspace) {
    if (data_ == nullptr) data_ = own_ = ::operator new(bytes, std::nothrow);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { ::operator delete(own_); }
  [[nodiscard]] void* data() const noexcept { return data_; }

 private:
  void* own_ = nullptr;
  void* data_;
};

inline Status check_workspace(const Options& options, std::size_t needed) noexcept {
  if (options.workspace == nullptr || options.workspace_size >= needed) return {};
  return refuse(StatusCode::workspace_too_small, "options.workspace_size is %zu but this call needs %zu bytes",
                options.workspace_size, needed);
}

}  // namespace corrbank::detail
