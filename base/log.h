#ifndef RONDO_BASE_LOG_H_
#define RONDO_BASE_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace rondo {

enum class LogLevel { kInfo, kWarning, kError };

using LogFields = std::initializer_list<std::pair<absl::string_view, std::string>>;

// Writes one log line to stderr, and returns when it is out: time, level, event and key=value fields, as logfmt. It may
// be called from any thread.
//
//   time=2026-01-31T12:00:00.123Z level=info event=model_loaded model=weather version=3
//
// A value that is not plain printable ASCII is a JSON string in ASCII: quotes, backslashes, control bytes and all
// beyond ASCII are escaped, and bytes that are not UTF-8 become \ufffd. So no text from outside can make a second line
// or a false field, or reach a terminal. Values longer than 1,000 bytes are cut and end in "...". `event` and keys are
// literals of ours: [a-z0-9_].
void LogEvent(LogLevel level, absl::string_view event, LogFields fields = {});

// Returns the part of a line after time and level.
std::string FormatLogEvent(absl::string_view event, LogFields fields);

// Tells whether to log a cause that may repeat by the thousand: true at most once per `key` and second. *skipped is how
// many were not logged since the last time.
bool ShouldLogRefusal(absl::string_view key, int64_t* skipped);

// Logs an error that may repeat by the thousand, with the fields error=TEXT and skipped=N: at most one line per event
// and second.
void LogTrouble(absl::string_view event, absl::string_view text);

}  // namespace rondo

#endif  // RONDO_BASE_LOG_H_
