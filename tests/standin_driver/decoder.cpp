#include "decoder.h"

#include <algorithm>
#include <utility>

#include "lanes.h"

namespace standin {

bool parse_type(const std::string& name, Type& type) {
  static const std::map<std::string, Type> types = {
      {"b8", Type::u8},   {"b16", Type::u16}, {"b32", Type::u32}, {"b64", Type::u64}, {"u8", Type::u8},
      {"u16", Type::u16}, {"u32", Type::u32}, {"u64", Type::u64}, {"s8", Type::s8},   {"s16", Type::s16},
      {"s32", Type::s32}, {"s64", Type::s64}, {"f32", Type::f32}, {"f64", Type::f64}, {"pred", Type::predicate}};
  const auto found = types.find(name);
  if (found == types.end()) return false;
  type = found->second;
  return true;
}

Decoder::Decoder(KernelBuilder& kernel, Tokens statement) : kernel_(kernel), text_(statement.joined()) {
  out_.line = statement.line();
  if (statement.accept("@")) {
    out_.guard_negated = statement.accept("!");
    const std::string name = statement.take();
    const auto guard = kernel_.find_register(name, out_.line);
    if (guard.width != Width::predicate) refuse(name + " is no predicate");
    out_.guard = guard.place;
  }
  modifiers_ = split(statement.take(), '.');
  name_ = modifiers_.front();
  modifiers_.erase(modifiers_.begin());
  while (!statement.at_end()) {
    parse_argument(statement);
    if (!statement.at_end()) statement.expect(",");
  }
}

void Decoder::parse_argument(Tokens& tokens) {
  Argument argument;
  argument.negated = tokens.accept("!");
  if (tokens.accept("{")) {
    argument.vector = true;
    do {
      argument.words.push_back(tokens.take());
    } while (tokens.accept(","));
    tokens.expect("}");
  } else if (tokens.accept("[")) {
    argument.address = true;
    argument.words.push_back(tokens.take());
    if (tokens.accept("+")) {
      argument.offset = tokens.take_integer();
    } else if (!tokens.at_end() && tokens.peek() == "-") {
      argument.offset = tokens.take_integer();
    }
    tokens.expect("]");
  } else {
    const bool minus = tokens.accept("-");
    argument.words.push_back((minus ? "-" : "") + tokens.take());
    if (tokens.accept("|")) argument.words.push_back(tokens.take());
  }
  arguments_.push_back(std::move(argument));
}

void Decoder::refuse(const std::string& why) const { throw PtxError(out_.line, "'" + text_ + "': " + why); }

bool Decoder::take(const char* modifier) {
  const auto found = std::find(modifiers_.begin(), modifiers_.end(), modifier);
  if (found == modifiers_.end()) return false;
  modifiers_.erase(found);
  return true;
}

// The first type among the modifiers.
Type Decoder::take_type() {
  for (auto at = modifiers_.begin(); at != modifiers_.end(); ++at) {
    Type type;
    if (!parse_type(*at, type)) continue;
    modifiers_.erase(at);
    return type;
  }
  refuse("not supported");
}

const Decoder::Argument& Decoder::argument(std::size_t at) const {
  if (at >= arguments_.size()) refuse("operands are missing");
  return arguments_[at];
}

void Decoder::expect_arguments(std::size_t least, std::size_t most) const {
  if (arguments_.size() < least || arguments_.size() > most) refuse("not this number of operands");
}

Operand Decoder::source(const Argument& argument, Type type) {
  if (argument.vector || argument.address || argument.negated || argument.words.size() != 1) {
    refuse("not this kind of operand");
  }
  return source(argument.words[0], type);
}

Operand Decoder::source(const std::string& word, Type type) {
  const bool negative = word[0] == '-';
  if (negative || is_number(word)) {
    const bool float_bits = word.size() > 1 && word[0] == '0' && (word[1] == 'f' || word[1] == 'F');
    if (is_float(type) && !float_bits && word.compare(0, 2, "0d") != 0 && word.compare(0, 2, "0D") != 0) {
      refuse("not supported: '" + word + "' for a floating-point operand");
    }
    const std::uint64_t value = number_of(word.substr(negative ? 1 : 0), out_.line);
    return kernel_.constant(negative ? 0 - value : value, type);
  }
  if (kernel_.is_register(word)) {
    const auto found = kernel_.find_register(word, out_.line);
    if (found.width != width_of(type)) refuse(word + " has another width");
    return found.place;
  }
  if (const std::uint64_t* address = kernel_.find_symbol(word)) return kernel_.constant(*address, type);
  return kernel_.special(word, out_.line);
}

Operand Decoder::destination(const std::string& word, Type type) {
  const auto found = kernel_.find_register(word, out_.line);
  if (found.width != width_of(type)) refuse(word + " has another width");
  return found.place;
}

Operand Decoder::register_of_any_width(const std::string& word, bool& wide) {
  const auto found = kernel_.find_register(word, out_.line);
  if (found.width == Width::predicate) refuse(word + " is a predicate");
  wide = found.width == Width::wide;
  if (!wide && size_of(out_.type) == 8) refuse(word + " is too narrow");
  return found.place;
}

void Decoder::finish() {
  if (!modifiers_.empty()) refuse("not supported: ." + modifiers_.front());
  kernel_.add_instruction(out_, text_);
}

void Decoder::decode() {
  if (name_ == "ld" || name_ == "st") return decode_memory(name_ == "ld");
  if (name_ == "atom" || name_ == "red") return decode_atomic(name_ == "atom");
  if (name_ == "bra" || name_ == "ret" || name_ == "exit" || name_ == "trap") return decode_control();
  if (name_ == "bar" || name_ == "barrier" || name_ == "membar" || name_ == "fence") return decode_barrier();
  if (name_ == "shfl" || name_ == "vote" || name_ == "activemask") return decode_warp_operation();
  if (name_ == "mov") return decode_move();
  if (name_ == "cvt") return decode_conversion();
  if (name_ == "cvta") return decode_address_conversion();
  if (name_ == "setp") return decode_comparison();
  decode_operation();
}

// All that the table of operations knows.
void Decoder::decode_operation() {
  std::string opcode = name_;
  if (take("ftz")) opcode += ".ftz";
  const Type type = take_type();
  if (is_float(type)) {
    take("rn") || take("approx") || take("full");
  }
  for (const std::string& modifier : modifiers_) opcode += '.' + modifier;
  opcode += std::string(".") + name_of(type);
  const Operation* operation = find_operation(opcode);
  if (operation == nullptr) refuse("not supported");
  modifiers_.clear();
  expect_arguments(operation->sources.size() + 1, operation->sources.size() + 1);
  if (argument(0).words.size() != 1 || argument(0).address) refuse("not this kind of result");
  out_.handler = operation->handler;
  out_.destination[0] = destination(argument(0).words[0], operation->destination);
  for (std::size_t at = 0; at < operation->sources.size(); ++at) {
    out_.source[at] = source(argument(at + 1), operation->sources[at]);
  }
  finish();
}

void Decoder::decode_comparison() {
  out_.flush = take("ftz");
  const Type type = take_type();
  if (take("and")) out_.combine = Combine::bit_and;
  if (take("or")) out_.combine = Combine::bit_or;
  if (take("xor")) out_.combine = Combine::bit_xor;
  if (modifiers_.size() != 1) refuse("not supported");
  const Operation* operation = find_operation("setp." + modifiers_[0] + '.' + name_of(type));
  if (operation == nullptr) refuse("not supported");
  modifiers_.clear();
  const std::size_t count = out_.combine == Combine::none ? 3 : 4;
  expect_arguments(count, count);
  out_.handler = operation->handler;
  const auto& results = argument(0).words;
  for (std::size_t at = 0; at < results.size(); ++at) {
    if (results[at] != "_") out_.destination[at] = destination(results[at], Type::predicate);
  }
  if (out_.destination[0] == no_operand) refuse("not supported without a first result");
  out_.source[0] = source(argument(1), type);
  out_.source[1] = source(argument(2), type);
  if (count == 4) {
    out_.negate_third = argument(3).negated;
    out_.source[2] = source(argument(3).words[0], Type::predicate);
  }
  finish();
}

void Decoder::decode_move() {
  expect_arguments(2, 2);
  const Argument &to = argument(0), &from = argument(1);
  if (!to.vector && !from.vector) return decode_operation();
  out_.type = take_type();
  const Argument& parts = to.vector ? to : from;
  out_.count = static_cast<std::uint8_t>(parts.words.size());
  const std::uint32_t part_bytes = size_of(out_.type) / out_.count;
  if ((out_.count != 2 && out_.count != 4) || (part_bytes != 2 && part_bytes != 4)) refuse("not supported");
  const Type part = part_bytes == 2 ? Type::u16 : Type::u32;
  out_.destination_wide = out_.source_wide = size_of(out_.type) == 8;
  if (to.vector) {
    out_.handler = unpack;
    out_.source[0] = source(from, out_.type);
    for (std::size_t at = 0; at < out_.count; ++at) {
      if (to.words[at] != "_") out_.destination[at] = destination(to.words[at], part);
    }
  } else {
    out_.handler = pack;
    out_.destination[0] = destination(to.words[0], out_.type);
    for (std::size_t at = 0; at < out_.count; ++at) out_.source[at] = source(from.words[at], part);
  }
  finish();
}

void Decoder::decode_conversion() {
  expect_arguments(2, 2);
  out_.handler = convert;
  out_.flush = take("ftz");
  out_.saturate = take("sat");
  constexpr std::pair<const char*, Rounding> directions[] = {
      {"n", Rounding::nearest}, {"z", Rounding::zero}, {"m", Rounding::down}, {"p", Rounding::up}};
  bool rounds = false;
  for (const auto& [letter, rounding] : directions) {
    const bool to_integer = take((std::string("r") + letter + 'i').c_str());
    if (!to_integer && !take((std::string("r") + letter).c_str())) continue;
    out_.rounding = rounding;
    out_.to_integer = to_integer;
    rounds = true;
  }
  out_.type = take_type();
  out_.source_type = take_type();
  const bool from_float = is_float(out_.source_type), to_float = is_float(out_.type);
  if (out_.type == Type::predicate || out_.source_type == Type::predicate) refuse("not supported");
  if (from_float && !to_float && !out_.to_integer) refuse("not supported without rounding to an integer");
  if (!from_float && to_float && (!rounds || out_.rounding != Rounding::nearest)) refuse("supported with .rn only");
  out_.destination[0] = register_of_any_width(argument(0).words[0], out_.destination_wide);
  const std::string& from = argument(1).words[0];
  if (kernel_.is_register(from)) {
    out_.source_wide = kernel_.find_register(from, out_.line).width == Width::wide;
    if (!out_.source_wide && size_of(out_.source_type) == 8) refuse(from + " is too narrow");
    out_.source[0] = kernel_.find_register(from, out_.line).place;
  } else {
    out_.source_wide = size_of(out_.source_type) == 8;
    out_.source[0] = source(argument(1), out_.source_type);
  }
  finish();
}

void Decoder::decode_address_conversion() {
  const bool to = take("to");
  const Space space = take_space();
  if (space == Space::generic || take_type() != Type::u64) refuse("not supported");
  expect_arguments(2, 2);
  const std::uint64_t window = space == Space::shared ? shared_window : space == Space::local ? local_window : 0;
  out_.handler = offset_address;
  out_.offset = static_cast<std::int64_t>(to ? 0 - window : window);
  out_.destination[0] = destination(argument(0).words[0], Type::u64);
  out_.source[0] = source(argument(1), Type::u64);
  finish();
}

}  // namespace standin
