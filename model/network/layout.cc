#include "model/network/layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/network/stateless.h"

namespace rondo {
namespace {

enum class Axis { kChannels, kLength };
enum class PadMode { kZero, kReflect, kEdge };

const ObjectReader::Choices<Axis>& AxisChoices() {
  static const auto& choices =
      *new ObjectReader::Choices<Axis>{{"channels", Axis::kChannels}, {"length", Axis::kLength}};
  return choices;
}
const ObjectReader::Choices<PadMode>& PadChoices() {
  static const auto& choices = *new ObjectReader::Choices<PadMode>{
      {"zero", PadMode::kZero}, {"reflect", PadMode::kReflect}, {"edge", PadMode::kEdge}};
  return choices;
}

// Where a number of the answer comes from.
struct Origin {
  static constexpr uint32_t kZero = static_cast<uint32_t>(-1);
  uint32_t input = 0;
  uint32_t index = 0;  // kZero: the number is 0
};

// Every element of this file is one list: the origin of each number of its answer.
class LayoutElement : public Element {
 public:
  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    struct Run {  // numbers that stay side by side
      size_t input, from, to, size;
    };
    auto runs = std::make_shared<std::vector<Run>>();
    for (size_t i = 0; i < origins_.size(); ++i) {
      if (origins_[i].index == Origin::kZero) continue;
      Run* const last = runs->empty() ? nullptr : &runs->back();
      if (last != nullptr && last->input == origins_[i].input && last->from + last->size == origins_[i].index &&
          last->to + last->size == i) {
        ++last->size;
      } else {
        runs->push_back({origins_[i].input, origins_[i].index, i, 1});
      }
    }
    return MakeStateless([runs = std::move(runs), widths = widths_, size = origins_.size()](
                             const float* const* inputs, size_t rows, float* output, float*) {
      for (size_t row = 0; row < rows; ++row) {
        float* const to = output + row * size;
        for (const Run& run : *runs) {
          const float* const from = inputs[run.input] + row * widths[run.input] + run.from;
          if (run.size < 8) {
            for (size_t i = 0; i < run.size; ++i) to[run.to + i] = from[i];
          } else {
            std::copy_n(from, run.size, to + run.to);
          }
        }
      }
    });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles*) const override {
    Doubles y;
    for (const Origin& origin : origins_) {
      y.push_back(origin.index == Origin::kZero ? 0 : inputs[origin.input][origin.index]);
    }
    return y;
  }

 protected:
  // Takes as many numbers as the answer has, if the description is sound.
  template <typename OriginOf>
  void SetOrigins(AttributeReader& reader, Frame output, OriginOf origin_of) {
    output_ = output;
    for (size_t i = 0; i < reader.num_inputs(); ++i) widths_.push_back(static_cast<size_t>(reader.input(i).size()));
    if (output.channels > AttributeReader::kMaxDimension / output.length) {
      reader.Refuse(absl::StrCat(reader.Where("of"), ": the result has ", output.channels, " x ", output.length,
                                 " numbers; it may have ", AttributeReader::kMaxDimension));
    }
    if (!reader.ok()) return;
    for (int64_t c = 0; c < output.channels; ++c) {
      for (int64_t l = 0; l < output.length; ++l) origins_.push_back(origin_of(c, l));
    }
  }

  static Origin At(size_t input, const Frame& frame, int64_t channel, int64_t place) {
    return {static_cast<uint32_t>(input), static_cast<uint32_t>(channel * frame.length + place)};
  }

 private:
  std::vector<Origin> origins_;  // [output().size()]
  std::vector<size_t> widths_;   // of each input
};

class ConcatElement : public LayoutElement {
 public:
  explicit ConcatElement(AttributeReader& reader) {
    const Axis axis = reader.Choice("axis", AxisChoices(), Axis::kChannels);
    if (reader.num_inputs() == 0) reader.TakeInputs(1);
    Frame output = reader.input(0);
    for (size_t i = 1; i < reader.num_inputs(); ++i) {
      const Frame& next = reader.input(i);
      const bool fits = axis == Axis::kChannels ? next.length == output.length : next.channels == output.channels;
      if (!fits)
        reader.Refuse(absl::StrCat(reader.Where("of"), " names values of other ",
                                   axis == Axis::kChannels ? "lengths: " : "channels: ", output.channels, " x ",
                                   output.length, " and ", next.channels, " x ", next.length));
      (axis == Axis::kChannels ? output.channels : output.length) +=
          axis == Axis::kChannels ? next.channels : next.length;
    }
    SetOrigins(reader, output, [&](int64_t channel, int64_t place) {
      int64_t& along = axis == Axis::kChannels ? channel : place;
      size_t input = 0;
      for (;; ++input) {
        const int64_t size = axis == Axis::kChannels ? reader.input(input).channels : reader.input(input).length;
        if (along < size) break;
        along -= size;
      }
      return At(input, reader.input(input), channel, place);
    });
  }
};

class SliceElement : public LayoutElement {
 public:
  explicit SliceElement(AttributeReader& reader) {
    reader.TakeInputs(1);
    const Axis axis = reader.Choice("axis", AxisChoices(), Axis::kChannels);
    const Frame& frame = reader.input();
    const int64_t size = axis == Axis::kChannels ? frame.channels : frame.length;
    const int64_t from = reader.Whole("from", {0, size - 1}, 0);
    const int64_t to = reader.Whole("to", {1, size});
    const int64_t step = reader.Whole("step", {}, 1);
    if (from >= to) reader.Refuse(absl::StrCat(reader.Where("from"), " is ", from, "; it must be below to, ", to));
    const int64_t count = std::max<int64_t>(1, (to - from + step - 1) / step);
    const bool channels = axis == Axis::kChannels;
    SetOrigins(reader, channels ? Frame{count, frame.length} : Frame{frame.channels, count},
               [&](int64_t channel, int64_t place) {
                 return channels ? At(0, frame, from + channel * step, place)
                                 : At(0, frame, channel, from + place * step);
               });
  }
};

class ReshapeElement : public LayoutElement {
 public:
  explicit ReshapeElement(AttributeReader& reader) {
    reader.TakeInputs(1);
    const Frame output{reader.Whole("channels", {}), reader.Whole("length", {}, 1)};
    const int64_t size = reader.input().size();
    if (reader.ok() && (output.channels > size || output.channels * output.length != size)) {
      reader.Refuse(absl::StrCat(reader.Where("channels"), " x length is ", output.channels, " x ", output.length,
                                 "; the value has ", size, " numbers"));
    }
    SetOrigins(reader, output, [&](int64_t channel, int64_t place) { return At(0, output, channel, place); });
  }
};

class TransposeElement : public LayoutElement {
 public:
  explicit TransposeElement(AttributeReader& reader) {
    reader.TakeInputs(1);
    const Frame& frame = reader.input();
    SetOrigins(reader, {frame.length, frame.channels},
               [&](int64_t channel, int64_t place) { return At(0, frame, place, channel); });
  }
};

class PadElement : public LayoutElement {
 public:
  explicit PadElement(AttributeReader& reader) {
    reader.TakeInputs(1);
    const Frame& frame = reader.input();
    const int64_t left = reader.Whole("left", {0, AttributeReader::kMaxDimension}, 0);
    const int64_t right = reader.Whole("right", {0, AttributeReader::kMaxDimension}, 0);
    const PadMode mode = reader.Choice("mode", PadChoices(), PadMode::kZero);
    if (mode == PadMode::kReflect && std::max(left, right) >= frame.length) {
      reader.Refuse(absl::StrCat(reader.Where("left"), " is ", left, " and right ", right,
                                 "; a reflection takes less than the length, ", frame.length));
    }
    SetOrigins(reader, {frame.channels, left + frame.length + right}, [&](int64_t channel, int64_t place) {
      int64_t from = place - left;
      const bool outside = from < 0 || from >= frame.length;
      if (outside && mode == PadMode::kZero) return Origin{0, Origin::kZero};
      if (outside && mode == PadMode::kEdge) from = std::clamp<int64_t>(from, 0, frame.length - 1);
      if (outside && mode == PadMode::kReflect) from = from < 0 ? -from : 2 * (frame.length - 1) - from;
      return At(0, frame, channel, from);
    });
  }
};

}  // namespace

std::unique_ptr<Element> ReadConcat(AttributeReader& reader) { return std::make_unique<ConcatElement>(reader); }
std::unique_ptr<Element> ReadSlice(AttributeReader& reader) { return std::make_unique<SliceElement>(reader); }
std::unique_ptr<Element> ReadReshape(AttributeReader& reader) { return std::make_unique<ReshapeElement>(reader); }
std::unique_ptr<Element> ReadTranspose(AttributeReader& reader) { return std::make_unique<TransposeElement>(reader); }
std::unique_ptr<Element> ReadPad(AttributeReader& reader) { return std::make_unique<PadElement>(reader); }

}  // namespace rondo
