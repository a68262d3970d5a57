#include "parser.h"

#include "decoder.h"

namespace standin {

namespace {

struct Variable {
  std::string name;
  std::uint32_t bytes = 0, alignment = 1;
};

class Parser {
 public:
  explicit Parser(const std::string& ptx) : tokens_(tokens_of(ptx)) {}

  Program parse() {
    while (!tokens_.at_end()) parse_top();
    if (program_.target == 0) throw PtxError(tokens_.line(), ".target is missing");
    return std::move(program_);
  }

 private:
  void parse_top() {
    const std::string word = tokens_.peek();
    if (word == ".version" || word == ".address_size") {
      tokens_.take();
      tokens_.take();
    } else if (word == ".target") {
      tokens_.take();
      const std::string name = tokens_.take();
      if (name.compare(0, 3, "sm_") != 0) throw PtxError(tokens_.line(), "target " + name + " is not supported");
      program_.target = static_cast<int>(number_of(name.substr(3), tokens_.line()));
      while (tokens_.accept(",")) tokens_.take();
    } else if (word == ".visible" || word == ".extern" || word == ".weak") {
      tokens_.take();
    } else if (word == ".entry") {
      parse_kernel();
    } else if (word == ".shared") {
      const Variable variable = parse_variable();
      shared_[variable.name] = aligned_up(shared_bytes_, variable.alignment);
      shared_bytes_ = aligned_up(shared_bytes_, variable.alignment) + variable.bytes;
    } else {
      throw PtxError(tokens_.line(), "'" + word + "' is not supported");
    }
  }

  // .shared .align 4 .b8 name[16]; an array of no length takes what the launch adds.
  Variable parse_variable() {
    Variable variable = parse_declaration();
    tokens_.expect(";");
    return variable;
  }

  Variable parse_declaration() {
    Variable variable;
    tokens_.take();
    std::uint32_t element = 0, alignment = 0;
    while (tokens_.peek()[0] == '.') {
      const std::string word = tokens_.take();
      Type type;
      if (word == ".align") {
        alignment = static_cast<std::uint32_t>(tokens_.take_integer());
      } else if (parse_type(word.substr(1), type)) {
        element = size_of(type);
      } else if (word != ".ptr" && word != ".global" && word != ".shared" && word != ".const" && word != ".local") {
        throw PtxError(tokens_.line(), "'" + word + "' is not supported");
      } else {
        // The alignment after .ptr is that of what the parameter points to.
        while (tokens_.peek() == ".align" || tokens_.peek() == ".global" || tokens_.peek() == ".shared") {
          if (tokens_.take() == ".align") tokens_.take();
        }
      }
    }
    if (element == 0) throw PtxError(tokens_.line(), "a type is missing");
    variable.name = tokens_.take();
    variable.bytes = element;
    variable.alignment = std::max(alignment, element);
    while (tokens_.accept("[")) {
      const std::int64_t length = tokens_.peek() == "]" ? 0 : tokens_.take_integer();
      variable.bytes *= static_cast<std::uint32_t>(length);
      tokens_.expect("]");
    }
    return variable;
  }

  void parse_kernel() {
    tokens_.expect(".entry");
    const std::string name = tokens_.take();
    KernelBuilder kernel(name, shared_, shared_bytes_);
    if (tokens_.accept("(") && !tokens_.accept(")")) {
      do {
        if (tokens_.peek() != ".param") throw PtxError(tokens_.line(), "a parameter is missing");
        const Variable parameter = parse_declaration();
        kernel.add_parameter(parameter.name, parameter.bytes, parameter.alignment);
      } while (tokens_.accept(","));
      tokens_.expect(")");
    }
    parse_directives(kernel);
    parse_block(kernel);
    program_.kernels[name] = kernel.finish();
  }

  // What stands between parameters and body.
  void parse_directives(KernelBuilder& kernel) {
    while (tokens_.peek() != "{") {
      const std::string word = tokens_.take();
      if (word == ".pragma") {
        tokens_.take_statement();
      } else if (word == ".maxntid" || word == ".reqntid") {
        std::int64_t threads = tokens_.take_integer();
        while (tokens_.accept(",")) threads *= tokens_.take_integer();
        kernel.limit_threads(static_cast<std::uint32_t>(threads));
      } else if (word == ".minnctapersm" || word == ".maxnreg") {
        tokens_.take();
      } else {
        throw PtxError(tokens_.line(), "'" + word + "' is not supported");
      }
    }
  }

  void parse_block(KernelBuilder& kernel) {
    tokens_.expect("{");
    while (!tokens_.accept("}")) {
      const std::string word = tokens_.peek();
      const std::uint32_t line = tokens_.line();
      if (word == "{") {
        parse_block(kernel);
      } else if (word == ".reg") {
        parse_registers(kernel);
      } else if (word == ".local") {
        const Variable variable = parse_variable();
        kernel.add_local(variable.name, variable.bytes, variable.alignment);
      } else if (word == ".shared") {
        const Variable variable = parse_variable();
        kernel.add_shared(variable.name, variable.bytes, variable.alignment);
      } else if (word == ".pragma") {
        tokens_.take_statement();
      } else if (word[0] == '.') {
        throw PtxError(line, "'" + word + "' is not supported");
      } else if (tokens_.peek(1) == ":") {
        kernel.add_label(tokens_.take(), line);
        tokens_.take();
      } else {
        Decoder(kernel, tokens_.take_statement()).decode();
      }
    }
  }

  // .reg .b32 %r<100>, a;
  void parse_registers(KernelBuilder& kernel) {
    const std::uint32_t line = tokens_.line();
    tokens_.take();
    const std::string type_name = tokens_.take();
    Type type;
    if (!parse_type(type_name.substr(1), type)) throw PtxError(line, "'" + type_name + "' is not supported");
    do {
      const std::string name = tokens_.take();
      if (tokens_.accept("<")) {
        const std::int64_t count = tokens_.take_integer();
        for (std::int64_t at = 0; at < count; ++at) kernel.declare_register(name + std::to_string(at), type, line);
        tokens_.expect(">");
      } else {
        kernel.declare_register(name, type, line);
      }
    } while (tokens_.accept(","));
    tokens_.expect(";");
  }

  Tokens tokens_;
  Program program_;
  KernelBuilder::Symbols shared_;
  std::uint32_t shared_bytes_ = 0;
};

}  // namespace

Program parse_ptx(const std::string& ptx) { return Parser(ptx).parse(); }

}  // namespace standin
