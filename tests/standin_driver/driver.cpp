#include "driver.h"

#include <algorithm>

#include "device_memory.h"
#include "settings.h"

namespace standin {

Driver& Driver::instance() {
  static auto* driver = new Driver;
  return *driver;
}

std::vector<Context*>& context_stack() {
  thread_local std::vector<Context*> stack;
  return stack;
}

CUresult begin_call(Driver& driver, const char* name, bool needs_context) {
  const int injected = injected_failure(name);
  if (injected != 0) return injected;
  if (!driver.initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (!needs_context) return CUDA_SUCCESS;
  const Context* context = context_stack().empty() ? nullptr : context_stack().back();
  if (context == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  return context->references == 0 ? CUDA_ERROR_CONTEXT_IS_DESTROYED : context->error;
}

Context* Driver::context_of(int device) {
  std::unique_ptr<Context>& context = contexts_[device];
  if (context == nullptr) {
    context = std::make_unique<Context>();
    context->device = device;
  }
  if (context->legacy == nullptr) context->legacy = std::make_unique<Stream>(Stream{context.get(), true});
  return context.get();
}

Context* Driver::find_context(const void* handle) {
  for (const auto& [device, context] : contexts_) {
    if (context.get() == handle) return context.get();
  }
  return nullptr;
}

// What is still queued is lost; the handle remains, so that calls with it can be told what happened.
void Driver::destroy(Context& context) {
  context.references = 0;
  context.error = CUDA_SUCCESS;
  context.legacy.reset();
  context.of_threads.clear();
  streams.remove_of(&context);
  events.remove_of(&context);
  modules.remove_of(&context);
  DeviceMemory::instance().free_all(context.device);
}

Stream* Driver::stream_of(Context& context, const void* handle) {
  const auto number = reinterpret_cast<std::uintptr_t>(handle);
  if (number <= 1) return context.legacy.get();
  if (number == 2) {
    std::unique_ptr<Stream>& own = context.of_threads[std::this_thread::get_id()];
    if (own == nullptr) own = std::make_unique<Stream>(Stream{&context, true});
    return own.get();
  }
  Stream* stream = streams.find(handle);
  return stream != nullptr && stream->context == &context ? stream : nullptr;
}

Function* Driver::find_function(const void* handle) const {
  Function* function = nullptr;
  modules.for_each([&](const Module& module) {
    for (const auto& entry : module.functions) {
      if (entry.second.get() == handle) function = entry.second.get();
    }
  });
  return function;
}

template <class Each>
void Driver::for_streams_of(Context& context, Each each) {
  each(*context.legacy);
  for (const auto& entry : context.of_threads) each(*entry.second);
  streams.for_each([&](Stream& stream) {
    if (stream.context == &context) each(stream);
  });
}

CommandPointer Driver::enqueue(Stream& stream, std::function<CUresult()> work, CommandPointer also_after) {
  auto command = std::make_shared<Command>(Command{++sequence_, stream.context, std::move(work), {}});
  const auto after = [&](const CommandPointer& earlier) {
    if (earlier != nullptr && !earlier->done) command->after.push_back(earlier);
  };
  after(stream.last);
  after(also_after);
  const Stream& legacy = *stream.context->legacy;
  if (&stream == &legacy) {
    for_streams_of(*stream.context, [&](const Stream& other) {
      if (other.blocking) after(other.last);
    });
  } else if (stream.blocking) {
    after(legacy.last);
  }
  stream.last = command;
  if (streams_are_immediate()) finish(command);
  return command;
}

// Executes what the command comes after, in the order in which it was queued, and then the command.
void Driver::finish(const CommandPointer& command) {
  if (command == nullptr || command->done) return;
  std::map<std::uint64_t, CommandPointer> needed;
  std::vector<CommandPointer> open{command};
  while (!open.empty()) {
    const CommandPointer next = open.back();
    open.pop_back();
    if (next->done || !needed.insert({next->sequence, next}).second) continue;
    open.insert(open.end(), next->after.begin(), next->after.end());
  }
  for (const auto& [sequence, next] : needed) {
    CUresult& error = next->context->error;
    if (next->work && error == CUDA_SUCCESS) error = next->work();
    next->work = nullptr;
    next->after.clear();
    next->done = true;
    next->end = std::chrono::steady_clock::now();
  }
}

void Driver::finish_all(Context& context) {
  for_streams_of(context, [&](Stream& stream) { finish(stream.last); });
}

}  // namespace standin
