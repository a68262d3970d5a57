// What cuModuleLoadData accepts: PTX text, or a fatbin with PTX in it.
#pragma once

#include <string>

#include "driver_types.h"

namespace standin {

// The PTX of an image for a device of this architecture (90 for 9.0), or why there is none.
CUresult ptx_of_image(const void* image, int architecture, std::string& ptx, std::string& why);

}  // namespace standin
