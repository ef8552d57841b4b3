#include "model/train/labelled_data.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

constexpr size_t kMostTimesteps = 4096;

absl::Status InRow(size_t row, absl::string_view column, absl::string_view what) {
  return Invalid("row ", RowNumber(row), ", column '", column, "': ", what);
}

// The places of names, in the order of the names.
std::map<std::string, int32_t> Numbered(const std::set<std::string>& names) {
  std::map<std::string, int32_t> places;
  for (const std::string& name : names) places.emplace(name, static_cast<int32_t>(places.size()));
  return places;
}

// Reads a table into sequences.
class LabelledReader {
 public:
  LabelledReader(const CsvTable& table, const LabelledOptions& options) : table_(table), options_(options) {}

  absl::StatusOr<LabelledData> Read() {
    data_.task = options_.task;
    if (absl::Status status = FindColumns(); !status.ok()) return status;
    GroupRows();
    absl::Status status = options_.inputs.empty() ? ReadTexts() : ReadNumbers();
    if (status.ok()) status = ReadLabels();
    if (status.ok()) status = Check();
    if (!status.ok()) return status;
    Split();
    if (status = CheckParts(); !status.ok()) return status;
    if (options_.inputs.empty()) return std::move(data_);
    Standardise();
    return std::move(data_);
  }

 private:
  absl::Status FindColumns() {
    const auto label = table_.Find(options_.label_column);
    if (!label.ok()) return label.status();
    label_ = &table_.columns[*label];
    if (!options_.sequence_column.empty()) {
      const auto sequence = table_.Find(options_.sequence_column);
      if (!sequence.ok()) return sequence.status();
      sequence_ = &table_.columns[*sequence];
    }
    const std::vector<std::string> wanted =
        options_.inputs.empty() ? std::vector<std::string>{options_.text_column} : options_.inputs;
    for (const std::string& name : wanted) {
      const auto column = table_.Find(name);
      if (!column.ok()) return column.status();
      inputs_.push_back(&table_.columns[*column]);
    }
    return absl::OkStatus();
  }

  void GroupRows() {
    std::map<std::string, size_t> places;
    for (size_t row = 0; row < table_.rows(); ++row) {
      if (sequence_ == nullptr) {
        rows_.push_back({row});
        continue;
      }
      const auto [found, added] = places.emplace((*sequence_)[row], rows_.size());
      if (added) rows_.emplace_back();
      rows_[found->second].push_back(row);
    }
    data_.sequences.resize(rows_.size());
  }

  absl::Status ReadNumbers() {
    for (const std::string& name : options_.inputs) data_.spec.inputs.push_back({name, 0, 1});
    for (size_t i = 0; i < rows_.size(); ++i) {
      LabelledSequence& sequence = data_.sequences[i];
      sequence.timesteps = rows_[i].size();
      for (const size_t row : rows_[i]) {
        for (size_t column = 0; column < inputs_.size(); ++column) {
          const std::string& cell = (*inputs_[column])[row];
          const auto number = ParseCell(cell, options_.format);
          if (!number.ok()) return InRow(row, options_.inputs[column], number.status().message());
          if (!number->has_value()) return InRow(row, options_.inputs[column], "has no value; wanted a number");
          if (std::abs(**number) > std::numeric_limits<float>::max()) {
            return InRow(row, options_.inputs[column],
                         absl::StrCat("is '", cell, "'; wanted a number from -3.4e38 to 3.4e38"));
          }
          sequence.inputs.push_back(static_cast<float>(**number));
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadTexts() {
    std::vector<std::vector<std::string>> texts(rows_.size());
    std::set<std::string> tokens;
    for (size_t i = 0; i < rows_.size(); ++i) {
      for (const size_t row : rows_[i]) {
        const std::string& cell = (*inputs_[0])[row];
        absl::StatusOr<std::vector<std::string>> cut = std::vector<std::string>{cell};
        if (sequence_ == nullptr) cut = SplitTokens(cell, options_.token_unit);
        if (!cut.ok()) return InRow(row, options_.text_column, "is not UTF-8");
        if (cell.empty() || cut->empty()) return InRow(row, options_.text_column, "is empty; wanted a text");
        tokens.insert(cut->begin(), cut->end());
        texts[i].insert(texts[i].end(), cut->begin(), cut->end());
      }
    }
    const std::map<std::string, int32_t> numbers = Numbered(tokens);
    auto vocabulary = Vocabulary::Create({tokens.begin(), tokens.end()});
    if (!vocabulary.ok()) return vocabulary.status();
    data_.spec.vocabulary = *std::move(vocabulary);
    data_.spec.tokens = static_cast<int64_t>(tokens.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      data_.sequences[i].timesteps = texts[i].size();
      for (const std::string& token : texts[i]) {
        data_.sequences[i].inputs.push_back(static_cast<float>(numbers.at(token)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadLabels() {
    std::set<std::string> classes(label_->begin(), label_->end());
    classes.erase("");
    if (classes.size() < 2) {
      return absl::InvalidArgumentError(
          absl::StrCat("column '", options_.label_column, "' has ", classes.size(), " classes; wanted two or more"));
    }
    const std::map<std::string, int32_t> numbers = Numbered(classes);
    for (const std::string& name : classes) data_.spec.outputs.push_back({name, 0, 1, ""});
    data_.spec.head = Head::kSoftmax;
    for (size_t i = 0; i < rows_.size(); ++i) {
      for (const size_t row : rows_[i]) {
        const std::string& name = (*label_)[row];
        std::vector<int32_t>& labels = data_.sequences[i].labels;
        if (options_.task == Task::kTag) {
          labels.push_back(name.empty() ? kNoLabel : numbers.at(name));
          continue;
        }
        if (name.empty()) return InRow(row, options_.label_column, "is empty; wanted the class of the sequence");
        if (labels.empty()) labels.push_back(numbers.at(name));
        if (labels.front() != numbers.at(name)) {
          return InRow(
              row, options_.label_column,
              absl::StrCat("is '", name, "', after another class in this sequence; --task=tag has a class a row"));
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status Check() const {
    constexpr size_t kFewest = 10;
    if (data_.sequences.size() < kFewest) {
      return absl::InvalidArgumentError(
          absl::StrCat("there are ", data_.sequences.size(), " sequences; wanted ", kFewest, " or more"));
    }
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (data_.sequences[i].timesteps <= kMostTimesteps) continue;
      return Invalid("the sequence of row ", RowNumber(rows_[i].front()), " has ", data_.sequences[i].timesteps,
                     " timesteps; wanted at most ", kMostTimesteps);
    }
    return absl::OkStatus();
  }

  // Draws the parts, of each class by itself, so that a rare class is in each of them. Classes that are too small for a
  // sequence in the validation part give one together.
  void Split() {
    std::map<int32_t, std::vector<size_t>> groups;
    for (size_t i = 0; i < data_.sequences.size(); ++i) {
      groups[options_.task == Task::kClassify ? data_.sequences[i].labels.front() : 0].push_back(i);
    }
    double owed = 0;
    for (auto& [label, group] : groups) {
      Random random(options_.seed, static_cast<uint64_t>(label));
      for (size_t i = group.size(); i > 1; --i) std::swap(group[i - 1], group[random.Below(static_cast<int64_t>(i))]);
      const auto count = static_cast<double>(group.size());
      const size_t most = group.size() - 1;  // at least one is there to train on
      auto validation = std::min(static_cast<size_t>(std::lround(count * options_.validation)), most);
      if (validation == 0 && most > 0 && (owed += count * options_.validation) >= 0.5) {
        --owed;
        validation = 1;
      }
      const auto test = std::min(static_cast<size_t>(std::lround(count * options_.test)), most - validation);
      const size_t held = test + validation;
      for (size_t i = 0; i < group.size(); ++i) {
        const auto part = i < test   ? LabelledData::kTest
                          : i < held ? LabelledData::kValidation
                                     : LabelledData::kTraining;
        data_.parts[part].push_back(group[i]);
      }
    }
  }

  absl::Status CheckParts() const {
    constexpr absl::string_view kNames[] = {"training", "validation", "test"};
    for (const auto part : {LabelledData::kTraining, LabelledData::kValidation, LabelledData::kTest}) {
      double labels = 0;
      for (const double count : data_.CountLabels(part)) labels += count;
      if (labels > 0) continue;
      return Invalid(
          "the ", kNames[part], " part has ", data_.parts[part].size(), " of ", data_.sequences.size(),
          " sequences, and no label; wanted one or more: of more sequences, or with other parts for --validation (",
          options_.validation, ") and --test (", options_.test, ")");
    }
    return absl::OkStatus();
  }

  void Standardise() {
    const size_t width = inputs_.size();
    for (size_t column = 0; column < width; ++column) {
      double count = 0, sum = 0, squares = 0;
      for (const size_t i : data_.parts[LabelledData::kTraining]) {
        const std::vector<float>& inputs = data_.sequences[i].inputs;
        for (size_t at = column; at < inputs.size(); at += width) {
          ++count;
          sum += inputs[at];
          squares += static_cast<double>(inputs[at]) * inputs[at];
        }
      }
      const double mean = sum / std::max(count, 1.0);
      const double deviation = std::sqrt(std::max(0.0, squares / std::max(count, 1.0) - mean * mean));
      data_.spec.inputs[column].mean = mean;
      data_.spec.inputs[column].std = deviation > 1e-12 * std::max(1.0, std::abs(mean)) ? deviation : 1;
    }
  }

  const CsvTable& table_;
  const LabelledOptions& options_;
  const std::vector<std::string>* label_ = nullptr;
  const std::vector<std::string>* sequence_ = nullptr;  // null: a row is a sequence
  std::vector<const std::vector<std::string>*> inputs_;
  std::vector<std::vector<size_t>> rows_;  // of each sequence
  LabelledData data_;
};

}  // namespace

std::vector<double> LabelledData::CountLabels(Part part) const {
  std::vector<double> counts(spec.outputs.size());
  for (const size_t i : parts[part]) {
    for (const int32_t label : sequences[i].labels) {
      if (label != kNoLabel) ++counts[static_cast<size_t>(label)];
    }
  }
  return counts;
}

absl::StatusOr<LabelledData> ReadLabelled(const CsvTable& table, const LabelledOptions& options) {
  return LabelledReader(table, options).Read();
}

}  // namespace rondo::train
