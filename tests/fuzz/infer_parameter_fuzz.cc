// Any bytes as an entry of a map<string, InferParameter>: where protobuf and our reader both read one, they read the
// same.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "inference/infer_wire.pb.h"
#include "inference/open_inference.pb.h"
#include "server/rpc/triton/infer_parameter.h"

namespace {

using rondo::InferParameter;

bool Same(const InferParameter& ours, const inference::InferParameter& protobufs) {
  switch (protobufs.parameter_choice_case()) {
    case inference::InferParameter::kBoolParam:
      return ours.type == InferParameter::Type::kBool && ours.flag() == protobufs.bool_param();
    case inference::InferParameter::kInt64Param:
      return ours.type == InferParameter::Type::kInt64 && ours.integer() == protobufs.int64_param();
    case inference::InferParameter::kStringParam:
      return ours.type == InferParameter::Type::kString && ours.text == protobufs.string_param();
    case inference::InferParameter::kDoubleParam:
      return ours.type == InferParameter::Type::kDouble;
    case inference::InferParameter::kUint64Param:
      return ours.type == InferParameter::Type::kUint64 && ours.number == protobufs.uint64_param();
    default:
      return ours.type == InferParameter::Type::kNone;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string entry(reinterpret_cast<const char*>(bytes), size);
  InferParameter ours;
  if (!rondo::ReadParameter(entry, &ours)) return 0;
  inference::wire::InferRequest request;
  request.add_parameters(entry);
  inference::ModelInferRequest parsed;
  if (!parsed.ParseFromString(request.SerializeAsString())) return 0;
  if (parsed.parameters_size() != 1) std::abort();
  const auto& [key, value] = *parsed.parameters().begin();
  if (ours.key != key || !Same(ours, value)) std::abort();
  return 0;
}
