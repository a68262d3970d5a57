#include "reference.h"
#include "testing.h"
using namespace corrbank_test;
class Correctness : public TargetTest {};
CORRBANK_FOR_EACH_TARGET(Correctness);
TEST_P(Correctness, Small) {
  const Case small = small_case();
  std::vector<float> responses(small.shape.responses_size());
  ASSERT_TRUE(succeeded(corrbank::correlate(small.image_view(), small.kernels_view(), small.responses_view(responses.data()), options())));
}
