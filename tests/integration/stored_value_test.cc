// Sessions in a store, over real connections and through restarts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/integration/session_calls.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// What is done to sessions that are in the store only, and what a restart keeps of it.
class StoredValueTest : public ::testing::Test {
 protected:
  // Starts a server on the store; one before has stopped.
  void Restart() {
    server_.reset();
    server_ = std::make_unique<TestServer>(std::vector<std::pair<std::string, ModelFile>>{{"m", model_}},
                                           [this](ServerOptions* options) {
                                             MakeDeterministic(options);
                                             options->store.name = "rocksdb:" + folder_.Path("store");
                                             options->store.durability = Durability::kEveryReply;
                                             options->store.max_resident = 1000;
                                           });
  }

  grpc::Status Create(const std::string& id, const std::string& model = "m") {
    grpc::ClientContext context;
    v1::CreateSessionRequest request;
    request.set_model(model);
    request.set_session_id(id);
    return server_->sessions().CreateSession(&context, request, &session_);
  }

  grpc::Status Get(const std::string& id) {
    grpc::ClientContext context;
    v1::GetSessionRequest request;
    request.set_session_id(id);
    return server_->sessions().GetSession(&context, request, &session_);
  }

  grpc::Status Delete(const std::string& id) {
    grpc::ClientContext context;
    v1::DeleteSessionRequest request;
    v1::DeleteSessionResponse response;
    request.set_session_id(id);
    return server_->sessions().DeleteSession(&context, request, &response);
  }

  const ModelFile model_ = LstmModel();
  const KnownSeries series_{*NetworkOf(model_), 1, 20};
  const TemporaryFolder folder_;
  std::unique_ptr<TestServer> server_;
  v1::Session session_;
};

TEST_F(StoredValueTest, WhatWasCreatedImportedAndForkedOutlivesTheServer) {
  Restart();
  ASSERT_TRUE(Create("created").ok());
  Steps(server_.get(), "s", series_, 0, 0, 4);
  const std::string state = StateOf(server_.get(), "s");
  ASSERT_TRUE(Import(server_.get(), state, "imported", &session_).ok());
  ASSERT_TRUE(Fork(server_.get(), "s", "forked", &session_).ok());
  Restart();
  ASSERT_TRUE(Get("created").ok());
  EXPECT_EQ(session_.position(), 0);
  EXPECT_THAT(Steps(server_.get(), "imported", series_, 0, 4, 9), ElementsAreArray(series_.Outputs(0, 4, 9)));
  EXPECT_THAT(Steps(server_.get(), "forked", series_, 0, 4, 9), ElementsAreArray(series_.Outputs(0, 4, 9)));
}

TEST_F(StoredValueTest, AnIdThatIsInTheStoreOnlyIsTaken) {
  Restart();
  Steps(server_.get(), "s", series_, 0, 0, 4);
  const std::string state = StateOf(server_.get(), "s");
  Restart();
  EXPECT_EQ(Import(server_.get(), state, "", &session_).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  Restart();
  EXPECT_EQ(Create("s").error_code(), grpc::StatusCode::ALREADY_EXISTS);
  Steps(server_.get(), "t", series_, 0, 0, 1);
  Restart();
  EXPECT_EQ(Fork(server_.get(), "t", "s", &session_).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_THAT(Steps(server_.get(), "s", series_, 0, 4, 6), ElementsAreArray(series_.Outputs(0, 4, 6)));
}

TEST_F(StoredValueTest, WhatIsNotThereIsNamedAndNotTheSessionThatIsToBeMade) {
  Restart();
  const grpc::Status made = Create("new", "typo");
  EXPECT_EQ(made.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(made.error_message(), HasSubstr("no model \"typo\""));
  const grpc::Status forked = Fork(server_.get(), "missing", "new", &session_);
  EXPECT_EQ(forked.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(forked.error_message(), HasSubstr("'missing'"));
  EXPECT_THAT(Get("new").error_message(), HasSubstr("'new'"));
}

TEST_F(StoredValueTest, ASessionThatIsInTheStoreOnlyIsExportedAndDeleted) {
  Restart();
  Steps(server_.get(), "s", series_, 0, 0, 4);
  const std::string state = StateOf(server_.get(), "s");
  Restart();
  EXPECT_EQ(StateOf(server_.get(), "s").size(), state.size());
  Restart();
  EXPECT_TRUE(Delete("s").ok());
  EXPECT_EQ(Delete("s").error_code(), grpc::StatusCode::NOT_FOUND);
  Restart();
  const grpc::Status gone = Get("s");
  EXPECT_EQ(gone.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(gone.error_message(), HasSubstr("deleted by its owner"));
  EXPECT_TRUE(Import(server_.get(), state, "", &session_).ok()) << "the id is free again";
  EXPECT_THAT(Steps(server_.get(), "s", series_, 0, 4, 6), ElementsAreArray(series_.Outputs(0, 4, 6)));
}

TEST(ExportLimitTest, AStateThatNoMessageHoldsIsRefusedByName) {
  TestServer server({{"m", MakeTestModel(Cell::kLstm, 1, 512)}},
                    [](ServerOptions* options) { options->requests.max_message_bytes = 4096; });
  v1::CreateSessionRequest create;
  create.set_model("m");
  create.set_session_id("s");
  v1::Session session;
  grpc::ClientContext context;
  ASSERT_TRUE(server.sessions().CreateSession(&context, create, &session).ok());
  const Exported exported = Export(&server, "s");
  EXPECT_EQ(exported.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(exported.status.error_message(), HasSubstr("sends at most 4096"));
  EXPECT_TRUE(Fork(&server, "s", "t", &session).ok()) << "no message is too long for that";
}

}  // namespace
}  // namespace rondo
