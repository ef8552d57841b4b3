#include "model/convert/torch/pickle.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/convert/torch/weight_file.h"
#include "tests/unit/model/convert/zip_bytes.h"

namespace rondo::convert {
namespace {

using ::testing::HasSubstr;

constexpr char kProtocol[] = "\x80\x02";

std::string RefusalOf(const std::string& opcodes) {
  const absl::StatusOr<Pickle> pickle = Pickle::Parse(kProtocol + opcodes);
  return pickle.ok() ? "it was read" : std::string(pickle.status().message());
}

std::string Text(const std::string& text) {
  std::string bytes = "X";
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(text.size() >> (8 * i)));
  return bytes + text;
}

TEST(PickleTest, PlainValuesAreRead) {
  const auto pickle = Pickle::Parse(kProtocol + std::string("}(") + Text("a") + "K\x07" + Text("b") + "\x88u.");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->root().Find("a")->whole, 7);
  EXPECT_TRUE(pickle->root().Find("b")->Is(PickleValue::Kind::kBool));
  EXPECT_EQ(pickle->root().Find("c"), nullptr);
}

TEST(PickleTest, WhatWouldRunSomethingIsRefusedByItsName) {
  for (const char* name :
       {"posix\nsystem", "builtins\neval", "os\npopen", "torch\nload", "torch.hub\nload", "subprocess\nPopen"}) {
    const std::string shown = std::string(name).replace(std::string(name).find('\n'), 1, ".");
    EXPECT_THAT(RefusalOf("c" + std::string(name) + "\n" + Text("x") + "\x85R."),
                HasSubstr("the pickle names '" + shown + "', which no file of weights needs"));
  }
  EXPECT_THAT(RefusalOf(Text("posix") + Text("system") + "\x93."), HasSubstr("names 'posix.system'"));
}

TEST(PickleTest, AnObjectOfAnotherProgramIsWrittenDownAndNamed) {
  const auto pickle = Pickle::Parse(kProtocol + std::string("ca_project.config\nConfig\n") + Text("x") + "\x85R}b.");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_TRUE(pickle->root().Is(PickleValue::Kind::kCall));
  EXPECT_EQ(pickle->foreign(), std::set<std::string>{"a_project.config.Config"});
}

TEST(PickleTest, EveryPickleThatIsCutIsRefused) {
  const std::string whole =
      "}(" + Text("key") + "G@\x09\x21\xfb\x54\x44\x2d\x18" + Text("list") + "](K\x01K\x02" + "eu.";
  ASSERT_EQ(RefusalOf(whole), "it was read");
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_NE(RefusalOf(whole.substr(0, size)), "it was read") << size;
}

TEST(PickleTest, AStackThatIsEmptyGivesNothing) {
  for (const char* opcodes :
       {".", "0.", "R.", "b.", "a.", "s.", "e.", "u.", "t.", "1.", "Q.", "\x87.", "\x93.", "(0.", "q\x01."}) {
    EXPECT_THAT(RefusalOf(opcodes), HasSubstr("the pickle")) << opcodes;
  }
  EXPECT_THAT(RefusalOf("h\x05."), HasSubstr("recalls a value that was not kept"));
}

TEST(PickleTest, AnAnnouncementOfTwoGigabytesTakesNoMemory) {
  EXPECT_THAT(RefusalOf(std::string("X\x00\x00\x00\x80", 5) + "abc"), HasSubstr("ends in the middle of a value"));
  EXPECT_THAT(RefusalOf(std::string("B\xff\xff\xff\xff", 5) + "abc"), HasSubstr("ends in the middle of a value"));
}

TEST(PickleTest, ArgumentsThatManyCallsHaveAreCounted) {
  std::string opcodes = "ca.b\nC\nq\x01(";
  for (int i = 0; i < 3000; ++i) opcodes += "K\x01";
  opcodes += "tq\x02";
  for (int i = 0; i < 2000; ++i) opcodes += "h\x01h\x02R0";
  EXPECT_THAT(RefusalOf(opcodes + "N."), HasSubstr("has more than 4194304 items"));
}

TEST(PickleTest, ATensorAtTheLargestPlaceOfAllReachesBeyondItsStorage) {
  const std::string storage = "(" + Text("storage") + "ctorch\nFloatStorage\n" + Text("0") + Text("cpu") + "K\x01tQ";
  const std::string offset = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", one = "K\x01\x85";
  const std::string tensor = "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + one + one + "\x89}tR";
  const std::string file =
      ZipBytes({{"a/data.pkl", kProtocol + ("}(" + Text("w") + tensor + "u.")}, {"a/data/0", std::string(4, '\0')}});
  EXPECT_THAT(ReadTorchFile(file, "").status().message(), HasSubstr("reaches beyond the 1 values of its storage"));
}

TEST(PickleTest, AClassBesideItsSourceTextIsTheClass) {
  const std::string id = "(" + Text("module") + "ca_project\nNet\n" + Text("net.py") + Text("class Net: ...") + "tQ";
  const auto pickle = Pickle::Parse(kProtocol + id + ")\x81.");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->root().text, "a_project.Net");
}

TEST(PickleTest, AFileOfBeforePyTorch16IsReadWhateverItsProtocol) {
  const std::string mark("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);
  const std::string storage = "(" + Text("storage") + "ctorch\nFloatStorage\n" + Text("7") + Text("cpu") + "K\x01NtQ";
  const std::string tensor =
      "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + std::string("K\0", 2) + "K\x01\x85" + "K\x01\x85" + "\x89}tR";
  const std::string frame = "\x95" + std::string("\x0d\0\0\0\0\0\0\0", 8);
  for (const std::string& begin : {std::string("\x80\x02"), std::string("\x80\x03"), "\x80\x04" + frame}) {
    const auto pickle = [&](const std::string& opcodes) { return "\x80" + begin.substr(1, 1) + opcodes + "."; };
    const std::string file = begin + mark + pickle("M\xe9\x03") + pickle("}") +
                             pickle("}(" + Text("w") + tensor + "u") + pickle("](" + Text("7") + "e") +
                             std::string("\x01\0\0\0\0\0\0\0\0\0\x80\x3f", 12);
    ASSERT_TRUE(IsOldTorchFile(file));
    const absl::StatusOr<WeightFile> weights = ReadTorchFile(file, "");
    ASSERT_TRUE(weights.ok()) << weights.status();
    EXPECT_EQ(weights->tensors.at(0).array.values, std::vector<double>{1});
  }
  EXPECT_FALSE(IsOldTorchFile("\x80\x04" + frame));
  EXPECT_FALSE(IsOldTorchFile("\x80"));
}

TEST(PickleTest, AListAHundredThousandDeepIsReadAndHoldsNoTensors) {
  std::string nested;
  for (int i = 0; i < 100000; ++i) nested += "]";
  for (int i = 1; i < 100000; ++i) nested += "a";
  EXPECT_EQ(RefusalOf(nested + "."), "it was read");
  std::string dictionaries;
  for (int i = 0; i < 100000; ++i) dictionaries += "}" + Text("k");
  dictionaries += "N";
  for (int i = 0; i < 100000; ++i) dictionaries += "s";
  const std::string file = ZipBytes({{"a/data.pkl", kProtocol + dictionaries + "."}, {"a/version", "3"}});
  EXPECT_THAT(ReadTorchFile(file, "").status().message(), HasSubstr("holds no tensors by name"));
}

TEST(PickleTest, AListThatHoldsItselfEnds) {
  const std::string file = ZipBytes({{"a/data.pkl", std::string(kProtocol) + "}q\x01" + Text("me") + "h\x01s."}});
  EXPECT_THAT(ReadTorchFile(file, "").status().message(), HasSubstr("holds no tensors by name"));
}

TEST(PickleTest, AnotherProtocolIsRefused) {
  EXPECT_THAT(Pickle::Parse("\x80\x07N.").status().message(), HasSubstr("is of protocol 7; 2 to 5 are read"));
}

}  // namespace
}  // namespace rondo::convert
