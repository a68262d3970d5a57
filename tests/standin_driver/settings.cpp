#include "settings.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "lexer.h"

namespace standin {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const std::string value = variable(name);
  return value.empty() ? otherwise : std::strtoull(value.c_str(), nullptr, 0);
}

}  // namespace

int device_count() { return static_cast<int>(number("STANDIN_CUDA_DEVICES", 1)); }

Capability capability() {
  const std::string value = variable("STANDIN_CUDA_CAPABILITY");
  if (value.empty()) return {9, 0};
  const auto parts = split(value, '.');
  return {std::atoi(parts[0].c_str()), parts.size() > 1 ? std::atoi(parts[1].c_str()) : 0};
}

std::size_t memory_bytes() { return number("STANDIN_CUDA_MEMORY", std::uint64_t{2} << 30); }
bool streams_are_immediate() { return variable("STANDIN_CUDA_STREAMS") == "immediate"; }
bool threads_run_serially() { return variable("STANDIN_CUDA_SCHEDULE") == "serial"; }
bool checks_are_full() { return variable("STANDIN_CUDA_CHECK") != "bounds"; }
bool trace() { return number("STANDIN_CUDA_TRACE", 0) != 0; }

int injected_failure(const char* entry_point) {
  static std::mutex mutex;
  static auto& last = *new std::string;  // never destroyed: entry points are called from static destructors too
  static auto& calls = *new std::map<std::string, int>;
  const std::string wanted = variable("STANDIN_CUDA_FAIL");
  const std::lock_guard lock(mutex);
  if (wanted != last) {
    calls.clear();
    last = wanted;
  }
  if (wanted.empty()) return 0;
  const int call = ++calls[entry_point];
  for (const std::string& one : split(wanted, ',')) {
    const auto parts = split(one, ':');
    if (parts.size() != 3 || std::atoi(parts[1].c_str()) != call) continue;
    if (parts[0] == entry_point || parts[0] + "_v2" == entry_point) return std::atoi(parts[2].c_str());
  }
  return 0;
}

}  // namespace standin
