#ifndef RONDO_CLIENT_CLI_INPUT_FILE_H_
#define RONDO_CLIENT_CLI_INPUT_FILE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// A file, or stdin for "-", that is read piece by piece until it ends or somebody presses Ctrl-C.
class InputFile {
 public:
  // INVALID_ARGUMENT: there is no such file.
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& name() const { return name_; }  // for messages

  // Waits for bytes and returns those that are there, which stay until the next call; empty: the file has ended.
  // INVALID_ARGUMENT: it cannot be read. CANCELLED: interrupted while waiting.
  absl::StatusOr<absl::string_view> Read();

 private:
  InputFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  const int fd_;
  const std::string name_;
  char piece_[1 << 16];
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_INPUT_FILE_H_
