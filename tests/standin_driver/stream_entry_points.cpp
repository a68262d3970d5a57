// Streams and events.
#include "driver.h"

using namespace standin;

namespace {

enum : unsigned { stream_non_blocking = 1, event_without_timing = 2 };

// Work that is asked after is done, but only the next question hears of it: loops that poll come to an end, and code
// that asks only once must be ready for this answer.
CUresult query(Driver& driver, const CommandPointer& command, Context& context) {
  if (command == nullptr || command->done) return context.error;
  driver.finish(command);
  return CUDA_ERROR_NOT_READY;
}

}  // namespace

STANDIN_EXPORT CUresult cuStreamCreate(Stream** stream, unsigned flags) {
  return call_in_context("cuStreamCreate", [=](Driver& driver, Context& context) {
    if (stream == nullptr || flags > stream_non_blocking) return CUDA_ERROR_INVALID_VALUE;
    *stream = driver.streams.add({&context, flags != stream_non_blocking});
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuStreamDestroy_v2(Stream* stream) {
  return call_in_context("cuStreamDestroy_v2", [=](Driver& driver, Context&) {
    if (driver.streams.find(stream) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    driver.finish(stream->last);
    driver.streams.remove(stream);
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuStreamSynchronize(void* handle) {
  return call_in_context("cuStreamSynchronize", [=](Driver& driver, Context& context) -> CUresult {
    const Stream* stream = driver.stream_of(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    driver.finish(stream->last);
    return context.error;
  });
}

STANDIN_EXPORT CUresult cuStreamQuery(void* handle) {
  return call_in_context("cuStreamQuery", [=](Driver& driver, Context& context) -> CUresult {
    const Stream* stream = driver.stream_of(context, handle);
    return stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : query(driver, stream->last, context);
  });
}

STANDIN_EXPORT CUresult cuStreamGetCtx(void* handle, Context** result) {
  return call_in_context("cuStreamGetCtx", [=](Driver& driver, Context& context) -> CUresult {
    const Stream* stream = driver.stream_of(context, handle);
    if (stream == nullptr) stream = driver.streams.find(handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    *result = stream->context;
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuStreamWaitEvent(void* handle, Event* event, unsigned flags) {
  return call_in_context("cuStreamWaitEvent", [=](Driver& driver, Context& context) -> CUresult {
    Stream* stream = driver.stream_of(context, handle);
    if (stream == nullptr || driver.events.find(event) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    driver.enqueue(*stream, nullptr, event->record);
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuEventCreate(Event** event, unsigned flags) {
  return call_in_context("cuEventCreate", [=](Driver& driver, Context& context) {
    if (event == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *event = driver.events.add({&context, (flags & event_without_timing) == 0});
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuEventDestroy_v2(Event* event) {
  return call_in_context("cuEventDestroy_v2", [=](Driver& driver, Context&) {
    if (driver.events.find(event) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    driver.events.remove(event);
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuEventRecord(Event* event, void* handle) {
  return call_in_context("cuEventRecord", [=](Driver& driver, Context& context) {
    Stream* stream = driver.stream_of(context, handle);
    if (stream == nullptr || driver.events.find(event) == nullptr || event->context != &context) {
      return CUDA_ERROR_INVALID_HANDLE;
    }
    event->record = driver.enqueue(*stream, nullptr);
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuEventSynchronize(Event* event) {
  return call_in_context("cuEventSynchronize", [=](Driver& driver, Context& context) -> CUresult {
    if (driver.events.find(event) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    driver.finish(event->record);
    return context.error;
  });
}

STANDIN_EXPORT CUresult cuEventQuery(Event* event) {
  return call_in_context("cuEventQuery", [=](Driver& driver, Context& context) -> CUresult {
    if (driver.events.find(event) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    return query(driver, event->record, context);
  });
}

STANDIN_EXPORT CUresult cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
  return call_in_context("cuEventElapsedTime", [=](Driver& driver, Context&) {
    for (const Event* event : {start, end}) {
      if (driver.events.find(event) == nullptr || !event->timed || event->record == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
      }
    }
    if (!start->record->done || !end->record->done) return CUDA_ERROR_NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(end->record->end - start->record->end).count();
    return CUDA_SUCCESS;
  });
}
