#include "client/cli/csv_input.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/interrupt.h"

namespace rondo {

absl::StatusOr<std::unique_ptr<CsvInput>> CsvInput::Open(const std::string& path, char delimiter) {
  const std::string name = path == "-" ? "stdin" : absl::StrCat("'", path, "'");
  const int fd = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::InvalidArgumentError(absl::StrCat("cannot open ", name, ": ", std::strerror(errno)));
  std::unique_ptr<CsvInput> input(new CsvInput(fd, name, delimiter));
  const absl::StatusOr<bool> has_header = input->NextCells(&input->header_);
  if (!has_header.ok()) return has_header.status();
  if (!*has_header) return absl::InvalidArgumentError(absl::StrCat(name, " is empty; it lacks a header row"));
  return input;
}

CsvInput::~CsvInput() {
  if (fd_ != STDIN_FILENO) close(fd_);
}

absl::StatusOr<bool> CsvInput::Next(CsvRow* row) {
  absl::StatusOr<bool> found = NextCells(&row->cells);
  if (found.ok() && *found) row->number = ++rows_;
  return found;
}

absl::StatusOr<bool> CsvInput::NextCells(std::vector<std::string>* cells) {
  while (true) {
    if (std::optional<std::vector<std::string>> row = reader_.TakeRow()) {
      *cells = *std::move(row);
      return true;
    }
    if (ended_) return false;
    if (absl::Status status = ReadSome(); !status.ok()) return status;
  }
}

absl::Status CsvInput::ReadSome() {
  if (!WaitReadable(fd_)) return absl::CancelledError("interrupted");
  char bytes[1 << 16];
  const ssize_t count = read(fd_, bytes, sizeof(bytes));
  if (count < 0) {
    if (errno == EINTR || errno == EAGAIN) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(name_, ": cannot be read: ", std::strerror(errno)));
  }
  ended_ = count == 0;
  const absl::Status status = ended_ ? reader_.Finish() : reader_.Feed({bytes, static_cast<size_t>(count)});
  if (status.ok()) return status;
  if (absl::IsUnimplemented(status)) return absl::InvalidArgumentError(absl::StrCat(name_, " ", status.message()));
  const int64_t row = reader_.complete_rows();  // the header is row 0
  const std::string where = row == 0 ? "the header row" : absl::StrCat("row ", row);
  return absl::InvalidArgumentError(absl::StrCat(name_, ": ", where, " ", status.message()));
}

}  // namespace rondo
