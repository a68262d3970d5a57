#include "validate.h"

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>

#include "algorithm_name.h"
#include "bank.h"
#include "checked.h"
#include "threads.h"

namespace corrbank::detail {

Status refuse(StatusCode code, const char* format, ...) noexcept {
  char text[224];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return {code, text};
}

namespace {

// The limits that view.hpp promises.
constexpr std::int64_t max_span = 0x7fffffff;
constexpr std::int64_t max_elements = std::int64_t{1} << 60;

using Number = long long;  // for printf

Status check_dtype(DType dtype, const char* view) noexcept {
  if (dtype == DType::f32) return {};
  return refuse(StatusCode::bad_option, "%s.dtype is %d, which is not what this call takes: f32 (0)", view,
                static_cast<int>(dtype));
}

Status check_pixel_dtype(DType dtype, const char* view) noexcept {
  if (dtype == DType::f32 || dtype == DType::u8 || dtype == DType::u16) return {};
  return refuse(StatusCode::bad_option, "%s.dtype is %d, which is none of f32 (0), u8 (1) and u16 (2)", view,
                static_cast<int>(dtype));
}

Status check_extent(std::int64_t extent, const char* view, const char* name) noexcept {
  if (extent >= 1) return {};
  return refuse(StatusCode::bad_extent, "%s.%s is %lld but must be at least 1", view, name, Number{extent});
}

// A dimension outside the rows: its stride has a meaning only if there is a second element.
struct Dimension {
  std::int64_t extent, stride;
  const char* name;  // of the stride

  [[nodiscard]] Checked reach() const noexcept { return extent > 1 ? Checked(extent - 1) * stride : Checked(0); }
};

Status check_stride(const Dimension& d, const char* view) noexcept {
  if (d.extent == 1 || d.stride >= 0) return {};
  return refuse(StatusCode::bad_stride, "%s.%s is %lld but must not be negative", view, d.name, Number{d.stride});
}

Status check_data(const void* data, DType dtype, const char* view) noexcept {
  if (data == nullptr) return refuse(StatusCode::null_pointer, "%s.data is null", view);
  const int size = dtype_bytes(dtype);
  if (reinterpret_cast<std::uintptr_t>(data) % static_cast<std::uintptr_t>(size) != 0) {
    return refuse(StatusCode::misaligned, "%s.data is %p, which is no multiple of the element size %d", view, data,
                  size);
  }
  return {};
}

// The bytes a view spans, for overlap. `elements` is at most 2^60 + 2^31, so bytes fit 64 bits.
struct Range {
  std::uintptr_t begin, end;
};

Status range_of(const void* data, DType dtype, Checked elements, const char* view, Range& range) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const auto bytes = static_cast<std::uint64_t>(elements.value()) * static_cast<std::uint64_t>(dtype_bytes(dtype));
  if (bytes > UINTPTR_MAX - begin) {
    return refuse(StatusCode::too_large, "%s spans %lld elements, past the end of the address space", view,
                  Number{elements.value()});
  }
  range = {begin, begin + static_cast<std::uintptr_t>(bytes)};
  return {};
}

bool meet(const Range& a, const Range& b) noexcept { return a.begin < b.end && b.begin < a.end; }

Checked image_span(const ImageView& image) noexcept {
  return Dimension{image.channels, image.channel_stride, ""}.reach() +
         Dimension{image.height, image.row_stride, ""}.reach() + image.width;
}

Checked responses_span(const ResponsesView& r) noexcept {
  return Dimension{r.count, r.kernel_stride, ""}.reach() + Dimension{r.height, r.row_stride, ""}.reach() + r.width;
}

// Extents, strides and data of kernels, which may be called otherwise.
Status check_kernels(const KernelsView& k, const char* name) noexcept {
  if (Status status = check_extent(k.count, name, "count")) return status;
  if (Status status = check_extent(k.channels, name, "channels")) return status;
  if (Status status = check_extent(k.height, name, "height")) return status;
  if (Status status = check_extent(k.width, name, "width")) return status;
  Checked span = k.width;
  for (const Dimension& d :
       {Dimension{k.count, k.kernel_stride, "kernel_stride"}, Dimension{k.channels, k.channel_stride, "channel_stride"},
        Dimension{k.height, k.row_stride, "row_stride"}}) {
    if (Status status = check_stride(d, name)) return status;
    span = span + d.reach();
  }
  const Checked taps = Checked(k.channels) * k.height * k.width;
  if (!(taps * block_kernels).at_most(max_span)) {
    return refuse(StatusCode::too_large, "%s have more than (2^31 - 1) / %d taps each", name, block_kernels);
  }
  if (!(taps * k.count).at_most(max_elements) || !span.at_most(max_elements)) {
    return refuse(StatusCode::too_large, "%s hold or span more than 2^60 elements", name);
  }
  if (Status status = check_data(k.data, k.dtype, name)) return status;
  Range range{};
  return range_of(k.data, k.dtype, span, name, range);
}

// Extents and strides of an image; `kernels` is what they are called.
Status check_image(const ImageView& image, const BankShape& bank, const char* kernels) noexcept {
  if (Status status = check_extent(image.channels, "image", "channels")) return status;
  if (Status status = check_extent(image.height, "image", "height")) return status;
  if (Status status = check_extent(image.width, "image", "width")) return status;
  if (image.channels != bank.channels) {
    return refuse(StatusCode::bad_extent, "image.channels is %lld but %s.channels is %lld", Number{image.channels},
                  kernels, Number{bank.channels});
  }
  if (image.height < bank.height || image.width < bank.width) {
    return refuse(StatusCode::bad_extent, "image is %lld x %lld (height x width), smaller than the %s' %lld x %lld",
                  Number{image.height}, Number{image.width}, kernels, Number{bank.height}, Number{bank.width});
  }
  for (const Dimension& d : {Dimension{image.channels, image.channel_stride, "channel_stride"},
                             Dimension{image.height, image.row_stride, "row_stride"}}) {
    if (Status status = check_stride(d, "image")) return status;
  }
  if (!image_span(image).at_most(max_span)) {
    return refuse(StatusCode::too_large, "image spans more than 2^31 - 1 elements");
  }
  // An image that repeats rows (stride 0) can be larger than its span.
  const Checked plane = Checked(image.height - bank.height + 1) * (image.width - bank.width + 1);
  if (!plane.at_most(max_span)) {
    return refuse(StatusCode::too_large, "a plane of responses holds more than 2^31 - 1 elements");
  }
  return {};
}

Status check_response_extent(std::int64_t is, const char* name, std::int64_t image, std::int64_t kernel) noexcept {
  const std::int64_t must = image - kernel + 1;
  if (is == must) return {};
  return refuse(StatusCode::bad_extent, "responses.%s is %lld but must be %lld = image.%s %lld - kernels.%s %lld + 1",
                name, Number{is}, Number{must}, name, Number{image}, name, Number{kernel});
}

Status check_responses(const ImageView& image, const BankShape& bank, const ResponsesView& r) noexcept {
  if (r.count != bank.count) {
    return refuse(StatusCode::bad_extent, "responses.count is %lld but must be %lld, the number of kernels",
                  Number{r.count}, Number{bank.count});
  }
  if (Status status = check_response_extent(r.height, "height", image.height, bank.height)) return status;
  if (Status status = check_response_extent(r.width, "width", image.width, bank.width)) return status;

  Dimension near{r.height, r.row_stride, "row_stride"}, far{r.count, r.kernel_stride, "kernel_stride"};
  if (Status status = check_stride(near, "responses")) return status;
  if (Status status = check_stride(far, "responses")) return status;
  const Checked plane = near.reach() + r.width;
  if (!plane.at_most(max_span) || (r.count > 1 && !Checked(r.kernel_stride).at_most(max_span))) {
    return refuse(StatusCode::too_large, "a plane of responses spans more than 2^31 - 1 elements");
  }
  if (!responses_span(r).at_most(max_elements)) {
    return refuse(StatusCode::too_large, "responses span more than 2^60 elements");
  }

  // All elements are apart if each dimension steps over everything the nearer ones reach.
  if (near.extent > 1 && far.extent > 1 && far.stride < near.stride) std::swap(near, far);
  Checked inner = r.width;
  for (const Dimension& d : {near, far}) {
    if (d.extent == 1) continue;
    if (inner.value() > d.stride) {
      return refuse(StatusCode::bad_stride,
                    "responses.%s is %lld but must be at least %lld to step over the responses that lie nearer", d.name,
                    Number{d.stride}, Number{inner.value()});
    }
    inner = inner + d.reach();
  }
  return {};
}

// Pointers, and that responses and image are apart.
Status check_memory(const ImageView& image, const ResponsesView& responses) noexcept {
  if (Status status = check_data(image.data, image.dtype, "image")) return status;
  if (Status status = check_data(responses.data, responses.dtype, "responses")) return status;
  Range read{}, written{};
  if (Status status = range_of(image.data, image.dtype, image_span(image), "image", read)) return status;
  if (Status status = range_of(responses.data, responses.dtype, responses_span(responses), "responses", written)) {
    return status;
  }
  if (meet(read, written)) return refuse(StatusCode::overlap, "responses share memory with the image");
  return {};
}

}  // namespace

Status validate_device(Device device, Device needed, const char* view) noexcept {
  if (device == needed) return {};
  const auto name = [](Device d, char (&text)[32]) {
    if (d.type == DeviceType::cpu) return "the host";
    if (d.type != DeviceType::cuda) return "an unknown type of device";
    std::snprintf(text, sizeof text, "GPU %d", d.index);
    return static_cast<const char*>(text);
  };
  char is[32], must[32];
  return refuse(StatusCode::bad_device, "%s.device is %s but the bank's is %s", view, name(device, is),
                name(needed, must));
}

Status validate_options(const Options& options) noexcept {
  const int algorithm = static_cast<int>(options.algorithm), exactness = static_cast<int>(options.exactness);
  if (algorithm < 0 || algorithm > static_cast<int>(Algorithm::fft)) {
    return refuse(StatusCode::bad_option, "options.algorithm is %d, which is no algorithm of this version", algorithm);
  }
  if (exactness < 0 || exactness > static_cast<int>(Exactness::direct)) {
    return refuse(StatusCode::bad_option, "options.exactness is %d, which is none of this version", exactness);
  }
  if (options.exactness == Exactness::direct && algorithm > static_cast<int>(Algorithm::direct)) {
    return refuse(StatusCode::algorithm_unavailable,
                  "options.algorithm is not the direct one, which options.exactness asks for");
  }
  if (options.expected_calls < 0) {
    return refuse(StatusCode::bad_option, "options.expected_calls is %d but must not be negative",
                  options.expected_calls);
  }
  if (options.threads < 1 || options.threads > max_threads) {
    return refuse(StatusCode::bad_option, "options.threads is %d but must be 1 to %d", options.threads, max_threads);
  }
  if (options.executor != nullptr && options.executor->run == nullptr) {
    return refuse(StatusCode::null_pointer, "options.executor->run is null");
  }
  if (options.workspace == nullptr && options.workspace_size != 0) {
    return refuse(StatusCode::null_pointer, "options.workspace is null but options.workspace_size is %zu",
                  options.workspace_size);
  }
  if (reinterpret_cast<std::uintptr_t>(options.workspace) % alignof(std::int32_t) != 0) {
    return refuse(StatusCode::misaligned, "options.workspace is %p, which is no multiple of 4", options.workspace);
  }
  return {};
}

Status validate_gpu_options(const Options& options) noexcept {
  if (options.algorithm == Algorithm::automatic || options.algorithm == Algorithm::direct) return {};
  return refuse(StatusCode::algorithm_unavailable, "options.algorithm is %s, but target cuda has the direct one alone",
                name_of(options.algorithm));
}

Status validate_kernels(const KernelsView& kernels) noexcept {
  if (Status status = check_dtype(kernels.dtype, "kernels")) return status;
  return check_kernels(kernels, "kernels");
}

Status validate_image(const ImageView& image, const BankShape& bank) noexcept {
  if (Status status = check_dtype(image.dtype, "image")) return status;
  return check_image(image, bank, "kernels");
}

Status validate_correlate(const ImageView& image, const BankShape& bank, const ResponsesView& responses) noexcept {
  if (Status status = validate_image(image, bank)) return status;
  if (Status status = check_dtype(responses.dtype, "responses")) return status;
  if (Status status = check_responses(image, bank, responses)) return status;
  return check_memory(image, responses);
}

Status validate_templates(const KernelsView& templates, Method method, const KernelsView* masks) noexcept {
  if (static_cast<int>(method) < 0 || method > Method::zncc) {
    return refuse(StatusCode::bad_option, "method is %d, which is none of this version", static_cast<int>(method));
  }
  if (Status status = check_pixel_dtype(templates.dtype, "templates")) return status;
  if (Status status = check_kernels(templates, "templates")) return status;
  if (Status status = validate_device(templates.device, {}, "templates")) return status;
  if (!(Checked(templates.channels) * templates.height * templates.width * templates.count).at_most(max_span)) {
    return refuse(StatusCode::too_large, "templates hold more than 2^31 - 1 elements");
  }
  if (masks == nullptr) return {};
  if (masks->dtype != DType::u8 && masks->dtype != DType::f32) {
    return refuse(StatusCode::bad_option, "masks.dtype is %d, which is neither f32 (0) nor u8 (1)",
                  static_cast<int>(masks->dtype));
  }
  if (Status status = check_kernels(*masks, "masks")) return status;
  if (Status status = validate_device(masks->device, {}, "masks")) return status;
  struct {
    const char* name;
    std::int64_t is, must;
    bool one;
  } const extents[] = {{"count", masks->count, templates.count, true},
                       {"channels", masks->channels, templates.channels, true},
                       {"height", masks->height, templates.height, false},
                       {"width", masks->width, templates.width, false}};
  for (const auto& e : extents) {
    if (e.is == e.must || (e.one && e.is == 1)) continue;
    return refuse(StatusCode::bad_extent, "masks.%s is %lld but must be %s%lld as the templates'", e.name, Number{e.is},
                  e.one ? "1 or " : "", Number{e.must});
  }
  return {};
}

Status validate_match_image(const ImageView& image, const BankShape& templates) noexcept {
  if (Status status = check_pixel_dtype(image.dtype, "image")) return status;
  if (Status status = validate_device(image.device, {}, "image")) return status;
  return check_image(image, templates, "templates");
}

Status validate_match(const ImageView& image, const BankShape& templates, const ResponsesView& scores) noexcept {
  if (Status status = validate_match_image(image, templates)) return status;
  if (scores.dtype != DType::f32 && scores.dtype != DType::i32) {
    return refuse(StatusCode::bad_option, "responses.dtype is %d, which is neither f32 (0) nor i32 (3)",
                  static_cast<int>(scores.dtype));
  }
  if (Status status = validate_device(scores.device, {}, "responses")) return status;
  if (Status status = check_responses(image, templates, scores)) return status;
  return check_memory(image, scores);
}

Status validate_pixels(const ImageView& image) noexcept {
  if (Status status = check_data(image.data, image.dtype, "image")) return status;
  Range read{};
  return range_of(image.data, image.dtype, image_span(image), "image", read);
}

Status validate_outside(const ImageView& image, const ResponsesView& scores, const void* data, std::size_t bytes,
                        const char* name) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  if (bytes > UINTPTR_MAX - begin) return refuse(StatusCode::too_large, "%s reaches past the address space", name);
  const Range other{begin, begin + bytes};
  Range read{}, written{};
  if (Status status = range_of(image.data, image.dtype, image_span(image), "image", read)) return status;
  if (meet(read, other)) return refuse(StatusCode::overlap, "%s shares memory with the image", name);
  if (scores.data == nullptr) return {};
  if (Status status = range_of(scores.data, scores.dtype, responses_span(scores), "responses", written)) return status;
  if (meet(written, other)) return refuse(StatusCode::overlap, "%s shares memory with the responses", name);
  return {};
}

Status validate_workspace(const ImageView& image, const ResponsesView& responses, const Options& options) noexcept {
  if (options.workspace == nullptr) return {};
  return validate_outside(image, responses, options.workspace, options.workspace_size, "options.workspace");
}

}  // namespace corrbank::detail
