// Elements that look at other timesteps, but for cells and convolutions, as nodes of ONNX.

#include <cstdint>

#include "model/convert/export/element_export.h"

namespace rondo::convert {
namespace {

// The last values as a convolution whose kernels are the rows of the identity.
std::string ExportLagWindow(ElementExport& e) {
  const int64_t length = e.frame().size();
  const bool minus_newest = e.attributes().value("minus_newest", false);
  Array identity = Filled({length, 1, length}, 0);
  for (int64_t i = 0; i < length; ++i) identity.values[i * length + i] = 1;
  if (minus_newest && e.one_timestep()) e.Refuse("begins with its first value, in a network with a memory");
  const std::string padded =
      minus_newest ? e.Padded(e.AlongTime(e.In()), length - 1, 0, "edge") : e.AlongTime(e.WithPast(e.In(), length - 1));
  const std::string window = e.BackFromTime(e.Add("Conv", {padded, e.Floats(identity)}));
  return minus_newest ? e.Add("Sub", {window, e.In()}) : window;
}

std::string ExportDelay(ElementExport& e) {
  const int64_t steps = e.attributes().value("steps", int64_t{1});
  return e.Add("Slice", {e.WithPast(e.In(), steps), e.Wholes({0}), e.Wholes({-steps}), e.Wholes({0})});
}

// The writer of the graph says what it is at the next call, once that is there.
std::string ExportMemory(ElementExport& e) { return e.State("", {1, e.frame().size(), 1}); }

std::string ExportSequence(ElementExport& e) {
  const OnnxAttributes over_time = {{"axes", Sizes{0}}, {"keepdims", int64_t{1}}};
  std::string one;
  if (e.type() == "sequence_first") {
    one = e.Add("Slice", {e.In(), e.Wholes({0}), e.Wholes({1}), e.Wholes({0})});
  } else if (e.type() == "sequence_last") {
    one = e.Add("Slice", {e.In(), e.Wholes({-1}), e.Wholes({INT64_MAX}), e.Wholes({0})});
  } else {
    one = e.Add(e.type() == "sequence_mean" ? "ReduceMean" : "ReduceMax", {e.In()}, over_time);
  }
  return e.ForEachTimestep(one, e.frame());
}

std::string Cast(ElementExport& e, const std::string& value, int64_t type) {
  return e.Add("Cast", {value}, {{"to", type}});
}

// The mean and the mean square of all timesteps so far by running sums, of the distance to the first timestep so that
// no digits are lost.
std::string ExportInstanceStatistics(ElementExport& e) {
  if (e.attributes().value("memory", int64_t{1} << 24) != int64_t{1} << 24) {
    e.Refuse("has a memory of its own");
    return e.In();
  }
  if (e.one_timestep()) e.Refuse("stands in a network with a memory");
  const std::string x = Cast(e, e.Column(e.In()), kDouble), axis = e.Add("Squeeze", {e.Wholes({0})});
  const std::string first = e.Add("Slice", {x, e.Wholes({0}), e.Wholes({1}), e.Wholes({0})});
  const std::string one = e.ForEachTimestep(e.Doubles({{1, 1, 1}, {1}}), {1, 1});
  const std::string count = e.Add("CumSum", {one, axis});
  const auto mean_of = [&](const std::string& value) { return e.Add("Div", {e.Add("CumSum", {value, axis}), count}); };
  const std::string off = e.Add("Sub", {x, first}), mean = mean_of(off);
  const std::string variance = e.Add("Sub", {mean_of(e.Add("Mul", {off, off})), e.Add("Mul", {mean, mean})});
  const std::string epsilon = e.Doubles({{}, {e.attributes().value("epsilon", 1e-5)}});
  const std::string positive = e.Add("Max", {variance, e.Doubles({{}, {0}})});
  const std::string deviation = e.Add("Sqrt", {e.Add("Add", {positive, epsilon})});
  return Cast(e, e.Add("Concat", {e.Add("Add", {mean, first}), deviation}, {{"axis", int64_t{1}}}), kFloat);
}

// (x - mean) / deviation, and back, with the statistics for every so many numbers of x.
std::string ExportInstanceScale(ElementExport& e) {
  const int64_t width = e.InFrame(1).size() / 2;
  const auto part = [&](int64_t from) {
    return e.Add("Slice",
                 {e.Framed(e.In(1), {1, 2 * width}), e.Wholes({from}), e.Wholes({from + width}), e.Wholes({2})});
  };
  const std::string mean = part(0), deviation = part(width);
  std::string value = e.Add("Reshape", {e.In(), e.Wholes({0, -1, width})});
  if (e.type() == "instance_scale") {
    value = e.Add("Div", {e.Add("Sub", {value, mean}), deviation});
  } else {
    value = e.Add("Add", {e.Add("Mul", {value, deviation}), mean});
  }
  return e.Framed(value, e.frame());
}

}  // namespace

const ElementExporters& SequenceExporters() {
  static const auto& exporters = *new ElementExporters{
      {"delay", ExportDelay},
      {"instance_scale", ExportInstanceScale},
      {"instance_statistics", ExportInstanceStatistics},
      {"instance_unscale", ExportInstanceScale},
      {"lag_window", ExportLagWindow},
      {"memory", ExportMemory},
      {"sequence_first", ExportSequence},
      {"sequence_last", ExportSequence},
      {"sequence_max", ExportSequence},
      {"sequence_mean", ExportSequence},
  };
  return exporters;
}

}  // namespace rondo::convert
