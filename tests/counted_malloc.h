// Counts this program's allocations and lets a chosen one fail. The C library's functions are replaced in the test's
// executable; operator new, the standard library and the thread library all end there.
#pragma once

#include <cstddef>  // defines __GLIBC__ where it applies

#if defined(__has_feature)
#define CORRBANK_HAS_FEATURE(name) __has_feature(name)
#else
#define CORRBANK_HAS_FEATURE(name) 0
#endif

// Sanitizers replace these functions themselves.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !CORRBANK_HAS_FEATURE(address_sanitizer) && !CORRBANK_HAS_FEATURE(thread_sanitizer)
#define CORRBANK_COUNTED_MALLOC 1
#else
#define CORRBANK_COUNTED_MALLOC 0
#endif

namespace corrbank_test {

struct Allocations {
  int made;   // tried: those that failed on purpose as well
  int alive;  // made, not failed, less those freed
};

namespace counting {  // nothing is counted where CORRBANK_COUNTED_MALLOC is 0
void start(int fail);
Allocations stop();
}  // namespace counting

// Runs `body`, counting what all threads allocate meanwhile. The allocation of number `fail` fails, from 0; -1: none.
template <typename Body>
Allocations counted(int fail, const Body& body) {
  counting::start(fail);
  body();
  return counting::stop();
}

}  // namespace corrbank_test
