#ifndef RONDO_BASE_CSV_READER_H_
#define RONDO_BASE_CSV_READER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/text_decoder.h"

struct csv_parser;

namespace rondo {

// Reads CSV (RFC 4180, strict about quotes) from pieces of any size: a row is there as soon as the end of its line is
// fed. The bytes may be gzip or UTF-16 (TextDecoder). Blank lines are no rows; spaces around unquoted cells are
// dropped. Rows may differ in length.
//
// Threads: one at a time.
// Errors:  INVALID_ARGUMENT says what is wrong with the row after complete_rows(), as in "ends inside a quoted cell".
//          After an error, feed no more.
class CsvReader {
 public:
  // A longer row is an error, so that an open quote cannot take all memory.
  static constexpr size_t kMaxRowBytes = size_t{1} << 20;

  explicit CsvReader(char delimiter = ',');
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  absl::Status Feed(absl::string_view bytes);
  // Ends the input: a last line without an end is a row; an open quote is an error.
  absl::Status Finish();

  // Returns the next complete row, in order; nothing if it has not all been fed yet.
  std::optional<std::vector<std::string>> TakeRow();

  // The number of rows that were read, taken or not.
  int64_t complete_rows() const { return complete_rows_; }

 private:
  static void OnCell(void* cell, size_t size, void* reader);
  static void OnRow(int end, void* reader);
  absl::Status Parse(absl::string_view bytes);

  const std::unique_ptr<csv_parser> parser_;
  TextDecoder decoder_;
  std::vector<std::string> row_;  // the open one
  size_t row_bytes_ = 0;          // its complete cells and their separators
  int64_t complete_rows_ = 0;
  std::deque<std::vector<std::string>> rows_;
};

}  // namespace rondo

#endif  // RONDO_BASE_CSV_READER_H_
