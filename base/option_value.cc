#include "base/option_value.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace rondo {
namespace {

// SimpleAtoi and SimpleAtod also take spaces and a plus, which are more likely a mistake.
template <typename T>
bool Parse(absl::string_view text, T* number) {
  absl::string_view digits = text;
  absl::ConsumePrefix(&digits, "-");
  return absl::c_all_of(digits, absl::ascii_isdigit) && absl::SimpleAtoi(text, number);
}
bool Parse(absl::string_view text, double* number) {
  return !text.empty() && !absl::ascii_isspace(text.front()) && !absl::ascii_isspace(text.back()) &&
         text.front() != '+' && absl::SimpleAtod(text, number);
}
bool Parse(absl::string_view text, absl::Duration* duration) { return absl::ParseDuration(text, duration); }

template <typename T>
std::string TextOf(T number) {
  return absl::StrCat(number);
}
// The shortest of the two that reads as the same number again.
std::string TextOf(double number) {
  std::string text = absl::StrFormat("%.15g", number);
  double again = 0;
  return absl::SimpleAtod(text, &again) && again == number ? text : absl::StrFormat("%.17g", number);
}
std::string TextOf(absl::Duration duration) { return absl::FormatDuration(duration); }

template <typename T>
absl::string_view KindOf(T) {
  return "a whole number";
}
absl::string_view KindOf(double) { return "a number"; }
absl::string_view KindOf(absl::Duration) { return "a duration such as 30s or 10m"; }

template <typename T>
bool Holds(T number, T* bare) {
  *bare = number;
  return true;
}
template <typename T>
bool Holds(std::optional<T> number, T* bare) {
  *bare = number.value_or(T{});
  return number.has_value();
}

bool IsAnything(absl::string_view) { return true; }

// Takes what stands in double quotes off the front of a list. Nothing: no such text stands there, up to a comma or the
// end.
std::optional<std::string> TakeQuoted(absl::string_view* list) {
  if (!absl::StartsWith(*list, "\"")) return std::nullopt;
  std::string text;
  for (size_t i = 1; i < list->size(); ++i) {
    if ((*list)[i] == '"' && list->substr(i + 1, 1) != "\"") {
      const absl::string_view rest = list->substr(i + 1);
      if (!rest.empty() && rest[0] != ',') return std::nullopt;
      *list = rest;
      return text;
    }
    if ((*list)[i] == '"') ++i;  // one of two
    text += (*list)[i];
  }
  return std::nullopt;
}

// Appends what TextList reads as this one text.
void AppendQuoted(std::string* list, const std::string& text) {
  const bool as_it_is = !absl::StrContains(text, ',') && !absl::StartsWith(text, "\"");
  absl::StrAppend(list, as_it_is ? text : absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\""));
}

bool IsNotEmpty(absl::string_view text) { return !text.empty(); }

}  // namespace

template <typename T>
OptionValue Number(T* target, Bounds<typename internal::Bounded<T>::Type> bounds, absl::string_view unit,
                   Words<T> words) {
  using Bare = typename internal::Bounded<T>::Type;
  OptionValue value;
  value.unit = std::string(unit);
  value.bounds = absl::StrCat(TextOf(bounds.least), " to ", TextOf(bounds.most));
  for (const auto& word : words) absl::StrAppend(&value.bounds, ", or ", word.first);
  value.wanted = absl::StrCat(KindOf(Bare{}), ", ", value.bounds);
  // Not `number < least`: that lets NaN pass.
  const auto within = [bounds](Bare number) { return number >= bounds.least && number <= bounds.most; };
  value.read = [=](absl::string_view text) {
    Bare number{}, other{};
    const bool is_number = Parse(text, &number);
    for (const auto& word : words) {
      // "0s" is the word "0" too.
      if (word.first != text && !(is_number && Parse(word.first, &other) && other == number)) continue;
      *target = word.second;
      return true;
    }
    if (!is_number || !within(number)) return false;
    *target = number;
    return true;
  };
  value.text = [=]() -> std::string {
    for (const auto& word : words) {
      if (word.second == *target) return std::string(word.first);
    }
    Bare number{};
    return Holds(*target, &number) && within(number) ? TextOf(number) : "";
  };
  return value;
}

template OptionValue Number(int*, Bounds<int>, absl::string_view, Words<int>);
template OptionValue Number(int64_t*, Bounds<int64_t>, absl::string_view, Words<int64_t>);
template OptionValue Number(uint64_t*, Bounds<uint64_t>, absl::string_view, Words<uint64_t>);
template OptionValue Number(double*, Bounds<double>, absl::string_view, Words<double>);
template OptionValue Number(absl::Duration*, Bounds<absl::Duration>, absl::string_view, Words<absl::Duration>);
template OptionValue Number(std::optional<size_t>*, Bounds<size_t>, absl::string_view, Words<std::optional<size_t>>);

OptionValue Text(std::string* target, absl::string_view unit, absl::string_view wanted,
                 std::function<bool(absl::string_view)> accepts) {
  const auto read = [target, accepts = std::move(accepts)](absl::string_view text) {
    if (!accepts(text)) return false;
    *target = std::string(text);
    return true;
  };
  return {std::string(unit), std::string(wanted), "", read, [target] { return *target; }};
}

OptionValue Text(std::string* target, absl::string_view unit) { return Text(target, unit, unit, IsNotEmpty); }

OptionValue TextOrNone(std::string* target, absl::string_view unit) { return Text(target, unit, unit, IsAnything); }

OptionValue TextList(std::vector<std::string>* target, absl::string_view unit) {
  const auto read = [target](absl::string_view text) {
    target->clear();
    while (!text.empty()) {
      std::optional<std::string> one = TakeQuoted(&text);
      if (!one) {
        one = std::string(text.substr(0, text.find(',')));
        text.remove_prefix(one->size());
      }
      if (!one->empty()) target->push_back(*std::move(one));
      absl::ConsumePrefix(&text, ",");
    }
    return true;
  };
  return {std::string(unit), std::string(unit), "", read,
          [target] { return absl::StrJoin(*target, ",", AppendQuoted); }};
}

OptionValue Switch(bool* target) {
  const auto read = [target](absl::string_view text) { return absl::SimpleAtob(text, target); };
  return {"", "true or false", "", read, [target] { return std::string(*target ? "true" : "false"); }};
}

OptionValue internal::OneOf(const std::vector<std::string>& names, std::function<void(size_t)> choose,
                            std::function<size_t()> chosen) {
  const std::string all_but_last = absl::StrJoin(names.begin(), names.end() - 1, ", ");
  OptionValue value;
  value.unit = absl::StrJoin(names, "|");
  value.wanted = absl::StrCat(all_but_last, " or ", names.back());
  value.read = [names, choose = std::move(choose)](absl::string_view text) {
    const auto found = absl::c_find(names, text);
    if (found == names.end()) return false;
    choose(static_cast<size_t>(found - names.begin()));
    return true;
  };
  value.text = [names, chosen = std::move(chosen)] {
    const size_t i = chosen();
    return i < names.size() ? names[i] : std::string();
  };
  return value;
}

}  // namespace rondo
