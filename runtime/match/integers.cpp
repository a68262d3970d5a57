#include "match/integers.h"

#include <algorithm>
#include <cstring>

#include "call.h"
#include "costs.h"
#include "geometry.h"
#include "match/method.h"

namespace corrbank::detail {
namespace {

// Sums over windows by channel take a map each, and a pass over all scores.
constexpr std::int64_t most_maps = 4;
// A block's expanded pixels stay in L2; so does a panel of scores, which sinks take at some cost each. Written in place they
// stay in L1 until they are finished.
constexpr std::int64_t block_columns = 512, window_bytes = 512 << 10, panel_bytes = 128 << 10, l1_bytes = 24 << 10;

std::int64_t map_count(const PackedTemplates& t) noexcept {
  switch (t.method) {
    case Method::ccorr:
    case Method::ccorr_normed: return 0;
    case Method::sqdiff:
    case Method::zncc: return 1;
    default: return t.channels;
  }
}

// What a block's parts take, and where they begin in the scratch.
struct Layout {
  DotsForm form;
  TapGroups groups;
  std::int64_t columns, window_pitch;            // of scores, in whole tiles; of windows
  std::int64_t pixel_rows;                       // of a channel
  int rows_in_l1, panel_rows;                    // of scores that are finished at once
  std::size_t windows, maps, panel, line, size;  // bytes; offsets of taps come first

  Layout(const PackedTemplates& t, std::int64_t rows, std::int64_t wanted_columns) noexcept
      : form(t.groups.front().integers.form), groups(tap_groups(form, t)),
        columns(round_up(wanted_columns, dots_columns(*t.target))),
        window_pitch(round_up(columns + std::int64_t{groups.of_row} * form.taps(), 16)),
        pixel_rows(rows + t.height - 1), rows_in_l1(rows_of(l1_bytes, rows)), panel_rows(rows_of(panel_bytes, rows)) {
    const auto bytes = [](std::int64_t count, std::size_t each) {
      return whole_lines(static_cast<std::size_t>(count) * each);
    };
    windows = bytes(t.channels * groups.of_channel, sizeof(std::int32_t));
    maps = windows +
           bytes(t.channels * pixel_rows * window_pitch, static_cast<std::size_t>(form.taps() * form.element_bytes()));
    panel = maps + bytes((map_count(t) + (t.method == Method::sqdiff ? 1 : 0)) * rows * columns, sizeof(std::int32_t));
    line = panel + bytes(std::int64_t{form.rows->kernels} * panel_rows * columns, sizeof(std::int32_t));
    size = line + bytes(window_pitch + form.taps(), 1);
  }
  [[nodiscard]] int rows_of(std::int64_t bytes, std::int64_t most) const noexcept {
    return static_cast<int>(std::clamp<std::int64_t>(bytes / (4 * form.rows->kernels * columns), 1, most));
  }
};

// What of a pixel is summed: itself, or a byte of its square.
enum class Part { pixel, low_of_square, high_of_square };

std::uint8_t part_of(std::uint8_t pixel, Part part) noexcept {
  const int square = pixel * pixel;
  return static_cast<std::uint8_t>(part == Part::low_of_square ? square & 255 : square >> 8);
}

// Each element of a line and the taps - 1 behind it.
template <typename Element, int taps>
void expand(const std::uint8_t* line, std::int64_t count, int offset, Element* to) noexcept {
  for (std::int64_t x = 0; x < count; ++x) {
    for (int j = 0; j < taps; ++j) to[taps * x + j] = static_cast<Element>(line[x + j] - offset);
  }
}

class BlockRun {
 public:
  BlockRun(const PackedTemplates& t, const TemplateGroup& group, const Source& source, const WindowBlock& block,
           char* scratch) noexcept
      : t_(t), group_(group), source_(source), block_(block), at_(t, block.rows, block.columns), scratch_(scratch) {
    std::int32_t* tap = offsets();
    for (std::int64_t row = 0; row < t.channels * t.height; ++row) {
      const std::int64_t pixel_row = row / t.height * at_.pixel_rows + row % t.height;
      for (int g = 0; g < at_.groups.of_row; ++g) {
        *tap++ = static_cast<std::int32_t>(pixel_row * at_.window_pitch + std::int64_t{g} * at_.form.taps());
      }
    }
  }

  void run(const double* image_offsets, ScoreSink& sink) noexcept {
    if (t_.method == Method::sqdiff) sum_energies();
    fill(Part::pixel);
    if (t_.method == Method::zncc) sum_mask(0, t_.channels, map(0));
    if (t_.method != Method::sqdiff && t_.method != Method::zncc) {
      for (std::int64_t c = 0; c < map_count(t_); ++c) sum_mask(c, c + 1, map(c));
    }
    for (const IntegerBank::Block& some : group_.integers.blocks) {
      int row = 0;
      while (row < block_.rows && sum_in_place(some, row, std::min(at_.rows_in_l1, block_.rows - row), sink)) {
        row += at_.rows_in_l1;
      }
      for (; row < block_.rows; row += at_.panel_rows) {
        sum_in_panel(some, row, std::min(at_.panel_rows, block_.rows - row), image_offsets, sink);
      }
    }
  }

 private:
  [[nodiscard]] std::int32_t* offsets() const noexcept { return reinterpret_cast<std::int32_t*>(scratch_); }
  [[nodiscard]] std::int32_t* map(std::int64_t index) const noexcept {
    return reinterpret_cast<std::int32_t*>(scratch_ + at_.maps) + index * block_.rows * at_.columns;
  }
  [[nodiscard]] std::int32_t* panel() const noexcept { return reinterpret_cast<std::int32_t*>(scratch_ + at_.panel); }
  [[nodiscard]] int group_bytes() const noexcept { return at_.form.taps() * at_.form.element_bytes(); }

  // Sums of all columns of rows [row, row + rows), over all taps; `weights` and `bias` as of sum_dots().
  [[nodiscard]] DotsCall call(const unsigned char* weights, const std::int32_t* bias, int row, int rows,
                              std::int32_t* sums) const noexcept {
    return {scratch_ + at_.windows + row * at_.window_pitch * group_bytes(),
            static_cast<std::ptrdiff_t>(at_.window_pitch),
            offsets(),
            static_cast<int>(t_.channels) * at_.groups.of_channel,
            weights,
            bias,
            rows,
            static_cast<int>(at_.columns),
            sums,
            static_cast<std::ptrdiff_t>(at_.columns),
            static_cast<std::ptrdiff_t>(rows * at_.columns)};
  }
  [[nodiscard]] DotsCall call(const IntegerBank::Block& some, int row, int rows, std::int32_t* sums) const noexcept {
    const IntegerBank& bank = group_.integers;
    return call(bank.weights.data() + some.weights, bank.bias.data() + some.first, row, rows, sums);
  }

  // Integer scores right where the sink wants them. False: it does not, or the block is narrower than a tile.
  bool sum_in_place(const IntegerBank::Block& some, int row, int rows, ScoreSink& sink) const noexcept {
    const int tile = dots_columns(*t_.target), whole = block_.columns / tile * tile;
    const ScoreSink::Place to = sink.place(some.first, some.row->kernels, block_.y + row, block_.x);
    if (to.data == nullptr || whole == 0 || !is_integer(t_.method)) return false;
    auto* const sums = static_cast<std::int32_t*>(to.data);
    DotsCall made = call(some, row, rows, sums);
    made.sum_row_stride = to.row_stride, made.sum_kernel_stride = to.kernel_stride;
    made.columns = whole;
    sum_dots(*some.row, made);
    if (whole < block_.columns) {  // the last tile is moved left, over the one before
      const int x = block_.columns - tile;
      made.windows = static_cast<const char*>(made.windows) + x * group_bytes();
      made.sums += x;
      made.columns = tile;
      sum_dots(*some.row, made);
    }
    for (int k = 0; k < some.row->kernels; ++k) {
      for (int i = 0; i < rows; ++i) {
        finish_row(some.first + k, row + i, sink.takes_integers(), sums + k * to.kernel_stride + i * to.row_stride);
      }
    }
    return true;
  }

  void sum_in_panel(const IntegerBank::Block& some, int row, int rows, const double* image_offsets,
                    ScoreSink& sink) const noexcept {
    const DotsCall made = call(some, row, rows, panel());
    sum_dots(*some.row, made);
    for (int k = 0; k < some.row->kernels; ++k) {
      std::int32_t* sums = made.sums + k * made.sum_kernel_stride;
      if (sink.takes_integers()) {
        for (int i = 0; i < rows; ++i) finish_row(some.first + k, row + i, true, sums + i * at_.columns);
      } else {
        finish(some.first + k, row, rows, image_offsets, sink.sign(), sums);
      }
    }
    const Tile tile{static_cast<std::int32_t>(block_.y + row), static_cast<std::int32_t>(block_.x), 0, 0};
    const Panel finished{reinterpret_cast<float*>(made.sums),
                         0,
                         at_.columns,
                         rows,
                         block_.columns,
                         some.row->kernels,
                         made.sum_kernel_stride};
    if (is_integer(t_.method)) {
      sink.take_scores(some.first, finished, tile);
    } else {
      sink.take(some.first, finished, &tile, 1);
    }
  }

  // Expands the block's pixels; there are zeros where rows end.
  void fill(Part part) noexcept {
    auto* line = reinterpret_cast<std::uint8_t*>(scratch_ + at_.line);
    const std::int64_t width = block_.columns + t_.width - 1, count = at_.window_pitch;
    std::fill(line + width, line + count + at_.form.taps(), std::uint8_t{0});
    char* to = scratch_ + at_.windows;
    for (std::int64_t row = 0; row < t_.channels * at_.pixel_rows; ++row) {
      const auto* from = static_cast<const std::uint8_t*>(source_.data) +
                         row / at_.pixel_rows * source_.channel_stride +
                         (block_.y + row % at_.pixel_rows) * source_.row_stride + block_.x;
      if (part == Part::pixel) {
        std::copy(from, from + width, line);
      } else {
        for (std::int64_t x = 0; x < width; ++x) line[x] = part_of(from[x], part);
      }
      const int offset = at_.form.offset();
      switch (at_.form.taps()) {
        case 4: expand<std::int8_t, 4>(line, count, offset, reinterpret_cast<std::int8_t*>(to)); break;
        case 2: expand<std::int16_t, 2>(line, count, offset, reinterpret_cast<std::int16_t*>(to)); break;
        default: expand<std::int16_t, 1>(line, count, offset, reinterpret_cast<std::int16_t*>(to));
      }
      to += count * at_.form.taps() * at_.form.element_bytes();
    }
  }

  // Sums over windows in channels [first, end), of what fill() has put there.
  void sum_mask(std::int64_t first, std::int64_t end, std::int32_t* sums) const noexcept {
    double weights = 0;
    for (std::int64_t c = first; c < end; ++c) weights += group_.mask_sums[static_cast<std::size_t>(c)];
    const auto bias = static_cast<std::int32_t>(weights * at_.form.offset());
    const std::ptrdiff_t of_channel = std::ptrdiff_t{at_.groups.of_channel} * group_bytes();
    DotsCall made = call(group_.integers.mask_weights.data() + first * of_channel, &bias, 0, block_.rows, sums);
    made.offsets += first * at_.groups.of_channel;
    made.groups = static_cast<int>(end - first) * at_.groups.of_channel;
    sum_dots(at_.form.single(), made);
  }

  // map 0 = sum M I^2
  void sum_energies() noexcept {
    std::int32_t *energy = map(0), *low = map(1);
    fill(Part::high_of_square);
    sum_mask(0, t_.channels, energy);
    fill(Part::low_of_square);
    sum_mask(0, t_.channels, low);
    const std::int64_t count = block_.rows * at_.columns;
    for (std::int64_t i = 0; i < count; ++i) energy[i] = 256 * energy[i] + low[i];
  }

  // Sums of template k to scores, if those are integers, else to what the algorithms would make in f32 (integer_bank.h).
  void finish(std::int64_t k, int row, int rows, const double* image_offsets, double sign,
              std::int32_t* sums) const noexcept {
    const auto at = static_cast<std::size_t>(k), channels = static_cast<std::size_t>(t_.channels);
    const IntegerBank& bank = group_.integers;
    DotsToFloats made{sums, rows, static_cast<int>(at_.columns), 1, 0, map(0) + row * at_.columns, 0, nullptr, 0};
    made.map_stride = static_cast<std::ptrdiff_t>(block_.rows * at_.columns);
    double factors[most_maps] = {};
    made.factors = factors;
    made.map_count = static_cast<int>(map_count(t_));
    if (is_integer(t_.method)) {
      if (t_.method == Method::sqdiff) made.scale = -2, made.add = bank.energies[at], factors[0] = 1;
      made.scale *= sign, made.add *= sign, factors[0] *= sign;
      return make_floats(*t_.target, made);
    }
    const double* sum = bank.sums.data() + at * channels;
    double all = 0, mask = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      const double own = group_.mask_sums[c];
      all += sum[c], mask += own;
      if (t_.method == Method::ccorr_normed) made.add -= image_offsets[c] * sum[c];
      if (t_.method == Method::sqdiff_normed) {
        factors[c] = -t_.offsets[c];
        made.add += t_.offsets[c] * (t_.offsets[c] * own - sum[c]);
      }
      if (is_centred(t_.method) && t_.method != Method::zncc) factors[c] = own != 0 ? -sum[c] / own : 0;
    }
    if (t_.method == Method::zncc) factors[0] = mask != 0 ? -all / mask : 0;
    make_floats(*t_.target, made);
  }

  // A row of sums of template k to scores, in place, of i32 or f32.
  void finish_row(std::int64_t k, int row, bool integers, std::int32_t* sums) const noexcept {
    const int columns = block_.columns;
    if (t_.method == Method::sqdiff) {
      // What is between may not fit, what comes of it does.
      const auto add = static_cast<std::uint32_t>(group_.integers.energies[static_cast<std::size_t>(k)]);
      const std::int32_t* energy = map(0) + row * at_.columns;
      for (int x = 0; x < columns; ++x) {
        const auto sum = static_cast<std::uint32_t>(sums[x]), all = static_cast<std::uint32_t>(energy[x]) + add;
        sums[x] = static_cast<std::int32_t>(all - 2 * sum);
      }
    }
    for (int x = 0; x < columns && !integers; ++x) {
      const auto score = static_cast<float>(sums[x]);
      std::memcpy(sums + x, &score, sizeof score);
    }
  }

  const PackedTemplates& t_;
  const TemplateGroup& group_;
  const Source& source_;
  const WindowBlock& block_;
  const Layout at_;
  char* const scratch_;
};

}  // namespace

bool has_integers(const PackedTemplates& t) noexcept {
  return !t.groups.front().integers.form.empty() && map_count(t) <= most_maps;
}

IntegerBlocks integer_blocks(const PackedTemplates& t, std::int64_t height, std::int64_t width) noexcept {
  const std::int64_t tile = dots_columns(*t.target);
  const std::int64_t most = std::max(tile, block_columns / std::max<std::int64_t>(1, t.channels / 4) / tile * tile);
  const auto columns = static_cast<int>(std::min(width, most));
  const Layout one(t, 1, columns);
  const std::int64_t by_windows =
      window_bytes / (t.channels * one.window_pitch * one.form.taps() * one.form.element_bytes()) - t.height + 1;
  const std::int64_t rows = std::clamp<std::int64_t>(by_windows, 4, 32);
  const auto block_rows = static_cast<int>(std::min(height, rows));
  return {block_rows, columns, Layout(t, block_rows, columns).size};
}

double integer_nanoseconds(const PackedTemplates& t, std::int64_t kernels, std::int64_t height,
                           std::int64_t width) noexcept {
  // As measured ("Zen 4", 2026-11-25): a tile of one kernel waits for loads; pairs take an addition beside the product; a
  // score that is no integer passes through f64 before it is scattered.
  constexpr double alone = 1.6, pairs = 4.0 / 3, finishing = 1.6;
  const DotsForm& form = t.groups.front().integers.form;
  const Costs& cost = costs(*t.target);
  const double dots = cost.direct.cycle_ns / 2 * (form.taps() == 2 ? pairs : 1);
  const auto vectors = static_cast<double>(height * (round_up(width, dots_columns(*t.target)) / t.target->lanes));
  const auto groups = static_cast<double>(t.channels * tap_groups(form, t).of_channel);
  const auto maps =
      static_cast<double>(is_integer(t.method) ? 2 * map_count(t) : std::min<std::int64_t>(1, map_count(t)));
  const auto templates = static_cast<double>(kernels);
  const double scores =
      is_integer(t.method) ? 0 : templates * static_cast<double>(height * width) * finishing * cost.fft.scatter;
  return vectors * groups * dots * ((kernels == 1 ? alone : templates) + alone * maps) + scores;
}

void correlate_integers(const PackedTemplates& t, const TemplateGroup& group, const Source& source,
                        const double* offsets, const WindowBlock& block, char* scratch, ScoreSink& sink) noexcept {
  BlockRun(t, group, source, block, scratch).run(offsets, sink);
}

}  // namespace corrbank::detail
