#include "client/unanswered_messages.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace rondo {
namespace {

class UnansweredMessagesTest : public testing::Test {
 protected:
  void Add(const std::string& model, bool repeatable = true) {
    auto message = std::make_shared<SentMessage>();
    message->request.set_model(model);
    message->repeatable = repeatable;
    messages_.Add(std::move(message));
  }
  // The model of the message that the reader is to send; empty: none.
  std::string Next() const {
    const auto next = messages_.NextToSend();
    return next == nullptr ? "" : next->request.model();
  }

  UnansweredMessages messages_;
};

TEST_F(UnansweredMessagesTest, TheWriterSendsWhileTheStreamHolds) {
  for (const char* model : {"a", "b"}) {
    EXPECT_TRUE(messages_.caught_up());
    Add(model);
    EXPECT_EQ(Next(), "");
  }
  EXPECT_EQ(messages_.size(), 2u);
  messages_.NoteAnswered();
  messages_.NoteAnswered();
  EXPECT_TRUE(messages_.empty() && messages_.caught_up());
}

TEST_F(UnansweredMessagesTest, OnAnotherStreamTheReaderSendsOneAfterTheReplyToTheOneBefore) {
  for (const char* model : {"a", "b", "c"}) Add(model);
  messages_.NoteAnswered();
  messages_.BeginAnew();
  EXPECT_FALSE(messages_.caught_up());
  Add("d");  // while the reader catches up: the writer does not send it
  for (const char* model : {"b", "c", "d"}) {
    EXPECT_EQ(Next(), model);
    EXPECT_EQ(Next(), model) << "it is not sent yet";
    messages_.NoteSent();
    EXPECT_EQ(Next(), "") << "its reply is to come first";
    EXPECT_EQ(messages_.caught_up(), std::string(model) == "d");
    messages_.NoteAnswered();
  }
  EXPECT_TRUE(messages_.empty() && messages_.caught_up());
}

TEST_F(UnansweredMessagesTest, AWriterThatFoundTheStreamBrokenSendsNoMore) {
  Add("a");
  messages_.NoteBroken();
  EXPECT_FALSE(messages_.caught_up());
  Add("b");
  messages_.BeginAnew();
  EXPECT_EQ(Next(), "a");
}

TEST_F(UnansweredMessagesTest, AReplyThatNothingWasSentForAnswersNothing) {
  messages_.NoteAnswered();
  Add("a");
  messages_.BeginAnew();
  messages_.NoteAnswered();
  EXPECT_EQ(messages_.size(), 1u);
}

TEST_F(UnansweredMessagesTest, OneThatMayNotRunTwiceHoldsAllBack) {
  EXPECT_TRUE(messages_.repeatable());
  Add("a");
  EXPECT_TRUE(messages_.repeatable());
  Add("b", /*repeatable=*/false);
  EXPECT_FALSE(messages_.repeatable());
}

}  // namespace
}  // namespace rondo
