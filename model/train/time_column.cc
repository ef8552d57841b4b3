#include "model/train/time_column.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "model/json_text.h"
#include "model/train/csv_table.h"

namespace rondo::train {
namespace {

constexpr char kUnixSeconds[] = "unix seconds";
constexpr const char* kFormats[] = {kUnixSeconds,     "%Y-%m-%d%ET%H:%M:%E*S%Ez",
                                    "%Y-%m-%d",       "%Y-%m-%d %H:%M:%E*S",
                                    "%Y-%m-%d %H:%M", "%Y-%m-%d%ET%H:%M:%E*S",
                                    "%Y/%m/%d",       "%Y/%m/%d %H:%M:%E*S",
                                    "%Y/%m/%d %H:%M", "%b %d %Y"};

bool ParseOne(const std::string& text, const std::string& format, int64_t* seconds) {
  if (format == kUnixSeconds) return absl::SimpleAtoi(text, seconds);
  absl::Time time;
  std::string problem;
  if (!absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &problem)) return false;
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return false;
  *seconds = absl::ToUnixSeconds(time);
  return true;
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> ParseTimes(const std::vector<std::string>& texts, const std::string& format) {
  std::string chosen = format;
  int64_t seconds = 0;
  for (const char* candidate : kFormats) {
    if (chosen.empty() && !texts.empty() && ParseOne(texts[0], candidate, &seconds)) chosen = candidate;
  }
  std::vector<int64_t> times;
  times.reserve(texts.size());
  for (size_t row = 0; row < texts.size(); ++row) {
    if (chosen.empty() || !ParseOne(texts[row], chosen, &seconds)) {
      return absl::InvalidArgumentError(
          absl::StrCat("row ", RowNumber(row), " has the time ", Quoted(texts[row]), "; wanted is ",
                       chosen.empty() ? "a known format, or its --time_format" : absl::StrCat("the format ", chosen)));
    }
    times.push_back(seconds);
  }
  return times;
}

std::string TimeText(int64_t unix_seconds) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(unix_seconds), absl::UTCTimeZone());
}

}  // namespace rondo::train
