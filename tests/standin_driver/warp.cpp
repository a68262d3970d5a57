// Execution of a warp: the lanes that are at the lowest instruction go on together, so that those which went apart meet
// again. With the serial schedule, each lane goes on alone for as long as it can.
#include <atomic>

#include "block.h"
#include "lanes.h"

namespace standin {

namespace {

int first_lane(Mask lanes) { return __builtin_ctz(lanes); }
std::uint32_t count(Mask lanes) { return static_cast<std::uint32_t>(__builtin_popcount(lanes)); }

}  // namespace

Warp::Warp(const Launch& launch, MemoryAccess& memory, std::uint32_t number, bool serial)
    : kernel_(*launch.kernel), launch_(launch), memory_(memory), storage_(kernel_.register_bytes + 64), number_(number),
      serial_(serial) {
  void* start = storage_.data();
  std::size_t space = storage_.size();
  registers_ = static_cast<std::byte*>(std::align(64, kernel_.register_bytes, start, space));
  const std::uint32_t threads = std::min<std::uint32_t>(launch.threads() - number * warp_size, warp_size);
  existing_ = all_lanes >> (warp_size - threads);
  std::memset(registers_, 0xff, kernel_.register_bytes);
  for (const auto& constant : kernel_.constants) {
    if (constant.wide) {
      write_lanes<std::uint64_t>(registers_, constant.place, all_lanes, [&](int) { return constant.bits; });
    } else {
      write_lanes<std::uint32_t>(registers_, constant.place, all_lanes,
                                 [&](int) { return static_cast<std::uint32_t>(constant.bits); });
    }
  }
}

void Warp::start_block(const std::array<std::uint32_t, 3>& block) {
  live_ = existing_;
  waiting_ = parked_ = 0;
  pcs_.fill(0);
  const auto &size = launch_.block, &grid = launch_.grid;
  for (const auto& special : kernel_.specials) {
    write_lanes<std::uint32_t>(registers_, special.place, all_lanes, [&](int lane) -> std::uint32_t {
      const std::uint32_t thread = number_ * warp_size + static_cast<std::uint32_t>(lane);
      const Mask bit = Mask{1} << lane;
      switch (special.value) {
        case Special::tid_x: return thread % size[0];
        case Special::tid_y: return thread / size[0] % size[1];
        case Special::tid_z: return thread / size[0] / size[1];
        case Special::ntid_x: return size[0];
        case Special::ntid_y: return size[1];
        case Special::ntid_z: return size[2];
        case Special::ctaid_x: return block[0];
        case Special::ctaid_y: return block[1];
        case Special::ctaid_z: return block[2];
        case Special::nctaid_x: return grid[0];
        case Special::nctaid_y: return grid[1];
        case Special::nctaid_z: return grid[2];
        case Special::laneid: return static_cast<std::uint32_t>(lane);
        case Special::warpid: return number_;
        case Special::lanemask_eq: return bit;
        case Special::lanemask_lt: return bit - 1;
        case Special::lanemask_le: return bit | (bit - 1);
        case Special::lanemask_gt: return ~(bit | (bit - 1));
        case Special::lanemask_ge: return ~(bit - 1);
      }
      return 0;
    });
  }
}

void Warp::run() {
  while (select()) execute();
  check_barrier();
}

// Which lanes go on, and up to where they may before others have to join. Lanes at an instruction that needs company
// go last, when all that can come are there.
bool Warp::select() {
  const Mask runnable = live_ & ~waiting_ & ~parked_;
  const Mask among = runnable != 0 ? runnable : live_ & parked_;
  if (among == 0) return false;
  pc_ = pcs_[first_lane(among)];
  merge_at_ = std::numeric_limits<std::uint32_t>::max();
  if (serial_ && runnable != 0) {
    active_ = among & (0 - among);
    return true;
  }
  for (Mask rest = among; rest != 0; rest &= rest - 1) pc_ = std::min(pc_, pcs_[first_lane(rest)]);
  active_ = 0;
  for (Mask rest = among; rest != 0; rest &= rest - 1) {
    const int lane = first_lane(rest);
    if (pcs_[lane] == pc_) {
      active_ |= Mask{1} << lane;
    } else {
      merge_at_ = std::min(merge_at_, pcs_[lane]);
    }
  }
  if (runnable == 0) {
    parked_ &= ~active_;
    execute_together(active_);
    leave(active_, pc_ + 1);
    active_ = 0;
  }
  return true;
}

void Warp::leave(Mask lanes, std::uint32_t pc) {
  for (Mask rest = lanes; rest != 0; rest &= rest - 1) pcs_[first_lane(rest)] = pc;
}

void Warp::branch(const Instruction& i, Mask taken) {
  leave(taken, i.target);
  leave(active_ & ~taken, pc_ + 1);
}

void Warp::execute() {
  while (active_ != 0) {
    const Instruction& i = kernel_.code[pc_];
    Mask lanes = active_;
    if (i.guard != no_operand) {
      const Mask guard = predicate_at(registers_, i.guard);
      lanes &= i.guard_negated ? ~guard : guard;
    }
    executed_ += count(active_);
    switch (i.kind) {
      case Kind::compute:
        if (lanes != 0) i.handler(i, registers_, lanes);
        break;
      case Kind::load: memory_.load(i, pc_, registers_, number_, lanes); break;
      case Kind::store: memory_.store(i, pc_, registers_, number_, lanes); break;
      case Kind::load_parameter: memory_.load_parameter(i, pc_, registers_, number_, lanes); break;
      case Kind::atomic: memory_.atomic(i, pc_, registers_, number_, lanes); break;
      case Kind::fence: std::atomic_thread_fence(std::memory_order_seq_cst); break;
      case Kind::branch:
        if (lanes == active_) {
          pc_ = i.target - 1;
        } else if (lanes != 0) {
          return branch(i, lanes);
        }
        break;
      case Kind::exit:
        live_ &= ~lanes;
        active_ &= ~lanes;
        break;
      case Kind::barrier:
        if (lanes == 0) break;
        waiting_ |= lanes;
        return leave(active_, pc_ + 1);
      case Kind::shuffle:
      case Kind::vote:
      case Kind::warp_barrier:
        if (lanes == 0) break;
        if (lanes == live_ || (i.kind == Kind::vote && i.vote == Vote::active)) {
          execute_together(lanes);
          break;
        }
        parked_ |= lanes;
        leave(lanes, pc_);
        return leave(active_ & ~lanes, pc_ + 1);
      case Kind::trap:
        if (lanes == 0) break;
        memory_.report(CUDA_ERROR_LAUNCH_FAILED, pc_, number_ * warp_size + first_lane(lanes), "trap", "trap");
        throw Stop{};
    }
    if (++pc_ >= merge_at_) return leave(active_, pc_);
  }
}

void Warp::execute_together(Mask lanes) {
  const Instruction& i = kernel_.code[pc_];
  if (i.kind == Kind::shuffle) return shuffle(i, lanes);
  if (i.kind == Kind::vote) return vote(i, lanes);
  check_members(lanes_at<std::uint32_t>(registers_, i.source[0])[first_lane(lanes)], lanes);
  memory_.shared().warp_barrier(number_);
}

// Every living thread that the instruction names has to be there.
void Warp::check_members(Mask members, Mask lanes) {
  const Mask missing = members & live_ & ~lanes, strangers = lanes & ~members;
  if (missing == 0 && strangers == 0) return;
  const int lane = first_lane(missing != 0 ? missing : strangers);
  memory_.report(CUDA_ERROR_LAUNCH_FAILED, pc_, number_ * warp_size + lane,
                 missing != 0 ? "named in the mask, but does not get here with the others"
                              : "executes this, but is not named in the mask",
                 "members");
  throw Stop{};
}

void Warp::shuffle(const Instruction& i, Mask lanes) {
  const auto* values = lanes_at<std::uint32_t>(registers_, i.source[0]);
  const auto* by = lanes_at<std::uint32_t>(registers_, i.source[1]);
  const auto* clamp_and_segment = lanes_at<std::uint32_t>(registers_, i.source[2]);
  check_members(lanes_at<std::uint32_t>(registers_, i.source[3])[first_lane(lanes)], lanes);
  std::uint32_t results[warp_size];
  Mask in_range = 0;
  for (int lane = 0; lane < warp_size; ++lane) {
    const int clamp = static_cast<int>(clamp_and_segment[lane] & 31);
    const int segment = static_cast<int>(clamp_and_segment[lane] >> 8 & 31);
    const int distance = static_cast<int>(by[lane] & 31);
    const int lowest = lane & segment, highest = lowest | (clamp & ~segment);
    int from = lane;
    bool in = false;
    switch (i.shuffle) {
      case Shuffle::up: from = lane - distance, in = from >= highest; break;
      case Shuffle::down: from = lane + distance, in = from <= highest; break;
      case Shuffle::butterfly: from = lane ^ distance, in = from <= highest; break;
      case Shuffle::index: from = lowest | (distance & ~segment), in = from <= highest; break;
    }
    if (!in) from = lane;
    if (in) in_range |= Mask{1} << lane;
    // The value of a lane that is not there is not defined.
    results[lane] = lanes >> from & 1 ? values[from] : ~std::uint32_t{0};
  }
  write_lanes<std::uint32_t>(registers_, i.destination[0], lanes, [&](int lane) { return results[lane]; });
  if (i.destination[1] != no_operand) {
    Mask& out = predicate_at(registers_, i.destination[1]);
    out = (out & ~lanes) | (in_range & lanes);
  }
}

void Warp::vote(const Instruction& i, Mask lanes) {
  Mask ballot = lanes;
  if (i.vote != Vote::active) {
    check_members(lanes_at<std::uint32_t>(registers_, i.source[1])[first_lane(lanes)], lanes);
    const Mask votes = predicate_at(registers_, i.source[0]);
    ballot &= i.negate_third ? ~votes : votes;
  }
  if (i.vote == Vote::ballot || i.vote == Vote::active) {
    return write_lanes<std::uint32_t>(registers_, i.destination[0], lanes, [=](int) { return ballot; });
  }
  const bool all = ballot == lanes, any = ballot != 0;
  const bool result = i.vote == Vote::all ? all : i.vote == Vote::any ? any : all || !any;
  Mask& out = predicate_at(registers_, i.destination[0]);
  out = (out & ~lanes) | (result ? lanes : 0);
}

std::int64_t Warp::barrier() const { return kernel_.code[pcs_[first_lane(waiting_)] - 1].offset; }

// All lanes of a warp have to wait at the same barrier instruction; those that have ended are not missed.
void Warp::check_barrier() {
  if (waiting_ == 0) return;
  const std::uint32_t at = pcs_[first_lane(waiting_)];
  for (Mask rest = waiting_; rest != 0; rest &= rest - 1) {
    const int lane = first_lane(rest);
    if (pcs_[lane] == at) continue;
    memory_.report(CUDA_ERROR_LAUNCH_FAILED, at - 1, number_ * warp_size + lane,
                   "waits at another barrier than its warp: '" + kernel_.text[pcs_[lane] - 1] + "' of PTX line " +
                       std::to_string(kernel_.code[pcs_[lane] - 1].line),
                   "barrier");
    throw Stop{};
  }
}

}  // namespace standin
