// Every response of some two thousand shapes, around every vector and tile size, in memory with and without gaps, on
// one to three threads.
#include "testing.h"

namespace corrbank_test {
namespace {

struct KernelRow {
  std::string target, name;
};

const KernelRow kernel_rows[] = {
#define CORRBANK_TARGET(target, lanes, unpack)
#define CORRBANK_KERNEL(target, walk, positions, vectors, size, width, inner, outer, name, symbol) {#target, name},
#include "kernels.inc"
#undef CORRBANK_TARGET
#undef CORRBANK_KERNEL
};

class Shapes : public TargetTest {};

CORRBANK_FOR_EACH_TARGET(Shapes);

TEST_P(Shapes, EveryResponseIsExact) {
  const float nan = std::nanf("");
  int n = 0;
  for (const Shape& s : sweep_shapes()) {
    ++n;
    const Case c = integer_case(s, seed + static_cast<std::uint32_t>(n));
    const bool image_gaps = n % 2 == 0, response_gaps = n % 3 == 0;
    const Padded image =
        padded(c.image, s.channels, s.height, s.width, image_gaps ? n % 5 : 0, image_gaps ? n % 3 : 0, nan);
    Padded responses = padded(unwritten(s), s.count, s.response_height(), s.response_width(), response_gaps ? n % 7 : 0,
                              response_gaps ? n % 2 : 0, sentinel());
    ASSERT_TRUE(succeeded(correlate_anywhere(
        {image.data.data(), s.channels, s.height, s.width, image.plane_stride, image.row_stride}, c.kernels_view(),
        {responses.data.data(), s.count, s.response_height(), s.response_width(), responses.plane_stride,
         responses.row_stride},
        options(n % 4 == 0 ? 2 + n % 8 / 4 : 1))))
        << s;
    ASSERT_TRUE(equal(s, responses.compact(), integer_reference(s, c.image, c.kernels))) << "shape number " << n;
  }
}

class CpuShapes : public TargetTest {};

CORRBANK_FOR_EACH_CPU_TARGET(CpuShapes);

TEST_P(CpuShapes, EveryKernelOfTheTableRuns) {
  // A kernel that no shape needs is dead weight, or its shapes are missing from the sweep.
  std::string plans;
  for (const Shape& s : sweep_shapes()) {
    const std::vector<float> kernels(s.kernels_size());
    corrbank::Bank bank;
    ASSERT_TRUE(succeeded(corrbank::Bank::create({kernels.data(), s.count, s.channels, s.kernel_height, s.kernel_width},
                                                 options(), bank)));
    corrbank::Plan plan;
    ASSERT_TRUE(succeeded(corrbank::plan({nullptr, s.channels, s.height, s.width}, bank, options(), plan)));
    plans += plan.text;
  }
  for (const KernelRow& row : kernel_rows) {
    if (row.target != GetParam()) continue;
    EXPECT_NE(plans.find(" by " + row.name), std::string::npos) << row.name << " never runs";
  }
}

}  // namespace
}  // namespace corrbank_test
