#include "client/cli/command_line.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CommandLineTest : public ::testing::Test {
 protected:
  absl::StatusOr<CommandLineAsks> Read(const std::vector<std::string>& arguments) {
    line_ = std::make_unique<CommandLine>("default:1");
    return ReadOptions(line_->table(), arguments);
  }

  std::string Error(const std::vector<std::string>& arguments) {
    const absl::Status status = Read(arguments).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  // The value that the command's option has, as text.
  std::string Value(const std::string& name) {
    for (const Option& option : line_->command().options) {
      if (option.name == name) return option.value.text();
    }
    return "no such option";
  }

  std::unique_ptr<CommandLine> line_;
};

TEST_F(CommandLineTest, FlagsAndWordsComeInAnyOrder) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--server=h:1", "predict", "weather", "--input=-"},
           {"predict", "--input", "-", "weather", "--server", "h:1"},
           {"predict", "--input=-", "--server=other", "--server=h:1", "--", "weather"}}) {
    const absl::StatusOr<CommandLineAsks> asks = Read(arguments);
    ASSERT_TRUE(asks.ok()) << asks.status();
    EXPECT_EQ(line_->command().name, "predict");
    EXPECT_THAT(line_->words(), ElementsAre("weather"));
    EXPECT_EQ(line_->server(), "h:1");
    EXPECT_EQ(line_->timeout(), absl::Seconds(10));
    EXPECT_EQ(Value("input"), "-");
    EXPECT_EQ(Value("session"), "");
  }
}

TEST_F(CommandLineTest, ACommandCanHaveTwoWords) {
  ASSERT_TRUE(Read({"sessions", "delete", "a"}).ok());
  EXPECT_EQ(line_->command().name, "sessions delete");
  EXPECT_EQ(line_->server(), "default:1");
  EXPECT_THAT(Error({"sessions"}),
              HasSubstr("'sessions' is half a command: wanted one of sessions create, sessions list"));
}

TEST_F(CommandLineTest, AfterTwoDashesNothingIsAFlag) {
  ASSERT_TRUE(Read({"sessions", "show", "--", "--help"}).ok());
  EXPECT_THAT(line_->words(), ElementsAre("--help"));
  ASSERT_TRUE(Read({"sessions", "show", "-"}).ok());
  EXPECT_THAT(line_->words(), ElementsAre("-"));
}

TEST_F(CommandLineTest, UnknownWordsComeWithTheNearestOne) {
  EXPECT_THAT(Error({"perdict"}), HasSubstr("unknown command 'perdict': wanted one of models, predict"));
  EXPECT_THAT(Error({"export"}), HasSubstr("rondo-convert MODEL.safetensors --to_onnx=MODEL.onnx"));
  EXPECT_THAT(Error({"perdict"}), HasSubstr("; did you mean 'predict'?"));
  EXPECT_THAT(Error({"sessions", "lst"}), HasSubstr("; did you mean 'sessions list'?"));
  EXPECT_EQ(Error({"predict", "m", "--imput=x"}),
            "unknown flag '--imput': wanted one that 'rondo predict --help' shows; did you mean '--input'?");
  EXPECT_EQ(Error({"--sever=x", "models"}),
            "unknown flag '--sever': wanted one that 'rondo --help' shows; did you mean '--server'?");
  EXPECT_THAT(Error({"models", "-s"}), HasSubstr("unknown flag '-s'"));
}

TEST_F(CommandLineTest, AFlagOfAnotherCommandIsUnknown) {
  EXPECT_THAT(Error({"predict", "m", "--input=-", "--horizon=3"}), HasSubstr("unknown flag '--horizon'"));
}

TEST_F(CommandLineTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(Error({}), HasSubstr("no command: wanted one of models, predict"));
  EXPECT_EQ(Error({"predict", "--input=-"}),
            "MODEL is missing: wanted 'rondo predict MODEL --input=FILE|- [--session=ID] [--time=COLUMN] "
            "[--series=NAME] [--odd_steps=accept|refuse] [--label] [--text]'");
  EXPECT_EQ(Error({"predict", "m"}), "--input is missing: wanted --input=FILE|-");
  EXPECT_EQ(Error({"stream", "m"}), "--session is missing: wanted --session=ID");
  EXPECT_EQ(Error({"predict", "m", "--input"}), "--input has no value: wanted FILE|-");
  EXPECT_EQ(Error({"stream", "m", "--session="}), "--session=: wanted ID");
}

TEST_F(CommandLineTest, OneWordTooManyIsNamed) {
  EXPECT_THAT(Error({"predict", "m", "n", "--input=-"}), HasSubstr("'n' is one word too many: wanted 'rondo predict"));
}

TEST_F(CommandLineTest, AHorizonIsAWholeNumber) {
  for (const char* horizon : {"0", "-1", "x", "1.5", "9999999999"}) {
    EXPECT_THAT(Error({"forecast", "m", "--session=a", "--horizon", horizon}),
                HasSubstr("wanted a whole number, 1 to"));
  }
  EXPECT_TRUE(Read({"forecast", "m", "--session=a", "--horizon=7"}).ok());
  EXPECT_EQ(Value("horizon"), "7");
}

TEST_F(CommandLineTest, HelpNeedsNothingElse) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"predict", "--help"}, {"-h", "predict"}, {"help", "predict"}, {"--server=h:1", "help", "predict"}}) {
    const absl::StatusOr<CommandLineAsks> asks = Read(arguments);
    ASSERT_TRUE(asks.ok()) << asks.status();
    EXPECT_EQ(*asks, CommandLineAsks::kHelp);
    EXPECT_EQ(line_->command().name, "predict");
  }
  EXPECT_EQ(*Read({"--help"}), CommandLineAsks::kHelp);
}

TEST_F(CommandLineTest, EveryCommandHasAnExampleInLinesThatFitATerminal) {
  const CommandLine all("default:1");
  ASSERT_TRUE(Read({"--help"}).ok());
  const std::string whole = HelpText(line_->table());
  for (const Command& command : all.commands()) {
    EXPECT_THAT(whole, HasSubstr(absl::StrCat("\n  ", command.name, " ")));
    std::vector<std::string> arguments = absl::StrSplit(command.name, ' ');
    arguments.push_back("--help");
    ASSERT_TRUE(Read(arguments).ok());
    const std::string help = HelpText(line_->table());
    EXPECT_THAT(help, HasSubstr(absl::StrCat("usage: rondo ", command.name)));
    EXPECT_THAT(help, HasSubstr("\nexample"));
    for (const Option& option : command.options) EXPECT_THAT(help, HasSubstr(absl::StrCat("\n  --", option.name)));
    for (const absl::string_view line : absl::StrSplit(help, '\n')) EXPECT_LE(line.size(), 100u) << line;
  }
}

}  // namespace
}  // namespace rondo
