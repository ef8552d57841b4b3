#include "model/train/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/time_text.h"
#include "model/json_text.h"
#include "model/train/time_column.h"

namespace rondo::train {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr int64_t kMaxResampledSteps = int64_t{1} << 28;

bool IsMissing(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  return lower.empty() || lower == "na" || lower == "nan" || lower == "null";
}

absl::StatusOr<float> ParseValue(const std::string& text, size_t row, const std::string& column) {
  if (IsMissing(text)) return kMissing;
  float value = 0;
  if (absl::SimpleAtof(text, &value) && std::isfinite(value)) return value;
  return absl::InvalidArgumentError(absl::StrCat("row ", RowNumber(row), ", column '", column, "' has ", Quoted(text),
                                                 "; a finite number is wanted"));
}

// Lists the rows of the file that belong to one series, in the file's order.
struct Rows {
  std::string name;
  std::vector<size_t> rows;
};

std::vector<Rows> SplitBySeries(const CsvTable& table, const std::vector<std::string>* names) {
  std::vector<Rows> all;
  std::map<std::string, size_t> places;
  for (size_t row = 0; row < table.rows(); ++row) {
    const std::string name = names == nullptr ? "" : (*names)[row];
    const auto [found, added] = places.emplace(name, all.size());
    if (added) all.push_back({name, {}});
    all[found->second].rows.push_back(row);
  }
  return all;
}

int64_t MostFrequentStep(const std::vector<Rows>& all, const std::vector<int64_t>& times) {
  std::map<int64_t, size_t> counts;
  for (const Rows& one : all) {
    for (size_t i = 1; i < one.rows.size(); ++i) ++counts[times[one.rows[i]] - times[one.rows[i - 1]]];
  }
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? 0 : most->first;
}

// Reads a table's columns series by series.
class Maker {
 public:
  Maker(const CsvTable& table, const SeriesOptions& options) : table_(table), options_(options) {}

  absl::StatusOr<SeriesSet> Make() {
    if (absl::Status status = FindColumns(); !status.ok()) return status;
    if (table_.rows() == 0) return absl::InvalidArgumentError("the file has a header and no rows");
    const std::vector<Rows> all = SplitBySeries(table_, series_names_);
    if (!options_.time.empty()) {
      step_ = options_.irregular == Irregular::kResample && options_.resample_seconds > 0
                  ? static_cast<int64_t>(options_.resample_seconds)
                  : MostFrequentStep(all, times_);
    }
    SeriesSet set;
    set.columns = options_.columns;
    for (const Rows& one : all) {
      auto series = MakeOne(one);
      if (!series.ok()) return series.status();
      set.series.push_back(*std::move(series));
    }
    set.step_seconds = regular_ ? static_cast<double>(step_) : 0;
    return set;
  }

 private:
  absl::Status FindColumns() {
    for (const std::string& name : options_.columns) {
      const auto column = table_.Find(name);
      if (!column.ok()) return column.status();
      columns_.push_back(&table_.columns[*column]);
    }
    if (!options_.series.empty()) {
      const auto column = table_.Find(options_.series);
      if (!column.ok()) return column.status();
      series_names_ = &table_.columns[*column];
    }
    if (options_.time.empty()) return absl::OkStatus();
    const auto column = table_.Find(options_.time);
    if (!column.ok()) return column.status();
    auto times = ParseTimes(table_.columns[*column], options_.time_format);
    if (!times.ok()) return times.status();
    times_ = *std::move(times);
    return absl::OkStatus();
  }

  absl::StatusOr<Series> MakeOne(const Rows& one) {
    Series series;
    series.name = one.name;
    if (absl::Status status = CheckSteps(one); !status.ok()) return status;
    for (const size_t row : one.rows) {
      if (!times_.empty()) series.times.push_back(times_[row]);
      for (size_t i = 0; i < columns_.size(); ++i) {
        const auto value = ParseValue((*columns_[i])[row], row, options_.columns[i]);
        if (!value.ok()) return value.status();
        series.values.push_back(*value);
      }
    }
    series.timesteps = one.rows.size();
    if (options_.irregular == Irregular::kResample && !times_.empty()) {
      if (absl::Status status = Resample(series); !status.ok()) return status;
    }
    if (absl::Status status = FillMissing(one, series); !status.ok()) return status;
    return series;
  }

  absl::Status CheckSteps(const Rows& one) {
    for (size_t i = 1; i < one.rows.size() && !times_.empty(); ++i) {
      const int64_t before = times_[one.rows[i - 1]], now = times_[one.rows[i]];
      const std::string where = absl::StrCat("row ", RowNumber(one.rows[i]), " has the time ", FormatTimeText(now),
                                             " after ", FormatTimeText(before));
      if (now <= before) return absl::InvalidArgumentError(absl::StrCat(where, "; times must grow within a series"));
      if (now - before == step_ || options_.irregular == Irregular::kResample) continue;
      regular_ = false;
      if (options_.irregular == Irregular::kKeep) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(where, ", a step of ", now - before, " s where most are ", step_,
                       " s; --irregular=resample makes equal steps, --irregular=keep takes rows as they are"));
    }
    return absl::OkStatus();
  }

  absl::Status Resample(Series& series) const {
    if (step_ <= 0) return absl::OkStatus();
    const int64_t start = series.times.front() - ((series.times.front() % step_) + step_) % step_;
    const int64_t steps = (series.times.back() - start) / step_ + 1, width = columns_.size();
    if (steps > kMaxResampledSteps) {
      return absl::InvalidArgumentError(
          absl::StrCat("a step of ", step_, " s makes ", steps, " timesteps; at most ", kMaxResampledSteps));
    }
    std::vector<double> sums(steps * width);
    std::vector<int64_t> counts(steps * width);
    for (int64_t t = 0; t < series.timesteps; ++t) {
      for (int64_t i = 0; i < width; ++i) {
        const float value = series.values[t * width + i];
        const int64_t place = (series.times[t] - start) / step_ * width + i;
        if (std::isnan(value)) continue;
        sums[place] += value;
        ++counts[place];
      }
    }
    series.timesteps = steps;
    series.times.resize(steps);
    for (int64_t t = 0; t < steps; ++t) series.times[t] = start + t * step_;
    series.values.resize(steps * width);
    for (int64_t i = 0; i < steps * width; ++i) series.values[i] = counts[i] == 0 ? kMissing : sums[i] / counts[i];
    return absl::OkStatus();
  }

  absl::Status FillMissing(const Rows& one, Series& series) const {
    const size_t width = columns_.size();
    for (size_t place = 0; place < series.values.size(); ++place) {
      if (!std::isnan(series.values[place])) continue;
      const size_t t = place / width;
      const bool resampled = series.timesteps != static_cast<int64_t>(one.rows.size());
      const std::string where =
          absl::StrCat(resampled ? FormatTimeText(series.times[t]) : absl::StrCat("row ", RowNumber(one.rows[t])),
                       ", column '", options_.columns[place % width], "' has no value");
      if (options_.missing == Missing::kError) {
        return absl::InvalidArgumentError(absl::StrCat(where, "; --missing=forward_fill takes the one before"));
      }
      if (t == 0) return absl::InvalidArgumentError(absl::StrCat(where, " and none before it in its series"));
      series.values[place] = series.values[place - width];
    }
    return absl::OkStatus();
  }

  const CsvTable& table_;
  const SeriesOptions& options_;
  std::vector<const std::vector<std::string>*> columns_;
  const std::vector<std::string>* series_names_ = nullptr;
  std::vector<int64_t> times_;
  int64_t step_ = 0;
  bool regular_ = true;
};

}  // namespace

absl::StatusOr<SeriesSet> MakeSeries(const CsvTable& table, const SeriesOptions& options) {
  return Maker(table, options).Make();
}

}  // namespace rondo::train
