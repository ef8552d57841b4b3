// Products with matrices of constants: each becomes a dense element, or a convolution of one value.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// A product over the last axis of the data; `weight` is [units, in]. Another axis of the frame, if there is one, is
// what a convolution of one value goes along.
void Product(OperatorCall& call, const Traced& in, Array weight, Array bias) {
  const int64_t last = in.rank() - 1;
  auto roles = last < 0 ? std::nullopt : call.tracer().Roles(call.named(), in, {last});
  if (!roles.has_value()) return call.Refuse("multiplies what has no axis to multiply over");
  call.tracer().ChooseOrder(in, &*roles);
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
  const bool in_front = roles->frame_axes.front() == last;
  const int64_t rows = value.frame.size() / width;
  const Value frame =
      AddReshape(call.graph(), call.Part("rows"), value, in_front ? Frame{width, rows} : Frame{rows, width});
  const Value columns = in_front ? frame : AddTranspose(call.graph(), call.Part("turned"), frame);
  weight.shape = {units, width, 1};
  const Value product =
      AddConv(call.graph(), call.element_name(), columns, std::move(weight), std::move(bias), Window{});
  call.GiveValue(in_front ? product : AddTranspose(call.graph(), call.Part("back"), product), shape, *roles);
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

// The product of two constants, such as a state of zeros and the weights that it is multiplied with: [rows][units].
// `weight`: [units, in].
std::optional<Array> FoldedProduct(OperatorCall& call, const Array& in, const Array& weight) {
  constexpr int64_t kMostProducts = int64_t{1} << 26;
  const int64_t units = weight.shape[0], width = weight.shape[1];
  if (in.rank() < 1 || in.shape.back() != width) {
    call.Refuse("multiplies tensors that do not fit");
    return std::nullopt;
  }
  Sizes shape = in.shape;
  shape.back() = units;
  const int64_t rows = width == 0 ? 0 : in.size() / width;
  if (!call.CanHold(shape) || SizeOf(Sizes{rows, units, width}).value_or(kMostProducts + 1) > kMostProducts) {
    call.Refuse("multiplies constants of too many numbers; fold them first (onnxsim)");
    return std::nullopt;
  }
  Array product = Filled(shape, 0);
  for (int64_t i = 0; i < product.size(); ++i) {
    for (int64_t k = 0; k < width; ++k)
      product.values[i] += in.values[i / units * width + k] * weight.values[i % units * width + k];
  }
  return product;
}

void RunMatMul(OperatorCall& call) {
  const Traced &a = call.Needed(0), &b = call.Needed(1);
  if (!call.ok()) return;
  if (a.constant() && b.constant()) {
    const auto matrix = Matrix(call, 1);
    if (!matrix.has_value()) return;
    const auto product = FoldedProduct(call, ToArray(a), Transposed(*matrix));
    if (product.has_value()) call.Give(FromArray(*product));
    return;
  }
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
      AddReshape(call.graph(), call.Part("frame"), value, {b.shape[b.rank() - 2], b.shape[b.rank() - 1]});
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
  Array weight = call.Whole("transB", 0) != 0 ? *matrix : Transposed(*matrix);
  const double alpha = call.Number("alpha", 1), beta = call.Number("beta", 1);
  for (double& value : weight.values) value *= alpha;
  for (double& value : bias->values) value *= beta;
  const int64_t units = weight.shape[0];
  if (bias->size() == 1) *bias = Filled({units}, bias->values[0]);
  if (!bias->empty() && bias->size() != units)
    return call.Refuse(absl::StrCat("has a bias of ", ShapeText(bias->shape)));
  if (!bias->empty() && bias->rank() == 2 && bias->shape[1] != units)
    return call.Refuse(absl::StrCat("has a bias of ", ShapeText(bias->shape), ", which differs between rows"));
  if (!bias->empty()) bias->shape = {units};
  if (in.rank() != 2 || in.shape[1] != weight.shape[1]) return call.Refuse("multiplies tensors that do not fit");
  if (!in.constant()) return Product(call, in, std::move(weight), *std::move(bias));
  auto product = FoldedProduct(call, ToArray(in), weight);
  if (!product.has_value()) return;
  for (int64_t i = 0; i < product->size() && !bias->empty(); ++i) product->values[i] += bias->values[i % units];
  call.Give(FromArray(*product));
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

}  // namespace

const Operators& ProductOperators() {
  static const auto& operators = *new Operators{
      {"Gemm", RunGemm},
      {"MatMul", RunMatMul},
      {"MatMulInteger", RunMatMulInteger},
  };
  return operators;
}

}  // namespace rondo::convert
