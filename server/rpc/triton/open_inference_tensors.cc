#include "server/rpc/triton/open_inference_tensors.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "base/invalid.h"
#include "server/rpc/triton/infer_parameter.h"

namespace rondo {
namespace {

using InputTensor = InferRequest::InputTensor;

// A text from outside, short and printable.
std::string Quoted(absl::string_view text) {
  constexpr size_t kShown = 64;
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, kShown)), text.size() > kShown ? "..." : "", "'");
}

std::string ShapeText(const InputTensor& tensor) {
  constexpr int kShown = 8;
  const absl::Span<const int64_t> shape = tensor.shape();
  return absl::StrCat("[", absl::StrJoin(shape.subspan(0, kShown), ","), shape.size() > kShown ? ",..." : "", "]");
}

// `parameters`: entries of a map. A malformed one is no concern of ours: it names nothing that we look for.
bool Has(const google::protobuf::RepeatedPtrField<std::string>& parameters, absl::string_view key) {
  return absl::c_any_of(parameters, [key](const std::string& entry) {
    InferParameter parameter;
    return ReadParameter(entry, &parameter) && parameter.key == key;
  });
}

// One input of a request, wherever its values are.
class Input {
 public:
  // raw null: the values are in the tensor's contents.
  Input(const InputTensor& tensor, const std::string* raw) : tensor_(tensor), raw_(raw) {}

  const std::string& name() const { return tensor_.name(); }

  // The timesteps of a tensor with `width` numbers in each.
  absl::StatusOr<size_t> Timesteps(size_t width, size_t max_timesteps) const {
    absl::Span<const int64_t> shape = tensor_.shape();
    if (shape.size() == 3 && shape[0] == 1) shape.remove_prefix(1);
    const bool fits = shape.size() == 2 ? shape[1] == static_cast<int64_t>(width) : shape.size() == 1 && width == 1;
    if (fits && shape[0] >= 1 && shape[0] <= static_cast<int64_t>(max_timesteps)) return static_cast<size_t>(shape[0]);
    return Invalid("input ", Quoted(name()), " has shape ", ShapeText(tensor_), "; wanted [timesteps,", width,
                   "] with 1 to ", max_timesteps, " timesteps");
  }

  // The numbers, where they are `count` of type T. They may be unaligned.
  template <typename T>
  absl::StatusOr<const void*> Numbers(size_t count) const {
    const absl::string_view datatype = std::is_same_v<T, float> ? "FP32" : "INT64";
    if (tensor_.datatype() != datatype) {
      return Invalid("input ", Quoted(name()), " has datatype ", Quoted(tensor_.datatype()), "; wanted ", datatype);
    }
    const absl::Span<const T> contents = Contents(static_cast<const T*>(nullptr));
    const size_t size = raw_ != nullptr ? raw_->size() : contents.size() * sizeof(T);
    if (size == count * sizeof(T)) return raw_ != nullptr ? static_cast<const void*>(raw_->data()) : contents.data();
    return Invalid("input ", Quoted(name()), " has ", size, " bytes of ", datatype, "; shape ", ShapeText(tensor_),
                   " takes ", count * sizeof(T));
  }

 private:
  absl::Span<const float> Contents(const float*) const { return tensor_.contents().fp32_contents(); }
  absl::Span<const int64_t> Contents(const int64_t*) const { return tensor_.contents().int64_contents(); }

  const InputTensor& tensor_;
  const std::string* raw_;
};

// Room in `buffer` for `count` numbers.
template <typename T>
T* Take(size_t count, std::vector<T>* buffer) {
  buffer->resize(count);
  return buffer->data();
}

// `count` numbers where they are, unless that is no place for a T: then as a copy in `buffer`.
template <typename T>
absl::Span<const T> Aligned(const void* numbers, size_t count, std::vector<T>* buffer) {
  if (reinterpret_cast<uintptr_t>(numbers) % alignof(T) == 0) return {static_cast<const T*>(numbers), count};
  std::memcpy(Take(count, buffer), numbers, count * sizeof(T));
  return *buffer;
}

// The platforms we build for are little-endian, as is the protocol.
template <typename T>
T At(const void* numbers, size_t index) {
  T number;
  std::memcpy(&number, static_cast<const char*>(numbers) + index * sizeof(T), sizeof(T));
  return number;
}

// A model may name an input of its own TIMES; then the datatype tells which is meant.
bool IsTimes(const InputTensor& tensor, const ModelSpec& spec) {
  const auto named = [](const InputFeature& feature) { return feature.name == kTimesTensor; };
  return tensor.name() == kTimesTensor && (tensor.datatype() == "INT64" || absl::c_none_of(spec.inputs, named));
}

// REQUIRES: CheckContents is OK.
std::optional<Input> Find(const InferRequest& request, const ModelSpec& spec, absl::string_view name, bool times) {
  for (int i = 0; i < request.inputs_size(); ++i) {
    const InputTensor& tensor = request.inputs(i);
    if (tensor.name() != name || IsTimes(tensor, spec) != times) continue;
    return Input(tensor, request.raw_input_contents_size() == 0 ? nullptr : &request.raw_input_contents(i));
  }
  return std::nullopt;
}

absl::Status CheckContents(const InferRequest& request) {
  const int raw = request.raw_input_contents_size();
  if (raw != 0 && raw != request.inputs_size()) {
    return Invalid("the request has ", request.inputs_size(), " inputs and ", raw,
                   " raw_input_contents; wanted one an input");
  }
  for (int i = 0; i < request.inputs_size(); ++i) {
    const InputTensor& tensor = request.inputs(i);
    if (raw != 0 && tensor.has_contents()) {
      return Invalid("contents field must not be specified when using raw_input_contents for ", Quoted(tensor.name()));
    }
    if (Has(tensor.parameters(), "shared_memory_region")) {
      return Invalid("input ", Quoted(tensor.name()), " is in shared memory; this server reads tensors of requests");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOutputs(const InferRequest& request) {
  for (const auto& output : request.outputs()) {
    if (output.name() != kOutputTensor) {
      return Invalid("unexpected inference output ", Quoted(output.name()), " for model ", Quoted(request.model_name()),
                     "; it has ", kOutputTensor);
    }
    for (const absl::string_view key : {"classification", "shared_memory_region"}) {
      if (Has(output.parameters(), key)) {
        return Invalid("output ", kOutputTensor, " does not take parameter ", key);
      }
    }
  }
  if (request.outputs_size() <= 1) return absl::OkStatus();
  return Invalid("output ", kOutputTensor, " is asked for more than once");
}

absl::Status ReadWhole(const Input& input, const ModelSpec& spec, size_t max_timesteps, InferTensors* tensors) {
  const size_t width = static_cast<size_t>(spec.input_size());
  absl::StatusOr<size_t> timesteps = input.Timesteps(width, max_timesteps);
  if (!timesteps.ok()) return timesteps.status();
  const size_t count = *timesteps * width;
  absl::StatusOr<const void*> numbers = spec.tokens == 0 ? input.Numbers<float>(count) : input.Numbers<int64_t>(count);
  if (!numbers.ok()) return numbers.status();
  if (spec.tokens == 0) {
    tensors->values = Aligned(*numbers, count, &tensors->value_buffer);
    return absl::OkStatus();
  }
  float* const values = Take(count, &tensors->value_buffer);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(At<int64_t>(*numbers, i));
  tensors->values = tensors->value_buffer;
  return absl::OkStatus();
}

absl::Status ReadNamed(const InferRequest& request, const ModelSpec& spec, size_t max_timesteps,
                       InferTensors* tensors) {
  size_t timesteps = 0;
  std::vector<const void*> columns;
  for (const InputFeature& feature : spec.inputs) {
    const std::optional<Input> input = Find(request, spec, feature.name, /*times=*/false);
    if (!input) {
      return Invalid("input '", feature.name, "' is missing; wanted ", kInputTensor,
                     ", or one tensor for each named input");
    }
    absl::StatusOr<size_t> rows = input->Timesteps(1, max_timesteps);
    if (!rows.ok()) return rows.status();
    if (columns.empty()) timesteps = *rows;
    if (*rows != timesteps) {
      return Invalid("input '", feature.name, "' has ", *rows, " timesteps; input '", spec.inputs[0].name, "' has ",
                     timesteps);
    }
    absl::StatusOr<const void*> numbers = input->Numbers<float>(timesteps);
    if (!numbers.ok()) return numbers.status();
    columns.push_back(*numbers);
  }
  float* values = Take(timesteps * columns.size(), &tensors->value_buffer);
  for (size_t t = 0; t < timesteps; ++t) {
    for (const void* column : columns) *values++ = At<float>(column, t);
  }
  tensors->values = tensors->value_buffer;
  return absl::OkStatus();
}

absl::Status ReadTimes(const Input& input, size_t max_timesteps, InferTensors* tensors) {
  absl::StatusOr<size_t> timesteps = input.Timesteps(1, max_timesteps);
  if (!timesteps.ok()) return timesteps.status();
  absl::StatusOr<const void*> numbers = input.Numbers<int64_t>(*timesteps);
  if (!numbers.ok()) return numbers.status();
  tensors->times = Aligned(*numbers, *timesteps, &tensors->time_buffer);
  return absl::OkStatus();
}

// Every name once, and only those that are read.
absl::Status CheckNames(const InferRequest& request, const ModelSpec& spec, bool named) {
  const int tensors = static_cast<int>(named ? spec.inputs.size() : 1);
  const auto is_times = [&spec](const InputTensor& tensor) { return IsTimes(tensor, spec); };
  const int times = static_cast<int>(absl::c_count_if(request.inputs(), is_times));
  if (request.inputs_size() - times == tensors && times <= 1) return absl::OkStatus();
  return Invalid("the request has ", request.inputs_size() - times, " inputs and ", times, " ", kTimesTensor,
                 "; wanted ", kInputTensor, " or ", spec.inputs.size(), " named inputs, each once, and ", kTimesTensor,
                 " once at most");
}

}  // namespace

size_t CountNumbers(const InferRequest& request) {
  size_t numbers = 0;
  for (int i = 0; i < request.inputs_size(); ++i) {
    const InputTensor& tensor = request.inputs(i);
    if (tensor.name() == kTimesTensor) continue;
    const size_t bytes = tensor.datatype() == "INT64" ? sizeof(int64_t) : sizeof(float);
    if (i < request.raw_input_contents_size()) numbers += request.raw_input_contents(i).size() / bytes;
    numbers += static_cast<size_t>(tensor.contents().fp32_contents_size() + tensor.contents().int64_contents_size());
  }
  return numbers;
}

absl::Status ReadTensors(const InferRequest& request, const Model& model, size_t max_timesteps, InferTensors* tensors) {
  tensors->values = {};
  tensors->times = {};
  const ModelSpec& spec = model.spec();
  const auto is_whole = [](const InputTensor& tensor) { return tensor.name() == kInputTensor; };
  const bool named = spec.tokens == 0 && absl::c_none_of(request.inputs(), is_whole);
  absl::Status status = CheckContents(request);
  if (status.ok()) status = CheckOutputs(request);
  if (!status.ok()) return status;
  const std::optional<Input> whole = Find(request, spec, kInputTensor, /*times=*/false);
  if (!named && !whole) return Invalid("input ", kInputTensor, " is missing");
  status = named ? ReadNamed(request, spec, max_timesteps, tensors) : ReadWhole(*whole, spec, max_timesteps, tensors);
  if (status.ok()) status = CheckNames(request, spec, named);
  if (!status.ok()) return status;
  const std::optional<Input> times = Find(request, spec, kTimesTensor, /*times=*/true);
  return times ? ReadTimes(*times, max_timesteps, tensors) : absl::OkStatus();
}

float* AllocateOutput(size_t count, InferResponse* response) {
  if (response->outputs().empty()) {
    auto* const output = response->add_outputs();
    output->set_name(kOutputTensor.data(), kOutputTensor.size());
    output->set_datatype("FP32");
    // More than a string holds within itself, where floats may not be aligned.
    response->add_raw_output_contents()->reserve(64);
  }
  std::string* const raw = response->mutable_raw_output_contents(0);
  raw->resize(count * sizeof(float));
  return reinterpret_cast<float*>(&(*raw)[0]);
}

void ShapeOutput(const InferRequest& request, size_t timesteps, InferResponse* response) {
  auto* const output = response->mutable_outputs(0);
  output->clear_shape();
  if (request.inputs(0).shape_size() == 3) output->add_shape(1);
  output->add_shape(static_cast<int64_t>(timesteps));
  const size_t floats = response->raw_output_contents(0).size() / sizeof(float);
  output->add_shape(static_cast<int64_t>(floats / timesteps));
}

}  // namespace rondo
