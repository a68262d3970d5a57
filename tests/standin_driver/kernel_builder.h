// Names of a kernel while it is parsed, and where they live.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "lexer.h"
#include "program.h"

namespace standin {

enum class Width : std::uint8_t { predicate, narrow, wide };
inline Width width_of(Type type) {
  return type == Type::predicate ? Width::predicate : size_of(type) == 8 ? Width::wide : Width::narrow;
}

class KernelBuilder {
 public:
  struct Register {
    Operand place;
    Width width;
  };
  // Addresses by name: of shared variables in shared memory, of local ones in the frame of a thread.
  using Symbols = std::map<std::string, std::uint64_t>;

  KernelBuilder(std::string name, const Symbols& shared, std::uint32_t shared_bytes);

  void add_parameter(const std::string& name, std::uint32_t bytes, std::uint32_t alignment);
  void declare_register(const std::string& name, Type type, std::uint32_t line);
  void add_local(const std::string& name, std::uint32_t bytes, std::uint32_t alignment);
  void add_shared(const std::string& name, std::uint32_t bytes, std::uint32_t alignment);
  void add_label(const std::string& name, std::uint32_t line);
  void add_instruction(Instruction instruction, std::string text);
  void branch_to(const std::string& label) { jumps_.emplace_back(kernel_->code.size(), label); }
  void use_shared_granule(std::uint32_t bytes) { kernel_->shared_granule = std::min(kernel_->shared_granule, bytes); }
  void limit_threads(std::uint32_t threads) { kernel_->max_threads = std::min(kernel_->max_threads, threads); }

  [[nodiscard]] Register find_register(const std::string& name, std::uint32_t line) const;
  [[nodiscard]] bool is_register(const std::string& name) const { return registers_.count(name) != 0; }
  // The place of an immediate, a symbol's address or a special register, which live like registers.
  Operand constant(std::uint64_t bits, Type type);
  Operand special(const std::string& name, std::uint32_t line);
  [[nodiscard]] const std::uint64_t* find_symbol(const std::string& name) const;
  [[nodiscard]] std::uint32_t parameter_offset(const std::string& name, std::uint32_t line) const;

  std::unique_ptr<Kernel> finish();

 private:
  Operand new_place(bool wide);

  std::unique_ptr<Kernel> kernel_ = std::make_unique<Kernel>();
  Symbols symbols_;
  std::map<std::string, std::uint32_t> parameters_;
  std::map<std::string, Register> registers_;
  std::map<std::pair<std::uint64_t, bool>, Operand> constants_;
  std::map<std::string, Operand> specials_;
  std::map<std::string, std::uint32_t> labels_;
  std::vector<std::pair<std::size_t, std::string>> jumps_;
};

std::uint32_t aligned_up(std::uint32_t value, std::uint32_t alignment);

}  // namespace standin
