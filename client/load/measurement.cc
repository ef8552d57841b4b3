#include "client/load/measurement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace rondo::load {

void Measurement::CountError(const Outcome& outcome) {
  ++errors[outcome.error];
  if (first_error.empty()) first_error = absl::StrCat(outcome.error, ": ", outcome.message);
}

void Measurement::CountUnanswered(int64_t waited_nanos) {
  latency.Record(waited_nanos);
  CountError({0, "UNANSWERED", "due but not answered by the end of the run; its wait so far counts as its latency"});
}

int64_t Measurement::total_errors() const {
  int64_t total = 0;
  for (const auto& [code, count] : errors) total += count;
  return total;
}

void Measurement::AddParallel(const Measurement& other) {
  const int64_t longest = std::max(elapsed_nanos, other.elapsed_nanos);
  AddLater(other);
  elapsed_nanos = longest;
}

void Measurement::AddLater(const Measurement& other) {
  elapsed_nanos += other.elapsed_nanos;
  messages += other.messages;
  steps += other.steps;
  latency.Add(other.latency);
  for (const auto& [code, count] : other.errors) errors[code] += count;
  if (first_error.empty()) first_error = other.first_error;
}

double Measurement::PerSecond(int64_t count) const {
  return elapsed_nanos > 0 ? static_cast<double>(count) * 1e9 / static_cast<double>(elapsed_nanos) : 0;
}

}  // namespace rondo::load
