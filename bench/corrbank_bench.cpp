// Speed of every target of this machine on every shape of shapes.csv. bench/README.md says how to read the output.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "corrbank/corrbank.hpp"
#include "fma_peak.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr double peak_seconds = 0.02;  // of each of the two measurements of the FMA peak around a benchmark
bool failed = false;

struct Shape {
  std::string name;
  std::int64_t channels, height, width, kernels, kernel_height, kernel_width;

  [[nodiscard]] std::int64_t response_height() const { return height - kernel_height + 1; }
  [[nodiscard]] std::int64_t response_width() const { return width - kernel_width + 1; }
};

// Throws std::runtime_error naming the line it does not understand.
std::vector<Shape> read_shapes(const std::string& path) {
  constexpr const char* header = "name,channels,height,width,kernels,kernel_height,kernel_width";
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != header) throw std::runtime_error(path + ": line 1 is not " + header);
  std::vector<Shape> shapes;
  for (int number = 2; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    Shape s{};
    std::istringstream fields(line);
    std::getline(fields, s.name, ',');
    for (std::int64_t* field : {&s.channels, &s.height, &s.width, &s.kernels, &s.kernel_height, &s.kernel_width}) {
      char comma = ',';
      fields >> *field;
      if (field != &s.kernel_width) fields >> comma;
      if (!fields || comma != ',' || *field < 1) fields.setstate(std::ios::failbit);
    }
    if (!fields || !(fields >> std::ws).eof() || s.kernel_height > s.height || s.kernel_width > s.width) {
      throw std::runtime_error(path + ": line " + std::to_string(number) + " is no shape: " + line);
    }
    shapes.push_back(s);
  }
  return shapes;
}

std::vector<float> random_floats(std::int64_t count, unsigned seed) {
  std::minstd_rand random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  std::generate(values.begin(), values.end(), [&] { return uniform(random); });
  return values;
}

// What the benchmarks of one shape share.
struct Buffers {
  explicit Buffers(const Shape& s)
      : shape(s.name), image(random_floats(s.channels * s.height * s.width, 1)),
        kernels(random_floats(s.kernels * s.channels * s.kernel_height * s.kernel_width, 2)),
        responses(static_cast<std::size_t>(s.kernels * s.response_height() * s.response_width())),
        image_view(image.data(), s.channels, s.height, s.width),
        kernels_view(kernels.data(), s.kernels, s.channels, s.kernel_height, s.kernel_width),
        responses_view(responses.data(), s.kernels, s.response_height(), s.response_width()) {}

  std::string shape;
  std::vector<float> image, kernels, responses;
  corrbank::ImageView image_view;
  corrbank::KernelsView kernels_view;
  corrbank::ResponsesView responses_view;
};

// Benchmarks run shape by shape, and Google Benchmark calls each several times: the last shape's buffers are kept.
const Buffers& buffers_of(const Shape& shape) {
  static std::unique_ptr<Buffers> last;
  if (last == nullptr || last->shape != shape.name) {
    last.reset();
    last = std::make_unique<Buffers>(shape);
  }
  return *last;
}

void fail(benchmark::State& state, const corrbank::Status& status) {
  failed = true;
  state.SkipWithError(status.message());
}

void run_correlate(benchmark::State& state, const Shape& shape, const char* target, int threads) {
  const Buffers& buffers = buffers_of(shape);
  corrbank::Options options;
  options.target = target;
  options.threads = threads;
  corrbank::Bank bank;
  if (auto status = corrbank::Bank::create(buffers.kernels_view, options, bank)) return fail(state, status);
  corrbank::Plan plan;
  if (auto status = corrbank::plan(buffers.image_view, bank, options, plan)) return fail(state, status);
  std::vector<char> workspace(plan.workspace_bytes);
  options.workspace = workspace.data();
  options.workspace_size = workspace.size();
  const auto call = [&] { return corrbank::correlate(buffers.image_view, bank, buffers.responses_view, options); };

  double peak = corrbank_bench::fma_peak_gflops(target, peak_seconds);
  if (auto status = call()) return fail(state, status);  // touches the responses' pages, starts the threads
  double best = std::numeric_limits<double>::infinity();
  auto start = Clock::now();
  for (auto _ : state) {
    if (auto status = call()) {
      fail(state, status);
      break;
    }
    const auto end = Clock::now();
    best = std::min(best, std::chrono::duration<double>(end - start).count());
    start = end;
  }
  peak = std::max(peak, corrbank_bench::fma_peak_gflops(target, peak_seconds));

  // The peak is the best of many measurements, so the call that it is compared with has to be the best one too.
  const double gflops = plan.flops / best * 1e-9;
  state.counters["GFLOP/s"] = gflops;
  state.counters["peak_fraction"] = gflops / (peak * threads);
}

void run_pack(benchmark::State& state, const Shape& shape) {
  const Buffers& buffers = buffers_of(shape);
  std::size_t bytes = 0;
  for (auto _ : state) {
    corrbank::Bank bank;
    if (auto status = corrbank::Bank::create(buffers.kernels_view, {}, bank)) {
      fail(state, status);
      break;
    }
    bytes = bank.bytes();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void register_benchmarks(const std::vector<Shape>& shapes, const std::vector<int>& thread_counts) {
  for (const Shape& shape : shapes) {
    for (const char* const* target = corrbank::targets(); *target != nullptr; ++target) {
      if (std::strcmp(*target, "cuda") == 0) continue;  // images and responses here lie in the host's memory
      for (const int threads : thread_counts) {
        const std::string name =
            std::string("f32/") + *target + "/" + shape.name + "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(name.c_str(), run_correlate, shape, *target, threads)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      }
    }
    benchmark::RegisterBenchmark(("pack/" + shape.name).c_str(), run_pack, shape)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
}

// Takes --name=VALUE out of the arguments; `otherwise` where it is not among them.
std::string take_flag(std::vector<char*>& arguments, const std::string& name, const std::string& otherwise) {
  const std::string prefix = "--" + name + "=";
  std::string value = otherwise;
  const auto matches = [&](const char* argument) {
    if (std::string(argument).compare(0, prefix.size(), prefix) != 0) return false;
    value = argument + prefix.size();
    return true;
  };
  arguments.erase(std::remove_if(arguments.begin() + 1, arguments.end(), matches), arguments.end());
  return value;
}

std::vector<int> thread_counts_of(const std::string& text) {
  std::vector<int> counts;
  std::istringstream fields(text);
  for (std::string field; std::getline(fields, field, ',');) {
    std::size_t used = 0;
    int count = 0;
    try {
      count = std::stoi(field, &used);
    } catch (const std::logic_error&) {
    }
    if (count < 1 || used != field.size()) throw std::runtime_error("--threads=" + text + " is no list of counts");
    if (std::find(counts.begin(), counts.end(), count) == counts.end()) counts.push_back(count);
  }
  return counts;
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, 10, "model name") == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  // Ahead of the user's own, which then win.
  std::string short_runs = "--benchmark_min_time=0.1";
  arguments.insert(arguments.begin() + 1, short_runs.data());
  try {
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    const std::string threads = take_flag(arguments, "threads", "1," + std::to_string(cores));
    register_benchmarks(read_shapes(take_flag(arguments, "shapes", CORRBANK_SHAPES)), thread_counts_of(threads));
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "corrbank_bench: %s\n", error.what());
    return 2;
  }
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  benchmark::AddCustomContext("cpu", cpu_name());
  benchmark::AddCustomContext("corrbank", corrbank::version());
  return benchmark::RunSpecifiedBenchmarks() == 0 || failed ? 1 : 0;
}
