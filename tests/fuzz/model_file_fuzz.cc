// Any bytes as a model file: ReadModelFile answers with a model whose spec and weights hold together, or with
// DATA_LOSS.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "model/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const int fd = memfd_create("model", MFD_CLOEXEC);
  static const std::string path = absl::StrCat("/proc/self/fd/", fd);
  if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, size, 0) != static_cast<ssize_t>(size)) std::abort();
  const absl::StatusOr<rondo::ModelFile> model = rondo::ReadModelFile(path);
  if (!model.ok()) {
    if (!absl::IsDataLoss(model.status())) std::abort();
    return 0;
  }
  if (!model->spec.Validate().ok() || !rondo::CheckWeights(model->spec, model->weights).ok()) std::abort();
  return 0;
}
