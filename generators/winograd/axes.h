// Which axes of a tile are transformed: kernels of one row or one column leave the other alone.
#pragma once

#include <map>
#include <string>

namespace corrbank_generators {

enum class Axes { both, rows, columns };

inline std::map<std::string, Axes> axes_names() {
  return {{"both", Axes::both}, {"rows", Axes::rows}, {"columns", Axes::columns}};
}
inline bool transforms_rows(Axes axes) { return axes != Axes::columns; }
inline bool transforms_columns(Axes axes) { return axes != Axes::rows; }

}  // namespace corrbank_generators
