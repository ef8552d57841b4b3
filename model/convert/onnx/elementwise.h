#ifndef RONDO_MODEL_CONVERT_ONNX_ELEMENTWISE_H_
#define RONDO_MODEL_CONVERT_ONNX_ELEMENTWISE_H_

#include "absl/strings/string_view.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {

// Applies a function to the node's first input: `fold` to constants, an activation element to the data.
void Unary(OperatorCall& call, double (*fold)(double), const Activation& function);

// Gives an activation element of a tensor that is no constant.
void GiveFunction(OperatorCall& call, const Traced& in, const Activation& function);

// Combines the node's two inputs number by number: `combine` folds constants, an arithmetic element of this type
// combines data. `type` is empty where only constants may come.
void Binary(OperatorCall& call, double (*combine)(double, double), absl::string_view type);

// True if the tensor is constant and has no other number.
bool AllAre(const Traced& tensor, double value);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_ELEMENTWISE_H_
