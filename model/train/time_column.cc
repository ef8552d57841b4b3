#include "model/train/time_column.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/time_text.h"
#include "model/json_text.h"
#include "model/train/csv_table.h"

namespace rondo::train {
namespace {

// One such number may be seconds of the years 2030 to 2036; a column of nothing else is hours.
bool LooksLikeAnHour(absl::string_view text) {
  return text.size() == 10 && (absl::StartsWith(text, "19") || absl::StartsWith(text, "20")) &&
         ParseTimeAs(text, "%Y%m%d%H").ok();
}

absl::StatusOr<std::vector<int64_t>> ParseAs(const std::vector<std::string>& texts, const std::string& format) {
  std::vector<int64_t> times;
  times.reserve(texts.size());
  for (const std::string& text : texts) {
    const absl::StatusOr<int64_t> time = ParseTimeAs(text, format);
    if (!time.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("row ", RowNumber(times.size()), ": ", time.status().message()));
    }
    times.push_back(*time);
  }
  return times;
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> ParseTimes(const std::vector<std::string>& texts, const std::string& format) {
  if (!format.empty()) return ParseAs(texts, format);
  std::vector<int64_t> times;
  times.reserve(texts.size());
  absl::string_view form;
  for (const std::string& text : texts) {
    const size_t row = RowNumber(times.size());
    const absl::StatusOr<TextTime> time = ParseTimeText(text);
    if (!time.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("row ", row, ": ", time.status().message(), "; --time_format=FORMAT reads others"));
    }
    if (times.empty()) form = time->form;
    if (time->form != form) {
      return absl::InvalidArgumentError(absl::StrCat("row ", row, " has the time ", Quoted(text), " (", time->form,
                                                     ") where the rows before have ", form,
                                                     "; a column of times is written in one form"));
    }
    times.push_back(time->unix_seconds);
  }
  if (texts.size() > 1 && std::all_of(texts.begin(), texts.end(), LooksLikeAnHour)) {
    return absl::InvalidArgumentError(absl::StrCat("times such as ", Quoted(texts[0]),
                                                   " may be YYYYMMDDHH or seconds since 1970; say which with "
                                                   "--time_format=%Y%m%d%H or --time_format=%s"));
  }
  return times;
}

}  // namespace rondo::train
