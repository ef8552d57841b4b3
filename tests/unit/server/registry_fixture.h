#ifndef RONDO_TESTS_UNIT_SERVER_REGISTRY_FIXTURE_H_
#define RONDO_TESTS_UNIT_SERVER_REGISTRY_FIXTURE_H_

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/model_file.h"
#include "server/registry/model_registry.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/sample_models.h"

namespace rondo {

// A repository in a temporary folder, and the log of what is done with it.
class ModelRegistryTest : public testing::Test {
 protected:
  ModelRegistryTest() { testing::internal::CaptureStderr(); }
  ~ModelRegistryTest() override {
    if (capturing_) testing::internal::GetCapturedStderr();
  }

  std::string PathOf(const std::string& model) const { return root_ / model / "model.safetensors"; }
  // `model`: "name/version".
  void Put(const std::string& model, Cell cell = Cell::kLstm) {
    std::filesystem::create_directories(root_ / model);
    const absl::Status status = WriteModelFile(WeatherModel(cell, 1), PathOf(model));
    ASSERT_TRUE(status.ok()) << status;
  }
  void PutNonsense(const std::string& model, const std::string& text = "nonsense") {
    std::filesystem::create_directories(root_ / model);
    const std::string next = PathOf(model) + ".new";
    std::ofstream(next) << text;
    std::filesystem::rename(next, PathOf(model));
  }
  void Open() {
    ModelRegistry::Options options;
    options.model_repository = root_;
    options.network.kernel = KernelKind::kReference;
    absl::StatusOr<std::unique_ptr<ModelRegistry>> opened = ModelRegistry::Open(options, &metrics_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    registry_ = *std::move(opened);
  }
  absl::StatusOr<std::unique_ptr<ModelRegistry>> OpenFiles(const std::vector<std::string>& files) {
    ModelRegistry::Options options;
    options.model_files = files;
    options.network.kernel = KernelKind::kReference;
    return ModelRegistry::Open(options, &metrics_);
  }
  std::vector<std::string> Listed() const {
    std::vector<std::string> names;
    for (const ServedModelPtr& served : registry_->List()) {
      names.push_back(absl::StrCat(served->model->name, "/", served->model->version));
    }
    return names;
  }
  std::string Log() {
    capturing_ = false;
    return testing::internal::GetCapturedStderr();
  }

  const TemporaryFolder folder_;
  const std::filesystem::path root_ = folder_.path();
  bool capturing_ = true;
  Metrics metrics_;
  std::unique_ptr<ModelRegistry> registry_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_SERVER_REGISTRY_FIXTURE_H_
