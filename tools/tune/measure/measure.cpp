// Measures the rows of one target, on the machine it runs on. Commands on standard input, one a line; an answer is one line
// for each thing asked, and "done". tune.py speaks to it, directly or through a runner such as ssh or adb.
//
//   cost NAME VALUE            sets a coefficient of the cost models
//   shape C H W K KH KW        what the following are about
//   list                       "candidate NAME PREDICTED KERNELS TILE_KERNELS CONSTANTS" of every way to do the shape
//   check NAME...              "error NAME VALUE": relative to the norms of kernel and window
//   time CALLS NAME...         "time NAME NANOSECONDS": the shortest of CALLS calls, in turns with the others
//   vary TURNS PLAN COEFFICIENT VALUE...    "vary NANOSECONDS..." for each value: of each turn the shortest call of a plan that
//                              is made with it; the coefficient is then as before
//   threads COUNT              of plans from now on
//   sample C H W K KH KW NAME NANOSECONDS WEIGHT    for fit
//   fit NAME...                fits coefficients to the samples: "misfit BEFORE AFTER"; samples are then forgotten
//   taken                      "taken NAME" of every row of direct that some plan takes
//   passes                     measures those of the FFT's passes
//   costs                      "cost NAME VALUE" of all of them
//   peak                       "peak GFLOPS" of one core
//   l2                         "l2 BYTES" of a core's second cache, where the system tells
#include <algorithm>
#include <exception>
#include <iostream>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__unix__)
#include <unistd.h>
#endif

#include "bench/fma_peak.h"
#include "costs.h"
#include "fit.h"
#include "problem.h"
#include "stages.h"

namespace {

using namespace corrbank_tune;

// A turn of a short call is several of it; of any, two: the first one brings its own bank back into the caches.
constexpr double turn_nanoseconds = 2e6;
constexpr int least_calls = 2;
constexpr double peak_seconds = 0.2;
constexpr double undisturbed = 0.96;  // of the peak
constexpr int most_turns = 6;

Shape read_shape(std::istream& words) {
  Shape s{};
  words >> s.channels >> s.height >> s.width >> s.kernels >> s.kernel_height >> s.kernel_width;
  if (!words || !s.valid()) throw std::runtime_error("no shape");
  return s;
}

class Session {
 public:
  // What the command answers.
  void run(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "cost") return set_cost(words);
    if (command == "shape") return set_shape(words);
    if (command == "list") return list();
    if (command == "check") return check(words);
    if (command == "time") return time(words);
    if (command == "vary") return vary(words);
    if (command == "threads") return set_threads(words);
    if (command == "sample") return add_sample(words);
    if (command == "fit") return fit_samples(words);
    if (command == "taken") return print_taken();
    if (command == "passes") return measure_passes();
    if (command == "costs") return print_costs();
    if (command == "l2") return print_l2();
    if (command == "peak") {
      std::cout << "peak " << corrbank_bench::fma_peak_gflops(the_target().name, peak_seconds) << '\n';
      return;
    }
    throw std::runtime_error("unknown command " + command);
  }

 private:
  static void set_cost(std::istream& words) {
    std::string name;
    double value = 0;
    words >> name >> value;
    double* coefficient = find_coefficient(name);
    if (!words || coefficient == nullptr) throw std::runtime_error("no coefficient " + name);
    *coefficient = value;
  }

  void set_threads(std::istream& words) {
    words >> threads_;
    if (!words || threads_ < 1) throw std::runtime_error("no number of threads");
  }

  void set_shape(std::istream& words) {
    problem_ = nullptr;  // first: there may be no room for two
    problem_ = std::make_unique<Problem>(read_shape(words));
  }

  Problem& problem() {
    if (problem_ == nullptr) throw std::runtime_error("no shape is set");
    return *problem_;
  }

  void list() {
    for (const Candidate& c : candidates(problem().shape(), problem().bank())) {
      std::cout << "candidate " << c.name << ' ' << c.predicted() << ' ' << c.kernels << ' ' << c.tile_kernels << ' '
                << c.constants << '\n';
    }
  }

  std::vector<Candidate> named(std::istream& words) {
    std::vector<Candidate> found;
    std::vector<Candidate> all;  // made when the first is looked for
    for (std::string name; words >> name;) {
      if (name.rfind("plan/", 0) == 0) {
        Candidate c;
        if (planned(name.substr(5), problem().shape(), problem().bank(), threads_, c)) found.push_back(c);
        continue;
      }
      if (all.empty()) all = candidates(problem().shape(), problem().bank());
      const auto is = [&](const Candidate& c) { return c.name == name; };
      const auto c = std::find_if(all.begin(), all.end(), is);
      if (c == all.end()) throw std::runtime_error("no candidate " + name);
      found.push_back(*c);
    }
    for (const Candidate& c : found) {
      if (!problem().prepare(c)) throw std::runtime_error("no memory for " + c.name);
    }
    return found;
  }

  void check(std::istream& words) {
    for (const Candidate& c : named(words)) {
      problem().run(c, threads_);
      std::cout << "error " << c.name << ' ' << problem().error(c) << '\n';
    }
  }

  void time(std::istream& words) {
    int calls = 0;
    words >> calls;
    const std::vector<Candidate> found = named(words);
    std::vector<double> best(found.size(), std::numeric_limits<double>::infinity());
    for (int call = 0; call < calls; ++call) {
      for (std::size_t i = 0; i < found.size(); ++i) best[i] = std::min(best[i], undisturbed_turn(found[i]));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::cout << "time " << found[i].name << ' ' << best[i] << ' ' << found[i].predicted() << '\n';
    }
  }

  void vary(std::istream& words) {
    int count = 0;
    std::string plan, name;
    words >> count >> plan >> name;
    double* coefficient = find_coefficient(name);
    if (!words || coefficient == nullptr) throw std::runtime_error("no coefficient " + name);
    const double before = *coefficient;
    std::vector<double> values;
    for (double value = 0; words >> value;) values.push_back(value);
    std::vector<std::vector<double>> turns(values.size());
    for (int n = 0; n < count; ++n) {
      // There and back: none is always the first.
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t value = n % 2 == 0 ? i : values.size() - 1 - i;
        *coefficient = values[value];
        std::istringstream planned_anew(plan);
        for (const Candidate& c : named(planned_anew)) turns[value].push_back(undisturbed_turn(c));
      }
    }
    *coefficient = before;
    for (const std::vector<double>& found : turns) {
      std::cout << "vary";
      for (const double nanoseconds : found) std::cout << ' ' << nanoseconds;
      std::cout << '\n';
    }
  }

  // The shortest call of a turn, or of several until the core was at its usual speed.
  double undisturbed_turn(const Candidate& candidate) {
    double best = std::numeric_limits<double>::infinity();
    int turns = 0;
    do best = std::min(best, turn(candidate));
    while (disturbed() && ++turns < most_turns);
    return best;
  }

  // The shortest call of a turn.
  double turn(const Candidate& candidate) {
    double best = std::numeric_limits<double>::infinity(), spent = 0;
    for (int call = 0; call < least_calls || spent < turn_nanoseconds; ++call) {
      const double nanoseconds = problem().run(candidate, threads_);
      best = std::min(best, nanoseconds);
      spent += nanoseconds;
    }
    return best;
  }

  // Whether the core is slower than it can be: another program, or another guest of the machine, is on it. Its speed has to be
  // its usual one right after a turn.
  bool disturbed() {
    const double gflops = corrbank_bench::fma_peak_gflops(the_target().name, 0);
    peak_ = std::max(peak_, gflops);
    return gflops < undisturbed * peak_;
  }

  void add_sample(std::istream& words) {
    Sample sample{read_shape(words), "", 0, 0};
    words >> sample.name >> sample.nanoseconds >> sample.weight;
    if (!words) throw std::runtime_error("no sample");
    samples_.push_back(sample);
  }

  void fit_samples(std::istream& words) {
    std::vector<std::string> names;
    for (std::string name; words >> name;) names.push_back(name);
    const Misfit misfit = fit(samples_, names);
    samples_.clear();
    std::cout << "misfit " << misfit.before << ' ' << misfit.after << '\n';
  }

  static void print_l2() {
#if defined(_SC_LEVEL2_CACHE_SIZE)
    const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (bytes > 0) std::cout << "l2 " << bytes << '\n';
#endif
  }

  static void print_taken() {
    for (const std::string& row : rows_in_plans()) std::cout << "taken " << row << '\n';
  }

  static void print_costs() {
    for (const Coefficient& c : coefficients()) std::cout << "cost " << c.name << ' ' << *c.value << '\n';
  }

  std::unique_ptr<Problem> problem_;
  int threads_ = 1;
  std::vector<Sample> samples_;
  double peak_ = 0;  // GFLOP/s
};

}  // namespace

int main() {
  Session session;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    try {
      session.run(line);
      std::cout << "done" << std::endl;
    } catch (const std::exception& error) {
      std::cout << "failed " << line.substr(0, line.find(' ')) << ": " << error.what() << std::endl;
    }
  }
  return 0;
}
