#ifndef RONDO_SERVER_REGISTRY_MODEL_SOURCE_H_
#define RONDO_SERVER_REGISTRY_MODEL_SOURCE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// A model file on disk, and the name and version it is to be served under.
struct ModelSource {
  std::string name;
  int64_t version = 0;
  std::string path;
};

// INVALID_ARGUMENT unless `name` is 1..64 of A-Z a-z 0-9 _ . - and does not begin with a dot.
absl::Status ValidateModelName(absl::string_view name);

// A positive integer without sign or leading zeros; 0: it is none.
int64_t ParseModelVersion(absl::string_view text);

// .../NAME/VERSION/model.safetensors, else the file's stem and version 1. INVALID_ARGUMENT: that is no valid name.
absl::StatusOr<ModelSource> ModelSourceOfFile(const std::string& path);

struct RepositoryScan {
  std::vector<ModelSource> sources;     // by name, then version
  std::vector<std::string> unreadable;  // names whose folder could not be read: nothing is known of their versions
  std::vector<std::string> problems;    // folders and files that should be models but are not, and why
};

// Looks for DIR/NAME/VERSION/model.safetensors, following symbolic links (Kubernetes mounts are made of them). Entries
// that begin with a dot and plain files are passed over, but for model files that lie where models should be.
// NOT_FOUND, PERMISSION_DENIED ...: DIR cannot be read.
absl::StatusOr<RepositoryScan> ScanRepository(const std::string& directory);

// Tells a file, and the NAME.json beside it, from another one put in its place; links are followed.
class FileStamp {
 public:
  // NOT_FOUND: no such file. Other codes as the system's error.
  static absl::StatusOr<FileStamp> Of(const std::string& model_path);

  bool operator==(const FileStamp& other) const { return fields_ == other.fields_; }
  bool operator!=(const FileStamp& other) const { return !(*this == other); }

 private:
  std::array<int64_t, 10> fields_{};  // of each file: device, inode, size, mtime in seconds and nanoseconds
};

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_MODEL_SOURCE_H_
