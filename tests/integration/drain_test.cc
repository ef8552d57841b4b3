// SIGTERM: a server answers what it has read, makes its sessions durable, says where they stand, and goes. Its clients
// go on with another one.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/store/redis_server.h"
#include "tests/integration/survivors.h"

namespace rondo {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class GoingAwayTest : public ::testing::Test {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>;

  static void Step(Stream* stream, const std::string& id, int64_t position, bool end_session = false) {
    v1::PredictRequest request;
    v1::PredictResponse response;
    request.set_model("lstm");
    v1::Sequence* const sequence = AddSequence(&request, id, RandomValues(2, 1));
    sequence->set_position(position);
    sequence->set_end_session(end_session);
    EXPECT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_FALSE(response.results(0).has_status()) << response.results(0).status().message();
  }

  TestServer server_{{{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}}};
  grpc::ClientContext context_;
};

TEST_F(GoingAwayTest, AStreamHearsWhereItsSessionsStandAndEnds) {
  const auto stream = server_.inference().StreamPredict(&context_);
  Step(stream.get(), "a", 0);
  Step(stream.get(), "b", 0);
  Step(stream.get(), "a", 1);
  Step(stream.get(), "", 0);
  Step(stream.get(), "c", 0, /*end_session=*/true);
  std::thread stop([this] { server_.server().Stop(absl::Seconds(60)); });
  v1::PredictResponse last;
  EXPECT_TRUE(stream->Read(&last));
  std::vector<std::pair<std::string, int64_t>> positions;
  for (const v1::SessionPosition& session : last.going_away().sessions()) {
    positions.emplace_back(session.session_id(), session.position());
  }
  EXPECT_THAT(positions, UnorderedElementsAre(Pair("a", 2), Pair("b", 1)));
  EXPECT_EQ(last.results_size(), 0);
  EXPECT_FALSE(stream->Read(&last));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stop.join();
}

TEST_F(GoingAwayTest, AStreamThatTheClientEndedHearsNothingMore) {
  const auto stream = server_.inference().StreamPredict(&context_);
  Step(stream.get(), "a", 0);
  std::thread stop([this] { server_.server().Stop(absl::Seconds(60)); });
  stream->WritesDone();
  v1::PredictResponse last;
  while (stream->Read(&last)) EXPECT_TRUE(last.has_going_away());
  stream->Finish();
  stop.join();
}

TEST_F(GoingAwayTest, AClientThatReadsNothingDoesNotHoldTheServerPastItsTimeout) {
  const auto stream = server_.inference().StreamPredict(&context_);
  Step(stream.get(), "a", 0);
  const absl::Time begin = absl::Now();
  server_.server().Stop(absl::Seconds(1));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(20));
}

// One server of two goes; all that its clients notice is a pause.
class DrainTest : public SurvivorsTest {
 protected:
  static constexpr size_t kSessions = 1000;
  static constexpr size_t kThreads = 8;

  DrainTest() : SurvivorsTest(kSessions) {}

  Client NewClient() const {
    ClientOptions options;
    options.timeout = absl::Seconds(60);
    options.initial_backoff = absl::Milliseconds(10);
    options.spread = false;  // all begin at the first one
    return Client::Connect(absl::StrCat(first_.address(), ",", second_.address()), options).value();
  }

  // A stream a session, a step in flight on each.
  void DriveStreams(size_t begin, size_t end) {
    const Client client = NewClient();
    std::vector<PredictStream> streams;
    for (size_t i = begin; i < end; ++i) streams.push_back(client.OpenStream("lstm"));
    for (int64_t position = 0; !stopping(); ++position) {
      for (size_t i = begin; i < end; ++i) {
        SequenceInput step;
        step.session_id = IdOf(i);
        step.position = position;
        step.values = series_.Inputs(i, position, position + 1);
        EXPECT_TRUE(streams[i - begin].Write({&step, 1}));
      }
      for (size_t i = begin; i < end; ++i) {
        StreamReply reply;
        if (!streams[i - begin].Read(&reply) || !reply.status.ok() || !reply.sequences.at(0).status.ok()) {
          ADD_FAILURE() << IdOf(i) << " at " << position << ": "
                        << (reply.sequences.empty() ? streams[i - begin].Finish() : reply.sequences[0].status);
          return Fail();
        }
        Answered(i, position, reply.sequences[0].values);
      }
    }
    for (PredictStream& stream : streams) {
      const absl::Status status = stream.Finish();
      EXPECT_TRUE(status.ok()) << status;
    }
  }

  RedisServer redis_;
  // Nothing is saved but by the drain.
  const std::vector<std::string> flags_ = {"--session_store=" + redis_.name(), "--sync_interval=1h"};
  ServerChild first_{ModelPath(), "127.0.0.1:0", flags_};
  ServerChild second_{ModelPath(), "127.0.0.1:0", flags_};
};

TEST_F(DrainTest, AThousandStreamsGoOnAtTheSecondServer) {
  Start(kThreads, [this](size_t begin, size_t end) { DriveStreams(begin, end); });
  WaitForAnswers(5 * kSessions);
  first_.process().Signal(SIGTERM);
  EXPECT_EQ(first_.process().WaitForExit(), 0);
  WaitForAnswers(5 * kSessions);
  Stop();
  const Client second = Client::Connect(second_.address()).value();
  for (size_t i = 0; i < kSessions; ++i) {
    const absl::StatusOr<SessionDescription> session = second.GetSession(IdOf(i));
    ASSERT_TRUE(session.ok()) << session.status();
    EXPECT_EQ(session->position, position(i)) << "steps were lost or ran twice";
  }
}

}  // namespace
}  // namespace rondo
