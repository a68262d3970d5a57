#include "kernel_builder.h"

namespace standin {

namespace {

// Places start on cache lines, for the vector loads of handlers.
constexpr std::uint32_t place_alignment = 64;

const std::map<std::string, Special> special_names = {
    {"%tid.x", Special::tid_x},
    {"%tid.y", Special::tid_y},
    {"%tid.z", Special::tid_z},
    {"%ntid.x", Special::ntid_x},
    {"%ntid.y", Special::ntid_y},
    {"%ntid.z", Special::ntid_z},
    {"%ctaid.x", Special::ctaid_x},
    {"%ctaid.y", Special::ctaid_y},
    {"%ctaid.z", Special::ctaid_z},
    {"%nctaid.x", Special::nctaid_x},
    {"%nctaid.y", Special::nctaid_y},
    {"%nctaid.z", Special::nctaid_z},
    {"%laneid", Special::laneid},
    {"%warpid", Special::warpid},
    {"%lanemask_eq", Special::lanemask_eq},
    {"%lanemask_lt", Special::lanemask_lt},
    {"%lanemask_le", Special::lanemask_le},
    {"%lanemask_gt", Special::lanemask_gt},
    {"%lanemask_ge", Special::lanemask_ge},
};

}  // namespace

std::uint32_t aligned_up(std::uint32_t value, std::uint32_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

KernelBuilder::KernelBuilder(std::string name, const Symbols& shared, std::uint32_t shared_bytes) : symbols_(shared) {
  kernel_->name = std::move(name);
  kernel_->shared_bytes = shared_bytes;
}

void KernelBuilder::add_parameter(const std::string& name, std::uint32_t bytes, std::uint32_t alignment) {
  const std::uint32_t offset = aligned_up(kernel_->parameter_bytes, alignment);
  kernel_->parameters.push_back({offset, bytes});
  kernel_->parameter_bytes = offset + bytes;
  parameters_[name] = offset;
}

Operand KernelBuilder::new_place(bool wide) {
  const std::uint32_t place = aligned_up(kernel_->register_bytes, place_alignment);
  kernel_->register_bytes = place + warp_size * (wide ? 8 : 4);
  return place;
}

void KernelBuilder::declare_register(const std::string& name, Type type, std::uint32_t line) {
  const Width width = width_of(type);
  const bool is_new = registers_.insert({name, {new_place(width == Width::wide), width}}).second;
  if (!is_new) throw PtxError(line, name + " is declared twice");
}

void KernelBuilder::add_local(const std::string& name, std::uint32_t bytes, std::uint32_t alignment) {
  symbols_[name] = aligned_up(kernel_->local_bytes, alignment);
  kernel_->local_bytes = aligned_up(kernel_->local_bytes, alignment) + bytes;
}

void KernelBuilder::add_shared(const std::string& name, std::uint32_t bytes, std::uint32_t alignment) {
  symbols_[name] = aligned_up(kernel_->shared_bytes, alignment);
  kernel_->shared_bytes = aligned_up(kernel_->shared_bytes, alignment) + bytes;
}

void KernelBuilder::add_label(const std::string& name, std::uint32_t line) {
  const bool is_new = labels_.insert({name, static_cast<std::uint32_t>(kernel_->code.size())}).second;
  if (!is_new) throw PtxError(line, "label " + name + " appears twice");
}

void KernelBuilder::add_instruction(Instruction instruction, std::string text) {
  kernel_->code.push_back(instruction);
  kernel_->text.push_back(std::move(text));
}

KernelBuilder::Register KernelBuilder::find_register(const std::string& name, std::uint32_t line) const {
  const auto found = registers_.find(name);
  if (found == registers_.end()) throw PtxError(line, "register " + name + " is not declared");
  return found->second;
}

Operand KernelBuilder::constant(std::uint64_t bits, Type type) {
  const bool wide = size_of(type) == 8;
  if (type == Type::predicate) bits = bits != 0 ? all_lanes : 0;
  if (size_of(type) < 8) bits &= ~std::uint64_t{0} >> (64 - 8 * size_of(type));
  const auto [entry, is_new] = constants_.insert({{bits, wide}, 0});
  if (is_new) {
    entry->second = new_place(wide);
    kernel_->constants.push_back({entry->second, bits, wide});
  }
  return entry->second;
}

Operand KernelBuilder::special(const std::string& name, std::uint32_t line) {
  const auto value = special_names.find(name);
  if (value == special_names.end()) throw PtxError(line, "'" + name + "' is not supported");
  const auto [entry, is_new] = specials_.insert({name, 0});
  if (is_new) {
    entry->second = new_place(false);
    kernel_->specials.push_back({entry->second, value->second});
  }
  return entry->second;
}

const std::uint64_t* KernelBuilder::find_symbol(const std::string& name) const {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? nullptr : &found->second;
}

std::uint32_t KernelBuilder::parameter_offset(const std::string& name, std::uint32_t line) const {
  const auto found = parameters_.find(name);
  if (found == parameters_.end()) throw PtxError(line, "'" + name + "' is no parameter of the kernel");
  return found->second;
}

std::unique_ptr<Kernel> KernelBuilder::finish() {
  Instruction end;
  end.kind = Kind::exit;
  add_instruction(end, "ret");
  for (const auto& [at, label] : jumps_) {
    const auto found = labels_.find(label);
    if (found == labels_.end()) throw PtxError(kernel_->code[at].line, "label " + label + " is missing");
    kernel_->code[at].target = found->second;
  }
  kernel_->register_bytes = aligned_up(kernel_->register_bytes, place_alignment);
  return std::move(kernel_);
}

}  // namespace standin
