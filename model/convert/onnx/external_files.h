#ifndef RONDO_MODEL_CONVERT_ONNX_EXTERNAL_FILES_H_
#define RONDO_MODEL_CONVERT_ONNX_EXTERNAL_FILES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/files.h"
#include "model/convert/archive/number_type.h"

namespace rondo::convert {

// TensorProto.external_data: texts by key, of which location, offset and length are read
// (https://github.com/onnx/onnx/blob/main/docs/ExternalData.md). They borrow the ONNX file's bytes.
using ExternalPlace = std::map<absl::string_view, absl::string_view>;

// Reads values that an ONNX file keeps in other files, which must lie in its folder or below. The ONNX file is hostile:
// nothing outside the folder is opened, no symbolic link is followed, and all tensors together have at most
// kMaxArrayValues values.
//
// Threads: one. Errors: a message says what is wrong with the place, after the name of the file.
class ExternalFiles {
 public:
  // `folder` is that of the ONNX file; empty: the working folder.
  explicit ExternalFiles(std::string folder) : folder_(std::move(folder)) {}

  // Reads the bytes of `count` numbers. INVALID_ARGUMENT: the location is not inside the folder, or no regular file.
  // NOT_FOUND: there is no such file. DATA_LOSS: offset or length are no numbers, or not those of the tensor or the
  // file. RESOURCE_EXHAUSTED: the tensors have too many values. REQUIRES: count is that of an array.
  absl::StatusOr<std::string> Read(const ExternalPlace& place, NumberType type, int64_t count);

 private:
  absl::Status Open(absl::string_view location);
  absl::StatusOr<std::string> ReadOpened(const ExternalPlace& place, uint64_t wanted) const;

  const std::string folder_;
  std::string location_;              // of file_
  std::optional<ReadableFile> file_;  // the last one: tensors of one file mostly come one after another
  int64_t values_ = 0;                // of all tensors so far
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_EXTERNAL_FILES_H_
