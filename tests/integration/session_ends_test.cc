// Sessions that end together, with their stream or at the end of their lifetime, and who hears of it.
#include <grpcpp/create_channel.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/steady_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/test_server.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

class SessionEndsTest : public ::testing::Test {
 protected:
  void StartServer(const std::function<void(ServerOptions*)>& change = {}) {
    const ModelFile model = MakeTestModel(Cell::kLstm, 1, 8);
    server_ = std::make_unique<TestServer>(
        std::vector<std::pair<std::string, ModelFile>>{{"lstm", model}, {"other", model}}, change);
  }
  grpc::Status Step(const std::string& id, const std::string& model = "lstm", int64_t position = 0) {
    v1::PredictRequest request;
    v1::PredictResponse response;
    request.set_model(model);
    AddSequence(&request, id, {1})->set_position(position);
    return server_->Predict(request, &response);
  }
  grpc::Status DeleteMany(v1::DeleteSessionsRequest request, int64_t* deleted) {
    *deleted = 0;
    do {
      grpc::ClientContext context;
      v1::DeleteSessionsResponse response;
      const grpc::Status status = server_->sessions().DeleteSessions(&context, request, &response);
      if (!status.ok()) return status;
      *deleted += response.deleted();
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return grpc::Status::OK;
  }
  // What GetSession says; "live": there is one.
  std::string Fate(const std::string& id) {
    grpc::ClientContext context;
    v1::GetSessionRequest request;
    v1::Session session;
    request.set_session_id(id);
    const grpc::Status status = server_->sessions().GetSession(&context, request, &session);
    return status.ok() ? "live" : status.error_message();
  }
  // Until the session has another fate than `fate`; ten seconds at most.
  std::string FateAfter(const std::string& fate, const std::string& id) {
    std::string now = Fate(id);
    for (int i = 0; i < 1000 && now == fate; ++i) {
      absl::SleepFor(absl::Milliseconds(10));
      now = Fate(id);
    }
    return now;
  }

  // A stream that has moved sessions "PREFIX0" to "PREFIX(count - 1)".
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>> stream;
  };
  std::unique_ptr<Stream> Move(v1::PredictRequest first, const std::string& prefix, int count) {
    auto made = std::make_unique<Stream>();
    made->stream = server_->inference().StreamPredict(&made->context);
    first.set_model("lstm");
    for (int i = 0; i < count; ++i) AddSequence(&first, absl::StrCat(prefix, i), {1})->set_position(0);
    v1::PredictResponse response;
    EXPECT_TRUE(made->stream->Write(first) && made->stream->Read(&response));
    EXPECT_EQ(response.results_size(), count);
    return made;
  }
  static v1::PredictRequest EndsWithStream() {
    v1::PredictRequest request;
    request.set_end_with_stream(true);
    return request;
  }

  const TemporaryFolder folder_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(SessionEndsTest, ManyAreDeletedByPrefixAndModel) {
  StartServer();
  for (const char* const id : {"pump-1", "pump-2", "fan-1"}) ASSERT_TRUE(Step(id).ok());
  ASSERT_TRUE(Step("pump-3", "other").ok());
  int64_t deleted = 0;
  v1::DeleteSessionsRequest request;
  const grpc::Status nothing = DeleteMany(request, &deleted);
  EXPECT_EQ(nothing.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(nothing.error_message(), HasSubstr("or all=true to delete every session"));
  request.set_prefix("pump-");
  request.set_model("lstm");
  EXPECT_TRUE(DeleteMany(request, &deleted).ok());
  EXPECT_EQ(deleted, 2);
  EXPECT_EQ(Fate("pump-1"), "session 'pump-1' ended: deleted by its owner");
  EXPECT_EQ(Fate("pump-3"), "live");
  request.Clear();
  request.set_page_token("no token");
  request.set_all(true);
  EXPECT_EQ(DeleteMany(request, &deleted).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.clear_page_token();
  EXPECT_TRUE(DeleteMany(request, &deleted).ok());
  EXPECT_EQ(deleted, 2);
}

TEST_F(SessionEndsTest, ManyThatAreInTheStoreOnlyAreDeletedToo) {
  const auto with_store = [this](ServerOptions* options) {
    options->store.name = absl::StrCat("rocksdb:", folder_.path(), "/store");
    options->store.max_resident = 16;
  };
  StartServer(with_store);
  for (int i = 0; i < 300; i += 100) Move({}, absl::StrCat("pump-", i, "-"), 100);
  ASSERT_TRUE(Step("fan-1").ok());
  ASSERT_TRUE(Step("pump-other", "other").ok());
  server_ = nullptr;
  StartServer(with_store);
  testing::internal::CaptureStderr();
  int64_t deleted = 0;
  v1::DeleteSessionsRequest request;
  request.set_prefix("pump-");
  request.set_model("lstm");
  EXPECT_TRUE(DeleteMany(request, &deleted).ok());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("300 of 'pump-*' of model 'lstm'"));
  EXPECT_EQ(deleted, 300);
  EXPECT_EQ(server_->Metric("rondo_session_events_total{model=\"lstm\",event=\"deleted\"}"), 300);
  EXPECT_EQ(Fate("pump-100-99"), "session 'pump-100-99' ended: deleted by its owner");
  EXPECT_EQ(Fate("fan-1"), "live");
  EXPECT_EQ(Fate("pump-other"), "live");
  request.set_page_token("store-zz");
  EXPECT_TRUE(DeleteMany(request, &deleted).ok()) << "a token of any place is one to begin at";
  EXPECT_EQ(deleted, 0);
}

TEST_F(SessionEndsTest, ADeletionOfManyIsALineOfTheLog) {
  StartServer();
  ASSERT_TRUE(Step("pump-1").ok());
  testing::internal::CaptureStderr();
  int64_t deleted = 0;
  v1::DeleteSessionsRequest request;
  request.set_prefix("pump-");
  EXPECT_TRUE(DeleteMany(request, &deleted).ok());
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("event=sessions_deleted"));
  EXPECT_THAT(log, HasSubstr("1 of 'pump-*'"));
}

TEST_F(SessionEndsTest, SessionsEndWithTheirStreamHoweverItEnds) {
  StartServer();
  auto finished = Move(EndsWithStream(), "finished", 600);
  EXPECT_TRUE(finished->stream->WritesDone());
  EXPECT_TRUE(finished->stream->Finish().ok());
  EXPECT_EQ(Fate("finished0"), "session 'finished0' ended: ended with its stream");
  EXPECT_EQ(Fate("finished599"), "session 'finished599' ended: ended with its stream");
  auto cancelled = Move(EndsWithStream(), "cancelled", 1);
  cancelled->context.TryCancel();
  EXPECT_EQ(FateAfter("live", "cancelled0"), "session 'cancelled0' ended: ended with its stream");
  auto plain = Move({}, "plain", 1);
  EXPECT_TRUE(plain->stream->WritesDone());
  EXPECT_TRUE(plain->stream->Finish().ok());
  EXPECT_EQ(Fate("plain0"), "live");
}

TEST_F(SessionEndsTest, ASessionThatAnotherCallHasMovedOutlivesTheStream) {
  StartServer();
  auto stream = Move(EndsWithStream(), "s", 2);
  ASSERT_TRUE(Step("s1", "lstm", 1).ok());
  EXPECT_TRUE(stream->stream->WritesDone());
  EXPECT_TRUE(stream->stream->Finish().ok());
  EXPECT_EQ(Fate("s0"), "session 's0' ended: ended with its stream");
  EXPECT_EQ(Fate("s1"), "live");
}

TEST_F(SessionEndsTest, ThoseThatHaveLeftMemoryEndWithTheirStreamToo) {
  StartServer([this](ServerOptions* options) {
    options->store.name = absl::StrCat("rocksdb:", folder_.path(), "/store");
    options->store.sync_interval = absl::Milliseconds(10);
    options->store.max_resident = 4;
  });
  auto stream = Move(EndsWithStream(), "s", 40);
  EXPECT_TRUE(stream->stream->WritesDone());
  EXPECT_TRUE(stream->stream->Finish().ok());
  for (int i = 0; i < 40; ++i) EXPECT_THAT(Fate(absl::StrCat("s", i)), HasSubstr("ended with its stream"));
}

TEST_F(SessionEndsTest, AStreamThatWantsToIsToldWhichOfItsSessionsHaveEnded) {
  StartServer();
  v1::PredictRequest tell;
  tell.set_tell_ended(true);
  auto stream = Move(tell, "s", 2);
  ASSERT_TRUE(Step("foreign").ok());
  int64_t deleted = 0;
  v1::DeleteSessionsRequest request;
  request.set_prefix("s1");
  ASSERT_TRUE(DeleteMany(request, &deleted).ok());
  server_->server().Maintain(SteadyNow());
  v1::PredictResponse told;
  ASSERT_TRUE(stream->stream->Read(&told));
  ASSERT_EQ(told.ended_size(), 1);
  EXPECT_EQ(told.ended(0).session_id(), "s1");
  EXPECT_EQ(told.ended(0).reason(), "deleted by its owner");
  EXPECT_EQ(told.results_size(), 0);
  server_->server().Maintain(SteadyNow() + absl::Minutes(11));
  ASSERT_TRUE(stream->stream->Read(&told));
  ASSERT_EQ(told.ended_size(), 1);
  EXPECT_EQ(told.ended(0).session_id(), "s0");
  EXPECT_THAT(told.ended(0).reason(), HasSubstr("idle for 6"));
  // Its own end is no news; and the stream goes on.
  v1::PredictRequest last;
  last.set_model("lstm");
  v1::Sequence* const anew = AddSequence(&last, "s0", {1});
  anew->set_position(0);
  anew->set_end_session(true);
  ASSERT_TRUE(stream->stream->Write(last) && stream->stream->Read(&told));
  EXPECT_EQ(told.results_size(), 1);
  server_->server().Maintain(SteadyNow());
  EXPECT_TRUE(stream->stream->WritesDone());
  EXPECT_FALSE(stream->stream->Read(&told));
  EXPECT_TRUE(stream->stream->Finish().ok());
}

TEST_F(SessionEndsTest, AStreamIsNotToldOfTheEndOfASessionThatItHasMadeAnewSince) {
  StartServer();
  v1::PredictRequest tell;
  tell.set_tell_ended(true);
  auto stream = Move(tell, "s", 2);
  int64_t deleted = 0;
  v1::DeleteSessionsRequest request;
  request.set_prefix("s");
  ASSERT_TRUE(DeleteMany(request, &deleted).ok());
  v1::PredictRequest again;
  again.set_model("lstm");
  AddSequence(&again, "s0", {1})->set_position(0);
  v1::PredictResponse response;
  ASSERT_TRUE(stream->stream->Write(again) && stream->stream->Read(&response));
  ASSERT_EQ(response.results_size(), 1);
  server_->server().Maintain(SteadyNow());
  ASSERT_TRUE(stream->stream->Read(&response));
  ASSERT_EQ(response.ended_size(), 1);
  EXPECT_EQ(response.ended(0).session_id(), "s1");
  EXPECT_TRUE(stream->stream->WritesDone());
  EXPECT_FALSE(stream->stream->Read(&response));
}

TEST_F(SessionEndsTest, AStreamIsToldOfTheEndOfItsSessionThoughAnotherOfTheNameStandsWhereItStood) {
  StartServer();
  v1::PredictRequest tell;
  tell.set_tell_ended(true);
  tell.set_end_with_stream(true);
  auto stream = Move(tell, "s", 1);
  int64_t deleted = 0;
  v1::DeleteSessionsRequest request;
  request.set_prefix("s0");
  ASSERT_TRUE(DeleteMany(request, &deleted).ok());
  ASSERT_TRUE(Step("s0").ok());  // somebody makes one anew, at the position of the old one
  server_->server().Maintain(SteadyNow());
  v1::PredictResponse told;
  ASSERT_TRUE(stream->stream->Read(&told));
  ASSERT_EQ(told.ended_size(), 1);
  EXPECT_EQ(told.ended(0).session_id(), "s0");
  EXPECT_TRUE(stream->stream->WritesDone());
  EXPECT_FALSE(stream->stream->Read(&told));
  EXPECT_TRUE(stream->stream->Finish().ok());
  EXPECT_EQ(Fate("s0"), "live") << "it is not the stream's";
}

TEST_F(SessionEndsTest, ASessionSaysWhenItsLifetimeEndsAndEndsThen) {
  StartServer([](ServerOptions* options) { options->sessions.max_lifetime = absl::Hours(1); });
  ASSERT_TRUE(Step("s").ok());
  grpc::ClientContext context;
  v1::GetSessionRequest request;
  v1::Session session;
  request.set_session_id("s");
  ASSERT_TRUE(server_->sessions().GetSession(&context, request, &session).ok());
  EXPECT_NEAR(session.ends_in_seconds(), 3600, 60);
  server_->server().Maintain(SteadyNow() + absl::Hours(1));
  EXPECT_EQ(Fate("s"), "session 's' ended: it has lived for as long as it may");
}

TEST_F(SessionEndsTest, AUnixSocketServesAndIsItsOwnersAlone) {
  const std::string path = absl::StrCat(folder_.path(), "/rondo.sock");
  StartServer([&path](ServerOptions* options) { options->listen = "unix:" + path; });
  EXPECT_TRUE(Step("s").ok());
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace rondo
