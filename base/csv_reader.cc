#include "base/csv_reader.h"

#include <csv.h>

#include <utility>

#include "base/invalid.h"

namespace rondo {
CsvReader::CsvReader(char delimiter) : parser_(new csv_parser) {
  csv_init(parser_.get(), CSV_STRICT | CSV_STRICT_FINI);
  csv_set_delim(parser_.get(), static_cast<unsigned char>(delimiter));
}

CsvReader::~CsvReader() { csv_free(parser_.get()); }

absl::Status CsvReader::Feed(absl::string_view bytes) {
  return decoder_.Feed(bytes, [this](absl::string_view text) { return Parse(text); });
}

absl::Status CsvReader::Finish() {
  absl::Status status = decoder_.Finish([this](absl::string_view text) { return Parse(text); });
  if (!status.ok()) return status;
  if (csv_fini(parser_.get(), OnCell, OnRow, this) != 0) {
    return absl::InvalidArgumentError("ends inside a quoted cell");
  }
  return absl::OkStatus();
}

std::optional<std::vector<std::string>> CsvReader::TakeRow() {
  if (rows_.empty()) return std::nullopt;
  std::vector<std::string> row = std::move(rows_.front());
  rows_.pop_front();
  return row;
}

void CsvReader::OnCell(void* cell, size_t size, void* reader) {
  auto* self = static_cast<CsvReader*>(reader);
  self->row_bytes_ += size + 1;
  self->row_.emplace_back(static_cast<const char*>(cell), size);
}

void CsvReader::OnRow(int /*end*/, void* reader) {
  auto* self = static_cast<CsvReader*>(reader);
  self->rows_.push_back(std::exchange(self->row_, {}));
  self->row_bytes_ = 0;
  ++self->complete_rows_;
}

// A piece is at most TextDecoder::kMaxPieceBytes long, which bounds how far a row can grow past kMaxRowBytes before
// that is seen.
absl::Status CsvReader::Parse(absl::string_view bytes) {
  if (csv_parse(parser_.get(), bytes.data(), bytes.size(), OnCell, OnRow, this) != bytes.size()) {
    return absl::InvalidArgumentError(csv_error(parser_.get()) == CSV_EPARSE ? "has a quote in the wrong place"
                                                                             : "takes too much memory");
  }
  if (row_bytes_ + parser_->entry_pos > kMaxRowBytes) {
    return Invalid("is longer than ", kMaxRowBytes, " bytes");
  }
  return absl::OkStatus();
}

}  // namespace rondo
