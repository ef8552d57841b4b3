#include "model/train/output_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/annotate.h"
#include "base/files.h"

namespace rondo::train {

absl::Status CheckAbsent(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, error))) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat("--output=", path, " exists; name a new folder, or remove that one"));
}

OutputFolder::OutputFolder(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, "")) {}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
}

absl::StatusOr<OutputFolder> OutputFolder::Create(const std::string& path) {
  if (absl::Status status = CheckAbsent(path); !status.ok()) return status;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("making the folder ", parent.string()));
  // A leading dot: a server that looks for versions in the folder passes it by.
  std::string temporary =
      (parent / absl::StrCat(".", std::filesystem::path(path).filename().string(), ".XXXXXX")).string();
  if (mkdtemp(temporary.data()) == nullptr) return absl::ErrnoToStatus(errno, "making a folder beside --output");
  std::filesystem::permissions(temporary, std::filesystem::perms(0755), error);
  return OutputFolder(path, std::move(temporary));
}

std::string OutputFolder::File(const std::string& name) const { return absl::StrCat(temporary_, "/", name); }

absl::Status OutputFolder::Commit() {
  if (renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return CheckAbsent(path_);
    return absl::ErrnoToStatus(errno, absl::StrCat("renaming the folder to ", path_));
  }
  temporary_.clear();
  return SyncFolderOf(path_);
}

absl::Status WriteOutput(const std::string& path, const ModelFile& model,
                         const std::vector<std::pair<std::string, std::string>>& texts) {
  auto folder = OutputFolder::Create(path);
  if (!folder.ok()) return folder.status();
  absl::Status status = WriteModelFile(model, folder->File("model.safetensors"));
  for (const auto& [name, text] : texts) {
    if (status.ok()) status = WriteFileAtomically(folder->File(name), {text});
  }
  return status.ok() ? folder->Commit() : Annotate(status, path);
}

}  // namespace rondo::train
