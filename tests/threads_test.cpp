// The same bits for any number of threads, on whosever threads, and from any caller.
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "testing.h"

using namespace corrbank_test;
using corrbank::Bank;
using corrbank::Executor;
using corrbank::Options;

namespace {

using Task = void (*)(void* argument, int index);

constexpr int thread_counts[] = {1, 2, 3, 4, 7, 8, 16};

// Many rows; one row and many kernels; one channel and a wide image; 1x1 kernels, walked as one long row; a narrow one.
const Shape shapes[] = {
    {5, 40, 53, 19, 3, 3}, {4, 3, 40, 100, 3, 3}, {1, 64, 130, 9, 7, 7}, {16, 20, 20, 33, 1, 1}, {8, 90, 9, 50, 5, 5}};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// A case with its bank, and responses by one thread.
class Prepared {
 public:
  Prepared(const Shape& shape, const Options& options) : case_(normal_case(shape)) {
    status_ = Bank::create(case_.kernels_view(), options, bank_);
    if (status_.ok()) expected_ = run(options);
  }
  [[nodiscard]] const corrbank::Status& status() const { return status_; }
  [[nodiscard]] const std::vector<float>& expected() const { return expected_; }
  // Empty if refused.
  [[nodiscard]] std::vector<float> run(const Options& options) const {
    std::vector<float> responses(case_.shape.responses_size(), sentinel());
    if (corrbank::correlate(case_.image_view(), bank_, case_.responses_view(responses.data()), options)) return {};
    return responses;
  }
  [[nodiscard]] bool right(const Options& options) const { return same_bits(run(options), expected_); }
  [[nodiscard]] int tasks(const Options& options) const {
    corrbank::Plan plan;
    return corrbank::plan(case_.image_view(), bank_, options, plan).ok() ? plan.tasks : 0;
  }
  [[nodiscard]] const Case& data() const { return case_; }
  [[nodiscard]] const Bank& bank() const { return bank_; }

 private:
  Case case_;
  Bank bank_;
  corrbank::Status status_;
  std::vector<float> expected_;
};

class Threads : public TargetTest {};
CORRBANK_FOR_EACH_CPU_TARGET(Threads);

// Executors of a caller. Their contexts count the calls.
struct Recorder {
  int calls = 0, tasks = 0;
  std::mutex mutex;
  std::vector<int> indices;

  static void run(void* context, int tasks, Task task, void* argument) {
    Recorder& self = *static_cast<Recorder*>(context);
    ++self.calls;
    self.tasks = tasks;
    std::vector<std::thread> threads;
    for (int i = 0; i < tasks; ++i) {
      threads.emplace_back([&self, task, argument, i] {
        task(argument, i);
        std::lock_guard<std::mutex> lock(self.mutex);
        self.indices.push_back(i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

void run_in_reverse(void* context, int tasks, Task task, void* argument) {
  ++*static_cast<int*>(context);
  for (int i = tasks - 1; i >= 0; --i) task(argument, i);
}

// The exit status of a child that called `body`, -1 if it was not done in time.
template <typename Body>
int in_child(Body body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) std::exit(body() ? 0 : 1);  // exit(): destructors of the thread's own objects run as well
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TEST_P(Threads, SameBitsForAnyNumber) {
  for (const Shape& shape : shapes) {
    const Prepared prepared(shape, options());
    ASSERT_TRUE(succeeded(prepared.status()));
    for (const int threads : thread_counts) {
      for (int repeat = 0; repeat < 5; ++repeat) {
        ASSERT_TRUE(prepared.right(options(threads)))
            << shape << ", " << threads << " threads, repeat " << repeat << ", seed " << seed;
      }
    }
  }
}

TEST_P(Threads, SameBitsWithGapsBetweenRows) {
  const Shape shape{3, 37, 45, 21, 3, 5};
  const Prepared prepared(shape, options());
  ASSERT_TRUE(succeeded(prepared.status()));
  const Padded image = padded(prepared.data().image, shape.channels, shape.height, shape.width, 5, 2, sentinel());
  const corrbank::ImageView view(image.data.data(), shape.channels, shape.height, shape.width, image.plane_stride,
                                 image.row_stride);
  const std::int64_t rows = shape.response_height(), columns = shape.response_width();
  const Padded expected = padded(prepared.expected(), shape.count, rows, columns, 3, 1, sentinel());
  for (const int threads : thread_counts) {
    for (int repeat = 0; repeat < 5; ++repeat) {
      std::vector<float> data(expected.data.size(), sentinel());
      const corrbank::ResponsesView responses(data.data(), shape.count, rows, columns, expected.plane_stride,
                                              expected.row_stride);
      ASSERT_TRUE(succeeded(corrbank::correlate(view, prepared.bank(), responses, options(threads))));
      ASSERT_TRUE(same_bits(data, expected.data)) << threads << " threads, repeat " << repeat << ", seed " << seed;
    }
  }
}

TEST_P(Threads, ExecutorRunsEachIndexOnce) {
  for (const Shape& shape : shapes) {
    const Prepared prepared(shape, options());
    ASSERT_TRUE(succeeded(prepared.status()));
    Recorder recorder;
    const Executor executor{&Recorder::run, &recorder};
    Options with = options(4);
    with.executor = &executor;
    const int tasks = prepared.tasks(with);
    ASSERT_GT(tasks, 1) << shape << ": nothing to hand out";
    ASSERT_TRUE(prepared.right(with)) << shape;
    EXPECT_EQ(recorder.calls, 1);
    EXPECT_EQ(recorder.tasks, tasks);
    std::sort(recorder.indices.begin(), recorder.indices.end());
    ASSERT_EQ(static_cast<int>(recorder.indices.size()), tasks);
    for (int i = 0; i < tasks; ++i) EXPECT_EQ(recorder.indices[static_cast<std::size_t>(i)], i);
  }
}

TEST_P(Threads, ExecutorMayRunTasksInAnyOrder) {
  for (const Shape& shape : shapes) {
    const Prepared prepared(shape, options());
    ASSERT_TRUE(succeeded(prepared.status()));
    int calls = 0;
    const Executor executor{&run_in_reverse, &calls};
    Options with = options(3);
    with.executor = &executor;
    ASSERT_TRUE(prepared.right(with)) << shape;
    EXPECT_EQ(calls, 1);
    with.threads = 1;
    ASSERT_TRUE(prepared.right(with)) << shape;
    EXPECT_EQ(calls, 1) << "one thread is the calling one";
  }
}

TEST_P(Threads, ManyCallersShareABank) {
  const Prepared prepared(shapes[0], options());
  ASSERT_TRUE(succeeded(prepared.status()));
  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  constexpr int caller_count = 32, calls = 6;
  for (int caller = 0; caller < caller_count; ++caller) {
    callers.emplace_back([&, caller] {
      for (int call = 0; call < calls; ++call) right += prepared.right(options(1 + (caller + call) % 3)) ? 1 : 0;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(right, caller_count * calls);
}

TEST_P(Threads, SmallStack) {
  for (const int threads : {1, 2}) {
    for (const Shape& shape : shapes) {
      const Prepared prepared(shape, options());
      ASSERT_TRUE(succeeded(prepared.status()));
      struct Caller {
        const Prepared& prepared;
        Options options;
        bool right = false;
        static void* call(void* self) {
          auto& caller = *static_cast<Caller*>(self);
          caller.right = caller.prepared.right(caller.options);
          return nullptr;
        }
      } caller{prepared, options(threads)};
      pthread_attr_t attributes;
      pthread_t thread;
      ASSERT_EQ(pthread_attr_init(&attributes), 0);
      ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
      ASSERT_EQ(pthread_create(&thread, &attributes, &Caller::call, &caller), 0);
      ASSERT_EQ(pthread_join(thread, nullptr), 0);
      pthread_attr_destroy(&attributes);
      EXPECT_TRUE(caller.right) << shape << ", " << threads << " threads";
    }
  }
}

// A child has none of its parent's threads, and must neither wait for them nor join them.
TEST_P(Threads, ForkAfterACall) {
  const Prepared prepared(shapes[0], options());
  ASSERT_TRUE(succeeded(prepared.status()));
  ASSERT_TRUE(prepared.right(options(3)));
  EXPECT_EQ(in_child([] { return true; }), 0) << "a child that does not call";
  EXPECT_EQ(
      in_child([&] { return prepared.right(options(3)) && prepared.right(options(1)) && prepared.right(options(4)); }),
      0)
      << "-1: still running after a minute; 1: wrong; 128 + n: signal n";
  EXPECT_EQ(in_child([&] { return in_child([&] { return prepared.right(options(2)); }) == 0; }), 0) << "a grandchild";
  EXPECT_TRUE(prepared.right(options(3))) << "the parent afterwards";
}

// Threads that are no longer the first caller's: each new calling thread starts and ends its own workers.
TEST_P(Threads, CallersComeAndGo) {
  const Prepared prepared(shapes[1], options());
  ASSERT_TRUE(succeeded(prepared.status()));
  for (int caller = 0; caller < 20; ++caller) {
    bool right = false;
    std::thread([&] { right = prepared.right(options(3)); }).join();
    ASSERT_TRUE(right) << "caller " << caller;
  }
}

TEST_P(Threads, RoundingModeIsTheCallers) {
  const Prepared prepared(shapes[0], options());
  ASSERT_TRUE(succeeded(prepared.status()));
  Recorder recorder;
  const Executor executor{&Recorder::run, &recorder};
  Options foreign = options(4);
  foreign.executor = &executor;
  ASSERT_TRUE(prepared.right(options(4)));  // workers that started with the default mode
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  const std::vector<float> one = prepared.run(options()), four = prepared.run(options(4)),
                           by_executor = prepared.run(foreign);
  const int after = std::fegetround();
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(after, FE_UPWARD);
  EXPECT_EQ(same_bits(one, prepared.expected()), has_fixed_float_modes(GetParam()))
      << "data that no rounding mode changes tests nothing";
  EXPECT_TRUE(same_bits(one, four));
  EXPECT_TRUE(same_bits(one, by_executor));
  EXPECT_TRUE(prepared.right(options(4))) << "workers afterwards";
}

#if defined(__SSE2__)
TEST_P(Threads, FlushToZeroIsTheCallers) {
  constexpr unsigned flush = 0x8040;    // FTZ and DAZ of MXCSR
  constexpr unsigned control = 0xffc0;  // without the sticky exception flags
  const Shape shape = shapes[0];
  Case tiny = normal_case(shape);
  for (float& value : tiny.image) value *= 0x1p-100f;
  for (float& value : tiny.kernels) value *= 0x1p-34f;  // products are denormal
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(tiny.kernels_view(), options(), bank)));
  const auto run = [&](const Options& options) {
    std::vector<float> responses(shape.responses_size(), sentinel());
    EXPECT_TRUE(
        succeeded(corrbank::correlate(tiny.image_view(), bank, tiny.responses_view(responses.data()), options)));
    return responses;
  };
  // Tasks run on threads that have another mode of their own, and keep it.
  struct Foreign {
    bool kept = true;
    static void run(void* context, int tasks, Task task, void* argument) {
      auto& self = *static_cast<Foreign*>(context);
      std::thread([&] {
        _mm_setcsr(_mm_getcsr() & ~flush);
        const unsigned before = _mm_getcsr() & control;
        for (int i = 0; i < tasks; ++i) task(argument, i);
        self.kept = (_mm_getcsr() & control) == before;
      }).join();
    }
  } state;
  const Executor executor{&Foreign::run, &state};
  Options foreign = options(4);
  foreign.executor = &executor;

  const std::vector<float> gradual = run(options(4));
  const unsigned found = _mm_getcsr();
  _mm_setcsr(found | flush);
  const unsigned set = _mm_getcsr() & control;
  const std::vector<float> one = run(options()), four = run(options(4)), by_executor = run(foreign);
  const unsigned left = _mm_getcsr() & control;
  _mm_setcsr(found);
  EXPECT_EQ(left, set);
  EXPECT_FALSE(same_bits(one, gradual)) << "data that flushing does not change tests nothing";
  EXPECT_TRUE(same_bits(one, four));
  EXPECT_TRUE(same_bits(one, by_executor));
  EXPECT_TRUE(state.kept);
  EXPECT_TRUE(same_bits(run(options(4)), gradual)) << "workers afterwards";
  EXPECT_EQ(_mm_getcsr() & control, found & control);
}
#endif
