// The Sessions service against a real server, over a real connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "absl/time/clock.h"
#include "tests/integration/services_fixture.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SessionsTest : public ServicesFixture {};

TEST_F(SessionsTest, AreCreatedGotListedAndDeleted) {
  v1::CreateSessionRequest create;
  create.set_model("lstm");
  v1::Session made, named, got;
  ASSERT_TRUE(Create(create, &made).ok());
  EXPECT_THAT(made.session_id(), SizeIs(32));
  create.set_session_id("mine");
  create.set_idle_timeout_seconds(5);
  ASSERT_TRUE(Create(create, &named).ok());
  EXPECT_EQ(Create(create, &named).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  ASSERT_TRUE(Get("mine", &got).ok());
  EXPECT_EQ(got.model(), "lstm");
  EXPECT_EQ(got.version(), 1);
  EXPECT_EQ(got.idle_timeout_seconds(), 5);

  v1::ListSessionsRequest list;
  v1::ListSessionsResponse page;
  std::vector<std::string> ids;
  list.set_page_size(1);
  do {
    grpc::ClientContext context;
    ASSERT_TRUE(server_.sessions().ListSessions(&context, list, &page).ok());
    for (const v1::Session& session : page.sessions()) ids.push_back(session.session_id());
    list.set_page_token(page.next_page_token());
  } while (!page.next_page_token().empty());
  EXPECT_THAT(ids, UnorderedElementsAre("mine", made.session_id()));

  v1::DeleteSessionRequest remove;
  v1::DeleteSessionResponse removed;
  remove.set_session_id("mine");
  {
    grpc::ClientContext context;
    EXPECT_TRUE(server_.sessions().DeleteSession(&context, remove, &removed).ok());
  }
  grpc::ClientContext context;
  const grpc::Status again = server_.sessions().DeleteSession(&context, remove, &removed);
  EXPECT_EQ(again.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(again.error_message(), HasSubstr("by its owner"));
}

TEST_F(SessionsTest, BadRequestsAreRefused) {
  v1::Session session;
  v1::CreateSessionRequest create;
  create.set_model("none");
  EXPECT_EQ(Create(create, &session).error_code(), grpc::StatusCode::NOT_FOUND);
  create.set_model("lstm");
  for (const double timeout : {-1.0, std::nan(""), 1e300}) {
    create.set_idle_timeout_seconds(timeout);
    EXPECT_EQ(Create(create, &session).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << timeout;
  }
  create.clear_idle_timeout_seconds();
  create.set_session_id("\x01");
  EXPECT_EQ(Create(create, &session).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::ListSessionsRequest list;
  v1::ListSessionsResponse page;
  list.set_page_size(1001);
  {
    grpc::ClientContext context;
    EXPECT_EQ(server_.sessions().ListSessions(&context, list, &page).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  list.set_page_size(1);
  list.set_page_token("not ours");
  grpc::ClientContext context;
  EXPECT_EQ(server_.sessions().ListSessions(&context, list, &page).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(SessionsTest, AskingForANewIdOfOnesOwnIsNoRefusal) {
  v1::GetSessionRequest get;
  v1::Session session;
  get.set_session_id("new");
  grpc::ClientContext context;
  EXPECT_EQ(server_.sessions().GetSession(&context, get, &session).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(server_.Metric("rondo_rejected_total{reason=\"not_found\"}"), 0);
}

TEST_F(SessionsTest, PastTheCapNoneIsCreatedAndTheCauseIsCounted) {
  TestServer small({{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}},
                   [](ServerOptions* options) { options->sessions.max_sessions = 1; });
  const std::string refusals = "rondo_rejected_total{reason=\"sessions_full\"}";
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("lstm");
  AddSequence(&request, "one", RandomValues(2, 1))->set_position(0);
  AddSequence(&request, "two", RandomValues(2, 1))->set_position(0);
  ASSERT_TRUE(small.Predict(request, &response).ok());
  EXPECT_FALSE(response.results(0).has_status());
  EXPECT_EQ(response.results(1).status().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(small.Metric(refusals), 1);

  v1::CreateSessionRequest create;
  create.set_model("lstm");
  v1::Session session;
  grpc::ClientContext context;
  EXPECT_EQ(small.sessions().CreateSession(&context, create, &session).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(small.Metric(refusals), 2);
  EXPECT_EQ(small.Metric("rondo_rejected_total{reason=\"queue_full\"}"), 0);
}

TEST_F(SessionsTest, AFullQueueOfOneSessionIsNotCountedAsAFullTable) {
  TestServer small({{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}},
                   [](ServerOptions* options) { options->sessions.max_queue_per_session = 0; });
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("lstm");
  for (int i = 0; i < 2; ++i) AddSequence(&request, "one", RandomValues(2, 1))->set_position(0);
  ASSERT_TRUE(small.Predict(request, &response).ok());
  EXPECT_EQ(response.results(1).status().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(small.Metric("rondo_rejected_total{reason=\"queue_full\"}"), 1);
  EXPECT_EQ(small.Metric("rondo_rejected_total{reason=\"sessions_full\"}"), 0);
}

TEST_F(SessionsTest, IdleOnesEndAndSayWhy) {
  RunSession("s", RandomValues(2, 1));
  server_.server().Maintain(absl::Now() + absl::Hours(1));
  v1::Session session;
  const grpc::Status status = Get("s", &session);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("idle"));
  EXPECT_EQ(server_.Metric("rondo_session_events_total{model=\"lstm\",event=\"expired\"}"), 1);
}

}  // namespace
}  // namespace rondo
