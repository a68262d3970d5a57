#include "match_binding.h"

#include "arrays.h"

#include <cmath>
#include <memory>
#include <vector>

namespace corrbank_python {
namespace {

const char* const pixels = "float32, uint8, uint16";

struct PreparedTemplates {
  corrbank::Templates templates;
  corrbank::Options options;  // of every call
};

struct MethodName {
  const char* name;
  corrbank::Method method;
} const methods[] = {{"ccorr", corrbank::Method::ccorr},   {"ccorr_normed", corrbank::Method::ccorr_normed},
                     {"sqdiff", corrbank::Method::sqdiff}, {"sqdiff_normed", corrbank::Method::sqdiff_normed},
                     {"ccoeff", corrbank::Method::ccoeff}, {"ccoeff_normed", corrbank::Method::ccoeff_normed},
                     {"zncc", corrbank::Method::zncc}};

corrbank::Method method_of(nb::handle object) {
  const std::string name = text(object, "method");
  std::string known;
  for (const MethodName& m : methods) {
    if (name == m.name) return m.method;
    known += std::string(known.empty() ? "" : ", ") + m.name;
  }
  raise_value("method is \"" + name + "\" but must be one of " + known);
}

corrbank::DType dtype_of(nb::dlpack::dtype dtype) {
  corrbank::DType found = corrbank::DType::f32;
  find_dtype(dtype, found);
  return found;
}

PreparedTemplates prepare(nb::handle templates, nb::handle method, nb::handle mask, nb::handle algorithm,
                          nb::handle exactness, nb::handle target) {
  const InputArray array = import_array<InputArray>(templates, "templates", pixels);
  const corrbank::KernelsView view = kernels_view(array, "templates").of(array.data(), dtype_of(array.dtype()));
  InputArray mask_array;
  corrbank::KernelsView masks;
  if (!mask.is_none()) {
    mask_array = import_array<InputArray>(mask, "mask", "float32, uint8, bool");
    masks = kernels_view(mask_array, "masks").of(mask_array.data(), dtype_of(mask_array.dtype()));
  }
  PreparedTemplates prepared;
  prepared.options.algorithm = algorithm_of(algorithm);
  prepared.options.exactness = exactness_of(exactness);
  corrbank::Options options = prepared.options;
  if (!target.is_none()) options.target = text(target, "target");
  const corrbank::Method wanted = method_of(method);
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    status = corrbank::Templates::create(view, wanted, mask.is_none() ? nullptr : &masks, options, prepared.templates);
  }
  raise_if_refused(status);
  return prepared;
}

corrbank::Options call_options(const PreparedTemplates& t, nb::handle threads, nb::handle workspace_limit) {
  corrbank::Options options = t.options;
  options.threads = threads_of(threads);
  options.workspace_limit = workspace_limit_of(workspace_limit);
  options.target = t.templates.target();
  return options;
}

corrbank::ImageView pixels_view(const InputArray& array) {
  return image_view(array).of(array.data(), dtype_of(array.dtype()));
}

InputArray import_image(nb::handle image) { return import_array<InputArray>(image, "image", pixels); }

// Extents of the scores, after everything was checked that can be without them.
nb::tuple score_shape(const PreparedTemplates& t, nb::handle image, nb::handle threads, nb::handle workspace_limit) {
  const InputArray array = import_image(image);
  const corrbank::ImageView view = pixels_view(array);
  std::size_t bytes = 0;
  raise_if_refused(corrbank::workspace_bytes(view, t.templates, call_options(t, threads, workspace_limit), bytes));
  return nb::make_tuple(t.templates.count(), view.height - t.templates.height() + 1,
                        view.width - t.templates.width() + 1);
}

corrbank::ResponsesView scores_view(const OutputArray& array) {
  corrbank::ResponsesView view = responses_view(array);
  view.dtype = dtype_of(array.dtype());
  return view;
}

// Memory for one element of each score, or null; the package makes it compact and as large as it has to be.
template <typename T>
T* compact(nb::handle object, const std::string& name, const std::string& elements, OutputArray& array) {
  if (object.is_none()) return nullptr;
  array = import_array<OutputArray>(object, name, elements);
  return static_cast<T*>(array.data());
}

void match(const PreparedTemplates& t, nb::handle image, nb::handle threads, nb::handle workspace_limit, nb::handle out,
           nb::handle valid) {
  const InputArray image_array = import_image(image);
  const corrbank::ImageView view = pixels_view(image_array);
  const corrbank::Options options = call_options(t, threads, workspace_limit);
  const OutputArray out_array = import_array<OutputArray>(out, "out", "float32, int32");
  const corrbank::ResponsesView scores = scores_view(out_array);
  OutputArray valid_array;
  auto* flags = compact<std::uint8_t>(valid, "valid", "bool", valid_array);
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    status = corrbank::match(view, t.templates, scores, options, flags);
  }
  raise_if_refused(status);
}

void match_best(const PreparedTemplates& t, nb::handle image, nb::handle threads, nb::handle workspace_limit,
                nb::handle out, nb::handle best) {
  const InputArray image_array = import_image(image);
  const corrbank::ImageView view = pixels_view(image_array);
  const corrbank::Options options = call_options(t, threads, workspace_limit);
  const OutputArray out_array = import_array<OutputArray>(out, "out");
  const corrbank::ResponsesView scores = responses_view(out_array);
  OutputArray best_array;
  auto* indices = compact<std::int32_t>(best, "best", "int32", best_array);
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    status = corrbank::match_best(view, t.templates, scores, indices, options);
  }
  raise_if_refused(status);
}

nb::list find(const PreparedTemplates& t, nb::handle image, nb::handle threads, nb::handle workspace_limit,
              std::int64_t top, double threshold, std::int64_t min_distance, double max_overlap, int refinement,
              std::int64_t y, std::int64_t x, std::int64_t height, std::int64_t width) {
  const InputArray image_array = import_image(image);
  const corrbank::ImageView view = pixels_view(image_array);
  const corrbank::Options options = call_options(t, threads, workspace_limit);
  corrbank::FindOptions wanted;
  wanted.top = top, wanted.threshold = threshold, wanted.min_distance = min_distance, wanted.max_overlap = max_overlap;
  wanted.refinement = static_cast<corrbank::Refinement>(refinement);
  wanted.region = {y, x, height, width};
  std::vector<corrbank::Match> matches;
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    status = corrbank::find(view, t.templates, wanted, matches, options);
  }
  raise_if_refused(status);
  nb::list found;
  for (const corrbank::Match& m : matches) {
    found.append(nb::make_tuple(m.template_index, m.y, m.x, m.score, m.refined_y, m.refined_x));
  }
  return found;
}

void warmup(const PreparedTemplates& t, nb::handle image, nb::handle threads, nb::handle workspace_limit) {
  const InputArray array = import_image(image);
  raise_if_refused(corrbank::warmup(pixels_view(array), t.templates, call_options(t, threads, workspace_limit)));
}

nb::tuple plan(const PreparedTemplates& t, nb::handle image, nb::handle threads, nb::handle workspace_limit) {
  const InputArray array = import_image(image);
  corrbank::Plan plan;
  raise_if_refused(corrbank::plan(pixels_view(array), t.templates, call_options(t, threads, workspace_limit), plan));
  return nb::make_tuple(plan.text, plan.workspace_bytes);
}

}  // namespace

void bind_matching(nb::module_& module) {
  nb::class_<PreparedTemplates>(module, "Templates")
      .def("score_shape", &score_shape, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none())
      .def("match", &match, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none(), "out"_a.none(),
           "valid"_a.none())
      .def("match_best", &match_best, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none(), "out"_a.none(),
           "best"_a.none())
      .def("find", &find, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none(), "top"_a, "threshold"_a,
           "min_distance"_a, "max_overlap"_a, "refinement"_a, "y"_a, "x"_a, "height"_a, "width"_a)
      .def("warmup", &warmup, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none())
      .def("plan", &plan, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none())
      .def("valid", [](const PreparedTemplates& self, std::int64_t k) { return self.templates.valid(k); })
      .def_prop_ro("nbytes", [](const PreparedTemplates& self) { return self.templates.bytes(); })
      .def_prop_ro("target", [](const PreparedTemplates& self) { return self.templates.target(); })
      .def_prop_ro("shape", [](const PreparedTemplates& self) {
        return nb::make_tuple(self.templates.count(), self.templates.channels(), self.templates.height(),
                              self.templates.width());
      });
  module.def("prepare_templates", &prepare, "templates"_a.none(), "method"_a.none(), "mask"_a.none(),
             "algorithm"_a.none(), "exactness"_a.none(), "target"_a.none());
}

}  // namespace corrbank_python
