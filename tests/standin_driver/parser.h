// A PTX module, parsed whole. Throws PtxError.
#pragma once

#include <string>

#include "program.h"

namespace standin {

Program parse_ptx(const std::string& ptx);

}  // namespace standin
