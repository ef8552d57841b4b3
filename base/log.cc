#include "base/log.h"

#include <atomic>
#include <memory>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/log_limiter.h"
#include "base/mutex.h"
#include "nlohmann/json.hpp"
#include "spdlog/logger.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace rondo {
namespace {

constexpr size_t kMaxValueBytes = 1000;

bool IsPlain(absl::string_view value) {
  return !value.empty() && absl::c_all_of(value, [](unsigned char c) {
    return absl::ascii_isgraph(c) && c != '"' && c != '\\' && c != '=';
  });
}

std::string Quoted(std::string text) {
  constexpr bool kAscii = true;
  return nlohmann::json(std::move(text)).dump(-1, ' ', kAscii, nlohmann::json::error_handler_t::replace);
}

std::string FormatValue(LogFormat format, absl::string_view value) {
  std::string text(value.substr(0, kMaxValueBytes));
  if (text.size() < value.size()) text += "...";
  return format == LogFormat::kLogfmt && IsPlain(text) ? text : Quoted(std::move(text));
}

std::unique_ptr<spdlog::formatter> FormatterOf(LogFormat format) {
  const char* const pattern = format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                                         : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v";
  return std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc);
}

// The logger is never destroyed, since threads may log while the process exits.
spdlog::logger& Logger() {
  static auto* const logger = [] {
    auto* made = new spdlog::logger("rondo", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(FormatterOf(LogFormat::kLogfmt));
    made->set_level(spdlog::level::debug);  // LeastLogLevel is what leaves lines out
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

std::atomic<LogFormat> log_format{LogFormat::kLogfmt};
std::atomic<LogLevel> least_level{LogLevel::kInfo};

}  // namespace

void OpenLog(const LogOptions& options) {
  log_format = options.format;
  Logger().set_formatter(FormatterOf(options.format));
  SetLogLevel(options.level);
}

void SetLogLevel(LogLevel least) { least_level.store(least, std::memory_order_relaxed); }
LogLevel LeastLogLevel() { return least_level.load(std::memory_order_relaxed); }

absl::string_view NameOf(LogLevel level) {
  const spdlog::string_view_t name = spdlog::level::to_string_view(SpdlogLevel(level));
  return absl::string_view(name.data(), name.size());
}

std::string FormatLogEvent(LogFormat format, absl::string_view event, LogFields fields) {
  const bool json = format == LogFormat::kJson;
  std::string line = json ? absl::StrCat("\"event\":\"", event, "\"") : absl::StrCat("event=", event);
  for (const auto& [key, value] : fields) {
    const std::string shown = FormatValue(format, value);
    json ? absl::StrAppend(&line, ",\"", key, "\":", shown) : absl::StrAppend(&line, " ", key, "=", shown);
  }
  return line;
}

void LogEvent(LogLevel level, absl::string_view event, LogFields fields) {
  if (!IsLogged(level)) return;
  const std::string line = FormatLogEvent(log_format.load(std::memory_order_relaxed), event, fields);
  Logger().log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
}

bool ShouldLogRefusal(absl::string_view key, int64_t* skipped) {
  static auto* const mutex = new Mutex;
  static auto* const limiter = new LogLimiter;
  const MutexLock lock(mutex);
  return limiter->Allow(key, absl::Now(), skipped);
}

void LogTrouble(absl::string_view event, absl::string_view text) {
  int64_t skipped = 0;
  if (!ShouldLogRefusal(event, &skipped)) return;
  LogEvent(LogLevel::kError, event, {{"error", std::string(text)}, {"skipped", absl::StrCat(skipped)}});
}

}  // namespace rondo
