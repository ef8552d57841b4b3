#include "model/train/time_column.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "base/invalid.h"
#include "base/time_text.h"
#include "model/json/json_text.h"
#include "model/train/csv_table.h"

namespace rondo::train {
namespace {

// One such number may be seconds of the years 2030 to 2036; a column of nothing else is hours.
bool LooksLikeAnHour(absl::string_view text) {
  return text.size() == 10 && (absl::StartsWith(text, "19") || absl::StartsWith(text, "20")) &&
         ParseTimeAs(text, "%Y%m%d%H").ok();
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> ParseTimes(const std::vector<std::string>& texts, const TableFormat& format,
                                                const std::vector<std::string>* series) {
  const absl::StatusOr<TimeReading> reading = ReadingOf(format);
  if (!reading.ok()) return reading.status();
  std::vector<int64_t> times;
  times.reserve(texts.size());
  std::map<absl::string_view, int64_t> last;  // of each series
  absl::string_view form;
  for (const std::string& text : texts) {
    const size_t row = RowNumber(times.size());
    int64_t& before = last.emplace(series == nullptr ? "" : (*series)[times.size()], INT64_MIN).first->second;
    const absl::StatusOr<TextTime> time = ReadTime(text, *reading, before);
    if (!time.ok()) {
      const char* advice = format.time_format.empty() ? "; --time_format=FORMAT reads others" : "";
      return Invalid("row ", row, ": ", time.status().message(), advice);
    }
    if (times.empty()) form = time->form;
    if (time->form != form) {
      return Invalid("row ", row, " has the time ", Quoted(text), " (", time->form, ") where the rows before have ",
                     form, "; a column of times is written in one form");
    }
    before = time->unix_microseconds();
    times.push_back(before);
  }
  if (format.time_format.empty() && texts.size() > 1 && std::all_of(texts.begin(), texts.end(), LooksLikeAnHour)) {
    return Invalid("times such as ", Quoted(texts[0]),
                   " may be YYYYMMDDHH or seconds since 1970; say which with "
                   "--time_format=%Y%m%d%H or --time_format=%s");
  }
  return times;
}

}  // namespace rondo::train
