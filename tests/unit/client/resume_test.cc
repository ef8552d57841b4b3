// What a client does when its server goes away: live sessions and streams go on.

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/client.h"
#include "client/server_address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/client_vectors.h"
#include "tests/unit/client/running_sum_server.h"

namespace rondo {
namespace {

using Fault = RunningSumServer::Fault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ResumeTest : public testing::Test {
 protected:
  Client Connect(ClientOptions options = {}) {
    options.initial_backoff = absl::Milliseconds(1);
    options.max_backoff = absl::Milliseconds(20);
    return Client::Connect(server_.address(), options).value();
  }
  Session Open(const ClientOptions& options = {}) { return Connect(options).OpenSession("sum", "a").value(); }
  static float Step(Session* session, float value) {
    const absl::StatusOr<std::vector<float>> sums = session->Step({&value, 1});
    EXPECT_TRUE(sums.ok()) << sums.status();
    return sums.ok() && sums->size() == 1 ? sums->front() : -1;
  }
  static std::vector<SequenceInput> StepAt(const std::string& id, int64_t position, float value) {
    SequenceInput sequence;
    sequence.session_id = id;
    sequence.position = position;
    sequence.values = {value};
    return {sequence};
  }

  RunningSumServer server_;
};

TEST_F(ResumeTest, ASessionWaitsLongerForItsServerThanACall) {
  Session session = Open();
  server_.FailNext(std::deque<Fault>(12, Fault::kRefuse));
  EXPECT_EQ(Step(&session, 2), 2);
  EXPECT_EQ(server_.predict_calls(), 13);
}

TEST_F(ResumeTest, ASessionThatMovesToAnotherServerGoesOn) {
  Session session = Open();
  server_.FailNext({Fault::kMoved, Fault::kReset, Fault::kMoved});
  EXPECT_EQ(Step(&session, 2), 2);
}

TEST_F(ResumeTest, StepsThatTheServerLostAreSentAgain) {
  Session session = Open();
  ASSERT_EQ(Step(&session, 1), 1);
  server_.Save();
  ASSERT_EQ(Step(&session, 2), 3);
  EXPECT_THAT(session.Run(std::vector<float>{3, 4}).value(), ElementsAre(6, 10));
  server_.Crash();
  EXPECT_EQ(server_.position("a"), 1);
  EXPECT_EQ(Step(&session, 5), 15);
  EXPECT_EQ(server_.position("a"), 5);
  EXPECT_EQ(session.position(), 5);
}

TEST_F(ResumeTest, AServerThatNeverSavedTheSessionGetsAllOfIt) {
  server_.Save();
  Session session = Open();
  ASSERT_EQ(Step(&session, 1), 1);
  ASSERT_EQ(Step(&session, 2), 3);
  server_.Crash();
  EXPECT_EQ(Step(&session, 3), 6);
}

TEST_F(ResumeTest, AServerThatIsLostAgainMeanwhileIsCaughtUpWithAgain) {
  Session session = Open();
  ASSERT_EQ(Step(&session, 1), 1);
  server_.Save();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(Step(&session, 1), i + 2);
  server_.Crash();
  std::thread crash([this] {
    while (server_.position("a") < 256) std::this_thread::yield();
    server_.Crash();
  });
  EXPECT_EQ(Step(&session, 1), 1002);
  crash.join();
}

TEST_F(ResumeTest, WithoutAStoreNothingIsSentAgain) {
  Session session = Open();
  ASSERT_EQ(Step(&session, 1), 1);
  server_.Crash();  // to nothing
  EXPECT_EQ(session.Step(std::vector<float>{2}).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(session.position(), 1);
}

TEST_F(ResumeTest, MoreThanIsKeptIsAnError) {
  ClientOptions options;
  options.max_unsaved_bytes = 2 * sizeof(float);
  Session session = Open(options);
  server_.Save();
  for (int i = 1; i <= 3; ++i) ASSERT_EQ(Step(&session, 1), i);
  server_.Crash();
  EXPECT_EQ(session.Step(std::vector<float>{1}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ResumeTest, ASessionThatSomebodyElseMovedIsAnError) {
  server_.Save();
  Session session = Open();
  ASSERT_EQ(Step(&session, 1), 1);
  Session other = Open();
  ASSERT_EQ(Step(&other, 1), 2);
  ASSERT_EQ(Step(&other, 1), 3);
  EXPECT_EQ(session.Step(std::vector<float>{2}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ResumeTest, AStreamGoesOnWhenItsServerGoesAway) {
  server_.EndStreamsAfter({3, 1, 0, 2});
  PredictStream stream = Connect().OpenStream("sum");
  StreamReply reply;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(stream.Write(StepAt("a", i, 1)));
    ASSERT_TRUE(stream.Read(&reply)) << i;
    ASSERT_THAT(reply.sequences.at(0).values, ElementsAre(static_cast<float>(i + 1)));
  }
  stream.DoneWriting();
  EXPECT_FALSE(stream.Read(&reply));
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ResumeTest, WhatAStreamReadAheadIsAnsweredOnceAndInOrder) {
  server_.EndStreamsAfter({1, 5, 0, 40});
  PredictStream stream = Connect().OpenStream("sum");
  constexpr int kMessages = 3000;
  std::thread writer([&stream] {
    for (int i = 0; i < kMessages; ++i) EXPECT_TRUE(stream.Write(StepAt("a", i, 1)));
    stream.DoneWriting();
  });
  StreamReply reply;
  for (int i = 0; i < kMessages; ++i) {
    if (!stream.Read(&reply)) {
      ADD_FAILURE() << "ended after " << i;
      break;
    }
    EXPECT_THAT(reply.sequences.at(0).values, ElementsAre(static_cast<float>(i + 1)));
  }
  writer.join();
  EXPECT_FALSE(stream.Read(&reply));
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ResumeTest, AStreamOfOneThreadThatWritesAheadGoesOn) {
  server_.EndStreamsAfter({2, 3});
  PredictStream stream = Connect().OpenStream("sum");
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(stream.Write(StepAt("a", i, 1)));
  stream.DoneWriting();
  StreamReply reply;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(stream.Read(&reply)) << i;
    EXPECT_THAT(reply.sequences.at(0).values, ElementsAre(static_cast<float>(i + 1)));
  }
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ResumeTest, AStreamWhoseWriterIsDoneWhileItConnectsAgainEnds) {
  for (int try_number = 0; try_number < 40; ++try_number) {
    server_.EndStreamsAfter({1});
    PredictStream stream = Connect().OpenStream("sum");
    StreamReply reply;
    ASSERT_TRUE(stream.Write(StepAt(absl::StrCat("a", try_number), 0, 1)));
    ASSERT_TRUE(stream.Read(&reply));
    std::thread writer([&stream, try_number] {
      // Some of the tries hit the pause before the stream connects again, which is 0.5 to 1 ms.
      for (int turn = 0; turn < 100 * try_number; ++turn) std::this_thread::yield();
      stream.DoneWriting();
    });
    EXPECT_FALSE(stream.Read(&reply));
    writer.join();
    EXPECT_TRUE(stream.Finish().ok());
  }
}

TEST_F(ResumeTest, MessagesThatComeBeforeTheModelAreSentAgain) {
  PredictStream stream = Connect().OpenStream("sum");
  StreamReply reply;
  ASSERT_TRUE(stream.Write(StepAt("a", 0, 1)));
  ASSERT_TRUE(stream.Read(&reply));
  server_.RefuseMessages(12);  // more than a call is tried
  for (int i = 1; i < 6; ++i) ASSERT_TRUE(stream.Write(StepAt("a", i, 1)));
  for (int i = 1; i < 6; ++i) {
    ASSERT_TRUE(stream.Read(&reply)) << i;
    ASSERT_THAT(reply.sequences.at(0).values, ElementsAre(static_cast<float>(i + 1)));
  }
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ResumeTest, ARefusedMessageThatCouldRunTwiceIsAnsweredSo) {
  PredictStream stream = Connect().OpenStream("sum");
  StreamReply reply;
  std::vector<SequenceInput> sequences = StepAt("a", 0, 1);
  sequences[0].position.reset();
  server_.RefuseMessages(1);
  for (const absl::StatusCode wanted : {absl::StatusCode::kUnavailable, absl::StatusCode::kOk}) {
    ASSERT_TRUE(stream.Write(sequences));
    ASSERT_TRUE(stream.Read(&reply));
    EXPECT_EQ(reply.status.code(), wanted);
  }
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ResumeTest, AMessageThatCouldRunTwiceEndsTheStream) {
  server_.EndStreamsAfter({1});
  PredictStream stream = Connect().OpenStream("sum");
  StreamReply reply;
  std::vector<SequenceInput> sequences = StepAt("a", 0, 1);
  ASSERT_TRUE(stream.Write(sequences));
  ASSERT_TRUE(stream.Read(&reply));
  sequences[0].position.reset();
  stream.Write(sequences);
  EXPECT_FALSE(stream.Read(&reply));
  EXPECT_EQ(stream.Finish().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ResumeTest, AStreamWhoseServerStaysAwayEndsAtItsDeadline) {
  ClientOptions options;
  options.timeout = absl::Milliseconds(200);
  server_.EndStreamsAfter(std::deque<int>(10'000, 0));
  PredictStream stream = Connect(options).OpenStream("sum");
  stream.Write(StepAt("a", 0, 1));
  StreamReply reply;
  EXPECT_FALSE(stream.Read(&reply));
  EXPECT_FALSE(stream.Write(StepAt("a", 1, 1)));
  EXPECT_EQ(stream.Finish().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ResumeTest, AStreamComesBackWhenTheServerSaysSo) {
  server_.FailNextStreams({Fault::kPushBack});
  PredictStream stream = Connect().OpenStream("sum");
  stream.Write(StepAt("a", 0, 1));
  StreamReply reply;
  ASSERT_TRUE(stream.Read(&reply));
  EXPECT_THAT(reply.sequences.at(0).values, ElementsAre(1));
}

TEST_F(ResumeTest, AStreamEndsThatTheServerWantsNoMoreOrTooLate) {
  for (const Fault fault : {Fault::kLimit, Fault::kPushBackFar}) {
    server_.FailNextStreams({fault});
    PredictStream stream = Connect().OpenStream("sum");
    stream.Write(StepAt("a", 0, 1));
    StreamReply reply;
    EXPECT_FALSE(stream.Read(&reply));
    EXPECT_EQ(stream.Finish().code(), absl::StatusCode::kResourceExhausted);
  }
}

TEST_F(ResumeTest, AnotherServerOfTheListAnswers) {
  std::string gone;
  { gone = RunningSumServer().address(); }
  ClientOptions options;
  options.spread = false;
  const Client client = Client::Connect(gone + "," + server_.address(), options).value();
  EXPECT_TRUE(client.Predict("sum", std::vector<float>{1}).ok());
}

TEST_F(ResumeTest, SessionsAndStreamsAreSpreadOverAList) {
  RunningSumServer other;
  const Client client = Client::Connect(server_.address() + "," + other.address()).value();
  constexpr int kSessions = 64;
  int here = 0;
  for (int i = 0; i < kSessions; ++i) {
    const std::string id = absl::StrCat("s", i);
    Session session = client.OpenSession("sum", id).value();
    ASSERT_EQ(Step(&session, 1), 1);
    ASSERT_EQ(Step(&session, 1), 2) << "it stays";
    here += server_.position(id) == 2 ? 1 : 0;
  }
  EXPECT_GT(here, kSessions / 4);
  EXPECT_LT(here, 3 * kSessions / 4);
  for (const char* id : {"a", "b"}) {
    PredictStream stream = client.OpenStream("sum");
    StreamReply reply;
    ASSERT_TRUE(stream.Write(StepAt(id, 0, 1)));
    ASSERT_TRUE(stream.Read(&reply));
  }
  EXPECT_NE(server_.position("a"), server_.position("b")) << "two streams, two servers";
  EXPECT_EQ(client.OpenSession("sum").value().id().size(), 32u) << "made here, so that it begins at home";
}

TEST_F(ResumeTest, WithoutSpreadAllGoToTheFirstOfAList) {
  RunningSumServer other;
  ClientOptions options;
  options.spread = false;
  const Client client = Client::Connect(server_.address() + "," + other.address(), options).value();
  for (int i = 0; i < 8; ++i) {
    Session session = client.OpenSession("sum", absl::StrCat("s", i)).value();
    ASSERT_EQ(Step(&session, 1), 1);
    EXPECT_EQ(server_.position(session.id()), 1);
  }
}

// The Python client's tests read these vectors too.
TEST(HomeOfTest, EverySessionLivesWhereTheVectorsSay) {
  const nlohmann::json vectors = ReadClientVectors("homes.json");
  for (const nlohmann::json& golden : vectors) {
    const auto addresses = golden["addresses"].get<std::vector<std::string>>();
    const std::vector<ServerTarget> servers = TargetsOf(absl::StrJoin(addresses, ",")).value();
    for (const auto& [session_id, home] : golden["homes"].items()) {
      EXPECT_EQ(servers[HomeOf(session_id, servers)].first, home.get<std::string>()) << session_id;
    }
  }
}

std::string OnlyTargetOf(absl::string_view address) {
  const std::vector<ServerTarget> servers = TargetsOf(address).value();
  EXPECT_EQ(servers.size(), 1u);
  return servers.front().target;
}

TEST(TargetsOfTest, AListIsOneOfAddresses) {
  EXPECT_EQ(OnlyTargetOf("localhost:8001"), "localhost:8001");
  EXPECT_EQ(OnlyTargetOf("dns:///a:1"), "dns:///a:1");
  EXPECT_EQ(OnlyTargetOf("ipv4:10.0.0.1:1,10.0.0.2:2"), "ipv4:10.0.0.1:1,10.0.0.2:2");
  EXPECT_EQ(TargetsOf("10.0.0.1:1,10.0.0.2:2")->at(0).target, "ipv4:10.0.0.1:1,10.0.0.2:2");
  EXPECT_EQ(TargetsOf("10.0.0.1:1,10.0.0.2:2")->at(1).target, "ipv4:10.0.0.2:2,10.0.0.1:1");
  EXPECT_EQ(TargetsOf("10.0.0.1:1,10.0.0.2:2")->at(1).first, "10.0.0.2:2");
  EXPECT_EQ(TargetsOf("[::1]:1,[::2]:2")->at(0).target, "ipv6:[::1]:1,[::2]:2");
}

TEST(NameInTest, ANameOfOtherMachinesMayBeSeveralServers) {
  for (const char* address : {"rondo.example:8001", "dns:///rondo.example:8001"}) {
    const std::optional<ServerName> name = NameIn(address);
    ASSERT_TRUE(name.has_value()) << address;
    EXPECT_EQ(name->host, "rondo.example");
    EXPECT_EQ(name->port, "8001");
  }
  for (const char* address :
       {"localhost:8001", "10.0.0.1:8001", "[::1]:8001", "rondo.example", "rondo.example:", "unix:/tmp/socket",
        "a:1,b:2", "dns://10.0.0.53/rondo.example:8001", "ipv4:10.0.0.1:1", "xds:///rondo:1", "rondo:http", ":1", "",
        "dns:///rondo.example:0", "dns:///rondo.example:99999"}) {
    EXPECT_FALSE(NameIn(address).has_value()) << address;
  }
}

TEST(ServersAtTest, TheyAreOfOneFamilyAndSorted) {
  EXPECT_THAT(ServersAt({"10.0.0.2", "::1", "10.0.0.1", "10.0.0.2"}, "1"), ElementsAre("10.0.0.1:1", "10.0.0.2:1"));
  EXPECT_THAT(ServersAt({"fd00::2", "fe80::1", "fd00::1"}, "1"), ElementsAre("[fd00::1]:1", "[fd00::2]:1"));
  EXPECT_THAT(ServersAt({"10.0.0.1", "fd00::2", "fd00::1"}, "1"), ElementsAre()) << "one that may listen on IPv4 only";
  EXPECT_THAT(ServersAt({"fd00::1", "fe80::1", "fe80::1%eth0"}, "1"), ElementsAre()) << "one of its network too";
  EXPECT_THAT(ServersAt({"127.0.0.1", "::1"}, "1"), ElementsAre()) << "one server with two addresses";
  EXPECT_THAT(ServersAt({"nonsense", "10.0.0.1"}, "1"), ElementsAre());
}

TEST(TargetsOfTest, AListOfAnythingElseSaysWhich) {
  for (const char* address :
       {"a:1,b:2", "10.0.0.1:1,", "10.0.0.1:1,[::1]:2", "10.0.0.1:1,10.0.0.2", "10.0.0.1:1,10.0.0.2:65536"}) {
    EXPECT_EQ(TargetsOf(address).status().code(), absl::StatusCode::kInvalidArgument) << address;
  }
  EXPECT_THAT(std::string(TargetsOf("10.0.0.1:1,b:2").status().message()), HasSubstr("'b:2'"));
}

TEST(TargetsOfTest, APortThatGrpcWouldMakeAnotherOfIsRefused) {
  for (const char* address : {"", "a b", "localhost", ":8001", "localhost:", "localhost:0", "localhost:99999",
                              "localhost:x", "h:-1", "h:+1", "h:000001", "::1:1"}) {
    EXPECT_EQ(TargetsOf(address).status(),
              absl::InvalidArgumentError(
                  absl::StrCat("server address '", address, "' is not HOST:PORT with a port of 1 to 65535")));
  }
  for (const char* address :
       {"a:1", "[::1]:65535", "dns:///a", "unix:/run/rondo.sock", "unix-abstract:x", "ipv4:10.0.0.1:1"}) {
    ASSERT_TRUE(TargetsOf(address).ok()) << address;
    EXPECT_EQ(TargetsOf(address)->at(0).target, address);
  }
}

TEST(TargetsOfTest, AUrlIsRefusedByNameAndWithTheAddressThatWasMeant) {
  EXPECT_EQ(TargetsOf("http://h:1/v2").status().message(),
            "server address 'http://h:1/v2' is a URL: wanted HOST:PORT, here h:1");
  EXPECT_EQ(
      TargetsOf("https://h:1").status().message(),
      "server address 'https://h:1' is a URL: wanted HOST:PORT, here h:1, and TLS as an option of its own (--tls on "
      "a command line)");
  EXPECT_FALSE(TargetsOf("GRPC://h:1").ok());
}

}  // namespace
}  // namespace rondo
