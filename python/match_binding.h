// Template matching for the Python module.
#pragma once

#include <nanobind/nanobind.h>

namespace corrbank_python {

void bind_matching(nanobind::module_& module);

}  // namespace corrbank_python
