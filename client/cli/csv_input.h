#ifndef RONDO_CLIENT_CLI_CSV_INPUT_H_
#define RONDO_CLIENT_CLI_CSV_INPUT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/csv_reader.h"
#include "client/cli/input_file.h"
#include "client/cli/row_mapping.h"

namespace rondo {

// Reads a CSV table with a header from a file or from stdin, row by row: a row of a pipe is there as soon as its line
// is.
class CsvInput {
 public:
  // Opens `path`, or stdin for "-", and waits for the header. It may be gzip or UTF-16. INVALID_ARGUMENT: no such file,
  // not CSV, no header.
  static absl::StatusOr<std::unique_ptr<CsvInput>> Open(const std::string& path, char delimiter = ',');

  const std::vector<std::string>& header() const { return header_; }

  // Reads the next row; false: the table has ended. INVALID_ARGUMENT: it is not CSV from here on, or cannot be read.
  // CANCELLED: interrupted while waiting.
  absl::StatusOr<bool> Next(CsvRow* row);

 private:
  CsvInput(std::unique_ptr<InputFile> file, char delimiter) : file_(std::move(file)), reader_(delimiter) {}
  // Feeds the reader what there is, at least a byte or the end.
  absl::Status ReadSome();
  absl::StatusOr<bool> NextCells(std::vector<std::string>* cells);

  const std::unique_ptr<InputFile> file_;
  CsvReader reader_;
  bool ended_ = false;
  std::vector<std::string> header_;
  int64_t rows_ = 0;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_CSV_INPUT_H_
