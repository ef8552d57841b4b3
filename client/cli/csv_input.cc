#include "client/cli/csv_input.h"

#include "absl/strings/str_cat.h"
#include "base/invalid.h"

namespace rondo {

absl::StatusOr<std::unique_ptr<CsvInput>> CsvInput::Open(const std::string& path, char delimiter) {
  absl::StatusOr<std::unique_ptr<InputFile>> file = InputFile::Open(path);
  if (!file.ok()) return file.status();
  std::unique_ptr<CsvInput> input(new CsvInput(*std::move(file), delimiter));
  const absl::StatusOr<bool> has_header = input->NextCells(&input->header_);
  if (!has_header.ok()) return has_header.status();
  if (!*has_header) return Invalid(input->file_->name(), " is empty; it lacks a header row");
  return input;
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
  const absl::StatusOr<absl::string_view> bytes = file_->Read();
  if (!bytes.ok()) return bytes.status();
  ended_ = bytes->empty();
  const absl::Status status = ended_ ? reader_.Finish() : reader_.Feed(*bytes);
  if (status.ok()) return status;
  const std::string& name = file_->name();
  if (absl::IsUnimplemented(status)) return Invalid(name, " ", status.message());
  const int64_t row = reader_.complete_rows();  // the header is row 0
  const std::string where = row == 0 ? "the header row" : absl::StrCat("row ", row);
  return Invalid(name, ": ", where, " ", status.message());
}

}  // namespace rondo
