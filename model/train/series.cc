#include "model/train/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/train/column_units.h"
#include "model/train/file_rows.h"

namespace rondo::train {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kMaxTimesteps = int64_t{1} << 28;
constexpr int64_t kMicroseconds = 1'000'000;  // of a second

SeriesOptions WithSources(SeriesOptions options) {
  for (size_t i = options.sources.size(); i < options.columns.size(); ++i) {
    options.sources.push_back({options.columns[i], "", 0});
  }
  return options;
}

// Reads a table's columns series by series.
class Maker {
 public:
  Maker(const CsvTable& table, const SeriesOptions& options)
      : table_(table), options_(WithSources(options)), width_(options.columns.size()) {
    set_.columns = options.columns;
    set_.format = options.format;
    set_.notes = table.notes;
  }

  absl::StatusOr<SeriesSet> Make() {
    absl::StatusOr<FileRows> rows = ReadRows(table_, options_, &set_.notes);
    if (!rows.ok()) return rows.status();
    rows_ = *std::move(rows);
    std::vector<SeriesRows> all = SplitBySeries(table_, rows_);
    int64_t left_out = 0;
    for (SeriesRows& one : all) {
      const absl::StatusOr<int64_t> ordered = OrderRows(options_, &rows_, &one);
      if (!ordered.ok()) return ordered.status();
      left_out += *ordered;
      DropPromises(options_, rows_, &one);
    }
    if (left_out > 0) set_.notes.push_back(absl::StrCat(left_out, " rows have the time of the row before them"));
    FindStepOf(all);
    std::vector<RawSeries> raw;
    for (const SeriesRows& one : all) {
      auto series = LayOut(one);
      if (!series.ok()) return series.status();
      raw.push_back(*std::move(series));
    }
    NoteFarValues(raw);
    if (!options_.keep_units) {
      set_.format.units = FindUnits(raw, options_.columns, options_.series_scale, options_.statistics_part);
    }
    for (RawSeries& series : raw) {
      if (absl::Status status = Finish(&series); !status.ok()) return status;
    }
    if (!regular_) set_.format.step = {};
    return std::move(set_);
  }

 private:
  void FindStepOf(const std::vector<SeriesRows>& all) {
    if (rows_.times.empty()) return;
    std::vector<std::vector<int64_t>> times;
    for (const SeriesRows& one : all) {
      std::vector<int64_t>& its = times.emplace_back();
      for (const size_t row : one.rows) its.push_back(rows_.times[row]);
    }
    CalendarStep& step = set_.format.step;
    step = FindStep(times, rows_.zone);
    if (options_.irregular == Irregular::kResample && options_.resample_seconds > 0) {
      step = {CalendarStep::Unit::kMicrosecond, std::llround(options_.resample_seconds * kMicroseconds)};
    }
  }

  // Puts the rows of a series one step apart.
  absl::StatusOr<RawSeries> LayOut(const SeriesRows& one) {
    RawSeries series;
    series.name = one.name;
    const CalendarStep& step = set_.format.step;
    const bool resample = options_.irregular == Irregular::kResample && step.unit == CalendarStep::Unit::kMicrosecond;
    if (resample) {
      if (absl::Status status = Resample(one, &series); !status.ok()) return status;
    }
    for (size_t i = 0; i < one.rows.size() && !resample; ++i) {
      if (i > 0 && !rows_.times.empty()) {
        if (absl::Status status = Reach(one, i, &series); !status.ok()) return status;
      }
      Append(one.rows[i], &series);
    }
    for (const absl::Status& status : {CheckEmpty(series), CheckMissing(one, series)}) {
      if (!status.ok()) return status;
    }
    BeginAtFirstValues(&series);
    return series;
  }

  absl::Status CheckEmpty(const RawSeries& series) const {
    for (size_t column = 0; column < width_; ++column) {
      bool empty = true;
      for (size_t i = column; i < series.values.size() && empty; i += width_) empty = std::isnan(series.values[i]);
      if (!empty) continue;
      return absl::InvalidArgumentError(absl::StrCat(OfSeries(series.name), "column '", options_.columns[column],
                                                     "' has no value in any row; leave it out of the inputs"));
    }
    return absl::OkStatus();
  }

  void Append(size_t row, RawSeries* series) {
    if (!rows_.times.empty()) series->times.push_back(rows_.times[row]);
    series->values.insert(series->values.end(), rows_.values.begin() + row * width_,
                          rows_.values.begin() + (row + 1) * width_);
    ++series->timesteps;
  }

  // Puts in the steps that lie between the last timestep and row `i` of a series, if that is allowed.
  absl::Status Reach(const SeriesRows& one, size_t i, RawSeries* series) {
    const int64_t origin = series->times.front(), before = series->times.back(), now = rows_.times[one.rows[i]];
    const CalendarStep& step = set_.format.step;
    const auto last = StepsBetween(step, rows_.zone, origin, before),
               next = StepsBetween(step, rows_.zone, origin, now);
    if (last.has_value() && next.has_value() && *next == *last + 1) return absl::OkStatus();
    if (options_.irregular == Irregular::kKeep) {
      regular_ = false;
      return absl::OkStatus();
    }
    const bool fills = options_.format.missing == Missing::kMask || options_.irregular == Irregular::kResample;
    if (fills && last.has_value() && next.has_value() && *next - *last < kMaxTimesteps - series->timesteps) {
      for (int64_t k = *last + 1; k < *next; ++k) {
        series->times.push_back(AddSteps(step, rows_.zone, origin, k));
        series->values.resize(series->values.size() + width_, kNoValue);
        ++series->timesteps;
      }
      return absl::OkStatus();
    }
    const std::string distance = StepText({CalendarStep::Unit::kMicrosecond, now - before});
    return absl::InvalidArgumentError(absl::StrCat(
        OfSeries(one.name), "row ", RowNumber(one.rows[i]), " has the time ", rows_.TimeText(now), " after ",
        rows_.TimeText(before), ", a step of ", distance, " where most are ", StepText(step),
        "; --missing=mask puts in what is missing, --irregular=resample makes equal steps, --irregular=keep takes rows "
        "as they are"));
  }

  absl::Status Resample(const SeriesRows& one, RawSeries* series) const {
    const int64_t step = set_.format.step.count, first = rows_.times[one.rows.front()],
                  last = rows_.times[one.rows.back()];
    const int64_t start = first - ((first % step) + step) % step, steps = (last - start) / step + 1;
    if (steps > kMaxTimesteps) {
      return absl::InvalidArgumentError(absl::StrCat("a step of ", StepText(set_.format.step), " makes ", steps,
                                                     " timesteps; at most ", kMaxTimesteps));
    }
    series->values.resize(steps * width_, 0);
    std::vector<int64_t> counts(steps * width_);
    for (const size_t row : one.rows) {
      for (size_t i = 0; i < width_; ++i) {
        const double value = rows_.values[row * width_ + i];
        const int64_t place =
            (rows_.times[row] - start) / step * static_cast<int64_t>(width_) + static_cast<int64_t>(i);
        if (std::isnan(value)) continue;
        series->values[place] += value;
        ++counts[place];
      }
    }
    for (size_t i = 0; i < counts.size(); ++i)
      series->values[i] = counts[i] == 0 ? kNoValue : series->values[i] / counts[i];
    for (int64_t t = 0; t < steps; ++t) series->times.push_back(start + t * step);
    series->timesteps = steps;
    return absl::OkStatus();
  }

  absl::Status CheckMissing(const SeriesRows& one, const RawSeries& series) const {
    if (options_.format.missing != Missing::kError) return absl::OkStatus();
    const bool resampled = series.timesteps != static_cast<int64_t>(one.rows.size());
    for (size_t place = 0; place < series.values.size(); ++place) {
      if (!std::isnan(series.values[place])) continue;
      const size_t t = place / width_;
      return absl::InvalidArgumentError(absl::StrCat(
          OfSeries(one.name),
          resampled ? rows_.TimeText(series.times[t]) : absl::StrCat("row ", RowNumber(one.rows[t])), ", column '",
          options_.columns[place % width_],
          "' has no value; --missing=forward_fill takes the one before, and neither learns nor scores it"));
    }
    return absl::OkStatus();
  }

  // A sensor may start late: the series begins when all columns have had a value.
  void BeginAtFirstValues(RawSeries* series) {
    std::vector<bool> seen(width_);
    size_t unseen = width_;
    int64_t begin = 0;
    for (; begin < series->timesteps && unseen > 0; ++begin) {
      for (size_t i = 0; i < width_; ++i) {
        if (seen[i] || std::isnan(series->values[begin * width_ + i])) continue;
        seen[i] = true;
        --unseen;
      }
    }
    begin = unseen > 0 ? series->timesteps : begin - 1;
    if (begin <= 0) return;
    const std::string left_out = absl::StrCat(begin, begin == 1 ? " timestep is" : " timesteps are", " left out");
    if (begin < series->timesteps) {
      const std::string where =
          rows_.times.empty() ? absl::StrCat("timestep ", begin) : rows_.TimeText(series->times[begin]);
      set_.notes.push_back(absl::StrCat(OfSeries(series->name), "it begins at ", where,
                                        ", the first with a value for every column; ", left_out));
      // What a column had before is what fills its first values.
      for (size_t i = 0; i < width_; ++i) {
        double& first = series->values[begin * width_ + i];
        for (int64_t t = begin; std::isnan(first); --t) first = series->values[(t - 1) * width_ + i];
      }
    }
    if (!series->times.empty()) series->times.erase(series->times.begin(), series->times.begin() + begin);
    series->values.erase(series->values.begin(), series->values.begin() + begin * width_);
    series->timesteps -= begin;
  }

  // Notes a value that comes again and again far outside of the others, as -9999 for no value.
  void NoteFarValues(const std::vector<RawSeries>& all) {
    constexpr double kFar = 20;  // widths of the middle half of the values
    for (size_t column = 0; column < width_; ++column) {
      std::vector<double> values;
      for (const RawSeries& series : all) {
        for (size_t i = column; i < series.values.size(); i += width_) {
          if (!std::isnan(series.values[i])) values.push_back(series.values[i]);
        }
      }
      std::sort(values.begin(), values.end());
      if (values.empty()) continue;
      const double low = values[values.size() / 4], high = values[values.size() * 3 / 4];
      for (const double value : {values.front(), values.back()}) {
        const auto count = std::upper_bound(values.begin(), values.end(), value) -
                           std::lower_bound(values.begin(), values.end(), value);
        const double distance = std::max(low - value, value - high);
        if (high == low || count < 2 || distance < kFar * (high - low)) continue;
        set_.notes.push_back(absl::StrCat("column '", options_.columns[column], "' has ", value, " ", count,
                                          " times, far from its other values; if it stands for no value, say so with "
                                          "--missing_values=",
                                          value));
      }
    }
  }

  // Fills what is missing, and turns the file's numbers into what is sent.
  absl::Status Finish(RawSeries* raw) {
    Series series;
    series.name = raw->name;
    series.timesteps = raw->timesteps;
    series.times = std::move(raw->times);
    std::vector<double>& values = raw->values;
    if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); })) {
      series.present.assign(values.size(), 1);
    }
    for (size_t i = 0; i < values.size(); ++i) {
      if (!std::isnan(values[i])) continue;
      series.present[i] = 0;
      values[i] = values[i - width_];
    }
    series.values.resize(values.size());
    for (size_t column = 0; column < width_; ++column) {
      const ColumnUnit unit = set_.format.UnitOf(options_.columns[column], raw->name);
      for (size_t i = column; i < values.size(); i += width_) {
        series.values[i] = static_cast<float>((values[i] - unit.offset) / unit.scale);
        if (std::isfinite(series.values[i])) continue;
        return absl::InvalidArgumentError(absl::StrCat(OfSeries(raw->name), "column '", options_.columns[column],
                                                       "' has ", values[i],
                                                       ", too far from its other values to be learned"));
      }
    }
    set_.series.push_back(std::move(series));
    return absl::OkStatus();
  }

  const CsvTable& table_;
  const SeriesOptions options_;
  const size_t width_;
  FileRows rows_;
  bool regular_ = true;
  SeriesSet set_;
};

}  // namespace

absl::StatusOr<SeriesSet> MakeSeries(const CsvTable& table, const SeriesOptions& options) {
  return Maker(table, options).Make();
}

}  // namespace rondo::train
