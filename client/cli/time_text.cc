#include "client/cli/time_text.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace rondo {
namespace {

constexpr const char* kFormats[] = {
    "%Y-%m-%d",          "%Y-%m-%dT%H:%M",    "%Y-%m-%d %H:%M",         "%Y-%m-%dT%H:%M:%E*S",    "%Y-%m-%d %H:%M:%E*S",
    "%Y-%m-%dT%H:%M%Ez", "%Y-%m-%d %H:%M%Ez", "%Y-%m-%dT%H:%M:%E*S%Ez", "%Y-%m-%d %H:%M:%E*S%Ez",
};

absl::Status NotATime(absl::string_view text, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("'", text, "' is not a time; ", wanted));
}

bool LooksLikeBasicDate(absl::string_view text) {
  absl::Time unused;
  std::string error;
  if (text.size() != 8 || (text[0] != '1' && text[0] != '2')) return false;
  const std::string dashed = absl::StrCat(text.substr(0, 4), "-", text.substr(4, 2), "-", text.substr(6, 2));
  return absl::ParseTime("%Y-%m-%d", dashed, &unused, &error);
}

}  // namespace

absl::StatusOr<int64_t> ParseTimeText(absl::string_view text) {
  constexpr absl::string_view kWanted = "it takes 2015-01-31, 2015-01-31T13:45:00+01:00 or unix seconds";
  // absl::ParseTime also knows "infinite-future".
  if (text.empty() || (!absl::ascii_isdigit(text[0]) && text[0] != '-')) return NotATime(text, kWanted);
  absl::Time time;
  int64_t seconds = 0;
  if (absl::SimpleAtoi(text, &seconds)) {
    if (LooksLikeBasicDate(text)) return NotATime(text, "write the date with dashes");
    time = absl::FromUnixSeconds(seconds);
  } else {
    bool parsed = false;
    std::string error;
    for (const char* format : kFormats) parsed = parsed || absl::ParseTime(format, text, &time, &error);
    if (!parsed) return NotATime(text, kWanted);
  }
  const int64_t year = absl::ToCivilYear(time, absl::UTCTimeZone()).year();
  if (year < 1 || year > 9999) return NotATime(text, "its year must be 1..9999; are these milliseconds?");
  return absl::ToUnixSeconds(time);
}

}  // namespace rondo
