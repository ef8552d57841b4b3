#include "model/train/split.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace rondo::train {
namespace {

constexpr int64_t kMinLinesToSplit = 20;
constexpr int64_t kLeastTimesteps[] = {10, 4, 2};  // of the training, the validation and the test part

// Parts each series by time. The validation part begins earlier where it would have fewer rows than
// `least_validation_rows`.
Parts SplitByTime(const DatasetOptions& options, const SeriesSet& set, int64_t least_validation_rows) {
  Parts parts;
  for (size_t i = 0; i < set.series.size(); ++i) {
    const int64_t n = set.series[i].timesteps;
    const auto test = static_cast<int64_t>(std::llround(n * (1 - options.test)));
    const auto asked = static_cast<int64_t>(std::llround(n * (1 - options.test - options.validation)));
    const int64_t validation = std::max<int64_t>(1, std::min(asked, test - least_validation_rows));
    const int64_t bounds[] = {1, validation, test, n};
    for (int part = Dataset::kTraining; part <= Dataset::kTest; ++part) {
      // The targets t+1 .. t+horizon of a timestep t lie within the part.
      const int64_t begin = std::max<int64_t>(0, bounds[part] - 1), end = bounds[part + 1] - options.horizon;
      if (begin < end) parts[part].push_back({i, begin, begin, end});
    }
    if (test > options.horizon) parts[Dataset::kTrainingAndValidation].push_back({i, 0, 0, test - options.horizon});
  }
  return parts;
}

// Parts a token text by its lines.
Parts SplitLines(const DatasetOptions& options, const SeriesSet& set) {
  Parts parts;
  const double lines = static_cast<double>(set.series.size());
  for (size_t i = 0; i < set.series.size(); ++i) {
    const double place = (i + 0.5) / lines;
    const Dataset::Part part = place < 1 - options.test - options.validation ? Dataset::kTraining
                               : place < 1 - options.test                    ? Dataset::kValidation
                                                                             : Dataset::kTest;
    if (set.series[i].timesteps > options.horizon) {
      const Segment line = {i, 0, 0, set.series[i].timesteps - options.horizon};
      parts[part].push_back(line);
      if (part != Dataset::kTest) parts[Dataset::kTrainingAndValidation].push_back(line);
    }
  }
  return parts;
}

// Makes each part the whole of each series.
Parts WholeSeries(const DatasetOptions& options, const SeriesSet& set) {
  Parts parts;
  for (size_t i = 0; i < set.series.size(); ++i) {
    const int64_t end = set.series[i].timesteps - options.horizon;
    for (std::vector<Segment>& part : parts) {
      if (end > 0) part.push_back({i, 0, 0, end});
    }
  }
  return parts;
}

// A score of one timestep is none, and early stopping needs some too.
absl::Status CheckEnough(const Parts& parts, const DatasetOptions& options, SeriesSet* set) {
  const char* names[] = {"training", "validation", "test"};
  std::string too_short;
  int64_t longest = 0;
  for (const Series& series : set->series) {
    longest = std::max(longest, series.timesteps);
    const int64_t test = series.timesteps - std::llround(static_cast<double>(series.timesteps) * (1 - options.test));
    if (set->series.size() > 1 && test < options.horizon) {
      absl::StrAppend(&too_short, too_short.empty() ? "" : ", ", "'", series.name, "' (", series.timesteps, ")");
    }
  }
  if (!too_short.empty() && options.token_names.empty()) {
    set->notes.push_back(absl::StrCat("series that are too short for a test part, with their rows: ", too_short));
  }
  for (int part = Dataset::kTraining; part <= Dataset::kTest; ++part) {
    if (Timesteps(parts[part]) >= kLeastTimesteps[part]) continue;
    const auto horizon = static_cast<double>(options.horizon);
    const double needed =
        std::ceil(std::max((kLeastTimesteps[Dataset::kTest] + horizon) / options.test,
                           (kLeastTimesteps[Dataset::kTraining] + kLeastTimesteps[Dataset::kValidation] + 2 * horizon) /
                               (1 - options.test)));
    return absl::InvalidArgumentError(
        absl::StrCat("the ", names[part], " part has ", Timesteps(parts[part]), " timesteps with their ",
                     options.horizon, " target(s), and needs ", kLeastTimesteps[part], "; the longest series has ",
                     longest, " rows, split by --validation=", options.validation, " and --test=", options.test,
                     "; a series of ", needed, " rows is enough"));
  }
  return absl::OkStatus();
}

}  // namespace

int64_t Timesteps(const std::vector<Segment>& part) {
  int64_t total = 0;
  for (const Segment& segment : part) total += segment.timesteps();
  return total;
}

absl::StatusOr<Parts> SplitSeries(const DatasetOptions& options, SeriesSet* set) {
  Parts parts;
  if (!options.token_names.empty() && static_cast<int64_t>(set->series.size()) >= kMinLinesToSplit) {
    parts = SplitLines(options, *set);
  } else if (options.one_part) {
    parts = WholeSeries(options, *set);
  } else {
    parts = SplitByTime(options, *set, 0);
    if (Timesteps(parts[Dataset::kValidation]) < kLeastTimesteps[Dataset::kValidation]) {
      parts = SplitByTime(options, *set, kLeastTimesteps[Dataset::kValidation] + options.horizon - 1);
      set->notes.push_back(absl::StrCat("the validation part begins earlier than --validation=", options.validation,
                                        " says: it would have too few rows"));
    }
  }
  if (absl::Status status = CheckEnough(parts, options, set); !status.ok()) return status;
  return parts;
}

}  // namespace rondo::train
