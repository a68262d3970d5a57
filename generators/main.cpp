// corrbank_generator -g GENERATOR -f SYMBOL -o FOLDER -e OUTPUT[,OUTPUT...] target=TARGET [PARAMETER=VALUE...]
//
// As Halide's own main, but for what that adds to each kernel: metadata of its arguments and a wrapper that takes them in an array.
// Nobody asks for them, and no linker leaves them out where they lie beside a kernel's constants. A call with an autoscheduler (-p)
// is Halide's.
#include <Halide.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

namespace {

using Words = std::map<std::string, std::string>;

int generate(Words& options, const Words& parameters) {
  const Halide::Target target(parameters.at("target"));
  const auto generator = Halide::Internal::GeneratorRegistry::create(options["-g"], Halide::GeneratorContext(target));
  if (generator == nullptr) {
    std::cerr << "no generator " << options["-g"] << '\n';
    return 1;
  }
  for (const auto& [name, value] : parameters) {
    if (name != "target") generator->set_generatorparam_value(name, value);
  }
  Halide::Module module = generator->build_module(options["-f"]);
  for (Halide::Internal::LoweredFunc& function : module.functions()) {
    if (function.linkage != Halide::LinkageType::Internal) function.linkage = Halide::LinkageType::External;
  }
  std::map<Halide::OutputFileType, std::string> files;
  const auto known = Halide::Internal::get_output_info(target);
  std::istringstream outputs(options["-e"]);
  for (std::string output; std::getline(outputs, output, ',');) {
    const auto is = [&](const auto& info) { return info.second.name == output; };
    const auto info = std::find_if(known.begin(), known.end(), is);
    if (info == known.end()) {
      std::cerr << "no output " << output << '\n';
      return 1;
    }
    files[info->first] = options["-o"] + "/" + options["-f"] + info->second.extension;
  }
  module.compile(files);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Words options, parameters;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) {
      parameters[word.substr(0, equals)] = word.substr(equals + 1);
    } else if (i + 1 < argc) {
      options[word] = argv[++i];
    }
  }
  if (options.count("-p") != 0) return Halide::Internal::generate_filter_main(argc, argv);
  if (options["-g"].empty() || options["-f"].empty() || options["-o"].empty() || options["-e"].empty() ||
      parameters["target"].empty()) {
    std::cerr << "usage: corrbank_generator -g GENERATOR -f SYMBOL -o FOLDER -e OUTPUT[,OUTPUT...] target=TARGET "
                 "[PARAMETER=VALUE...]\n";
    return 1;
  }
  try {
    return generate(options, parameters);
  } catch (const Halide::Error& error) {
    std::cerr << options["-f"] << ": " << error.what() << '\n';
    return 1;
  }
}
