#ifndef RONDO_CLIENT_CLI_CSV_WRITER_H_
#define RONDO_CLIENT_CLI_CSV_WRITER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rondo {

// These return the shortest text that reads back as the value.
std::string FloatText(float value);
std::string DoubleText(double value);

// Writes CSV rows to a file descriptor, which it does not own. Rows are buffered: those that were not flushed are lost.
// REQUIRES: SIGPIPE is ignored.
class CsvWriter {
 public:
  explicit CsvWriter(int fd) : fd_(fd) {}

  // Adds a row, quotes the cells that need it, and flushes a full buffer.
  absl::Status Row(const std::vector<std::string>& cells);
  // Adds a text as it is.
  void Text(absl::string_view text) { buffer_.append(text.data(), text.size()); }
  // CANCELLED: nobody reads any more (EPIPE).
  absl::Status Flush();

  bool reader_gone() const { return reader_gone_; }

 private:
  const int fd_;
  std::string buffer_;
  bool reader_gone_ = false;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_CSV_WRITER_H_
