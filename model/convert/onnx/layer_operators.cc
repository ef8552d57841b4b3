// Operators with weights, and those that look at several numbers of a frame: each becomes one element.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

std::string Part(OperatorCall& call, absl::string_view part) { return absl::StrCat(call.element_name(), "_", part); }

// A product over the last axis of the data; `weight` is [units, in]. Another axis of the frame, if there is one, is
// what a convolution of one value goes along.
void Product(OperatorCall& call, const Traced& in, Array weight, Array bias) {
  const int64_t last = in.rank() - 1;
  const auto roles = last < 0 ? std::nullopt : call.tracer().Roles(call.named(), in, {last});
  if (!roles.has_value()) return call.Refuse("multiplies what has no axis to multiply over");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const int64_t width = in.shape[last], units = weight.shape[0];
  Sizes shape = in.shape;
  shape[last] = units;
  if (!call.ok()) return;
  if (value.frame.size() == width) {
    AxisRoles out = *roles;
    out.frame_axes = {last};
    return call.GiveValue(AddDense(call.graph(), call.element_name(), value, std::move(weight), std::move(bias)), shape,
                          out);
  }
  const Value rows = AddReshape(call.graph(), Part(call, "rows"), value, {value.frame.size() / width, width});
  const Value turned = AddTranspose(call.graph(), Part(call, "turned"), rows);
  weight.shape = {units, width, 1};
  const Value product =
      AddConv(call.graph(), call.element_name(), turned, std::move(weight), std::move(bias), Window{});
  call.GiveValue(AddTranspose(call.graph(), Part(call, "back"), product), shape, *roles);
}

// Drops axes of size 1 in front, which a product does not notice.
std::optional<Array> Matrix(OperatorCall& call, size_t input) {
  const Traced& weight = call.Needed(input);
  if (!call.ok()) return std::nullopt;
  if (!weight.constant()) {
    call.Refuse("multiplies data with data, as attention does; products with constants are supported");
    return std::nullopt;
  }
  Array matrix = ToArray(weight);
  while (matrix.rank() > 2 && matrix.shape[0] == 1) matrix.shape.erase(matrix.shape.begin());
  if (matrix.rank() == 2 && !matrix.empty()) return matrix;
  call.Refuse(absl::StrCat("multiplies with a tensor of ", ShapeText(matrix.shape), "; a matrix is supported"));
  return std::nullopt;
}

void RunMatMul(OperatorCall& call) {
  const Traced &a = call.Needed(0), &b = call.Needed(1);
  if (!call.ok()) return;
  if (a.constant() && b.constant()) return call.Refuse("multiplies two constants; fold them first (onnxsim)");
  if (!a.constant()) {
    const auto matrix = Matrix(call, 1);
    if (!matrix.has_value()) return;
    if (a.rank() == 0 || a.shape.back() != matrix->shape[0]) {
      return call.Refuse(absl::StrCat("multiplies ", ShapeText(a.shape), " with ", ShapeText(matrix->shape)));
    }
    return Product(call, a, Transposed(*matrix), {});
  }
  // A constant from the left: the data's axis before the last is multiplied over.
  const auto matrix = Matrix(call, 0);
  if (!matrix.has_value()) return;
  if (b.rank() < 2 || b.shape[b.rank() - 2] != matrix->shape[1])
    return call.Refuse("multiplies tensors that do not fit");
  const auto roles = call.tracer().Roles(call.named(), b, {b.rank() - 2, b.rank() - 1});
  if (!roles.has_value()) return;
  Sizes shape = b.shape;
  shape[b.rank() - 2] = matrix->shape[0];
  const Value value = call.tracer().FrameOf(call.named(), b, *roles);
  const Value frame =
      AddReshape(call.graph(), Part(call, "frame"), value, {b.shape[b.rank() - 2], b.shape[b.rank() - 1]});
  Array weight = *matrix;
  weight.shape.push_back(1);
  call.GiveValue(AddConv(call.graph(), call.element_name(), frame, std::move(weight), {}, Window{}), shape, *roles);
}

void RunGemm(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto matrix = Matrix(call, 1);
  auto bias = call.ConstantInput(2, "bias");
  if (!call.ok() || !matrix.has_value()) return;
  if (call.Whole("transA", 0) != 0) return call.Refuse("has transA=1; 0 is supported");
  if (in.constant()) return call.Refuse("multiplies two constants");
  Array weight = call.Whole("transB", 0) != 0 ? *matrix : Transposed(*matrix);
  const double alpha = call.Number("alpha", 1), beta = call.Number("beta", 1);
  for (double& value : weight.values) value *= alpha;
  for (double& value : bias->values) value *= beta;
  const int64_t units = weight.shape[0];
  if (bias->size() == 1) *bias = Filled({units}, bias->values[0]);
  if (!bias->empty() && bias->size() != units)
    return call.Refuse(absl::StrCat("has a bias of ", ShapeText(bias->shape)));
  if (!bias->empty()) bias->shape = {units};
  if (in.rank() != 2 || in.shape[1] != weight.shape[1]) return call.Refuse("multiplies tensors that do not fit");
  Product(call, in, std::move(weight), *std::move(bias));
}

// The weights of a product of whole numbers, whose scales follow as multiplications.
void RunMatMulInteger(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  auto matrix = Matrix(call, 1);
  const auto zero_in = call.ConstantInput(2, "zero point"), zero = call.ConstantInput(3, "zero point");
  if (!call.ok() || !matrix.has_value()) return;
  if (!zero_in->empty() && (zero_in->size() != 1 || zero_in->values[0] != 0))
    return call.Refuse("has a zero point for the data");
  if (in.constant() || in.rank() == 0 || in.shape.back() != matrix->shape[0])
    return call.Refuse("multiplies tensors that do not fit");
  const int64_t columns = matrix->shape[1];
  if (zero->size() > 1 && zero->size() != columns) return call.Refuse("has zero points of another shape");
  for (int64_t i = 0; i < matrix->size() && !zero->empty(); ++i) {
    matrix->values[i] -= zero->size() == 1 ? zero->values[0] : zero->values[i % columns];
  }
  Product(call, in, Transposed(*matrix), {});
}

// kernel_shape, strides, dilations, pads and auto_pad along the one axis that is used. Nullopt after a refusal.
std::optional<Window> ReadWindow(OperatorCall& call, int64_t kernel, int64_t length) {
  Window window;
  window.kernel = kernel;
  const auto one = [&](const char* name, int64_t otherwise) {
    const Sizes values = call.Wholes(name).value_or(Sizes{});
    if (values.size() > 1) call.Refuse(absl::StrCat("has ", values.size(), " ", name, "; one dimension is supported"));
    return values.empty() ? otherwise : values[0];
  };
  window.stride = one("strides", 1);
  window.dilation = one("dilations", 1);
  window.groups = call.Whole("group", 1);
  const Sizes pads = call.Wholes("pads").value_or(Sizes{0, 0});
  const std::string automatic = call.Text("auto_pad", "NOTSET");
  if (pads.size() != 2 || window.stride < 1 || window.kernel < 1 || window.dilation < 1) {
    call.Refuse("has no window along one dimension");
    return std::nullopt;
  }
  window.left = pads[0];
  window.right = pads[1];
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const int64_t out = (length + window.stride - 1) / window.stride;
    const int64_t total = std::max<int64_t>(0, (out - 1) * window.stride + (kernel - 1) * window.dilation + 1 - length);
    window.left = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.right = total - window.left;
  } else if (automatic != "NOTSET" && automatic != "VALID") {
    call.Refuse(absl::StrCat("has auto_pad=", automatic));
  }
  if (!call.ok()) return std::nullopt;
  return window;
}

// A convolution along the timesteps.
void ConvAlongTime(OperatorCall& call, const Traced& in, AxisRoles roles, Array weight, Array bias, Window window) {
  const int64_t span = (window.kernel - 1) * window.dilation + 1;
  const int64_t left = window.left + roles.pad_before, right = window.right + roles.pad_after;
  const int64_t steps = roles.times + left + right - span + 1;
  if (window.stride != 1)
    return call.Refuse(absl::StrCat("strides by ", window.stride, " over timesteps; 1 is supported"));
  if (steps < 1 || left >= span) {
    return call.Refuse(
        absl::StrCat("goes ", span, " timesteps back over a sequence of ", roles.times, " with ", left, " before it"));
  }
  // Without padding the first answer is there when the window is full; else the padding says how far it looks ahead.
  const bool unpadded = left == 0 && right == 0;
  const int64_t ahead = unpadded ? 0 : span - 1 - left;
  roles.first_time += unpadded ? span - 1 : 0;
  roles.frame_axes = {1};
  Traced start = in;
  const Value value = call.tracer().FrameOf(call.named(), start, [&] {
    AxisRoles one = roles;
    one.first_time -= unpadded ? span - 1 : 0;
    return one;
  }());
  Sizes shape = {in.shape[0], weight.shape[0], steps};
  const Value out =
      AddCausalConv(call.graph(), call.element_name(), value, std::move(weight), std::move(bias), window, ahead);
  roles.times = steps;
  call.GiveValue(out, shape, roles);
}

void RunConv(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  auto weight = call.ConstantInput(1, "weights");
  auto bias = call.ConstantInput(2, "bias");
  if (!call.ok()) return;
  if (in.constant() || in.rank() != 3 || weight->rank() != 3) {
    return call.Refuse(absl::StrCat("is a convolution of ", ShapeText(in.shape), " by ", ShapeText(weight->shape),
                                    "; [batch, channels, length] by [out, in, kernel] is supported"));
  }
  const Sizes kernel = call.Wholes("kernel_shape").value_or(Sizes{weight->shape[2]});
  if (kernel != Sizes{weight->shape[2]}) return call.Refuse("has another kernel_shape than its weights");
  const auto window = ReadWindow(call, weight->shape[2], in.shape[2]);
  const auto probe = call.tracer().Roles(call.named(), in, {1}, true);
  if (!window.has_value() || !probe.has_value()) return;
  if (probe->time_axis == 2) return ConvAlongTime(call, in, *probe, *std::move(weight), *std::move(bias), *window);
  const auto roles = call.tracer().Roles(call.named(), in, {1, 2});
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const Value frame = AddReshape(call.graph(), Part(call, "frame"), value, {in.shape[1], in.shape[2]});
  const Value out = AddConv(call.graph(), call.element_name(), frame, *std::move(weight), *std::move(bias), *window);
  Sizes shape = in.shape;
  shape[1] = out.frame.channels;
  shape[2] = out.frame.length;
  call.GiveValue(out, shape, *roles);
}

void Pool(OperatorCall& call, absl::string_view type) {
  const Traced& in = call.Needed(0);
  const Sizes kernel = call.Wholes("kernel_shape").value_or(Sizes{});
  if (!call.ok()) return;
  if (in.constant() || in.rank() != 3 || kernel.size() != 1)
    return call.Refuse("pools another shape than [batch, channels, length]");
  if (call.Whole("ceil_mode", 0) != 0) return call.Refuse("has ceil_mode=1; 0 is supported");
  const auto window = ReadWindow(call, kernel[0], in.shape[2]);
  const auto roles = call.tracer().Roles(call.named(), in, {1, 2});
  if (!window.has_value() || !roles.has_value()) return;
  if (window->dilation != 1) return call.Refuse("has dilations; none are supported");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const Value frame = AddReshape(call.graph(), Part(call, "frame"), value, {in.shape[1], in.shape[2]});
  const Value out =
      AddPool(call.graph(), call.element_name(), type, frame, *window, call.Whole("count_include_pad", 0) != 0);
  Sizes shape = in.shape;
  shape[2] = out.frame.length;
  call.GiveValue(out, shape, *roles);
}
void RunMaxPool(OperatorCall& call) { Pool(call, "max_pool"); }
void RunAveragePool(OperatorCall& call) { Pool(call, "average_pool"); }

// The mean, sum or largest over axes: over one timestep's numbers, or over all timesteps.
void Reduce(OperatorCall& call, const std::string& type, Sizes axes, bool keep) {
  const Traced& in = call.Needed(0);
  if (in.constant()) return call.Refuse("reduces a constant");
  for (int64_t& axis : axes) axis = call.Axis(axis, in.rank());
  if (axes.empty()) {
    for (int64_t i = 0; i < in.rank(); ++i) axes.push_back(i);
  }
  if (!call.ok()) return;
  const auto reduced = [&](int64_t axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
  Sizes shape = in.shape;
  for (const int64_t axis : axes) shape[axis] = 1;
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  AxisRoles out = *roles;
  Value value = call.tracer().FrameOf(call.named(), in, *roles);
  if (roles->time_axis >= 0 && reduced(roles->time_axis)) {
    if (type == "sum") return call.Refuse("sums over the timesteps; their mean and largest are supported");
    if (roles->first_time != 0 || roles->times != call.tracer().timesteps())
      return call.Refuse("reduces a part of the timesteps; all of them is supported");
    value = AddSequence(call.graph(), call.element_name(), absl::StrCat("sequence_", type), value);
    out.time_axis = -1;
    out.first_time = call.tracer().timesteps() - 1;
  }
  int64_t length = 1, kept_after = 0;
  for (const int64_t axis : roles->frame_axes) {
    if (reduced(axis)) {
      length *= in.shape[axis];
      kept_after = 0;
    } else {
      kept_after = in.shape[axis] > 1 ? 1 : kept_after;
    }
  }
  if (length > 1) {
    if (kept_after != 0) {  // [reduced][kept]: turned first
      const Value rows = AddReshape(call.graph(), Part(call, "rows"), value, {length, value.frame.size() / length});
      value = AddTranspose(call.graph(), Part(call, "turned"), rows);
    }
    const Value frame = AddReshape(call.graph(), Part(call, "frame"), value, {value.frame.size() / length, length});
    value = AddReduction(call.graph(), call.element_name(), type, frame);
  }
  out.frame_axes.clear();
  for (const int64_t axis : roles->frame_axes) {
    if (!reduced(axis)) out.frame_axes.push_back(axis);
  }
  call.GiveValue(value, shape, out);
  if (keep || !call.ok()) return;
  Sizes dropped;
  for (int64_t axis = 0; axis < in.rank(); ++axis) {
    if (!reduced(axis)) dropped.push_back(shape[axis]);
  }
  call.outputs().back().shape = dropped;
}

void ReduceBy(OperatorCall& call, const std::string& type) {
  const auto axes = call.WholesOf("axes", 1);
  if (call.Whole("noop_with_empty_axes", 0) != 0 && axes.value_or(Sizes{}).empty()) return call.Give(call.Needed(0));
  if (call.ok()) Reduce(call, type, axes.value_or(Sizes{}), call.Whole("keepdims", 1) != 0);
}
void RunReduceMean(OperatorCall& call) { ReduceBy(call, "mean"); }
void RunReduceSum(OperatorCall& call) { ReduceBy(call, "sum"); }
void RunReduceMax(OperatorCall& call) { ReduceBy(call, "max"); }
void RunGlobalAveragePool(OperatorCall& call) { Reduce(call, "mean", {-1}, true); }
void RunGlobalMaxPool(OperatorCall& call) { Reduce(call, "max", {-1}, true); }

void RunBatchNormalization(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto weight = call.ConstantInput(1, "scale"), bias = call.ConstantInput(2, "bias"),
             mean = call.ConstantInput(3, "mean"), variance = call.ConstantInput(4, "variance");
  if (!call.ok()) return;
  if (in.constant() || in.rank() < 2) return call.Refuse("normalizes a tensor without channels");
  if (call.Whole("training_mode", 0) != 0) return call.Refuse("has training_mode=1; 0 is supported");
  if (call.Whole("spatial", 1) != 1) return call.Refuse("has spatial=0; 1 is supported");
  const int64_t channels = in.shape[1];
  for (const auto* each : {&weight, &bias, &mean, &variance}) {
    if ((*each)->size() != channels)
      return call.Refuse(absl::StrCat("has statistics for other than ", channels, " channels"));
  }
  const auto roles = call.tracer().Roles(call.named(), in, {1});
  if (!roles.has_value()) return;
  Array scale = Filled({channels}, 0), shift = scale;
  const double epsilon = call.Number("epsilon", 1e-5);
  for (int64_t i = 0; i < channels; ++i) {
    scale.values[i] = weight->values[i] / std::sqrt(variance->values[i] + epsilon);
    shift.values[i] = bias->values[i] - mean->values[i] * scale.values[i];
  }
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const Value frame = AddReshape(call.graph(), Part(call, "frame"), value, {channels, value.frame.size() / channels});
  call.GiveValue(AddScale(call.graph(), call.element_name(), frame, std::move(scale), std::move(shift)), in.shape,
                 *roles);
}

void RunLayerNormalization(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  auto weight = call.ConstantInput(1, "scale"), bias = call.ConstantInput(2, "bias");
  const int64_t axis = call.Axis(call.Whole("axis", -1), in.rank());
  if (!call.ok()) return;
  if (in.constant()) return call.Refuse("is of a constant");
  Sizes frame;
  for (int64_t i = axis; i < in.rank(); ++i) frame.push_back(i);
  const auto roles = call.tracer().Roles(call.named(), in, frame);
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  if (roles->frame_axes != frame)
    return call.Refuse("normalizes over a part of a timestep's numbers; over all is supported");
  weight->shape = {weight->size()};
  if (!bias->empty()) bias->shape = {bias->size()};
  call.GiveValue(AddLayerNorm(call.graph(), call.element_name(), value, *std::move(weight), *std::move(bias),
                              call.Number("epsilon", 1e-5)),
                 in.shape, *roles);
}

void RunLpNormalization(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const int64_t axis = call.Axis(call.Whole("axis", -1), in.rank());
  if (!call.ok()) return;
  if (in.constant() || call.Whole("p", 2) != 2) return call.Refuse("has p=1; 2 is supported");
  const auto roles = call.tracer().Roles(call.named(), in, {axis});
  if (!roles.has_value()) return;
  if (roles->frame_axes != Sizes{axis}) return call.Refuse("normalizes over a part of a timestep's numbers");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  call.GiveValue(AddL2Norm(call.graph(), call.element_name(), value, 1e-12), in.shape, *roles);
}

// sqrt(sum(x^2)) over axes.
void RunReduceL2(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto axes = call.WholesOf("axes", 1);
  if (!call.ok()) return;
  if (in.constant()) return call.Refuse("reduces a constant");
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  if (axes.has_value() && axes->size() != 1) return call.Refuse("reduces over several axes; over one is supported");
  if (roles->frame_axes.size() != 1 || (axes.has_value() && call.Axis((*axes)[0], in.rank()) != roles->frame_axes[0])) {
    return call.Refuse("reduces over a part of a timestep's numbers; over all is supported");
  }
  const Value square = AddActivation(call.graph(), Part(call, "square"), value, "square");
  const Value row = AddReshape(call.graph(), Part(call, "row"), square, {1, square.frame.size()});
  const Value sum = AddReduction(call.graph(), Part(call, "sum"), "sum", row);
  const Value root = AddActivation(call.graph(), call.element_name(), sum, "sqrt");
  Sizes shape = in.shape;
  shape[roles->frame_axes[0]] = 1;
  AxisRoles out = *roles;
  out.frame_axes.clear();
  if (call.Whole("keepdims", 1) == 0) {
    shape.erase(shape.begin() + roles->frame_axes[0]);
    if (out.time_axis > roles->frame_axes[0]) --out.time_axis;
  }
  call.GiveValue(root, shape, out);
}

}  // namespace

const Operators& LayerOperators() {
  static const auto& operators = *new Operators{
      {"AveragePool", RunAveragePool},
      {"BatchNormalization", RunBatchNormalization},
      {"Conv", RunConv},
      {"Gemm", RunGemm},
      {"GlobalAveragePool", RunGlobalAveragePool},
      {"GlobalMaxPool", RunGlobalMaxPool},
      {"LayerNormalization", RunLayerNormalization},
      {"LpNormalization", RunLpNormalization},
      {"MatMul", RunMatMul},
      {"MatMulInteger", RunMatMulInteger},
      {"MaxPool", RunMaxPool},
      {"ReduceL2", RunReduceL2},
      {"ReduceMax", RunReduceMax},
      {"ReduceMean", RunReduceMean},
      {"ReduceSum", RunReduceSum},
  };
  return operators;
}

}  // namespace rondo::convert
