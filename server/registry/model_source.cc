#include "server/registry/model_source.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/invalid.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 64;
constexpr char kModelFileName[] = "model.safetensors";

// The names of the folders in `folder`, sorted, without those that begin with a dot. What cannot be looked at counts as
// a folder, so that reading it fails and says why.
absl::StatusOr<std::vector<std::string>> Folders(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code unknown;
    std::string name = entry->path().filename().string();
    const bool folder_or_unknown =
        entry->is_directory(unknown) || (unknown && unknown != std::errc::no_such_file_or_directory);
    if (name[0] != '.' && folder_or_unknown) names.push_back(std::move(name));
  }
  if (error) return absl::ErrnoToStatus(error.value(), "reading the folder");
  absl::c_sort(names);
  return names;
}

// Returns the name of a model file that lies in `folder` itself, where none is looked for; empty: there is none.
std::string MisplacedFile(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() == ".safetensors" && path.filename().string()[0] != '.') names.push_back(path.filename());
  }
  return names.empty() ? "" : *absl::c_min_element(names);
}

// Appends the versions of one model; a folder that is none becomes a problem.
void ScanModel(const fs::path& folder, const std::string& name, RepositoryScan* scan) {
  const auto problem = [&](const std::string& where, absl::string_view what) {
    scan->problems.push_back(absl::StrCat(where, ": ", what));
  };
  if (const absl::Status status = ValidateModelName(name); !status.ok()) return problem(name, status.message());
  const absl::StatusOr<std::vector<std::string>> versions = Folders(folder);
  if (!versions.ok()) {
    scan->unreadable.push_back(name);
    return problem(name, versions.status().message());
  }
  if (const std::string file = versions->empty() ? MisplacedFile(folder) : ""; !file.empty()) {
    problem(absl::StrCat(name, "/", file), "lies in no folder of a version; wanted NAME/VERSION/model.safetensors");
  }
  for (const std::string& version : *versions) {
    const std::string where = absl::StrCat(name, "/", version);
    const int64_t number = ParseModelVersion(version);
    const fs::path path = folder / version / kModelFileName;
    std::error_code error;  // a file that is there but cannot be looked at fails when it is loaded
    if (number == 0) {
      problem(where, "a version is a positive integer without leading zeros");
    } else if (!fs::exists(path, error) && !error) {
      problem(where, absl::StrCat("holds no ", kModelFileName));
    } else {
      scan->sources.push_back({name, number, path.string()});
    }
  }
}

// Writes five numbers.
absl::Status StampFile(const std::string& path, int64_t* fields) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return absl::ErrnoToStatus(errno, "looking at the file");
  fields[0] = static_cast<int64_t>(file.st_dev);
  fields[1] = static_cast<int64_t>(file.st_ino);
  fields[2] = file.st_size;
  fields[3] = file.st_mtim.tv_sec;
  fields[4] = file.st_mtim.tv_nsec;
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateModelName(absl::string_view name) {
  const bool valid =
      !name.empty() && name.size() <= kMaxNameBytes && name[0] != '.' &&
      absl::c_all_of(name, [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-'; });
  if (valid) return absl::OkStatus();
  return Invalid("\"", absl::CHexEscape(name.substr(0, kMaxNameBytes + 1)), "\" is no model name; wanted 1 to ",
                 kMaxNameBytes, " of A-Z a-z 0-9 _ . - with no dot first");
}

int64_t ParseModelVersion(absl::string_view text) {
  int64_t version = 0;
  const bool plain = !text.empty() && text[0] != '0' && absl::c_all_of(text, absl::ascii_isdigit);
  return plain && absl::SimpleAtoi(text, &version) ? version : 0;
}

absl::StatusOr<ModelSource> ModelSourceOfFile(const std::string& path) {
  const fs::path file(path);
  const fs::path folder = file.parent_path();
  ModelSource source{folder.parent_path().filename().string(), ParseModelVersion(folder.filename().string()), path};
  if (file.filename() == kModelFileName && source.version > 0 && ValidateModelName(source.name).ok()) return source;
  source.name = file.stem().string();
  source.version = 1;
  if (const absl::Status status = ValidateModelName(source.name); !status.ok()) return status;
  return source;
}

absl::StatusOr<RepositoryScan> ScanRepository(const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = Folders(directory);
  if (!names.ok()) return names.status();
  RepositoryScan scan;
  for (const std::string& name : *names) ScanModel(fs::path(directory) / name, name, &scan);
  if (const std::string file = scan.sources.empty() ? MisplacedFile(directory) : ""; !file.empty()) {
    scan.problems.push_back(absl::StrCat(
        file, ": lies in the repository itself; wanted NAME/VERSION/model.safetensors, or --model=FILE for one file"));
  }
  absl::c_sort(scan.sources, [](const ModelSource& a, const ModelSource& b) {
    return std::tie(a.name, a.version) < std::tie(b.name, b.version);
  });
  return scan;
}

absl::StatusOr<FileStamp> FileStamp::Of(const std::string& model_path) {
  FileStamp stamp;
  if (const absl::Status status = StampFile(model_path, stamp.fields_.data()); !status.ok()) return status;
  const std::string sidecar = absl::StrCat(absl::StripSuffix(model_path, ".safetensors"), ".json");
  StampFile(sidecar, stamp.fields_.data() + 5).IgnoreError();  // most models have none
  return stamp;
}

}  // namespace rondo
