#include "server/registry/model_checksums.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/annotate.h"
#include "base/files.h"
#include "base/invalid.h"
#include "model/model.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxListBytes = 16 << 20;
constexpr size_t kHexDigits = 64;

std::string Absolute(const fs::path& path) {
  std::error_code error;
  return fs::absolute(path, error).lexically_normal().string();
}

// Returns the SHA-256 of the file's bytes, which are appended to `copy` unless that is null.
absl::StatusOr<std::string> Sum(const ReadableFile& file, MemoryFile* copy) {
  constexpr size_t kPieceBytes = 1 << 20;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (digest == nullptr || EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) != 1) {
    return absl::InternalError("OpenSSL has no SHA-256");
  }
  std::vector<char> piece(kPieceBytes);
  for (uint64_t at = 0; at < file.size(); at += piece.size()) {
    const absl::Span<char> bytes(piece.data(), std::min<uint64_t>(piece.size(), file.size() - at));
    if (absl::Status read = file.ReadAt(at, bytes); !read.ok()) return read;
    EVP_DigestUpdate(digest.get(), bytes.data(), bytes.size());
    if (copy == nullptr) continue;
    if (absl::Status kept = copy->Append({bytes.data(), bytes.size()}); !kept.ok()) return kept;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(digest.get(), sum.data(), &size);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(sum.data()), size));
}

}  // namespace

absl::StatusOr<ModelChecksums> ModelChecksums::Read(const std::string& path) {
  ModelChecksums checksums;
  checksums.name_ = absl::StrCat("--models_sha256=", path);
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxListBytes);
  if (!text.ok()) {
    return Annotate(text.status(), checksums.name_);
  }
  const fs::path folder = fs::path(path).parent_path();
  int number = 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    ++number;
    line = absl::StripSuffix(line, "\r");
    if (line.empty()) continue;
    const std::string sum = absl::AsciiStrToLower(line.substr(0, kHexDigits));
    const bool is_line = line.size() > kHexDigits + 2 && absl::c_all_of(sum, absl::ascii_isxdigit) &&
                         line[kHexDigits] == ' ' && (line[kHexDigits + 1] == ' ' || line[kHexDigits + 1] == '*');
    if (!is_line) {
      return Invalid(checksums.name_, " line ", number, ": wanted 64 hex digits, two spaces and a path, as sha256sum ",
                     "writes them");
    }
    checksums.sums_[Absolute(folder / std::string(line.substr(kHexDigits + 2)))] = sum;
  }
  return checksums;
}

absl::StatusOr<std::unique_ptr<MemoryFile>> ModelChecksums::CopyFile(const std::string& path) const {
  const std::string file = fs::path(path).filename().string();
  const auto listed = sums_.find(Absolute(path));
  if (listed == sums_.end()) {
    return absl::FailedPreconditionError(absl::StrCat(file, " is not in ", name_, ", which has to list each model"));
  }
  const absl::StatusOr<ReadableFile> opened = ReadableFile::Open(path);
  if (!opened.ok()) return opened.status();
  if (absl::Status dense = opened->CheckDense(); !dense.ok()) return dense;
  auto copy = std::make_unique<MemoryFile>("rondo-model");
  // The first reading keeps a file out of memory that is not the listed one, however large it is. The second one sums
  // what it copies, as the file may have changed in between.
  for (MemoryFile* const into : {static_cast<MemoryFile*>(nullptr), copy.get()}) {
    const absl::StatusOr<std::string> sum = Sum(*opened, into);
    if (!sum.ok()) return sum.status();
    if (*sum == listed->second) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(file, " has the SHA-256 ", *sum, "; ", name_, " lists ", listed->second));
  }
  return copy;
}

absl::StatusOr<CheckedModel> ModelChecksums::Copy(const std::string& model_path) const {
  CheckedModel copies;
  absl::StatusOr<std::unique_ptr<MemoryFile>> copy = CopyFile(model_path);
  if (!copy.ok()) return copy.status();
  copies.model = *std::move(copy);
  const std::string sidecar = absl::StrCat(absl::StripSuffix(model_path, ".safetensors"), ".json");
  std::error_code error;
  if (!fs::exists(sidecar, error)) return copies;
  copy = CopyFile(sidecar);
  if (!copy.ok()) return copy.status();
  copies.description = *std::move(copy);
  return copies;
}

}  // namespace rondo
