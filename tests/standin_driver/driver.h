// The state behind the entry points: contexts, streams and what is queued in them, modules, events.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "driver_types.h"
#include "program.h"

#define STANDIN_EXPORT extern "C" __attribute__((visibility("default")))

namespace standin {

struct Context;

// Queued work. It is executed only when a synchronising call needs it: programs that forget one read stale data.
struct Command {
  std::uint64_t sequence;
  Context* context;
  std::function<CUresult()> work;  // none for events
  std::vector<std::shared_ptr<Command>> after;
  bool done = false;
  std::chrono::steady_clock::time_point end{};
};
using CommandPointer = std::shared_ptr<Command>;

struct Stream {
  Context* context;
  bool blocking;  // in order with the legacy default stream
  CommandPointer last{};
};

struct Event {
  Context* context;
  bool timed;
  CommandPointer record{};
};

struct Function {
  std::shared_ptr<const Program> program;
  const Kernel* kernel;
  Context* context;
  int max_dynamic_shared;
};

struct Module {
  std::shared_ptr<const Program> program;
  Context* context;
  std::map<std::string, std::unique_ptr<Function>> functions{};
};

// Objects that callers know by their addresses.
template <class T>
class Handles {
 public:
  T* add(T object) {
    auto owned = std::make_unique<T>(std::move(object));
    T* handle = owned.get();
    objects_[handle] = std::move(owned);
    return handle;
  }
  T* find(const void* handle) const {
    const auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : found->second.get();
  }
  void remove(const void* handle) { objects_.erase(handle); }
  template <class Each>
  void for_each(Each each) const {
    for (const auto& entry : objects_) each(*entry.second);
  }
  void remove_of(const Context* context) {
    for (auto at = objects_.begin(); at != objects_.end();) {
      at = at->second->context == context ? objects_.erase(at) : std::next(at);
    }
  }

 private:
  std::map<const void*, std::unique_ptr<T>> objects_;
};

// The primary context of a device.
struct Context {
  int device = 0;
  int references = 0;
  CUresult error = CUDA_SUCCESS;  // of a kernel: all later calls answer it, until the context is gone
  std::unique_ptr<Stream> legacy{};
  std::map<std::thread::id, std::unique_ptr<Stream>> of_threads{};
};

class Driver {
 public:
  // Never destroyed: entry points are called from static destructors too.
  static Driver& instance();

  std::mutex mutex;
  bool initialised = false;
  Handles<Stream> streams;
  Handles<Event> events;
  Handles<Module> modules;

  Context* context_of(int device);
  Context* find_context(const void* handle);
  void destroy(Context& context);
  // A handle's stream; 0 and 1 are the legacy default stream, 2 is the calling thread's own.
  Stream* stream_of(Context& context, const void* handle);
  Function* find_function(const void* handle) const;

  CommandPointer enqueue(Stream& stream, std::function<CUresult()> work, CommandPointer also_after = nullptr);
  void finish(const CommandPointer& command);
  void finish_all(Context& context);

 private:
  template <class Each>
  void for_streams_of(Context& context, Each each);

  std::map<int, std::unique_ptr<Context>> contexts_;
  std::uint64_t sequence_ = 0;
};

// An attribute of every device by its number in the driver's interface; false if there is none.
bool device_attribute(int number, int& value);

// The contexts of the calling thread, the current one last.
std::vector<Context*>& context_stack();

CUresult begin_call(Driver& driver, const char* name, bool needs_context);

// The frame of an entry point: the lock, faults to be injected, the states in which the driver answers only errors.
template <class Body>
CUresult call(const char* name, Body body) {
  Driver& driver = Driver::instance();
  const std::lock_guard lock(driver.mutex);
  const CUresult refused = begin_call(driver, name, false);
  return refused != CUDA_SUCCESS ? refused : body(driver);
}
template <class Body>
CUresult call_in_context(const char* name, Body body) {
  Driver& driver = Driver::instance();
  const std::lock_guard lock(driver.mutex);
  const CUresult refused = begin_call(driver, name, true);
  return refused != CUDA_SUCCESS ? refused : body(driver, *context_stack().back());
}

}  // namespace standin
