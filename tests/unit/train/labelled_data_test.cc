#include "model/train/labelled_data.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/train/labelled_scores.h"
#include "tests/unit/train/labelled_sequences.h"

namespace rondo::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string ErrorOf(const std::string& csv, const LabelledOptions& options) {
  const absl::Status status = Read(csv, options).status();
  EXPECT_FALSE(status.ok());
  return std::string(status.message());
}

TEST(LabelledDataTest, ATextIsASequenceOfTokens) {
  const LabelledData data = *Read(FirstLetters(90), Texts());
  EXPECT_THAT(data.sequences, SizeIs(90));
  EXPECT_EQ(data.spec.tokens, 4);
  EXPECT_THAT(data.spec.vocabulary->texts(), ElementsAre("a", "b", "x", "y"));
  EXPECT_EQ(data.spec.outputs[0].name, "first");
  EXPECT_EQ(data.sequences[1].inputs[0], 1);
  EXPECT_THAT(data.sequences[1].labels, ElementsAre(1));
  // A third of each part is of the first class, as it is of all.
  EXPECT_THAT(data.CountLabels(LabelledData::kTest), ElementsAre(8, 15));
  EXPECT_THAT(data.CountLabels(LabelledData::kTraining), ElementsAre(17, 36));
}

TEST(LabelledDataTest, RowsOfASequenceMayStandApartAndHaveALabelEach) {
  std::string csv = "x,who,what\n";
  for (int i = 0; i < 20; ++i)
    absl::StrAppend(&csv, i, ",", i % 10, ",", i % 2 == 0 ? "even" : i == 3 ? "" : "odd", "\n");
  LabelledOptions options;
  options.task = Task::kTag;
  options.label_column = "what";
  options.inputs = {"x"};
  options.sequence_column = "who";
  const LabelledData data = *Read(csv, options);
  EXPECT_THAT(data.sequences, SizeIs(10));
  EXPECT_THAT(data.sequences[3].inputs, ElementsAre(3, 13));
  EXPECT_THAT(data.sequences[3].labels, ElementsAre(kNoLabel, 1));
  EXPECT_GT(data.spec.inputs[0].std, 1);
}

TEST(LabelledDataTest, WhatIsWrongIsNamedByItsRow) {
  LabelledOptions options = Texts();
  EXPECT_THAT(ErrorOf("name,language\n", options), HasSubstr("has 0 classes; wanted two or more"));
  EXPECT_THAT(ErrorOf(FirstLetters(9), options), HasSubstr("there are 9 sequences; wanted 10 or more"));
  EXPECT_THAT(ErrorOf(FirstLetters(20) + ",first\n", options), HasSubstr("row 22, column 'name': is empty"));
  EXPECT_THAT(ErrorOf(FirstLetters(20) + "x,\n", options), HasSubstr("row 22, column 'language': is empty"));
  options.sequence_column = "name";
  EXPECT_THAT(ErrorOf("name,language\nx,first\nx,second\n", options),
              HasSubstr("row 3, column 'language': is 'second'"));
  options.text_column = "";
  options.inputs = {"name"};
  EXPECT_THAT(ErrorOf("name,language\nx,first\nx,second\n", options), HasSubstr("row 2, column 'name': "));
  EXPECT_EQ(ErrorOf("name,language\n-3e38,first\n1e39,second\n", options),
            "row 3, column 'name': is '1e39'; wanted a number from -3.4e38 to 3.4e38");
}

TEST(LabelledDataTest, SmallClassesShareTheValidationPart) {
  std::string csv = "name,language\n";
  for (int i = 0; i < 12; ++i) absl::StrAppend(&csv, "xy,class", i / 3, "\n");
  const LabelledData data = *Read(csv, Texts());
  EXPECT_THAT(data.parts[LabelledData::kValidation], SizeIs(2));  // 4 * 3 * 0.15 is 1.8
  EXPECT_THAT(data.CountLabels(LabelledData::kTest), ElementsAre(1, 1, 1, 1));
}

TEST(LabelledDataTest, APartWithoutALabelIsRefused) {
  std::string classes = "name,language\n", tags = "x,who,what\n";
  for (int i = 0; i < 12; ++i) absl::StrAppend(&classes, "xy,class", i, "\n");
  EXPECT_EQ(ErrorOf(classes, Texts()),
            "the validation part has 0 of 12 sequences, and no label; wanted one or more: of more sequences, or with "
            "other parts for --validation (0.15) and --test (0.25)");
  for (int i = 0; i < 12; ++i) absl::StrAppend(&tags, i, ",", i, ",", i == 0 ? "even" : i == 1 ? "odd" : "", "\n");
  LabelledOptions options;
  options.task = Task::kTag;
  options.label_column = "what";
  options.inputs = {"x"};
  options.sequence_column = "who";
  EXPECT_THAT(ErrorOf(tags, options), HasSubstr(" of 12 sequences, and no label; wanted one or more"));
}

TEST(ConfusionMatrixTest, CountsAsTheTextbookDoes) {
  ConfusionMatrix matrix({"cat", "dog", "none"});
  for (int i = 0; i < 6; ++i) matrix.Add(0, 0);
  for (int i = 0; i < 2; ++i) matrix.Add(0, 1);
  for (int i = 0; i < 3; ++i) matrix.Add(1, 1);
  matrix.Add(1, 0);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 9.0 / 12);
  EXPECT_DOUBLE_EQ(matrix.precision(0), 6.0 / 7);
  EXPECT_DOUBLE_EQ(matrix.recall(0), 6.0 / 8);
  EXPECT_DOUBLE_EQ(matrix.f1(0), 2 * 6.0 / 15);
  EXPECT_DOUBLE_EQ(matrix.macro_f1(), (12.0 / 15 + 6.0 / 9) / 2);  // of the classes that there are
  EXPECT_EQ(matrix.precision(2), 0);
  const nlohmann::ordered_json json = ScoresJson({matrix, 0.5, 0.6});
  EXPECT_EQ(json["confusion"].dump(), "[[6,2,0],[1,3,0],[0,0,0]]");
  EXPECT_THAT(ScoresTable({matrix, 0.5, 0.6}), HasSubstr("accuracy 75.0% (always the most frequent class: 60.0%)"));
}

}  // namespace
}  // namespace rondo::train
