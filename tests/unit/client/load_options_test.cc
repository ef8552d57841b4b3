#include "client/load/load_options.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo::load {
namespace {

using ::testing::StartsWith;

absl::StatusOr<LoadOptions> Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "--model=m");
  LoadOptions options;
  OptionTable table = LoadOptionTable(&options);
  const absl::StatusOr<CommandLineAsks> asks = ReadOptions(table, arguments);
  if (!asks.ok()) return asks.status();
  return options;
}

std::string Error(const std::vector<std::string>& arguments) {
  const absl::StatusOr<LoadOptions> options = Parse(arguments);
  EXPECT_EQ(options.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(options.status().message());
}

TEST(LoadOptionsTest, ATokenGoesOverTlsOnly) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("token", "secret");
  EXPECT_EQ(Error({"--token_file=" + path}), "--token_file: wanted --tls with it");
  const absl::StatusOr<LoadOptions> options = Parse({"--token_file=" + path, "--tls"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options->way.tls.has_value());
  EXPECT_EQ(options->way.token(), "secret");
}

TEST(LoadOptionsTest, ZeroRoundsAndConnectionsAreChosen) {
  EXPECT_EQ(Parse({})->rounds, 1);
  EXPECT_EQ(Parse({"--echo_baseline"})->rounds, 3);
  EXPECT_EQ(Parse({"--echo_baseline"})->baseline, Baseline::kEcho);
  EXPECT_EQ(Parse({"--echo_baseline", "--rounds=2"})->rounds, 2);
  EXPECT_EQ(Parse({"--streams=4", "--threads=2"})->connections, 2);
}

TEST(LoadOptionsTest, ValuesOutOfBoundsAreNamedWithTheirBounds) {
  EXPECT_EQ(Error({"--model="}), "--model=: wanted the name of one of the server's models");
  EXPECT_EQ(Error({"--streams=0"}), "--streams=0: wanted a whole number, 1 to 100000");
  EXPECT_EQ(Error({"--rate=-1"}), "--rate=-1: wanted a number, 0 to 1000000");
  EXPECT_EQ(Error({"--duration=0"}), "--duration=0: wanted a duration such as 30s or 10m, 10ms to 24h");
  EXPECT_EQ(Error({"--threads=2"}), "--threads=2: wanted at most --streams=1");
  EXPECT_EQ(Error({"--unary", "--in_flight=2"}),
            "--in_flight=2: wanted 1 with --unary, whose calls may overtake each other");
}

TEST(LoadOptionsTest, WhatDoesNotGoWithAProtocolIsRefused) {
  EXPECT_THAT(Error({"--native_baseline"}), StartsWith("--native_baseline: wanted --protocol=open_inference"));
  EXPECT_TRUE(Parse({"--native_baseline", "--protocol=open_inference", "--string_ids"}).ok());
  EXPECT_THAT(Error({"--protocol=open_inference", "--sessions_per_message=5"}),
              StartsWith("--sessions_per_message=5: wanted 1 with"));
  EXPECT_THAT(Error({"--protocol=open_inference", "--echo_baseline"}),
              StartsWith("--echo_baseline: wanted --protocol=native"));
  EXPECT_THAT(Error({"--string_ids"}), StartsWith("--string_ids: wanted --protocol=open_inference"));
  EXPECT_THAT(Error({"--echo_baseline", "--native_baseline"}), StartsWith("--echo_baseline and --native_baseline"));
}

TEST(LoadOptionsTest, APoolHasRoomForAllThatIsInFlight) {
  EXPECT_EQ(Error({"--keep_sessions"}), "--keep_sessions: wanted --session_pool with it");
  const std::vector<std::string> sixty = {"--streams=4", "--in_flight=3", "--sessions_per_message=5"};
  std::vector<std::string> arguments = sixty;
  arguments.push_back("--session_pool=119");
  EXPECT_EQ(Error(arguments), "--session_pool=119: wanted at least 120, twice the sessions of all messages in flight");
  arguments.back() = "--session_pool=120";
  EXPECT_TRUE(Parse(arguments).ok());
  arguments.push_back("--stateless");
  EXPECT_THAT(Error(arguments), StartsWith("--session_pool: wanted --protocol=native"));
}

}  // namespace
}  // namespace rondo::load
