#include "model/convert/onnx/external_files.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "model/convert/graph/array.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

// The number that `key` has; `absent` without such a key. DATA_LOSS: it is not written in digits only, or too large.
absl::StatusOr<uint64_t> NumberOf(const ExternalPlace& place, absl::string_view key, uint64_t absent) {
  const auto found = place.find(key);
  if (found == place.end()) return absent;
  const absl::string_view text = found->second;
  uint64_t number = 0;
  const bool digits = std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  if (!digits || !absl::SimpleAtoi(text, &number)) {
    return absl::DataLossError(
        absl::StrCat("its ", key, " is ", Quoted(text), "; a number of bytes was wanted, in digits, less than 2^64"));
  }
  return number;
}

}  // namespace

absl::Status ExternalFiles::Open(absl::string_view location) {
  if (file_.has_value() && location_ == location) return absl::OkStatus();
  file_.reset();
  absl::StatusOr<ReadableFile> file = ReadableFile::OpenBelow(folder_, location);
  if (absl::IsNotFound(file.status())) {
    return absl::NotFoundError("no such file is in the folder of the ONNX file; the two belong together");
  }
  if (!file.ok()) return file.status();
  if (absl::Status status = file->CheckDense(); !status.ok()) return status;
  file_.emplace(*std::move(file));
  location_ = std::string(location);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ExternalFiles::ReadOpened(const ExternalPlace& place, uint64_t wanted) const {
  const absl::StatusOr<uint64_t> offset = NumberOf(place, "offset", 0);
  if (!offset.ok()) return offset.status();
  const absl::StatusOr<uint64_t> length = NumberOf(place, "length", wanted);
  if (!length.ok()) return length.status();
  if (*length != wanted) {
    return absl::DataLossError(absl::StrCat("its length is ", *length, " bytes; shape and type want ", wanted));
  }
  if (*offset > file_->size() || wanted > file_->size() - *offset) {
    return absl::DataLossError(
        absl::StrCat("it has ", file_->size(), " bytes; from byte ", *offset, " on, ", wanted, " were wanted"));
  }
  std::string bytes(wanted, '\0');
  if (absl::Status status = file_->ReadAt(*offset, absl::MakeSpan(bytes)); !status.ok()) return status;
  return bytes;
}

absl::StatusOr<std::string> ExternalFiles::Read(const ExternalPlace& place, NumberType type, int64_t count) {
  const auto location = place.find("location");
  if (location == place.end()) return absl::DataLossError("its name, the location, is missing");
  absl::Status status = Open(location->second);
  if (status.ok() && count > kMaxArrayValues - values_) {
    status = absl::ResourceExhaustedError(absl::StrCat("with it the tensors have more than ", kMaxArrayValues,
                                                       " values, which is the most that is read"));
  }
  absl::StatusOr<std::string> bytes =
      status.ok() ? ReadOpened(place, static_cast<uint64_t>(count * BytesOf(type))) : status;
  if (bytes.ok()) values_ += count;
  if (bytes.ok()) return bytes;
  return absl::Status(bytes.status().code(), absl::StrCat(Quoted(location->second), ": ", bytes.status().message()));
}

}  // namespace rondo::convert
