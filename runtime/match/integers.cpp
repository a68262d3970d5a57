#include "match/integers.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include "call.h"
#include "costs.h"
#include "geometry.h"
#include "match/integer_windows.h"
#include "match/method.h"

namespace corrbank::detail {
namespace {

// Sums over windows by channel take a map each, and a pass over all scores.
constexpr std::int64_t most_maps = 4;
// Up to so many groups of taps are summed by the kernels that sum templates sooner than rows and columns are one by one (as
// measured: "Zen 4", 2026-11-25).
constexpr int few_groups = 48;
// A block's expanded pixels stay in L2; so does a panel that sinks take, at some cost each. Sums where they belong stay in L1
// until they are scores.
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
  int rows_in_l1, panel_rows;                    // of scores that are finished at once, by whom they go to
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
    size = line + std::max(bytes(window_pitch + form.taps(), 1),
                           bytes(window_memory(wanted_columns, t.width), sizeof(std::uint32_t)));
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

// How sums of a template become scores that are integers, else what the algorithms would make in f32 (integer_bank.h).
struct Finish {
  double scale = 1, add = 0, factors[most_maps] = {};
};

Finish finish_of(const PackedTemplates& t, const TemplateGroup& group, std::int64_t k,
                 const double* image_offsets) noexcept {
  const auto at = static_cast<std::size_t>(k), channels = static_cast<std::size_t>(t.channels);
  Finish made;
  if (t.method == Method::sqdiff) made.scale = -2, made.add = group.integers.energies[at], made.factors[0] = 1;
  if (is_integer(t.method)) return made;
  const double* sum = group.integers.sums.data() + at * channels;
  double all = 0, mask = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const double own = group.mask_sums[c];
    all += sum[c], mask += own;
    if (t.method == Method::ccorr_normed) made.add -= image_offsets[c] * sum[c];
    if (t.method == Method::sqdiff_normed) {
      made.factors[c] = -t.offsets[c];
      made.add += t.offsets[c] * (t.offsets[c] * own - sum[c]);
    }
    if (is_centred(t.method) && t.method != Method::zncc) made.factors[c] = own != 0 ? -sum[c] / own : 0;
  }
  if (t.method == Method::zncc) made.factors[0] = mask != 0 ? -all / mask : 0;
  return made;
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
    if (t_.method == Method::zncc) sum_pixels(0, t_.channels, map(0));
    if (t_.method != Method::sqdiff && t_.method != Method::zncc) {
      for (std::int64_t c = 0; c < map_count(t_); ++c) sum_pixels(c, c + 1, map(c));
    }
    for (const IntegerBank::Block& some : group_.integers.blocks) {
      Panel wanted = panel_of(some, 1);
      const int step = place(sink, some, 0, wanted) > 0 ? at_.rows_in_l1 : at_.panel_rows;
      for (int row = 0; row < block_.rows; row += step) {
        const int rows = std::min(step, block_.rows - row);
        if (sink.takes_integers()) {
          sum_to_integers(sink, some, row, rows);
        } else {
          sum_to_floats(sink, some, row, rows, image_offsets);
        }
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

  // Where the sink wants a panel, and how many of its columns are whole tiles; 0, and the panel as it was: nowhere.
  int place(ScoreSink& sink, const IntegerBank::Block& some, int row, Panel& panel) const noexcept {
    const Panel own = panel;
    sink.place(some.first, tile_at(row), panel);
    const int wide = dots_columns(*t_.target), whole = block_.columns / wide * wide;
    if (panel.data != own.data && whole > 0 && panel.row_stride <= INT_MAX && panel.kernel_stride <= INT_MAX) {
      return whole;
    }
    panel = own;
    return 0;
  }

  // Scores, or correlations for the sink to make scores of. Where the sink wants them they are summed, since such stores wait
  // for memory while others are computed; but for the last columns, which are no whole tile.
  void sum_to_floats(ScoreSink& sink, const IntegerBank::Block& some, int row, int rows,
                     const double* image_offsets) const noexcept {
    Panel to = panel_of(some, rows);
    const int whole = place(sink, some, row, to);
    if (whole > 0) sum_dots(*some.row, placed(call(some, row, rows, nullptr), to, whole));
    DotsCall rest = call(some, row, rows, panel());
    rest.windows = static_cast<const char*>(rest.windows) + std::ptrdiff_t{whole} * group_bytes();
    rest.columns -= whole;
    if (rest.columns > 0) sum_dots(*some.row, rest);
    for (int k = 0; k < some.row->kernels; ++k) {
      const Finish finish = finish_of(t_, group_, some.first + k, image_offsets);
      DotsToFloats made{};
      made.rows = rows;
      made.scale = finish.scale, made.add = finish.add, made.factors = finish.factors;
      made.maps = map(0) + row * at_.columns;
      made.map_row_stride = at_.columns, made.map_stride = block_.rows * at_.columns;
      made.map_count = static_cast<int>(map_count(t_));
      made.floats = to.data + k * to.kernel_stride, made.row_stride = to.row_stride;
      made.sums = sums_of(to) + k * to.kernel_stride, made.sum_row_stride = to.row_stride;
      made.columns = whole;
      if (whole > 0) make_floats(*t_.target, made);
      made.maps += whole, made.floats += whole;
      made.sums = rest.sums + k * rest.sum_kernel_stride, made.sum_row_stride = rest.sum_row_stride;
      made.columns = block_.columns - whole;
      if (made.columns > 0) make_floats(*t_.target, made);
    }
    const Tile tile = tile_at(row);
    if (!is_integer(t_.method) || whole == 0) sink.take(some.first, to, &tile, 1);
  }

  // Scores of i32.
  void sum_to_integers(ScoreSink& sink, const IntegerBank::Block& some, int row, int rows) const noexcept {
    Panel to = panel_of(some, rows);
    const int whole = place(sink, some, row, to);
    if (whole == 0) {
      sum_dots(*some.row, call(some, row, rows, panel()));
    } else {
      DotsCall made = placed(call(some, row, rows, nullptr), to, whole);
      sum_dots(*some.row, made);
      if (whole < block_.columns) {  // the last tile is moved left, over the one before
        made.columns = dots_columns(*t_.target);
        const int x = block_.columns - made.columns;
        made.windows = static_cast<const char*>(made.windows) + x * group_bytes();
        made.sums += x;
        sum_dots(*some.row, made);
      }
    }
    for (int k = 0; k < some.row->kernels; ++k) {
      Panel own = panel_of(some, rows);
      own.kernels = 1;
      if (whole == 0) sink.place(some.first + k, tile_at(row), own);
      for (int i = 0; i < rows; ++i) {
        std::int32_t* scores = sums_of(to) + k * to.kernel_stride + i * to.row_stride;
        if (t_.method == Method::sqdiff) finish_row(some.first + k, row + i, scores);
        if (whole > 0) continue;
        std::memcpy(own.data + i * own.row_stride, scores, static_cast<std::size_t>(block_.columns) * sizeof *scores);
      }
    }
  }

  // The first columns of a call, to a place of the sink's.
  [[nodiscard]] static DotsCall placed(DotsCall call, const Panel& to, int columns) noexcept {
    call.sums = sums_of(to);
    call.sum_row_stride = to.row_stride, call.sum_kernel_stride = to.kernel_stride;
    call.columns = columns;
    return call;
  }

  [[nodiscard]] Tile tile_at(int row) const noexcept {
    return {static_cast<std::int32_t>(block_.y + row), static_cast<std::int32_t>(block_.x), 0, 0};
  }
  [[nodiscard]] Panel panel_of(const IntegerBank::Block& some, int rows) const noexcept {
    Panel made{
        reinterpret_cast<float*>(panel()), 0, at_.columns, rows, block_.columns, some.row->kernels, rows * at_.columns};
    made.spreads = false;
    return made;
  }
  [[nodiscard]] static std::int32_t* sums_of(const Panel& panel) noexcept {
    return reinterpret_cast<std::int32_t*>(panel.data);
  }

  // A row of the block's pixels.
  [[nodiscard]] const std::uint8_t* pixels(std::int64_t c, std::int64_t row) const noexcept {
    return static_cast<const std::uint8_t*>(source_.data) + c * source_.channel_stride +
           (block_.y + row) * source_.row_stride + block_.x;
  }

  // Expands the block's pixels; there are zeros where rows end.
  void fill(Part part) noexcept {
    auto* line = reinterpret_cast<std::uint8_t*>(scratch_ + at_.line);
    const std::int64_t width = block_.columns + t_.width - 1, count = at_.window_pitch;
    std::fill(line + width, line + count + at_.form.taps(), std::uint8_t{0});
    char* to = scratch_ + at_.windows;
    for (std::int64_t row = 0; row < t_.channels * at_.pixel_rows; ++row) {
      const std::uint8_t* from = pixels(row / at_.pixel_rows, row % at_.pixel_rows);
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

  // Sums of windows in channels [first, end), whose pixels have been expanded.
  void sum_pixels(std::int64_t first, std::int64_t end, std::int32_t* sums) const noexcept {
    if (group_.masked() || at_.groups.of_channel <= few_groups) return sum_mask(first, end, sums);
    sum_all(first, end, false, sums);
  }

  // The same, or of squares, without a mask.
  void sum_all(std::int64_t first, std::int64_t end, bool squares, std::int32_t* sums) const noexcept {
    std::fill_n(sums, block_.rows * at_.columns, 0);
    for (std::int64_t c = first; c < end; ++c) {
      add_windows({pixels(c, 0), static_cast<std::ptrdiff_t>(source_.row_stride), static_cast<int>(t_.height),
                   static_cast<int>(t_.width), block_.rows, block_.columns},
                  squares, reinterpret_cast<std::uint32_t*>(scratch_ + at_.line), sums,
                  static_cast<std::ptrdiff_t>(at_.columns));
    }
  }

  // Of what fill() has put there, by the mask.
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
    if (!group_.masked()) return sum_all(0, t_.channels, true, energy);
    fill(Part::high_of_square);
    sum_mask(0, t_.channels, energy);
    fill(Part::low_of_square);
    sum_mask(0, t_.channels, low);
    const std::int64_t count = block_.rows * at_.columns;
    for (std::int64_t i = 0; i < count; ++i) energy[i] = 256 * energy[i] + low[i];
  }

  // A row of sums of template k to integer distances, in place.
  void finish_row(std::int64_t k, int row, std::int32_t* sums) const noexcept {
    // What is between may not fit, what comes of it does.
    const auto add = static_cast<std::uint32_t>(group_.integers.energies[static_cast<std::size_t>(k)]);
    const std::int32_t* energy = map(0) + row * at_.columns;
    const int columns = block_.columns;
    for (int x = 0; x < columns; ++x) {
      const auto sum = static_cast<std::uint32_t>(sums[x]), all = static_cast<std::uint32_t>(energy[x]) + add;
      sums[x] = static_cast<std::int32_t>(all - 2 * sum);
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
  const auto templates = static_cast<double>(kernels);
  const double scores =
      is_integer(t.method) ? 0 : templates * static_cast<double>(height * width) * finishing * cost.fft.scatter;
  return vectors * groups * dots * (kernels == 1 ? alone : templates) + scores;
}

void correlate_integers(const PackedTemplates& t, const TemplateGroup& group, const Source& source,
                        const double* offsets, const WindowBlock& block, char* scratch, ScoreSink& sink) noexcept {
  BlockRun(t, group, source, block, scratch).run(offsets, sink);
}

}  // namespace corrbank::detail
