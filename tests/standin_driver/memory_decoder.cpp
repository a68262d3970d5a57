// The part of the decoder for instructions on memory, control and warps.
#include <algorithm>

#include "decoder.h"

namespace standin {

Space Decoder::take_space() {
  if (take("global") || take("const")) return Space::global;
  if (take("shared")) return Space::shared;
  if (take("local")) return Space::local;
  return Space::generic;
}

void Decoder::decode_address(const Argument& argument) {
  if (!argument.address) refuse("an address is missing");
  const std::string& base = argument.words[0];
  out_.offset = argument.offset;
  if (kernel_.is_register(base)) {
    const auto found = kernel_.find_register(base, out_.line);
    if (found.width == Width::predicate) refuse(base + " is a predicate");
    out_.address = found.place;
    out_.address_wide = found.width == Width::wide;
  } else {
    out_.address = source(base, Type::u64);
    out_.address_wide = true;
  }
  if (out_.space == Space::shared || out_.space == Space::generic) kernel_.use_shared_granule(size_of(out_.type));
}

void Decoder::decode_memory(bool is_load) {
  out_.kind = is_load ? Kind::load : Kind::store;
  const bool parameter = take("param");
  out_.space = take_space();
  // Hints, and orders that one thread at a time keeps anyway.
  for (const char* hint : {"volatile",
                           "weak",
                           "relaxed",
                           "acquire",
                           "release",
                           "cta",
                           "gpu",
                           "sys",
                           "ca",
                           "cg",
                           "cs",
                           "cv",
                           "lu",
                           "wb",
                           "wt",
                           "nc",
                           "L1::no_allocate",
                           "L1::evict_last",
                           "L1::evict_first",
                           "L2::64B",
                           "L2::128B",
                           "L2::256B"}) {
    take(hint);
  }
  if (take("v2")) out_.count = 2;
  if (take("v4")) out_.count = 4;
  out_.type = take_type();
  expect_arguments(2, 2);
  const Argument &address = argument(is_load ? 1 : 0), &values = argument(is_load ? 0 : 1);
  if (values.words.size() != out_.count) refuse("not this number of registers");
  if (out_.type == Type::predicate || size_of(out_.type) * out_.count > 16) refuse("not supported");
  bool wide = size_of(out_.type) == 8;
  for (std::size_t at = 0; at < out_.count; ++at) {
    const std::string& word = values.words[at];
    Operand& place = is_load ? out_.destination[at] : out_.source[at];
    if (is_load && word == "_") continue;
    place = is_load || kernel_.is_register(word) ? register_of_any_width(word, wide) : source(word, out_.type);
    if (at > 0 && wide != (is_load ? out_.destination_wide : out_.source_wide)) refuse("registers of several widths");
    (is_load ? out_.destination_wide : out_.source_wide) = wide;
  }
  if (parameter) {
    if (!is_load || !address.address) refuse("not supported");
    out_.kind = Kind::load_parameter;
    out_.offset = kernel_.parameter_offset(address.words[0], out_.line) + address.offset;
  } else {
    decode_address(address);
  }
  finish();
}

void Decoder::decode_atomic(bool has_result) {
  out_.kind = Kind::atomic;
  out_.space = take_space();
  for (const char* order : {"relaxed", "acquire", "release", "acq_rel", "cta", "gpu", "sys"}) take(order);
  constexpr std::pair<const char*, Atomic> operations[] = {
      {"add", Atomic::add},     {"min", Atomic::min},   {"max", Atomic::max},     {"exch", Atomic::exchange},
      {"and", Atomic::bit_and}, {"or", Atomic::bit_or}, {"xor", Atomic::bit_xor}, {"cas", Atomic::compare_exchange}};
  bool found = false;
  for (const auto& [modifier, atomic] : operations) {
    if (!take(modifier)) continue;
    out_.atomic = atomic;
    found = true;
  }
  out_.type = take_type();
  const bool only_adds = is_float(out_.type) && out_.atomic != Atomic::add && out_.atomic != Atomic::exchange;
  if (!found || size_of(out_.type) < 4 || only_adds) refuse("not supported");
  const std::size_t address_at = has_result ? 1 : 0;
  const std::size_t count = address_at + (out_.atomic == Atomic::compare_exchange ? 3 : 2);
  expect_arguments(count, count);
  if (has_result && argument(0).words[0] != "_") out_.destination[0] = destination(argument(0).words[0], out_.type);
  decode_address(argument(address_at));
  for (std::size_t at = address_at + 1; at < count; ++at) {
    out_.source[at - address_at - 1] = source(argument(at), out_.type);
  }
  finish();
}

void Decoder::decode_control() {
  if (name_ == "trap") {
    out_.kind = Kind::trap;
  } else if (name_ == "bra") {
    take("uni");
    expect_arguments(1, 1);
    out_.kind = Kind::branch;
    kernel_.branch_to(argument(0).words[0]);
  } else {
    take("uni");
    out_.kind = Kind::exit;
  }
  finish();
}

void Decoder::decode_barrier() {
  if (name_ == "membar" || name_ == "fence") {
    for (const char* modifier : {"sc", "acq_rel", "cta", "gl", "gpu", "sys"}) take(modifier);
    out_.kind = Kind::fence;
    return finish();
  }
  if (take("warp")) {
    out_.kind = Kind::warp_barrier;
    if (!take("sync")) refuse("not supported");
    expect_arguments(1, 1);
    out_.source[0] = source(argument(0), Type::u32);
    return finish();
  }
  take("cta");
  if (!take("sync")) refuse("not supported");
  take("aligned");
  out_.kind = Kind::barrier;
  if (arguments_.size() != 1 || !is_number(argument(0).words[0])) refuse("supported for all threads of a block only");
  out_.offset = static_cast<std::int64_t>(number_of(argument(0).words[0], out_.line));
  finish();
}

void Decoder::decode_warp_operation() {
  if (name_ == "activemask") {
    out_.kind = Kind::vote;
    out_.vote = Vote::active;
    take_type();
    out_.destination[0] = destination(argument(0).words[0], Type::u32);
    return finish();
  }
  if (!take("sync")) refuse("supported with .sync only");
  if (name_ == "shfl") {
    out_.kind = Kind::shuffle;
    constexpr std::pair<const char*, Shuffle> modes[] = {
        {"up", Shuffle::up}, {"down", Shuffle::down}, {"bfly", Shuffle::butterfly}, {"idx", Shuffle::index}};
    for (const auto& [modifier, mode] : modes) {
      if (take(modifier)) out_.shuffle = mode;
    }
    take_type();
    expect_arguments(5, 5);
    out_.destination[0] = destination(argument(0).words[0], Type::u32);
    if (argument(0).words.size() == 2) out_.destination[1] = destination(argument(0).words[1], Type::predicate);
    for (std::size_t at = 0; at < 4; ++at) out_.source[at] = source(argument(at + 1), Type::u32);
    return finish();
  }
  out_.kind = Kind::vote;
  if (take("any")) out_.vote = Vote::any;
  if (take("uni")) out_.vote = Vote::uniform;
  if (take("ballot")) out_.vote = Vote::ballot;
  take("all");
  const Type result = take_type();
  expect_arguments(3, 3);
  out_.destination[0] = destination(argument(0).words[0], result);
  out_.negate_third = argument(1).negated;
  out_.source[0] = source(argument(1).words[0], Type::predicate);
  out_.source[1] = source(argument(2), Type::u32);
  finish();
}

}  // namespace standin
