#include "server/access/followed_file.h"

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace rondo {

FollowedFile::FollowedFile(absl::string_view flag, std::string path, size_t max_bytes)
    : name_(absl::StrCat("--", flag, "=", path)), path_(std::move(path)), max_bytes_(max_bytes) {}

absl::StatusOr<std::string> FollowedFile::Read() {
  absl::StatusOr<std::string> text = ReadSmallFile(path_, max_bytes_);
  if (!text.ok()) text = absl::Status(text.status().code(), absl::StrCat(name_, ": ", text.status().message()));
  last_ = text.ok() ? *text : text.status().ToString();
  return text;
}

std::optional<absl::StatusOr<std::string>> FollowedFile::ReadIfChanged() {
  const std::string before = std::move(last_);
  absl::StatusOr<std::string> text = Read();
  if (last_ == before) return std::nullopt;
  return text;
}

}  // namespace rondo
