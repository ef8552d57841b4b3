#include "model/feature_encoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rondo {
namespace {

constexpr double kTwoPi = 6.283185307179586;
constexpr int64_t kSecondsPerDay = 86400;

int64_t FloorMod(int64_t a, int64_t b) { return ((a % b) + b) % b; }

struct YearDay {
  int64_t day;     // since January 1st
  int64_t length;  // of the year, in days
};

// Gregorian calendar, as in http://howardhinnant.github.io/date_algorithms.html: years that begin in March put the leap
// day last, so that every month starts on a fixed day.
YearDay ToYearDay(int64_t days_since_1970) {
  constexpr int64_t kDaysPerEra = 146097;                                      // 400 years
  const int64_t day_of_era = FloorMod(days_since_1970 + 719468, kDaysPerEra);  // since March 1st of a year 400 * n
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t since_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  constexpr int64_t kMarchToJanuary = 306;  // days from March 1st to the next January 1st
  const bool next_year = since_march >= kMarchToJanuary;
  const int64_t year = year_of_era + (next_year ? 1 : 0);
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const int64_t january_and_february = leap ? 60 : 59;
  return {next_year ? since_march - kMarchToJanuary : since_march + january_and_february, leap ? 366 : 365};
}

}  // namespace

double CalendarFraction(Calendar calendar, int64_t unix_seconds) {
  const int64_t second_of_day = FloorMod(unix_seconds, kSecondsPerDay);
  const int64_t days = unix_seconds / kSecondsPerDay - (unix_seconds % kSecondsPerDay < 0 ? 1 : 0);
  const double day_fraction = static_cast<double>(second_of_day) / kSecondsPerDay;
  switch (calendar) {
    case Calendar::kHour:
      return day_fraction;
    case Calendar::kWeekday:
      return (FloorMod(days + 3, 7) + day_fraction) / 7;  // 1970-01-01 was a Thursday
    case Calendar::kDayOfYear: {
      const YearDay at = ToYearDay(days);
      return (at.day + day_fraction) / at.length;
    }
  }
  return 0;
}

FeatureEncoder::FeatureEncoder(const ModelSpec& spec, std::vector<float> embedding)
    : input_size_(spec.input_size()),
      feature_size_(spec.feature_size()),
      calendar_(spec.calendar),
      is_utc_(spec.table.time_zone.empty()),
      embedding_(std::move(embedding)) {
  if (!is_utc_) zone_ = ReadingOf(spec.table).value_or(TimeReading()).zone;  // Validate has found it
  for (const InputFeature& input : spec.inputs) {
    means_.push_back(input.mean);
    inverse_stds_.push_back(1 / input.std);
    identity_ = identity_ && input.mean == 0 && input.std == 1;
  }
  if (spec.graph == nullptr || spec.tokens == 0) return;
  means_ = {0};  // a graph takes the token as it is
  inverse_stds_ = {1};
}

void FeatureEncoder::Encode(const float* input, int64_t unix_seconds, float* features) const {
  if (!embedding_.empty()) {
    std::copy_n(&embedding_[static_cast<size_t>(input[0]) * feature_size_], feature_size_, features);
    return;
  }
  if (identity_) {
    features = std::copy_n(input, means_.size(), features);
    return EncodeTime(unix_seconds, features);
  }
  // Float64 is for large means: the difference of two large neighbours keeps its digits.
  for (size_t i = 0; i < means_.size(); ++i) {
    features[i] = static_cast<float>((input[i] - means_[i]) * inverse_stds_[i]);
  }
  EncodeTime(unix_seconds, features + means_.size());
}

void FeatureEncoder::EncodeTime(int64_t unix_seconds, float* next) const {
  if (!is_utc_ && !calendar_.empty()) unix_seconds += zone_.At(absl::FromUnixSeconds(unix_seconds)).offset;
  for (Calendar calendar : calendar_) {
    const double angle = kTwoPi * CalendarFraction(calendar, unix_seconds);
    *next++ = static_cast<float>(std::sin(angle));
    *next++ = static_cast<float>(std::cos(angle));
  }
}

}  // namespace rondo
