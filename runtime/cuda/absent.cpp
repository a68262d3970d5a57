// A library without CUDA has no target "cuda", so no bank ever gets here.
#include "cuda/verbs.h"

namespace corrbank::detail::cuda {
namespace {

Status refusal() noexcept { return {StatusCode::unknown_target, "this library was built without target cuda"}; }

}  // namespace

Status available() noexcept { return refusal(); }
Status pack(const KernelsView&, int, const Options&, PackedBank&) noexcept { return refusal(); }
void release(const PackedBank&) noexcept {}
Status correlate(const ImageView&, const PackedBank&, const ResponsesView&, const Options&) noexcept {
  return refusal();
}
Status warmup(const ImageView&, const PackedBank&) noexcept { return refusal(); }
Status plan(const ImageView&, const PackedBank&, Plan&) noexcept { return refusal(); }

}  // namespace corrbank::detail::cuda
