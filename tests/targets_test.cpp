// Which target runs, how it is forced, and that plans reach every kernel that is built.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "plan_sweep.h"
#include "rules.h"
#include "testing.h"

using namespace corrbank_test;
using corrbank::Bank;
using corrbank::Options;
using corrbank::StatusCode;

namespace {

constexpr const char* this_architecture =
#if defined(__x86_64__)
    "x86_64";
#elif defined(__aarch64__)
    "arm64";
#elif defined(__arm__)
    "arm32";
#endif

// generators/targets.cmake and generators/tuned as data: targets in order, those among them that this library holds, and
// the names of their kernel rows.
struct KernelTable {
  std::vector<std::string> targets, built;
  std::map<std::string, std::set<std::string>> rows;
};

const std::filesystem::path generators = std::filesystem::path(CORRBANK_SOURCE_DIR) / "generators";

// Rows of the direct method, "rows 3 8" or "strips 4 4 3", by the names that plans have for them.
std::set<std::string> direct_rows(const std::string& target) {
  std::set<std::string> names;
  std::ifstream file(generators / "tuned" / (target + ".json"));
  const std::regex row("\\s*\"(rows|pixels|strips) ([0-9]+) ([0-9]+)( [0-9]+)?\",?");
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (!std::regex_match(line, match, row)) continue;
    std::string name = match[1].str() + "_" + match[2].str() + "x" + match[3].str();
    if (match[4].matched) name += "_size" + match[4].str().substr(1);
    names.insert(name);
  }
  return names;
}

KernelTable kernel_table() {
  KernelTable table;
  std::ifstream file(generators / "targets.cmake");
  const std::regex call("corrbank_target\\(([^)]*)\\)");
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (!std::regex_match(line, match, call)) continue;
    std::istringstream words(match[1]);
    std::string target, architecture;
    words >> target >> architecture;
    table.targets.push_back(target);
    if (architecture == "any" || architecture == this_architecture) table.built.push_back(target);
    table.rows[target] = direct_rows(target);
  }
  return table;
}

// Sets the environment variable for as long as it lives; null unsets it.
class Environment {
 public:
  explicit Environment(const char* value) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { set(before_ ? before_->c_str() : nullptr); }

 private:
  static constexpr const char* name = "CORRBANK_TARGET";
  static void set(const char* value) {
    if (value != nullptr) {
      setenv(name, value, 1);
    } else {
      unsetenv(name);
    }
  }
  std::optional<std::string> before_;
};

testing::AssertionResult refused(const corrbank::Status& status, StatusCode code, const char* argument) {
  return follows(status, {{code, argument}});
}

// What the text of a plan says about the kernels: "kernels 0-15 by rows_3x8".
struct Part {
  std::int64_t first, last;
  std::string row;
};

std::vector<Part> parts_of(const std::string& text) {
  static const std::regex part("kernels ([0-9]+)-([0-9]+) by ([a-z0-9_]+)");
  std::vector<Part> parts;
  for (std::sregex_iterator match(text.begin(), text.end(), part); match != std::sregex_iterator(); ++match) {
    parts.push_back({std::stoll((*match)[1]), std::stoll((*match)[2]), (*match)[3]});
  }
  return parts;
}

class ForcedTarget : public TargetTest {
 protected:
  const Case small_ = small_case();
  std::vector<float> responses_ = std::vector<float>(small_.shape.responses_size(), sentinel());
};
CORRBANK_FOR_EACH_CPU_TARGET(ForcedTarget);

}  // namespace

TEST(Targets, AreNamedOnceBestFirst) {
  const std::vector<std::string> names = usable_targets();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(cpu_targets().back(), "portable");
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size()) << "a target is named twice";
  const std::vector<std::string> order = {"x86_avx512", "x86_avx2", "x86_sse41", "arm64_neon",
                                          "arm32_neon", "portable", "cuda"};
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end(), [&](const std::string& a, const std::string& b) {
    return std::find(order.begin(), order.end(), a) < std::find(order.begin(), order.end(), b);
  });
  EXPECT_EQ(names, sorted);
  EXPECT_EQ(corrbank::targets(), corrbank::targets()) << "the array lives as long as the library";
}

TEST(Targets, AreThoseOfTheTable) {
  const KernelTable table = kernel_table();
  ASSERT_FALSE(table.built.empty());
  std::vector<std::string> usable;
  const std::vector<std::string> names = cpu_targets();
  for (const std::string& target : table.built) {
    if (std::find(names.begin(), names.end(), target) != names.end()) usable.push_back(target);
  }
  EXPECT_EQ(usable, names);
}

#if defined(__x86_64__)
TEST(Targets, AreThoseThatTheCompilersOwnQuestionsFind) {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw");
  const std::map<std::string, bool> found = {{"x86_avx512", avx512},
                                             {"x86_avx2", avx2},
                                             {"x86_sse41", __builtin_cpu_supports("sse4.1") != 0},
                                             {"portable", true}};
  const std::vector<std::string> names = cpu_targets();
  for (const std::string& target : kernel_table().built) {
    EXPECT_EQ(std::find(names.begin(), names.end(), target) != names.end(), found.at(target)) << target;
  }
}
#endif

// In the order of the table, a line each.
TEST(Targets, AreThoseOfTheReadme) {
  std::ifstream file(std::filesystem::path(CORRBANK_SOURCE_DIR) / "README.md");
  const std::regex row("\\| `([a-z0-9]+_[a-z0-9]+|portable)` \\|.*");
  std::vector<std::string> documented;
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, match, row)) documented.push_back(match[1]);
  }
  EXPECT_EQ(documented, kernel_table().targets);
}

TEST(Targets, ThatDoNotRunHereAreRefused) {
  const KernelTable table = kernel_table();
  const std::vector<std::string> names = usable_targets();
  const auto among = [](const std::vector<std::string>& targets, const std::string& target) {
    return std::find(targets.begin(), targets.end(), target) != targets.end();
  };
  const Case small = small_case();
  int refusals = 0;
  for (const std::string& target : table.targets) {
    if (among(names, target)) continue;
    ++refusals;
    Bank bank;
    Options options;
    options.target = target.c_str();
    const StatusCode code = among(table.built, target) ? StatusCode::target_unavailable : StatusCode::unknown_target;
    EXPECT_TRUE(refused(Bank::create(small.kernels_view(), options, bank), code, target.c_str()));
  }
  EXPECT_GT(refusals, 0) << "no machine runs the targets of every architecture";
}

TEST(Targets, BestIsTheDefault) {
  const Case small = small_case();
  for (const char* value : {static_cast<const char*>(nullptr), ""}) {
    const Environment environment(value);
    Bank bank;
    ASSERT_TRUE(succeeded(Bank::create(small.kernels_view(), {}, bank)));
    EXPECT_STREQ(bank.target(), usable_targets().front().c_str());
  }
}

TEST(Targets, UnknownNamesAreRefused) {
  const Case small = small_case();
  std::vector<float> responses(small.shape.responses_size(), sentinel());
  const auto written = small.responses_view(responses.data());
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(small.kernels_view(), {}, bank)));
  const std::string target = bank.target();
  const std::string endless(100'000, 'x');
  for (const std::string& name :
       {std::string("x86_mmx"), std::string("PORTABLE"), target + " ", target.substr(1), endless}) {
    {
      const Environment environment(name.c_str());
      EXPECT_TRUE(refused(Bank::create(small.kernels_view(), {}, bank), StatusCode::unknown_target, "CORRBANK_TARGET"));
      EXPECT_TRUE(refused(corrbank::correlate(small.image_view(), small.kernels_view(), written),
                          StatusCode::unknown_target, "CORRBANK_TARGET"));
    }
    Options options;
    options.target = name.c_str();
    corrbank::Plan plan;
    std::size_t bytes = 0;
    const auto refusals = {Bank::create(small.kernels_view(), options, bank),
                           corrbank::correlate(small.image_view(), bank, written, options),
                           corrbank::correlate(small.image_view(), small.kernels_view(), written, options),
                           corrbank::plan(small.image_view(), bank, options, plan),
                           corrbank::workspace_bytes(small.image_view(), bank, options, bytes)};
    for (const corrbank::Status& status : refusals) {
      EXPECT_TRUE(refused(status, StatusCode::unknown_target, "options.target"));
    }
  }
  EXPECT_EQ(bank.target(), target) << "a refused create changed the bank";
  for (const float value : responses) ASSERT_TRUE(is_sentinel(value)) << "a refused call wrote responses";
}

TEST_P(ForcedTarget, ByOptions) {
  const Environment environment("portable");  // options.target goes before it
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(small_.kernels_view(), options(), bank)));
  EXPECT_EQ(bank.target(), GetParam());
  corrbank::Plan plan;
  ASSERT_TRUE(succeeded(corrbank::plan(small_.image_view(), bank, options(), plan)));
  EXPECT_EQ(plan.target, GetParam());
}

TEST_P(ForcedTarget, ByEnvironment) {
  const Environment environment(GetParam().c_str());
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(small_.kernels_view(), {}, bank)));
  EXPECT_EQ(bank.target(), GetParam());
}

// A bank knows its target: the environment is asked when it is made, and no more.
TEST_P(ForcedTarget, IsTheBanksWhateverTheEnvironment) {
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(small_.kernels_view(), options(), bank)));
  for (const std::string& other : usable_targets()) {
    const Environment environment(other.c_str());
    corrbank::Plan plan;
    ASSERT_TRUE(succeeded(corrbank::plan(small_.image_view(), bank, {}, plan)));
    EXPECT_EQ(plan.target, GetParam());
    EXPECT_TRUE(succeeded(corrbank::correlate(small_.image_view(), bank, small_.responses_view(responses_.data()))));
  }
}

TEST_P(ForcedTarget, OtherThanTheBanksIsRefused) {
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(small_.kernels_view(), options(), bank)));
  for (const std::string& other : usable_targets()) {
    if (other == GetParam()) continue;
    Options with;
    with.target = other.c_str();
    corrbank::Plan plan;
    std::size_t bytes = 77;
    EXPECT_TRUE(refused(corrbank::correlate(small_.image_view(), bank, small_.responses_view(responses_.data()), with),
                        StatusCode::bank_mismatch, other.c_str()));
    EXPECT_TRUE(
        refused(corrbank::plan(small_.image_view(), bank, with, plan), StatusCode::bank_mismatch, other.c_str()));
    EXPECT_TRUE(refused(corrbank::workspace_bytes(small_.image_view(), bank, with, bytes), StatusCode::bank_mismatch,
                        other.c_str()));
    EXPECT_EQ(bytes, 77u);
  }
  for (const float value : responses_) ASSERT_TRUE(is_sentinel(value)) << "a refused call wrote responses";
}

// Over a sweep of shapes: plans name target and kernel rows, cover each kernel once, and between them use every row.
TEST_P(ForcedTarget, PlansReachEveryKernelRow) {
  const std::set<std::string> rows = kernel_table().rows[GetParam()];
  ASSERT_FALSE(rows.empty());
  std::set<std::string> reached;
  const std::vector<float> weights(64, 1.0f);
  for (const auto [channels, size, count] : swept_banks()) {
    const corrbank::KernelsView kernels(weights.data(), count, channels, size, size, 0, 0, 0);
    Bank bank;
    ASSERT_TRUE(succeeded(Bank::create(kernels, options(), bank)));
    for (const std::int64_t width : swept_widths) {
      const corrbank::ImageView image(nullptr, channels, swept_height(width) + size - 1, width + size - 1);
      corrbank::Plan plan;
      ASSERT_TRUE(succeeded(corrbank::plan(image, bank, options(), plan)));
      const std::string text = plan.text;
      ASSERT_NE(text.find(GetParam()), std::string::npos) << text;
      ASSERT_GT(plan.predicted_efficiency, 0) << text;
      ASSERT_LE(plan.predicted_efficiency, 1) << text;
      std::int64_t next = 0;
      for (const Part& part : parts_of(text)) {
        ASSERT_EQ(part.first, next) << text;
        next = part.last + 1;
        ASSERT_EQ(rows.count(part.row), 1u) << part.row << " is no row of the table: " << text;
        reached.insert(part.row);
      }
      ASSERT_EQ(next, count) << text;
    }
  }
  for (const std::string& row : rows) EXPECT_EQ(reached.count(row), 1u) << "no plan uses " << row;
}
