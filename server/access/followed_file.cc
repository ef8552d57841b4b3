#include "server/access/followed_file.h"

#include "absl/strings/str_cat.h"
#include "base/annotate.h"
#include "base/files.h"
#include "base/log.h"

namespace rondo {

FollowedFile::FollowedFile(absl::string_view flag, std::string path, size_t max_bytes)
    : flag_(flag), name_(absl::StrCat("--", flag, "=", path)), path_(std::move(path)), max_bytes_(max_bytes) {}

absl::StatusOr<std::string> FollowedFile::Read() {
  absl::StatusOr<std::string> text = ReadSmallFile(path_, max_bytes_);
  if (!text.ok()) text = Annotate(text.status(), name_);
  last_ = text.ok() ? *text : text.status().ToString();
  return text;
}

void FollowedFile::Follow(absl::FunctionRef<absl::Status(const std::string& text)> load) {
  const std::string before = std::move(last_);
  const absl::StatusOr<std::string> text = Read();
  if (last_ == before) return;
  const absl::Status loaded = text.ok() ? load(*text) : text.status();
  if (loaded.ok()) LogEvent(LogLevel::kInfo, flag_ + "_taken");
  if (!loaded.ok()) LogEvent(LogLevel::kError, flag_ + "_refused", {{"message", std::string(loaded.message())}});
}

}  // namespace rondo
