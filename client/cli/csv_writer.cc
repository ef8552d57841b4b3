#include "client/cli/csv_writer.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace rondo {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 16;

template <typename Float>
std::string ShortestText(Float value) {
  char text[32];  // the longest is "-2.2250738585072014e-308"
  const std::to_chars_result result = std::to_chars(text, text + sizeof(text), value);
  return std::string(text, result.ptr);
}

bool NeedsQuotes(absl::string_view cell) {
  if (cell.find_first_of(",\"\r\n") != absl::string_view::npos) return true;
  return !cell.empty() && (cell.front() == ' ' || cell.front() == '\t' || cell.back() == ' ' || cell.back() == '\t');
}

}  // namespace

std::string FloatText(float value) { return ShortestText(value); }
std::string DoubleText(double value) { return ShortestText(value); }

absl::Status CsvWriter::Row(const std::vector<std::string>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) buffer_ += ',';
    if (NeedsQuotes(cells[i])) {
      absl::StrAppend(&buffer_, "\"", absl::StrReplaceAll(cells[i], {{"\"", "\"\""}}), "\"");
    } else {
      buffer_ += cells[i];
    }
  }
  buffer_ += '\n';
  return buffer_.size() >= kBufferBytes ? Flush() : absl::OkStatus();
}

absl::Status CsvWriter::Flush() {
  size_t written = 0;
  while (written < buffer_.size()) {
    const ssize_t count = write(fd_, buffer_.data() + written, buffer_.size() - written);
    if (count >= 0) {
      written += static_cast<size_t>(count);
    } else if (errno == EPIPE) {
      reader_gone_ = true;
      return absl::CancelledError("nobody reads the output");
    } else if (errno != EINTR) {
      return absl::UnknownError(absl::StrCat("cannot write the output: ", std::strerror(errno)));
    }
  }
  buffer_.clear();
  return absl::OkStatus();
}

}  // namespace rondo
