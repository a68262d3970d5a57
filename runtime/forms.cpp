#include "forms.h"

#include <iterator>
#include <new>

namespace corrbank::detail {
namespace {

constexpr std::align_val_t alignment{64};

}  // namespace

struct alignas(64) Forms::Form {
  FormKey key;
  Form* next;
  [[nodiscard]] const void* memory() const noexcept { return this + 1; }
};

bool operator==(const FormKey& a, const FormKey& b) noexcept {
  bool same = a.kind == b.kind;
  for (std::size_t i = 0; i < std::size(a.numbers); ++i) same = same && a.numbers[i] == b.numbers[i];
  return same;
}

Forms::~Forms() {
  for (Form* form = newest_.load(); form != nullptr;) {
    Form* const next = form->next;
    ::operator delete(form, alignment);
    form = next;
  }
}

const Forms::Form* Forms::find(const FormKey& key) const noexcept {
  const Form* form = newest_.load(std::memory_order_acquire);
  while (form != nullptr && !(form->key == key)) form = form->next;
  return form;
}

const void* Forms::get(const FormKey& key, std::size_t bytes, Make make, const void* context) noexcept {
  if (const Form* form = find(key)) return form->memory();
  const std::lock_guard<std::mutex> lock(making_);
  if (const Form* form = find(key)) return form->memory();  // somebody was faster
  if (bytes > PTRDIFF_MAX - sizeof(Form)) return nullptr;
  void* memory = ::operator new(sizeof(Form) + bytes, alignment, std::nothrow);
  if (memory == nullptr) return nullptr;
  auto* form = new (memory) Form{key, newest_.load(std::memory_order_relaxed)};
  if (!make(context, form + 1)) {
    ::operator delete(form, alignment);
    return nullptr;
  }
  bytes_.fetch_add(sizeof(Form) + bytes, std::memory_order_relaxed);
  newest_.store(form, std::memory_order_release);
  return form->memory();
}

}  // namespace corrbank::detail
