#ifndef RONDO_CLIENT_CLI_CSV_WRITER_H_
#define RONDO_CLIENT_CLI_CSV_WRITER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rondo {

// The shortest text that reads back as the same float.
std::string FloatText(float value);
// The same for a double.
std::string DoubleText(double value);

// CSV rows to a file descriptor, which it does not own. Buffered: what was not flushed is lost. REQUIRES: SIGPIPE is
// ignored.
class CsvWriter {
 public:
  explicit CsvWriter(int fd) : fd_(fd) {}

  // Quotes the cells that need it. Flushes a full buffer.
  absl::Status Row(const std::vector<std::string>& cells);
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
