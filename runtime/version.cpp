#include "corrbank/corrbank.hpp"

#define CORRBANK_TEXT_OF(x) #x
#define CORRBANK_TEXT(x) CORRBANK_TEXT_OF(x)

namespace corrbank {

const char* version() noexcept {
  return CORRBANK_TEXT(CORRBANK_VERSION_MAJOR) "." CORRBANK_TEXT(CORRBANK_VERSION_MINOR) "." CORRBANK_TEXT(
      CORRBANK_VERSION_PATCH);
}

}  // namespace corrbank
