#ifndef RONDO_SERVER_LOG_H_
#define RONDO_SERVER_LOG_H_

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace rondo {

enum class LogLevel { kInfo, kWarning, kError };

// One log line on stderr: time, level, event and key=value fields, as logfmt. Values with spaces, quotes or control
// bytes are quoted and escaped, so no text from outside can make a second line or a false field. Any thread.
void LogEvent(LogLevel level, absl::string_view event,
              std::initializer_list<std::pair<absl::string_view, std::string>> fields = {});

// True at most once per `key` and second (and says how many were skipped since): for causes that repeat by the
// thousand.
bool ShouldLogRefusal(absl::string_view key, int64_t* skipped);

}  // namespace rondo

#endif  // RONDO_SERVER_LOG_H_
