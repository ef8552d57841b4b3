#ifndef RONDO_MODEL_CONVERT_TORCH_TORCH_TENSOR_H_
#define RONDO_MODEL_CONVERT_TORCH_TORCH_TENSOR_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/archive/number_type.h"
#include "model/convert/graph/array.h"
#include "model/convert/torch/pickle.h"

namespace rondo::convert {

// A storage as a pickle names it: the numbers of one or several tensors.
struct TorchStorage {
  std::string key;
  NumberType type = NumberType::kFloat32;
};

// The bytes of a storage by its key. NOT_FOUND: there is none.
using StorageBytes = std::function<absl::StatusOr<std::string>(const std::string& key)>;

// A refusal that names the tensor. DATA_LOSS.
absl::Status RefuseTensor(absl::string_view name, absl::string_view rule);

// Reads a persistent value of a pickle. DATA_LOSS: it is none of PyTorch's storages of numbers. `name`: of the tensor.
absl::StatusOr<TorchStorage> ReadStorage(absl::string_view name, const PickleValue& value);

// Tells whether the value is a tensor, or a parameter that holds one.
bool IsTensor(const PickleValue& value);
// REQUIRES: IsTensor(value). DATA_LOSS.
absl::StatusOr<Array> ReadTensor(const StorageBytes& storages, absl::string_view name, const PickleValue& value);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_TORCH_TENSOR_H_
