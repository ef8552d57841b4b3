#include "model/train/option_values.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace rondo::train {
namespace {

constexpr std::pair<absl::string_view, Calendar> kCalendars[] = {
    {"hour", Calendar::kHour}, {"weekday", Calendar::kWeekday}, {"day_of_year", Calendar::kDayOfYear}};

// Returns the row of kCalendars; null: there is none.
const std::pair<absl::string_view, Calendar>* FindCalendar(absl::string_view name) {
  const auto* found = std::find_if(std::begin(kCalendars), std::end(kCalendars),
                                   [&](const auto& calendar) { return calendar.first == name; });
  return found == std::end(kCalendars) ? nullptr : found;
}

}  // namespace

OptionValue CalendarValue(std::optional<std::vector<Calendar>>* target) {
  OptionValue value;
  value.unit = "LIST";
  value.wanted = "auto, none, or of hour,weekday,day_of_year";
  value.read = [target](absl::string_view text) {
    std::optional<std::vector<Calendar>> calendars;
    if (text != "auto") calendars.emplace();
    if (text != "auto" && text != "none") {
      for (const absl::string_view name : absl::StrSplit(text, ',', absl::SkipEmpty())) {
        const auto* calendar = FindCalendar(name);
        if (calendar == nullptr) return false;
        calendars->push_back(calendar->second);
      }
    }
    *target = std::move(calendars);
    return true;
  };
  value.text = [target]() -> std::string {
    if (!target->has_value()) return "auto";
    if ((*target)->empty()) return "none";
    return absl::StrJoin(**target, ",", [](std::string* text, Calendar calendar) {
      for (const auto& [name, each] : kCalendars) {
        if (each == calendar) absl::StrAppend(text, name);
      }
    });
  };
  return value;
}

OptionValue QuantilesValue(std::vector<double>* target) {
  OptionValue value;
  value.unit = "Q[,Q...]";
  value.wanted = "numbers that grow, each between 0 and 1, such as 0.1,0.5,0.9";
  value.read = [target](absl::string_view text) {
    std::vector<double> quantiles;
    for (const absl::string_view word : absl::StrSplit(text, ',')) {
      double quantile = 0;
      const double last = quantiles.empty() ? 0 : quantiles.back();
      if (!absl::SimpleAtod(word, &quantile) || !(quantile > last && quantile < 1)) return false;
      quantiles.push_back(quantile);
    }
    *target = std::move(quantiles);
    return true;
  };
  value.text = [target] {
    return absl::StrJoin(*target, ",", [](std::string* text, double q) { absl::StrAppendFormat(text, "%.15g", q); });
  };
  return value;
}

OptionValue MarkValue(char* target, absl::string_view wanted, absl::string_view accepted, bool may_be_none) {
  OptionValue value;
  value.unit = "MARK";
  value.wanted = std::string(wanted);
  value.read = [target, accepted, may_be_none](absl::string_view text) {
    if (text == "tab") text = "\t";
    if (text.empty() ? !may_be_none : text.size() > 1 || !absl::StrContains(accepted, text)) return false;
    *target = text.empty() ? '\0' : text[0];
    return true;
  };
  value.text = [target]() -> std::string {
    return *target == '\0' ? "" : *target == '\t' ? "tab" : std::string(1, *target);
  };
  return value;
}

}  // namespace rondo::train
