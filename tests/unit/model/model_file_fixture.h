#ifndef RONDO_TESTS_UNIT_MODEL_MODEL_FILE_FIXTURE_H_
#define RONDO_TESTS_UNIT_MODEL_MODEL_FILE_FIXTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "model/model_file.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/raw_safetensors.h"
#include "tests/unit/model/sample_models.h"

namespace rondo {

constexpr char kSpec[] = R"({"format":1,"cell":"lstm","inputs":[{"name":"a"},{"name":"b"}],"outputs":[{"name":"y"}]})";
constexpr char kTokenSpec[] =
    R"({"format":1,"cell":"lstm","inputs":{"tokens":5},"outputs":[{"name":"y"}],"head":"softmax"})";

// The content of __metadata__ that describes a model as `spec`, a JSON text.
std::string Metadata(const std::string& spec);

// An lstm of hidden_size 3 on `features`, one layer, one output value.
std::vector<RawTensor> LstmTensors(const std::string& prefix = "rnn.", int64_t features = 2);

// A file in a folder of the test's own.
class ModelFileFixture : public ::testing::Test {
 protected:
  // Writes a file of them and reads it. `spec` empty: without a description.
  absl::StatusOr<ModelFile> Read(const std::vector<RawTensor>& tensors, const std::string& spec = kSpec);

  TemporaryFolder folder_;
  std::string path_ = folder_.Path("m.safetensors");
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_MODEL_MODEL_FILE_FIXTURE_H_
