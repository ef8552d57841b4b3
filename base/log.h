#ifndef RONDO_BASE_LOG_H_
#define RONDO_BASE_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace rondo {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kLogfmt, kJson };

struct LogOptions {
  LogFormat format = LogFormat::kLogfmt;
  LogLevel level = LogLevel::kInfo;  // lines of lower levels are left out
};

using LogFields = std::initializer_list<std::pair<absl::string_view, std::string>>;

// Writes one log line to stderr, and returns when it is out: time, level, event and the fields, as logfmt or as a JSON
// object whose values are all strings. Nothing, if the level is left out. It may be called from any thread.
//
//   time=2026-01-31T12:00:00.123Z level=info event=model_loaded model=weather version=3
//   {"time":"2026-01-31T12:00:00.123Z","level":"info","event":"model_loaded","model":"weather","version":"3"}
//
// In JSON every value, and in logfmt one that is not plain printable ASCII, is a JSON string in ASCII: quotes,
// backslashes, control bytes and all beyond ASCII are escaped, and bytes that are not UTF-8 become \ufffd. So no text
// from outside can make a second line or a false field, or reach a terminal. Values longer than 1,000 bytes are cut and
// end in "...". `event` and keys are literals of ours, [a-z0-9_], and no key is time, level or event.
void LogEvent(LogLevel level, absl::string_view event, LogFields fields = {});

// Returns the part of a line after time and level; of JSON up to the closing brace.
std::string FormatLogEvent(LogFormat format, absl::string_view event, LogFields fields);

// Makes the log what `options` say. To be called before other threads log.
void OpenLog(const LogOptions& options);

// The lowest level that is not left out, and whether `level` is at least that. Any thread, at any time.
void SetLogLevel(LogLevel least);
LogLevel LeastLogLevel();
inline bool IsLogged(LogLevel level) { return level >= LeastLogLevel(); }

// "debug", "info", "warning" or "error".
absl::string_view NameOf(LogLevel level);

// Tells whether to log a cause that may repeat by the thousand: true at most once per `key` and second. *skipped is how
// many were not logged since the last time.
bool ShouldLogRefusal(absl::string_view key, int64_t* skipped);

// Logs an error that may repeat by the thousand, with the fields error=TEXT and skipped=N: at most one line per event
// and second.
void LogTrouble(absl::string_view event, absl::string_view text);

}  // namespace rondo

#endif  // RONDO_BASE_LOG_H_
