#ifndef RONDO_BASE_OPTION_VALUE_H_
#define RONDO_BASE_OPTION_VALUE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace rondo {

// How the text of one option is read, and the variable of the program that it goes to.
struct OptionValue {
  std::string unit;    // stands for the value in the help: "BYTES"; empty: a switch
  std::string wanted;  // what a text must be, for error messages: "a whole number, 1 to 1024"
  std::string bounds;  // "1 to 1024", for the help; may be empty
  // Reads a text into the variable. False: the text is not what is wanted, and the variable is what it was.
  std::function<bool(absl::string_view text)> read;
  // The variable's value as a text that `read` takes. Empty: there is none that `read` would take.
  std::function<std::string()> text;
};

// Texts that stand for a value each.
template <typename T>
using Words = std::vector<std::pair<absl::string_view, T>>;

template <typename T>
struct Bounds {
  T least;
  T most;  // itself allowed
};

namespace internal {
template <typename T>
struct Bounded {
  using Type = T;
};
template <typename T>
struct Bounded<std::optional<T>> {
  using Type = T;
};

OptionValue OneOf(const std::vector<std::string>& names, std::function<void(size_t)> choose,
                  std::function<size_t()> chosen);
}  // namespace internal

// A number within its bounds, or one of `words` as it stands. T: int, int64_t, uint64_t, std::optional<size_t>, double,
// or absl::Duration. Whole numbers are digits after at most a minus; durations are as absl::ParseDuration takes them.
template <typename T>
OptionValue Number(T* target, Bounds<typename internal::Bounded<T>::Type> bounds, absl::string_view unit,
                   Words<T> words = {});

// Any text but the empty one, or with `accepts` any text that it accepts.
OptionValue Text(std::string* target, absl::string_view unit);
OptionValue Text(std::string* target, absl::string_view unit, absl::string_view wanted,
                 std::function<bool(absl::string_view)> accepts);
// Any text.
OptionValue TextOrNone(std::string* target, absl::string_view unit);

// Texts with commas between; empty ones are left out. One that has a comma stands in double quotes, and a quote in it
// is doubled, as in CSV. So does one that begins with a quote where they are written out.
OptionValue TextList(std::vector<std::string>* target, absl::string_view unit);

// --name, --name=true, --noname or --name=false.
OptionValue Switch(bool* target);

// One of `words`.
template <typename T>
OptionValue Choice(T* target, Words<T> words) {
  std::vector<std::string> names;
  for (const auto& word : words) names.emplace_back(word.first);
  return internal::OneOf(
      names, [target, words](size_t i) { *target = words[i].second; },
      [target, words] {
        size_t i = 0;
        while (i < words.size() && !(words[i].second == *target)) ++i;
        return i;
      });
}

}  // namespace rondo

#endif  // RONDO_BASE_OPTION_VALUE_H_
