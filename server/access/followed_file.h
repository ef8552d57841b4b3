#ifndef RONDO_SERVER_ACCESS_FOLLOWED_FILE_H_
#define RONDO_SERVER_ACCESS_FOLLOWED_FILE_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// A small file that an option names, and that is read again when it changes.
//
// Threads: one at a time.
class FollowedFile {
 public:
  FollowedFile(absl::string_view flag, std::string path, size_t max_bytes);

  // "--FLAG=PATH", for messages.
  const std::string& name() const { return name_; }
  // Reads the file. The message of an error begins with its name.
  absl::StatusOr<std::string> Read();
  // Reads the file and, if that gives something else than the last time, has `load` take the text. Logs how that went:
  // the event is FLAG_taken or FLAG_refused.
  void Follow(absl::FunctionRef<absl::Status(const std::string& text)> load);

 private:
  const std::string flag_;
  const std::string name_;
  const std::string path_;
  const size_t max_bytes_;
  std::string last_;  // what the last reading gave, or why it failed
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_FOLLOWED_FILE_H_
