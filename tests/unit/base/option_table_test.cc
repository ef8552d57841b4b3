#include "base/option_table.h"

#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

enum class Fruit { kApple, kPear, kPlum };

// One option of each kind, as a program has them.
struct Options {
  int64_t count = 64;
  uint64_t seed = 1;
  std::optional<size_t> threads;
  double rate = 0.001;
  absl::Duration pause = absl::Minutes(10);
  absl::Duration idle = absl::Minutes(10);
  std::string name;
  std::string note;
  std::vector<std::string> files;
  Fruit fruit = Fruit::kPear;
  bool loud = false;
  bool refit = true;
};

class OptionTableTest : public ::testing::Test {
 protected:
  OptionTable Table() {
    OptionTable table;
    table.program = "fruit";
    table.about = "fruit sorts fruit.";
    table.groups = {
        {"What",
         {{"fruit", Choice(&options_.fruit, {{"apple", Fruit::kApple}, {"pear", Fruit::kPear}, {"plum", Fruit::kPlum}}),
           "Which one."},
          {"files", TextList(&options_.files, "FILE[,FILE...]"), "Where from."},
          Required({"name", Text(&options_.name, "NAME"), "Whose."}),
          {"note", TextOrNone(&options_.note, "TEXT"), "What else."}}},
        {"How many",
         {{"count", Number(&options_.count, {-1, 1024}, "N"), "Pieces."},
          {"seed", Number(&options_.seed, {0, std::numeric_limits<uint64_t>::max()}, "N"), "Of chance."},
          {"threads", Number(&options_.threads, {0, 8}, "N", {{"auto", std::nullopt}}), "Hands."},
          {"rate", Number(&options_.rate, {0, 0.9}, "R"), "Speed."},
          {"pause", Number(&options_.pause, {absl::ZeroDuration(), absl::Hours(1)}, "DURATION"), "Between two."},
          {"idle",
           Number(&options_.idle, {absl::Seconds(1), absl::Hours(24)}, "DURATION", {{"0", absl::InfiniteDuration()}}),
           "Until it ends. 0: never."},
          {"loud", Switch(&options_.loud), "Say so."},
          {"refit", Switch(&options_.refit), "Once more."}}}};
    return table;
  }

  absl::StatusOr<CommandLineAsks> Read(const std::vector<std::string>& arguments) {
    OptionTable table = Table();
    return ReadOptions(table, arguments);
  }

  // With the required option before.
  absl::Status ReadAll(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--name=n");
    return Read(arguments).status();
  }

  std::string Error(const std::vector<std::string>& arguments) {
    const absl::Status status = ReadAll(arguments);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  const TemporaryFolder folder_;
  Options options_;
};

TEST_F(OptionTableTest, WhatIsNotGivenStaysAsItIs) {
  ASSERT_TRUE(ReadAll({}).ok());
  EXPECT_EQ(options_.name, "n");
  EXPECT_EQ(options_.count, 64);
  EXPECT_EQ(options_.fruit, Fruit::kPear);
}

TEST_F(OptionTableTest, ValuesFollowAnEqualsSignOrTheName) {
  ASSERT_TRUE(ReadAll({"--count=-1", "--rate", "0.5", "-pause=30s", "--threads", "7", "--files=a,,b", "-fruit", "plum",
                       "--seed=18446744073709551615", "--idle=0", "--note="})
                  .ok());
  EXPECT_EQ(options_.count, -1);
  EXPECT_EQ(options_.rate, 0.5);
  EXPECT_EQ(options_.pause, absl::Seconds(30));
  EXPECT_EQ(options_.threads, 7u);
  EXPECT_THAT(options_.files, ElementsAre("a", "b"));
  EXPECT_EQ(options_.fruit, Fruit::kPlum);
  EXPECT_EQ(options_.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(options_.idle, absl::InfiniteDuration());
}

TEST_F(OptionTableTest, ATextOfAListMayStandInQuotes) {
  const auto files = [&](const std::string& list) {
    EXPECT_TRUE(ReadAll({"--files=" + list}).ok()) << list;
    return options_.files;
  };
  EXPECT_THAT(files(R"("y, with comma",b)"), ElementsAre("y, with comma", "b"));
  EXPECT_THAT(files(R"(a,"say ""b""",,"")"), ElementsAre("a", "say \"b\""));
  for (const char* text : {"\"", "\"a", "\"a\"b", "a\"b\""}) EXPECT_THAT(files(text), ElementsAre(text)) << "no quotes";
}

TEST_F(OptionTableTest, AListThatIsWrittenOutReadsAsItWas) {
  const OptionValue list = TextList(&options_.files, "FILE[,FILE...]");
  const std::vector<std::string> texts[] = {{},     {"a", "b"},     {"y, with comma", "b"}, {","},
                                            {"\""}, {"\"a\"", "b"}, {"say \"b\"", "\",\""}};
  for (const std::vector<std::string>& each : texts) {
    options_.files = each;
    const std::string text = list.text();
    EXPECT_TRUE(list.read(text)) << text;
    EXPECT_EQ(options_.files, each) << text;
  }
  options_.files = {"plain", "a,b"};
  EXPECT_EQ(list.text(), R"(plain,"a,b")");
}

TEST_F(OptionTableTest, TheLastOfARepeatedOptionHolds) {
  ASSERT_TRUE(ReadAll({"--count=1", "--count=2", "--threads=3", "--threads=auto"}).ok());
  EXPECT_EQ(options_.count, 2);
  EXPECT_EQ(options_.threads, std::nullopt);
}

TEST_F(OptionTableTest, ASwitchIsOnOrOff) {
  ASSERT_TRUE(ReadAll({"--loud", "--norefit"}).ok());
  EXPECT_TRUE(options_.loud);
  EXPECT_FALSE(options_.refit);
  ASSERT_TRUE(ReadAll({"--loud=false", "--refit=TRUE"}).ok());
  EXPECT_FALSE(options_.loud);
  EXPECT_TRUE(options_.refit);
  EXPECT_EQ(Error({"--loud=maybe"}), "--loud=maybe: wanted true or false");
  EXPECT_THAT(Error({"--nocount"}), HasSubstr("unknown flag '--nocount'"));
}

TEST_F(OptionTableTest, AWrongValueSaysWhatCameAndWhatWasWanted) {
  EXPECT_EQ(Error({"--count=1025"}), "--count=1025: wanted a whole number, -1 to 1024");
  EXPECT_EQ(Error({"--threads=-1"}), "--threads=-1: wanted a whole number, 0 to 8, or auto");
  EXPECT_EQ(Error({"--rate=1"}), "--rate=1: wanted a number, 0 to 0.9");
  EXPECT_EQ(Error({"--idle=1ms"}), "--idle=1ms: wanted a duration such as 30s or 10m, 1s to 24h, or 0");
  EXPECT_EQ(Error({"--fruit=nut"}), "--fruit=nut: wanted apple, pear or plum");
  EXPECT_EQ(Error({"--name="}), "--name=: wanted NAME");
  for (const char* text : {"", " 8", "+8", "8.0", "8x", "--8", "99999999999999999999"}) {
    EXPECT_THAT(Error({absl::StrCat("--count=", text)}), HasSubstr("wanted a whole number")) << text;
  }
  for (const char* text : {"", "nan", " 0.5", "+0.5", "0.5 ", "-0.1", "inf"}) {
    EXPECT_THAT(Error({absl::StrCat("--rate=", text)}), HasSubstr("wanted a number")) << text;
  }
  for (const char* text : {"", "10", "-1s", "inf", "2h"}) {
    EXPECT_THAT(Error({absl::StrCat("--pause=", text)}), HasSubstr("wanted a duration")) << text;
  }
  EXPECT_EQ(options_.count, 64);
}

TEST_F(OptionTableTest, AnUnknownOptionComesWithTheNearestOne) {
  EXPECT_EQ(Error({"--cuont=1"}),
            "unknown flag '--cuont': wanted one that 'fruit --help' shows; did you mean '--count'?");
  EXPECT_EQ(Error({"--zzzzzz"}), "unknown flag '--zzzzzz': wanted one that 'fruit --help' shows");
  EXPECT_THAT(Error({"-c"}), HasSubstr("unknown flag '-c'"));
}

TEST_F(OptionTableTest, WhatIsMissingOrTooMuchIsNamed) {
  EXPECT_EQ(Read({}).status().message(), "--name is missing: wanted --name=NAME");
  EXPECT_EQ(Error({"--count"}), "--count has no value: wanted a whole number, -1 to 1024");
  EXPECT_EQ(Error({"--count", "--loud"}), "--count has no value: wanted a whole number, -1 to 1024");
  EXPECT_EQ(Error({"word"}), "'word' is no option: wanted --NAME=VALUE, as 'fruit --help' shows");
  EXPECT_THAT(Error({"--", "--count=1"}), HasSubstr("'--count=1' is no option"));
}

TEST_F(OptionTableTest, AnErrorIsOneLineOfPrintableText) {
  EXPECT_EQ(Error({"--count=1\n\x1b[2J"}), "--count=1??[2J: wanted a whole number, -1 to 1024");
}

TEST_F(OptionTableTest, AFileOfOptionsStandsWhereItIsNamed) {
  const std::string inner = folder_.Write("inner", "--rate=0.25\n");
  const std::string outer =
      folder_.Write("outer", absl::StrCat("# pieces\n\n  --count=5  \n--loud\n--flagfile=", inner, "\n"));
  ASSERT_TRUE(ReadAll({"--count=1", absl::StrCat("--flagfile=", outer), "--rate=0.5"}).ok());
  EXPECT_EQ(options_.count, 5);
  EXPECT_TRUE(options_.loud);
  EXPECT_EQ(options_.rate, 0.5);
}

TEST_F(OptionTableTest, AFileOfOptionsThatCannotBeReadIsRefused) {
  EXPECT_THAT(Error({"--flagfile=/no/such"}), HasSubstr("--flagfile=/no/such: wanted a file that can be read"));
  const std::string word = folder_.Write("word", "count=5\n");
  EXPECT_THAT(Error({"--flagfile", word}), HasSubstr("'count=5' in the file of --flagfile: wanted one --NAME=VALUE"));
  const std::string unknown = folder_.Write("unknown", "--cuont=5\n");
  EXPECT_THAT(Error({"--flagfile", unknown}), HasSubstr("did you mean '--count'?"));
  const std::string endless = folder_.Path("endless");
  folder_.Write("endless", absl::StrCat("--flagfile=", endless, "\n"));
  EXPECT_THAT(Error({"--flagfile", endless}), HasSubstr("at most 10 in each other"));
}

TEST_F(OptionTableTest, HelpAndVersionNeedNothingElse) {
  EXPECT_EQ(*Read({"--help"}), CommandLineAsks::kHelp);
  EXPECT_EQ(*Read({"-h"}), CommandLineAsks::kHelp);
  EXPECT_EQ(*Read({"--count=1", "--version"}), CommandLineAsks::kVersion);
}

TEST_F(OptionTableTest, WhatOptionsMustBeTogetherIsCheckedLast) {
  OptionTable table = Table();
  table.finish = [this](const OptionTable&) {
    return options_.count > 1 ? absl::InvalidArgumentError("too many") : absl::OkStatus();
  };
  EXPECT_TRUE(ReadOptions(table, {"--name=n", "--count=2", "--count=1"}).ok());
  EXPECT_EQ(ReadOptions(table, {"--name=n", "--count=2"}).status().message(), "too many");
  EXPECT_EQ(ReadOptions(table, {"--count=2"}).status().message(), "--name is missing: wanted --name=NAME");
}

TEST_F(OptionTableTest, HelpHasEachOptionWithUnitBoundsAndDefaultAndRequiredOnesFirst) {
  const std::string help = HelpText(Table());
  EXPECT_THAT(help, HasSubstr("fruit sorts fruit.\n\nWhat:\n  --name=NAME                  Required. Whose.\n"));
  EXPECT_THAT(help, HasSubstr("  --fruit=apple|pear|plum      Which one. Default: pear.\n"));
  EXPECT_THAT(help, HasSubstr("  --count=N                    Pieces. Bounds: -1 to 1024. Default: 64.\n"));
  EXPECT_THAT(help, HasSubstr("Bounds: 0 to 8, or auto. Default: auto.\n"));
  EXPECT_THAT(help, HasSubstr("Default: on; --norefit turns it off.\n"));
  EXPECT_THAT(help, HasSubstr("Default: 0.001.\n"));
  EXPECT_THAT(help, HasSubstr("Bounds: 1s to 24h, or 0. Default: 10m.\n"));
  EXPECT_THAT(help, Not(HasSubstr(" \n")));
  for (const absl::string_view line : absl::StrSplit(help, '\n')) EXPECT_LE(line.size(), 100u) << line;
}

}  // namespace
}  // namespace rondo
