#include "client/cli/arguments.h"

#include "client/cli/commands.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<Invocation> Parse(const std::vector<std::string>& arguments) {
  return ParseArguments(RondoProgram(), arguments);
}

std::string ParseError(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Invocation> invocation = Parse(arguments);
  EXPECT_EQ(invocation.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(invocation.status().message());
}

TEST(ParseArgumentsTest, FlagsAndWordsComeInAnyOrder) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--server=h:1", "predict", "weather", "--input=-"},
           {"predict", "--input", "-", "weather", "--server", "h:1"},
           {"predict", "--input=-", "--server=other", "--server=h:1", "--", "weather"}}) {
    const absl::StatusOr<Invocation> invocation = Parse(arguments);
    ASSERT_TRUE(invocation.ok()) << invocation.status();
    EXPECT_EQ(invocation->command->name, "predict");
    EXPECT_THAT(invocation->positionals, ElementsAre("weather"));
    EXPECT_EQ(invocation->Flag("server"), "h:1");
    EXPECT_EQ(invocation->Flag("input"), "-");
    EXPECT_EQ(invocation->Flag("session"), std::nullopt);
  }
}

TEST(ParseArgumentsTest, ACommandCanHaveTwoWords) {
  const absl::StatusOr<Invocation> invocation = Parse({"sessions", "delete", "a"});
  ASSERT_TRUE(invocation.ok()) << invocation.status();
  EXPECT_EQ(invocation->command->name, "sessions delete");
  EXPECT_THAT(ParseError({"sessions"}), HasSubstr("sessions list, sessions show, sessions delete"));
}

TEST(ParseArgumentsTest, AfterTwoDashesNothingIsAFlag) {
  EXPECT_THAT(Parse({"sessions", "show", "--", "--help"})->positionals, ElementsAre("--help"));
  EXPECT_THAT(Parse({"sessions", "show", "-"})->positionals, ElementsAre("-"));
}

TEST(ParseArgumentsTest, UnknownWordsComeWithTheNearestOne) {
  EXPECT_EQ(ParseError({"perdict"}), "unknown command 'perdict'; did you mean 'predict'?");
  EXPECT_EQ(ParseError({"sessions", "lst"}), "unknown command 'sessions lst'; did you mean 'sessions list'?");
  EXPECT_EQ(ParseError({"frobnicate"}), "unknown command 'frobnicate'");
  EXPECT_EQ(ParseError({"predict", "m", "--imput=x"}), "unknown flag '--imput' of 'predict'; did you mean '--input'?");
  EXPECT_EQ(ParseError({"--sever=x", "models"}), "unknown flag '--sever' before the command; did you mean '--server'?");
  EXPECT_THAT(ParseError({"models", "-s"}), HasSubstr("unknown flag '-s'"));
}

TEST(ParseArgumentsTest, ASwitchTakesNoValue) {
  const absl::StatusOr<Invocation> invocation = Parse({"stream", "--retry", "m", "--session=a"});
  ASSERT_TRUE(invocation.ok()) << invocation.status();
  EXPECT_TRUE(invocation->Has("retry"));
  EXPECT_THAT(invocation->positionals, ElementsAre("m"));
  EXPECT_FALSE(Parse({"stream", "m", "--session=a"})->Has("retry"));
  EXPECT_EQ(ParseError({"stream", "m", "--session=a", "--retry=1"}), "--retry takes no value");
  EXPECT_THAT(HelpText(RondoProgram(), invocation->command), HasSubstr("[--retry]\n"));
}

TEST(ParseArgumentsTest, AFlagOfAnotherCommandIsUnknown) {
  EXPECT_THAT(ParseError({"predict", "m", "--input=-", "--horizon=3"}), HasSubstr("unknown flag '--horizon'"));
}

TEST(ParseArgumentsTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(ParseError({}), HasSubstr("no command; there are: models, predict"));
  EXPECT_EQ(ParseError({"predict", "--input=-"}), "'predict' lacks MODEL");
  EXPECT_EQ(ParseError({"predict", "m"}), "'predict' lacks --input=FILE|-");
  EXPECT_EQ(ParseError({"stream", "m"}), "'stream' lacks --session=ID");
  EXPECT_EQ(ParseError({"predict", "m", "--input"}), "--input has no value; it takes FILE|-");
  EXPECT_EQ(ParseError({"stream", "m", "--session="}), "--session has no value; it takes ID");
}

TEST(ParseArgumentsTest, OneWordTooManyIsNamed) {
  EXPECT_EQ(ParseError({"predict", "m", "n", "--input=-"}), "'predict' takes 1 arguments; 'n' is one too many");
}

TEST(ParseArgumentsTest, ACountIsAWholeNumber) {
  for (const char* horizon : {"0", "-1", "x", "1.5", "9999999999"}) {
    EXPECT_THAT(ParseError({"forecast", "m", "--session=a", "--horizon", horizon}),
                HasSubstr("it takes a whole number >= 1"));
  }
  EXPECT_TRUE(Parse({"forecast", "m", "--session=a", "--horizon=7"}).ok());
}

TEST(ParseArgumentsTest, HelpNeedsNothingElse) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"predict", "--help"}, {"-h", "predict"}, {"help", "predict"}}) {
    const absl::StatusOr<Invocation> invocation = Parse(arguments);
    ASSERT_TRUE(invocation.ok()) << invocation.status();
    EXPECT_TRUE(invocation->help);
    EXPECT_EQ(invocation->command->name, "predict");
  }
  EXPECT_EQ(Parse({"--help"})->command, nullptr);
}

TEST(HelpTextTest, EveryCommandHasAnExample) {
  const std::string whole = HelpText(RondoProgram(), nullptr);
  for (const CommandSpec& command : RondoProgram().commands) {
    EXPECT_THAT(whole, HasSubstr(std::string(command.name)));
    const std::string help = HelpText(RondoProgram(), &command);
    EXPECT_THAT(help, HasSubstr("usage: rondo " + std::string(command.name)));
    EXPECT_THAT(help, HasSubstr("example"));
    for (const FlagSpec& flag : command.flags) {
      const std::string end = flag.kind == FlagKind::kSwitch ? "]" : "=";
      EXPECT_THAT(help, HasSubstr("--" + std::string(flag.name) + end));
    }
  }
}

}  // namespace
}  // namespace rondo
