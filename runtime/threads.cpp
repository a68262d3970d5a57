#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <cstdint>
#include <mutex>
#include <new>

namespace corrbank::detail {
namespace {

// Before sleeping, a thread looks this often for work or for the end of it: some 20 microseconds, less than it takes
// to wake a sleeper, so that short calls in a row do not pay for waking.
constexpr int spins = 4000;

void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7)
  __asm__ volatile("isb" ::: "memory");  // some tens of cycles; "yield" takes none on most cores
#else
  sched_yield();
#endif
}

// std::condition_variable, less five long names that a shared library would ask for.
class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  ~Condition() { pthread_cond_destroy(&condition_); }

  template <typename Predicate>
  void wait(std::unique_lock<std::mutex>& lock, const Predicate& holds) noexcept {
    while (!holds()) pthread_cond_wait(&condition_, lock.mutex()->native_handle());
  }
  void wake_one() noexcept { pthread_cond_signal(&condition_); }
  void wake_all() noexcept { pthread_cond_broadcast(&condition_); }

 private:
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
};

struct Job {
  Task task = nullptr;
  void* argument = nullptr;
  int tasks = 0;
  int workers = 0;  // that may take part
  std::fenv_t environment{};
  std::atomic<int> next{0};

  void work() noexcept {
    for (int i = next.fetch_add(1); i < tasks; i = next.fetch_add(1)) task(argument, i);
  }
};

// The workers of one calling thread. A job is open to workers until the caller has found no task left; then it waits
// for those that had joined. A worker that wakes too late, or does not exist any more after fork(), is not waited for.
class Workers {
 public:
  Workers() = default;
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  ~Workers() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.wake_all();
    for (int i = 0; i < started_; ++i) pthread_join(threads_[i], nullptr);
  }

  void run(int workers, int tasks, Task task, void* argument) noexcept {
    start(workers);
    job_.task = task;
    job_.argument = argument;
    job_.tasks = tasks;
    job_.workers = workers;
    std::fegetenv(&job_.environment);
    job_.next.store(0);
    left_.store(0);
    entry_.store(0, std::memory_order_release);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.wake_all();
    job_.work();
    const std::uint32_t joined = entry_.fetch_or(closed, std::memory_order_acq_rel);
    for (int i = 0; i < spins && left_.load(std::memory_order_acquire) != joined; ++i) pause();
    if (left_.load(std::memory_order_acquire) != joined) {
      std::unique_lock<std::mutex> lock(mutex_);
      finished_.wait(lock, [&] { return left_.load(std::memory_order_acquire) == joined; });
    }
  }

 private:
  static constexpr std::uint32_t closed = 1u << 31;

  // Fewer threads than asked for is no error: the caller does what is left.
  void start(int workers) noexcept {
    while (started_ < workers && pthread_create(&threads_[started_], nullptr, begin, this) == 0) ++started_;
  }

  static void* begin(void* self) noexcept {
    static_cast<Workers*>(self)->serve();
    return nullptr;
  }

  void serve() noexcept {
    const int index = serving_.fetch_add(1);
    std::uint64_t seen = 0;
    for (;;) {
      for (int i = 0; i < spins && generation_.load(std::memory_order_acquire) == seen; ++i) pause();
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return stop_ || generation_.load(std::memory_order_acquire) != seen; });
        if (stop_) return;
        seen = generation_.load(std::memory_order_acquire);
      }
      join_job(index);
    }
  }

  void join_job(int index) noexcept {
    // Joining is counted below the closed bit. Who finds the job closed changed nothing that anyone waits for: the
    // caller took the count when it closed, and the next job starts from zero.
    std::uint32_t entry = entry_.load(std::memory_order_acquire);
    do {
      if ((entry & closed) != 0) return;
    } while (!entry_.compare_exchange_weak(entry, entry + 1, std::memory_order_acq_rel));
    if (index < job_.workers) {
      std::fesetenv(&job_.environment);
      job_.work();
    }
    left_.fetch_add(1, std::memory_order_acq_rel);
    std::lock_guard<std::mutex> lock(mutex_);
    finished_.wake_one();
  }

  pthread_t threads_[max_threads - 1];
  int started_ = 0;
  std::atomic<int> serving_{0};
  Job job_;
  std::atomic<std::uint32_t> entry_{closed};  // workers that joined the job, and whether it is closed
  std::atomic<std::uint32_t> left_{0};        // workers that are done with it
  std::atomic<std::uint64_t> generation_{0};
  bool stop_ = false;
  std::mutex mutex_;
  Condition wake_, finished_;
};

// The calling thread's Workers, which end with it. Held by a pthread key: a thread_local with a destructor would abort
// the process where there is no memory to register it. A forked child has none of its parent's threads and must not
// join them: it leaves the parent's Workers alone and starts its own.
class WorkersOfThread {
 public:
  // Null: no memory, or no key left in this process.
  static Workers* get() noexcept {
    static const WorkersOfThread all;
    if (!all.usable_) return nullptr;
    auto* own = static_cast<Owned*>(pthread_getspecific(all.key_));
    if (own != nullptr && own->process == getpid()) return &own->workers;
    own = new (std::nothrow) Owned;
    if (own != nullptr && pthread_setspecific(all.key_, own) != 0) {
      delete own;
      own = nullptr;
    }
    return own != nullptr ? &own->workers : nullptr;
  }

 private:
  struct Owned {
    Workers workers;
    pid_t process = getpid();
  };

  WorkersOfThread() noexcept : usable_(pthread_key_create(&key_, end) == 0) {}

  static void end(void* pointer) noexcept {
    auto* own = static_cast<Owned*>(pointer);
    if (own->process == getpid()) delete own;
  }

  pthread_key_t key_{};
  bool usable_;
};

// Tasks on threads of the caller's own get its floating-point environment for their duration.
struct ForeignTask {
  Task task;
  void* argument;
  std::fenv_t environment;

  static void run(void* self, int index) noexcept {
    const auto& foreign = *static_cast<const ForeignTask*>(self);
    std::fenv_t before;
    std::fegetenv(&before);
    std::fesetenv(&foreign.environment);
    foreign.task(foreign.argument, index);
    std::fesetenv(&before);
  }
};

}  // namespace

void run_tasks(const Options& options, int tasks, Task task, void* argument) noexcept {
  if (options.threads > 1 && tasks > 1) {
    if (options.executor != nullptr) {
      ForeignTask foreign{task, argument, {}};
      std::fegetenv(&foreign.environment);
      options.executor->run(options.executor->context, tasks, &ForeignTask::run, &foreign);
      return;
    }
    if (Workers* own = WorkersOfThread::get()) {
      own->run((options.threads < tasks ? options.threads : tasks) - 1, tasks, task, argument);
      return;
    }
  }
  for (int i = 0; i < tasks; ++i) task(argument, i);
}

}  // namespace corrbank::detail
