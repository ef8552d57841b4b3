#include "model/known_answers_json.h"

#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

constexpr double kLargestTime = 1e15;  // seconds: whole numbers up to here are exact

void ReadFloats(ObjectReader& reader, absl::string_view key, std::vector<float>* floats) {
  std::vector<double> numbers;
  reader.ReadNumbers(key, &numbers);
  for (const double number : numbers) {
    if (!(std::abs(number) <= std::numeric_limits<float>::max())) {
      return reader.Refuse(absl::StrCat(reader.Where(key), " has ", number, "; it must be finite as a float"));
    }
    floats->push_back(static_cast<float>(number));
  }
}

}  // namespace

void ReadKnownAnswers(ObjectReader& root, KnownAnswers* answers, absl::Status* status) {
  const nlohmann::json* const json = root.Find("accuracy", ObjectReader::Need::kOptional);
  if (json == nullptr) return;
  ObjectReader reader(*json, "accuracy", status);
  ReadFloats(reader, "inputs", &answers->inputs);
  ReadFloats(reader, "outputs", &answers->outputs);
  std::vector<double> times;
  reader.ReadNumbers("times", &times);
  for (const double time : times) {
    if (std::abs(time) > kLargestTime || std::floor(time) != time) {
      return reader.Refuse("accuracy.times has a number that is no time; they must be whole seconds since 1970");
    }
    answers->times.push_back(static_cast<int64_t>(time));
  }
  reader.RefuseOthers();
  if (status->ok() && answers->outputs.empty()) reader.Refuse("accuracy.outputs has no numbers; it must have some");
}

nlohmann::ordered_json KnownAnswersJson(const KnownAnswers& answers) {
  nlohmann::ordered_json json = {{"inputs", answers.inputs}, {"outputs", answers.outputs}};
  if (!answers.times.empty()) json["times"] = answers.times;
  return json;
}

}  // namespace rondo
