// One PTX instruction, decoded into a kernel. What is not known is refused, down to the last modifier.
#pragma once

#include "kernel_builder.h"

namespace standin {

class Decoder {
 public:
  // The statement is all of an instruction but its semicolon.
  Decoder(KernelBuilder& kernel, Tokens statement);
  void decode();

 private:
  struct Argument {
    std::vector<std::string> words;  // of a vector or of a|b several, otherwise one
    std::int64_t offset = 0;         // of an address
    bool vector = false, address = false, negated = false;
  };

  void parse_argument(Tokens& tokens);
  bool take(const char* modifier);
  Type take_type();
  void finish();
  [[noreturn]] void refuse(const std::string& why) const;

  const Argument& argument(std::size_t at) const;
  void expect_arguments(std::size_t least, std::size_t most) const;
  Operand source(const Argument& argument, Type type);
  Operand source(const std::string& word, Type type);
  Operand destination(const std::string& word, Type type);
  // Registers of loads, stores and conversions may be wider than the type.
  Operand register_of_any_width(const std::string& word, bool& wide);
  void decode_address(const Argument& argument);
  Space take_space();

  void decode_operation();
  void decode_comparison();
  void decode_move();
  void decode_conversion();
  void decode_address_conversion();
  void decode_memory(bool is_load);
  void decode_atomic(bool has_result);
  void decode_control();
  void decode_barrier();
  void decode_warp_operation();

  KernelBuilder& kernel_;
  Instruction out_;
  std::string text_, name_;
  std::vector<std::string> modifiers_;
  std::vector<Argument> arguments_;
};

// A fundamental type by its PTX name without the dot; false if it is none.
bool parse_type(const std::string& name, Type& type);

}  // namespace standin
