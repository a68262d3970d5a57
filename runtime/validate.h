// The wall between callers and kernels: everything a call may not be is refused here, before anything is written.
// Pure functions of their arguments; they read no image, kernel or response.
#pragma once

#include "corrbank/corrbank.hpp"

namespace corrbank::detail {

// A refusal in words, as printf forms them.
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
Status refuse(StatusCode code, const char* format, ...) noexcept;

struct BankShape {
  std::int64_t count, channels, height, width;
};

// Memory that lies on `device`, against where it has to lie; `view` names it.
Status validate_device(Device device, Device needed, const char* view) noexcept;
Status validate_options(const Options& options) noexcept;
// What a GPU does not run.
Status validate_gpu_options(const Options& options) noexcept;
Status validate_kernels(const KernelsView& kernels) noexcept;
// Extents and strides against the bank's; the data may be null.
Status validate_image(const ImageView& image, const BankShape& bank) noexcept;
// All of a call's views. Overlap is judged by spans: from a view's first to its last element.
Status validate_correlate(const ImageView& image, const BankShape& bank, const ResponsesView& responses) noexcept;
// Of Templates::create(), and of the calls that take one; image data may be null in the second, and is looked at in the fourth.
Status validate_templates(const KernelsView& templates, Method method, const KernelsView* masks) noexcept;
Status validate_match_image(const ImageView& image, const BankShape& templates) noexcept;
Status validate_match(const ImageView& image, const BankShape& templates, const ResponsesView& scores) noexcept;
Status validate_pixels(const ImageView& image) noexcept;
// Other memory of the caller's, which `name` names, is none of the image's or the responses' (whose data may be null).
Status validate_outside(const ImageView& image, const ResponsesView& responses, const void* data, std::size_t bytes,
                        const char* name) noexcept;
// The caller's workspace shares no memory with the image or the responses (which are valid already).
Status validate_workspace(const ImageView& image, const ResponsesView& responses, const Options& options) noexcept;

}  // namespace corrbank::detail
