// Einsum of data with a constant: a dense layer, whatever axes it sums over.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

constexpr int64_t kMaxWeights = int64_t{1} << 20;

// "btgi,gih->btgh" taken apart: the axes of the data, of the constant and of what comes out, a letter each.
struct Equation {
  std::string data, constant, out;
};

// Nullopt: it is no equation of two operands with letters that come once in each.
std::optional<Equation> ReadEquation(std::string text, bool constant_first) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const size_t comma = text.find(','), arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow) return std::nullopt;
  Equation equation{text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1), text.substr(arrow + 2)};
  for (std::string axes : {equation.data, equation.constant, equation.out}) {
    std::sort(axes.begin(), axes.end());
    const bool letters = std::all_of(axes.begin(), axes.end(),
                                     [](char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); });
    if (!letters || std::adjacent_find(axes.begin(), axes.end()) != axes.end()) return std::nullopt;
  }
  if (constant_first) std::swap(equation.data, equation.constant);
  return equation;
}

bool Has(const std::string& axes, char letter) { return axes.find(letter) != std::string::npos; }

// The letters of the axes that are of the frame, in the order of `axes`.
std::string Chosen(const std::string& axes, const std::string& from) {
  std::string chosen;
  for (const char letter : axes) {
    if (Has(from, letter)) chosen.push_back(letter);
  }
  return chosen;
}

class EinsumOperator {
 public:
  explicit EinsumOperator(OperatorCall& call) : call_(call) {}

  void Run() {
    const Traced &first = call_.Needed(0), &second = call_.Needed(1);
    const std::string text = call_.Text("equation", "");
    if (!call_.ok()) return;
    const bool constant_first = first.constant();
    data_ = constant_first ? &second : &first;
    constant_ = constant_first ? &first : &second;
    const auto equation = ReadEquation(text, constant_first);
    const bool one = call_.input_count() == 2 && data_->constant() != constant_->constant();
    if (!equation.has_value() || !one || !TakeSizes(*equation))
      return call_.Refuse(absl::StrCat("is '", text.substr(0, 40), "'; a sum over data and a constant is supported"));
    equation_ = *equation;
    Sum();
  }

 private:
  bool TakeSizes(const Equation& equation) {
    const auto take = [&](const std::string& axes, const Sizes& shape) {
      bool fits = axes.size() == shape.size();
      for (size_t i = 0; fits && i < axes.size(); ++i)
        fits = sizes_.emplace(axes[i], shape[i]).first->second == shape[i];
      return fits;
    };
    const auto known = [&](char letter) { return Has(equation.data, letter) || Has(equation.out, letter); };
    return take(equation.data, data_->shape) && take(equation.constant, constant_->shape) &&
           std::all_of(equation.out.begin(), equation.out.end(), [&](char c) { return sizes_.count(c) > 0; }) &&
           std::all_of(equation.constant.begin(), equation.constant.end(), known);
  }

  void Sum() {
    Sizes forced;
    for (size_t i = 0; i < equation_.data.size(); ++i) {
      const char letter = equation_.data[i];
      if (Has(equation_.constant, letter) || !Has(equation_.out, letter)) forced.push_back(static_cast<int64_t>(i));
    }
    const auto roles = call_.tracer().Roles(call_.named(), *data_, forced);
    if (!roles.has_value()) return;
    std::string of_frame;
    for (const int64_t axis : roles->frame_axes) of_frame.push_back(equation_.data[axis]);
    const std::string out = Chosen(equation_.out, of_frame + equation_.constant);
    const int64_t units = SizeOfAxes(out), width = SizeOfAxes(of_frame);
    if (units < 1 || width < 1 || units > kMaxWeights / width)
      return call_.Refuse(absl::StrCat("makes ", units, " numbers of ", width, "; it would be a matrix of too many"));
    const Value value = call_.tracer().FrameOf(call_.named(), *data_, *roles);
    const Value product = AddDense(call_.graph(), call_.element_name(), value, Weights(out, of_frame), {});
    AxisRoles given = *roles;
    given.frame_axes.clear();
    given.time_axis = -1;
    Sizes shape;
    for (size_t i = 0; i < equation_.out.size(); ++i) {
      const char letter = equation_.out[i];
      shape.push_back(sizes_.at(letter));
      if (Has(out, letter)) given.frame_axes.push_back(static_cast<int64_t>(i));
      if (roles->time_axis >= 0 && letter == equation_.data[roles->time_axis])
        given.time_axis = static_cast<int64_t>(i);
    }
    call_.GiveValue(product, shape, given);
  }

  int64_t SizeOfAxes(const std::string& axes) const {
    Sizes sizes;
    for (const char letter : axes) sizes.push_back(sizes_.at(letter));
    return SizeOf(sizes).value_or(kMaxWeights + 1);
  }

  // [out][in]: the constant's number where the axes that both have agree, else 0.
  Array Weights(const std::string& out, const std::string& in) const {
    const int64_t units = SizeOfAxes(out), width = SizeOfAxes(in);
    Array weights = Filled({units, width}, 0);
    for (int64_t i = 0; i < weights.size(); ++i) {
      std::map<char, int64_t> places;
      if (!Place(out, i / width, &places) || !Place(in, i % width, &places)) continue;
      int64_t at = 0;
      for (const char letter : equation_.constant) at = at * sizes_.at(letter) + places.at(letter);
      weights.values[i] = constant_->constants[at];
    }
    return weights;
  }

  // Takes the place along each axis. False: an axis has another place already.
  bool Place(const std::string& axes, int64_t flat, std::map<char, int64_t>* places) const {
    for (size_t i = axes.size(); i-- > 0;) {
      const int64_t size = sizes_.at(axes[i]), place = flat % size;
      flat /= size;
      if (places->emplace(axes[i], place).first->second != place) return false;
    }
    return true;
  }

  OperatorCall& call_;
  const Traced *data_ = nullptr, *constant_ = nullptr;
  Equation equation_;
  std::map<char, int64_t> sizes_;
};

void RunEinsum(OperatorCall& call) { EinsumOperator(call).Run(); }

}  // namespace

const Operators& EinsumOperators() {
  static const auto& operators = *new Operators{{"Einsum", RunEinsum}};
  return operators;
}

}  // namespace rondo::convert
