#include "tests/unit/model/model_file_fixture.h"

#include "absl/strings/str_replace.h"

namespace rondo {

std::string Metadata(const std::string& spec) {
  return "{\"rondo\":\"" + absl::StrReplaceAll(spec, {{"\"", "\\\""}}) + "\"}";
}

std::vector<RawTensor> LstmTensors(const std::string& prefix, int64_t features) {
  return {Floats(prefix + "weight_ih_l0", {12, features}),
          Floats(prefix + "weight_hh_l0", {12, 3}),
          Floats(prefix + "bias_ih_l0", {12}),
          Floats(prefix + "bias_hh_l0", {12}),
          Floats("head.weight", {1, 3}),
          Floats("head.bias", {1})};
}

absl::StatusOr<ModelFile> ModelFileFixture::Read(const std::vector<RawTensor>& tensors, const std::string& spec) {
  WriteBytes(path_, RawFile(spec.empty() ? "" : Metadata(spec), tensors));
  return ReadModelFile(path_);
}

}  // namespace rondo
