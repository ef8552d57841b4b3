#include "base/log.h"

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

std::string FormatValue(absl::string_view value) {
  std::string text(value.substr(0, kMaxValueBytes));
  if (text.size() < value.size()) text += "...";
  if (IsPlain(text)) return text;
  constexpr bool kAscii = true;
  return nlohmann::json(std::move(text)).dump(-1, ' ', kAscii, nlohmann::json::error_handler_t::replace);
}

// The logger is never destroyed, since threads may log while the process exits.
spdlog::logger& Logger() {
  static auto* const logger = [] {
    auto* made = new spdlog::logger("rondo", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                                                                    spdlog::pattern_time_type::utc));
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

std::string FormatLogEvent(absl::string_view event, LogFields fields) {
  std::string line = absl::StrCat("event=", event);
  for (const auto& [key, value] : fields) absl::StrAppend(&line, " ", key, "=", FormatValue(value));
  return line;
}

void LogEvent(LogLevel level, absl::string_view event, LogFields fields) {
  const std::string line = FormatLogEvent(event, fields);
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
