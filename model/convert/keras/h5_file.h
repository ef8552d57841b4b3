#ifndef RONDO_MODEL_CONVERT_KERAS_H5_FILE_H_
#define RONDO_MODEL_CONVERT_KERAS_H5_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/array.h"

namespace rondo::convert {

// An HDF5 file in memory, read by Debian's libhdf5, which is known here only. Built without it, Open refuses every
// file. Move-only. Threads: one at a time.
class H5File {
 public:
  // True: the bytes begin as an HDF5 file does.
  static bool Looks(absl::string_view bytes);
  // DATA_LOSS: no HDF5 file. UNIMPLEMENTED: built without libhdf5.
  static absl::StatusOr<H5File> Open(const std::string& bytes);
  bool Has(const std::string& path) const;  // a group or a data set
  // The texts of an attribute, one or several. Empty: there is none, or it is no text.
  std::vector<std::string> Texts(const std::string& path, const std::string& attribute) const;
  // DATA_LOSS: no numbers there, or too many.
  absl::StatusOr<Array> Numbers(const std::string& path) const;

 private:
  struct Closer {
    void operator()(const int64_t* file) const;
  };

  explicit H5File(int64_t file) : file_(new int64_t(file)) {}

  std::unique_ptr<const int64_t, Closer> file_;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_KERAS_H5_FILE_H_
