// The C ABI of matching: copies structs, forwards to the C++ verbs.
#include "c_api.h"

#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "corrbank/match.h"
#include "corrbank/match.hpp"

struct corrbank_templates {
  corrbank::Templates templates;
};

namespace {

using corrbank::Status;
using corrbank::StatusCode;
using namespace corrbank::c_api;

// What each verb is given, and the first thing that is wrong with it.
struct Arguments {
  const CallOptions options;
  corrbank::ImageView image;
  Status status;

  Arguments(const corrbank_image* from, const corrbank_templates* templates, const corrbank_options* call) noexcept
      : options(call), status(options.status()) {
    if (!status) status = read(from, image);
    if (!status && templates == nullptr) status = {StatusCode::null_pointer, "templates is null"};
  }
};

Status read(const corrbank_find_options* argument, corrbank::FindOptions& to) noexcept {
  if (argument == nullptr) return {};
  corrbank_find_options from;
  if (Status status = corrbank::c_api::read(argument, {}, "find_options", from)) return status;
  if (from.top < 0 && from.top != CORRBANK_ALL) {
    return {StatusCode::bad_option, "find_options.top is negative, but not CORRBANK_ALL"};
  }
  if (from.has_min_distance != 0 && from.min_distance < 0) {
    return {StatusCode::bad_option, "find_options.min_distance must not be negative"};
  }
  to.top = from.top == 0 ? 1 : from.top == CORRBANK_ALL ? 0 : from.top;
  if (from.has_threshold != 0) to.threshold = from.threshold;
  if (from.has_min_distance != 0) to.min_distance = from.min_distance;
  if (from.has_max_overlap != 0) to.max_overlap = from.max_overlap;
  to.refinement = static_cast<corrbank::Refinement>(from.refinement);
  to.region = {from.region_y, from.region_x, from.region_height, from.region_width};
  return {};
}

}  // namespace

extern "C" {

corrbank_status corrbank_templates_create(const corrbank_kernels* templates, int32_t method,
                                          const corrbank_kernels* masks, const corrbank_options* options,
                                          corrbank_templates** made, char* message) {
  const CallOptions call(options);
  if (call.status()) return answer(call.status(), message);
  corrbank::KernelsView view, masks_view;
  if (Status status = corrbank::c_api::read(templates, view, "templates")) return answer(status, message);
  if (masks != nullptr) {
    if (Status status = corrbank::c_api::read(masks, masks_view, "masks")) return answer(status, message);
  }
  if (made == nullptr) return answer({StatusCode::null_pointer, "made is null"}, message);
  corrbank::Templates prepared;
  if (Status status = corrbank::Templates::create(view, static_cast<corrbank::Method>(method),
                                                  masks != nullptr ? &masks_view : nullptr, call, prepared)) {
    return answer(status, message);
  }
  auto* owner = new (std::nothrow) corrbank_templates{std::move(prepared)};
  if (owner == nullptr) return answer({StatusCode::out_of_memory, "no memory for the templates"}, message);
  *made = owner;
  return answer({}, message);
}

void corrbank_templates_destroy(corrbank_templates* templates) { delete templates; }

size_t corrbank_templates_bytes(const corrbank_templates* templates) {
  return templates != nullptr ? templates->templates.bytes() : 0;
}

const char* corrbank_templates_target(const corrbank_templates* templates) {
  return templates != nullptr ? templates->templates.target() : "";
}

int corrbank_templates_valid(const corrbank_templates* templates, int64_t index) {
  return templates != nullptr && templates->templates.valid(index) ? 1 : 0;
}

corrbank_status corrbank_match(const corrbank_image* image, const corrbank_templates* templates,
                               const corrbank_responses* scores, uint8_t* valid, const corrbank_options* options,
                               char* message) {
  const Arguments call(image, templates, options);
  if (call.status) return answer(call.status, message);
  corrbank::ResponsesView to;
  if (Status status = corrbank::c_api::read(scores, to)) return answer(status, message);
  return answer(corrbank::match(call.image, templates->templates, to, call.options, valid), message);
}

corrbank_status corrbank_match_best(const corrbank_image* image, const corrbank_templates* templates,
                                    const corrbank_responses* scores, int32_t* best, const corrbank_options* options,
                                    char* message) {
  const Arguments call(image, templates, options);
  if (call.status) return answer(call.status, message);
  corrbank::ResponsesView to;
  if (Status status = corrbank::c_api::read(scores, to)) return answer(status, message);
  return answer(corrbank::match_best(call.image, templates->templates, to, best, call.options), message);
}

corrbank_status corrbank_find(const corrbank_image* image, const corrbank_templates* templates,
                              const corrbank_find_options* find_options, corrbank_peak* peaks, size_t capacity,
                              size_t* count, const corrbank_options* options, char* message) {
  const Arguments call(image, templates, options);
  if (call.status) return answer(call.status, message);
  corrbank::FindOptions wanted;
  if (Status status = read(find_options, wanted)) return answer(status, message);
  if (peaks == nullptr && capacity > 0) return answer({StatusCode::null_pointer, "peaks is null"}, message);
  if (count == nullptr) return answer({StatusCode::null_pointer, "count is null"}, message);
  std::vector<corrbank::Match> found;
  if (Status status = corrbank::find(call.image, templates->templates, wanted, found, call.options)) {
    return answer(status, message);
  }
  *count = found.size();
  for (std::size_t i = 0; i < std::min(capacity, found.size()); ++i) {
    const corrbank::Match& m = found[i];
    peaks[i] = {m.template_index, m.y, m.x, m.score, m.refined_y, m.refined_x};
  }
  return answer({}, message);
}

corrbank_status corrbank_match_workspace_bytes(const corrbank_image* image, const corrbank_templates* templates,
                                               const corrbank_options* options, size_t* bytes, char* message) {
  const Arguments call(image, templates, options);
  if (call.status) return answer(call.status, message);
  if (bytes == nullptr) return answer({StatusCode::null_pointer, "bytes is null"}, message);
  return answer(corrbank::workspace_bytes(call.image, templates->templates, call.options, *bytes), message);
}

corrbank_status corrbank_match_warmup(const corrbank_image* image, const corrbank_templates* templates,
                                      const corrbank_options* options, char* message) {
  const Arguments call(image, templates, options);
  if (call.status) return answer(call.status, message);
  return answer(corrbank::warmup(call.image, templates->templates, call.options), message);
}

corrbank_status corrbank_match_plan(const corrbank_image* image, const corrbank_templates* templates,
                                    const corrbank_options* options, corrbank_plan_info* plan, char* message) {
  const Arguments call(image, templates, options);
  if (call.status) return answer(call.status, message);
  if (Status status = check(plan, {earlier_plan}, "plan")) return answer(status, message);
  corrbank::Plan made;
  if (Status status = corrbank::plan(call.image, templates->templates, call.options, made)) {
    return answer(status, message);
  }
  write(made, *plan);
  return answer({}, message);
}

}  // extern "C"
