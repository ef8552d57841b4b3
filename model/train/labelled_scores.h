#ifndef RONDO_MODEL_TRAIN_LABELLED_SCORES_H_
#define RONDO_MODEL_TRAIN_LABELLED_SCORES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace rondo::train {

// How often each class was answered where each class was right.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::vector<std::string> classes)
      : classes_(std::move(classes)), counts_(classes_.size() * classes_.size()) {}

  void Add(size_t actual, size_t answered) { ++counts_[actual * classes_.size() + answered]; }

  const std::vector<std::string>& classes() const { return classes_; }
  int64_t count(size_t actual, size_t answered) const { return counts_[actual * classes_.size() + answered]; }
  int64_t total() const;
  int64_t actual(size_t label) const;    // labels of the class
  int64_t answered(size_t label) const;  // answers of the class
  double accuracy() const;
  // Precision is the part of a class's answers that is right, recall the part of its labels that was answered, and f1
  // their harmonic mean (van Rijsbergen 1979). Each is 0 where there is none.
  double precision(size_t label) const;
  double recall(size_t label) const;
  double f1(size_t label) const;
  // The mean over the classes that have labels.
  double macro_f1() const;

 private:
  std::vector<std::string> classes_;
  std::vector<int64_t> counts_;  // [actual][answered]
};

// Scores on the test part.
struct LabelledScores {
  ConfusionMatrix matrix;
  double log_loss = 0;           // mean of -log of the probability of the right class
  double frequent_accuracy = 0;  // of always answering the most frequent class of the training part
};

nlohmann::ordered_json ScoresJson(const LabelledScores& scores);
// Writes the scores as a table for a terminal.
std::string ScoresTable(const LabelledScores& scores);
// Writes the scores as tables of HTML: each class, and the confusion matrix.
std::string ScoresHtml(const LabelledScores& scores);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LABELLED_SCORES_H_
