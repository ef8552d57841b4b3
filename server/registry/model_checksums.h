#ifndef RONDO_SERVER_REGISTRY_MODEL_CHECKSUMS_H_
#define RONDO_SERVER_REGISTRY_MODEL_CHECKSUMS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/memory_file.h"

namespace rondo {

// A model's file and its NAME.json, in memory.
struct CheckedModel {
  std::unique_ptr<MemoryFile> model;
  std::unique_ptr<MemoryFile> description;  // null: there is none
};

// What the bytes of model files must be: the lines of a file as sha256sum writes it, "HEX  PATH" or "HEX *PATH", where
// a relative path begins at that file's folder.
//
// Threads: const methods on any.
class ModelChecksums {
 public:
  // INVALID_ARGUMENT: a line is none of sha256sum's; the message says which. Other codes: the file cannot be read.
  static absl::StatusOr<ModelChecksums> Read(const std::string& path);

  // Copies of the model's file, and of the NAME.json beside it if there is one, which have the sums that are listed:
  // who writes the model folder does not reach them. FAILED_PRECONDITION: one has another sum, or none is listed for
  // it. Other codes: a file cannot be read.
  absl::StatusOr<CheckedModel> Copy(const std::string& model_path) const;

 private:
  absl::StatusOr<std::unique_ptr<MemoryFile>> CopyFile(const std::string& path) const;

  std::string name_;                         // of the list, for messages
  std::map<std::string, std::string> sums_;  // by the path of each file, absolute: the sum in lower-case hex
};

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_MODEL_CHECKSUMS_H_
