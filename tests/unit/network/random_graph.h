#ifndef RONDO_TESTS_UNIT_NETWORK_RANDOM_GRAPH_H_
#define RONDO_TESTS_UNIT_NETWORK_RANDOM_GRAPH_H_

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/network/element.h"
#include "tests/unit/network/graph_model.h"

namespace rondo {

// Descriptions of random graphs, each of which is sound.
class RandomGraph {
 public:
  explicit RandomGraph(uint32_t seed) : random_(seed) {}

  // Of 1 to 12 elements, all of one time order or, with `whole_sequence`, of any.
  std::string Text(bool whole_sequence = false) {
    values_ = {{"input", {1 + Below(6), 1}}};
    elements_.clear();
    has_sequences_ = whole_sequence;
    const int64_t inputs = values_[0].frame.channels, count = 1 + Below(12);
    while (static_cast<int64_t>(values_.size()) <= count) AddElement(whole_sequence);
    return GraphText(absl::StrCat(R"({"size":)", inputs, "}"), elements_, values_.back().name);
  }

 private:
  struct Value {
    std::string name;
    Frame frame;
  };

  int64_t Below(int64_t bound) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(bound)); }
  template <typename T>
  T OneOf(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(Below(static_cast<int64_t>(choices.size())))];
  }

  // One of the newest half, so that graphs get deep.
  const Value& AnyValue() {
    const auto size = static_cast<int64_t>(values_.size());
    return values_[static_cast<size_t>(size - 1 - Below((size + 1) / 2))];
  }

  void Add(const std::string& of, const std::string& rest, Frame frame) {
    const std::string name = absl::StrCat("e", values_.size());
    absl::StrAppend(&elements_, elements_.empty() ? "" : ",", R"({"name":")", name, R"(","of":)", of, ",", rest, "}");
    values_.push_back({name, frame});
  }

  std::string Function() {
    return OneOf<std::string>({"linear", "relu", "tanh", "sigmoid", "hard_sigmoid", "leaky_relu", "softsign", "swish"});
  }

  void AddElement(bool whole_sequence) {
    const Value from = AnyValue();
    const std::string of = absl::StrCat("\"", from.name, "\"");
    switch (Below(whole_sequence ? 7 : 5)) {
      case 0:
        return AddCell(of, from.frame, whole_sequence);
      case 1:
        return AddProduct(of, from.frame);
      case 2:
        return AddLayout(of, from.frame);
      case 3:
        return AddArithmetic(of, from);
      case 4:
        return AddPast(of, from.frame);
      case 5:
        return Add(of, absl::StrCat(R"("type":"causal_conv1d","units":3,"kernel":4,"ahead":)", 1 + Below(3)), {3, 1});
      default:
        return Add(of,
                   absl::StrCat(
                       R"("type":")",
                       OneOf<std::string>({"sequence_mean", "sequence_max", "sequence_last", "sequence_first"}), "\""),
                   from.frame);
    }
  }

  void AddCell(const std::string& of, const Frame& frame, bool whole_sequence) {
    const int64_t units = 1 + Below(20);
    std::string rest = absl::StrCat(R"("units":)", units);
    const std::string type = OneOf<std::string>({"lstm", "gru", "rnn"});
    if (type == "gru") {
      absl::StrAppend(&rest, R"(,"reset":")", OneOf<std::string>({"before", "after"}), R"(","update":")",
                      OneOf<std::string>({"keep", "replace"}), "\"");
    }
    if (type == "lstm" && Below(2) == 0) rest += R"(,"peepholes":true)";
    if (type != "rnn" && Below(2) == 0) rest += R"(,"gate_activation":"hard_sigmoid")";
    if (Below(3) == 0) rest += R"(,"initial_state":"given")";
    if (frame.length > 1 && frame.length < 50) {
      const std::string where =
          OneOf<std::string>({R"("position_cell")", R"("frame_cell")", R"("frame_cell","direction":"reverse")"});
      return Add(of, absl::StrCat(R"("type":)", where, R"(,"cell":")", type, R"(",)", rest), {units, frame.length});
    }
    if (whole_sequence && Below(2) == 0) rest += R"(,"direction":"reverse")";
    Add(of, absl::StrCat(R"("type":")", type, R"(",)", rest), {units, 1});
  }

  void AddProduct(const std::string& of, const Frame& frame) {
    const int64_t units = 1 + Below(20), kernel = 1 + Below(frame.length);
    if (Below(2) == 0) {
      return Add(of, absl::StrCat(R"("type":"dense","units":)", units, R"(,"activation":")", Function(), "\""),
                 {units, 1});
    }
    const int64_t stride = 1 + Below(2), left = Below(kernel);
    Add(of,
        absl::StrCat(R"("type":"conv1d","channels":)", units, R"(,"kernel":)", kernel, R"(,"stride":)", stride,
                     R"(,"padding":[)", left, R"(,0],"activation":")", Function(), "\""),
        {units, (left + frame.length - kernel) / stride + 1});
  }

  void AddLayout(const std::string& of, const Frame& frame) {
    switch (Below(5)) {
      case 0:
        return Add(of, R"("type":"transpose")", {frame.length, frame.channels});
      case 1:
        return Add(of, absl::StrCat(R"("type":"reshape","channels":1,"length":)", frame.size()), {1, frame.size()});
      case 2:
        return Add(of, R"("type":"pad","left":1,"right":2,"mode":"edge")", {frame.channels, frame.length + 3});
      case 3: {
        const int64_t to = 1 + Below(frame.channels);
        return Add(of, absl::StrCat(R"("type":"slice","to":)", to), {to, frame.length});
      }
      default: {
        const std::string type = OneOf<std::string>({"max_pool", "average_pool"});
        const int64_t kernel = 1 + Below(frame.length);
        return Add(of, absl::StrCat(R"("type":")", type, R"(","kernel":)", kernel),
                   {frame.channels, (frame.length - kernel) / kernel + 1});
      }
    }
  }

  void AddArithmetic(const std::string& of, const Value& from) {
    const Value other = AnyValue();
    const std::string both = absl::StrCat("[", of, ",\"", other.name, "\"]");
    if (Below(2) == 0 && other.frame.length == from.frame.length) {
      return Add(both, R"("type":"concat")", {from.frame.channels + other.frame.channels, from.frame.length});
    }
    if (other.frame == from.frame || other.frame.size() == 1 || other.frame.size() == from.frame.channels) {
      return Add(both, absl::StrCat(R"("type":")", OneOf<std::string>({"add", "subtract"}), "\""), from.frame);
    }
    if (Below(2) == 0) return Add(of, R"("type":"layer_norm","epsilon":0.1)", from.frame);
    Add(of, absl::StrCat(R"("type":"activation","function":")", Function(), "\""), from.frame);
  }

  // Of an earlier element; that of a later one is tested with the elements.
  void AddMemory(const std::string& next, const Frame& frame) {
    const std::string name = absl::StrCat("e", values_.size());
    absl::StrAppend(&elements_, R"(,{"name":")", name, R"(","type":"memory","units":)", frame.size(), R"(,"next":)",
                    next, "}");
    values_.push_back({name, {frame.size(), 1}});
  }

  void AddPast(const std::string& of, const Frame& frame) {
    if (frame.size() == 1) return Add(of, R"("type":"lag_window","length":4,"minus_newest":true)", {4, 1});
    if (Below(2) == 0) return Add(of, absl::StrCat(R"("type":"delay","steps":)", 1 + Below(3)), frame);
    if (of != "\"input\"" && !has_sequences_ && Below(2) == 0) return AddMemory(of, frame);
    Add(of, absl::StrCat(R"("type":"causal_conv1d","units":3,"kernel":)", 1 + Below(3), R"(,"dilation":2)"), {3, 1});
  }

  std::mt19937 random_;
  std::vector<Value> values_;
  std::string elements_;
  bool has_sequences_ = false;
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_NETWORK_RANDOM_GRAPH_H_
