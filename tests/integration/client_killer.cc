#include "tests/integration/client_killer.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rondo {
namespace {

constexpr int64_t kShort = 5;              // timesteps
constexpr int64_t kLong = 600;             // ... that take some milliseconds
constexpr int64_t kPipelinedByKilled = 6;  // pipelined
static_assert(kPipelinedByKilled * kLong <= ClientKiller::kTimesteps);

// A call that somebody waits for on a thread of its own.
std::future<grpc::Status> CallPredict(v1::Inference::Stub* stub, grpc::ClientContext* context,
                                      v1::PredictRequest request) {
  return std::async(std::launch::async, [stub, context, request = std::move(request)] {
    v1::PredictResponse response;
    return stub->Predict(context, request, &response);
  });
}

void SetDeadline(absl::Duration timeout, grpc::ClientContext* context) {
  context->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

}  // namespace

Victim ClientKiller::Kill(Stage stage, Death death, int number) {
  Victim victim{stage, absl::StrCat("victim-", number), static_cast<size_t>(number) % series_->count(), {0}};
  DoomedClient client(server_->server().address(), death);
  switch (stage) {
    case Stage::kConnected:
      client.Die();
      break;
    case Stage::kStreamOpened: {
      const auto stream = client.OpenStream();
      client.Die();
      EXPECT_FALSE(stream->Finish().ok());
      break;
    }
    case Stage::kHalfMessageSent:
      KillInHalfMessage(&client, victim, number);
      break;
    case Stage::kRunning:
      number % 2 == 0 ? KillWhileRunning(&client, &victim) : KillInUnary(&client, &victim);
      break;
    case Stage::kBehindItself:
      KillBehindItself(&client, &victim);
      break;
    case Stage::kBehindAnother:
      KillBehindAnother(&client, &victim);
      break;
    case Stage::kInFrontOfAnother:
      KillInFrontOfAnother(&client, &victim);
      break;
    case Stage::kPipelined:
      KillInPipeline(&client, kLong / 10, false, &victim);
      break;
    case Stage::kReplyNotRead:
      KillInPipeline(&client, kLong, true, &victim);
      break;
    case Stage::kForecast:
      KillInForecast(&client, &victim);
      break;
    case Stage::kDeadline:
      ExpireInUnary(number, &victim);
      break;
  }
  return victim;
}

v1::PredictRequest ClientKiller::Piece(const Victim& victim, int64_t begin, int64_t end) const {
  v1::PredictRequest request;
  request.set_model("lstm");
  AddSequence(&request, victim.session_id, series_->Inputs(victim.series, begin, end))->set_position(begin);
  return request;
}

int64_t ClientKiller::PositionOf(const std::string& session_id) {
  grpc::ClientContext context;
  v1::GetSessionRequest request;
  v1::Session session;
  request.set_session_id(session_id);
  const grpc::Status status = server_->sessions().GetSession(&context, request, &session);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return -1;
  EXPECT_TRUE(status.ok()) << status.error_message();
  return session.position();
}

void ClientKiller::Run(const Victim& victim, int64_t begin, int64_t end) {
  v1::PredictResponse response;
  const grpc::Status status = server_->Predict(Piece(victim, begin, end), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

void ClientKiller::WaitALittle(const Victim& victim) { load_->WaitForMessages(static_cast<int64_t>(victim.series)); }

void ClientKiller::KillWhileRunning(DoomedClient* client, Victim* victim) {
  const auto stream = client->OpenStream();
  client->Send(Piece(*victim, 0, kShort), stream.get());
  v1::PredictResponse response;
  EXPECT_TRUE(stream->Read(&response));
  client->Send(Piece(*victim, kShort, kShort + kLong), stream.get());
  victim->ends_of_messages = {kShort, kShort + kLong};
  WaitALittle(*victim);
  client->Die();
  EXPECT_FALSE(stream->Finish().ok());
}

void ClientKiller::KillInHalfMessage(DoomedClient* client, const Victim& victim, int number) {
  const v1::PredictRequest request = Piece(victim, 0, kLong);
  const auto stream = client->OpenStream();
  client->DieWhileSending(request, request.ByteSizeLong() / 10 * static_cast<size_t>(number % 9 + 1), stream.get());
  EXPECT_FALSE(stream->Finish().ok());
}

void ClientKiller::KillInUnary(DoomedClient* client, Victim* victim) {
  const v1::PredictRequest request = Piece(*victim, 0, kLong);
  victim->ends_of_messages = {0, kLong};
  const std::future<grpc::Status> call = CallPredict(&client->stub(), client->context(), request);
  client->WaitUntilSent(request.ByteSizeLong());
  WaitALittle(*victim);
  client->Die();
  call.wait();
}

void ClientKiller::KillBehindItself(DoomedClient* client, Victim* victim) {
  Run(*victim, 0, kShort);
  victim->ends_of_messages = {kShort, kShort + kLong, kShort + 2 * kLong};
  const auto stream = client->OpenStream();
  client->Send(Piece(*victim, kShort, kShort + kLong), stream.get());
  client->Send(Piece(*victim, kShort + kLong, kShort + 2 * kLong), stream.get());
  WaitALittle(*victim);
  client->Die();
  EXPECT_FALSE(stream->Finish().ok());
}

void ClientKiller::KillBehindAnother(DoomedClient* client, Victim* victim) {
  Run(*victim, 0, kShort);
  const int64_t middle = kShort + kLong;
  victim->ends_of_messages = {middle, middle + kLong};
  grpc::ClientContext living_context;
  SetDeadline(absl::Seconds(30), &living_context);
  std::future<grpc::Status> living =
      CallPredict(&server_->inference(), &living_context, Piece(*victim, kShort, middle));
  const v1::PredictRequest request = Piece(*victim, middle, middle + kLong);
  const std::future<grpc::Status> dead = CallPredict(&client->stub(), client->context(), request);
  client->WaitUntilSent(request.ByteSizeLong());
  WaitALittle(*victim);
  client->Die();
  const grpc::Status status = living.get();
  EXPECT_TRUE(status.ok()) << status.error_message();
  dead.wait();
}

void ClientKiller::KillInFrontOfAnother(DoomedClient* client, Victim* victim) {
  Run(*victim, 0, kShort);
  const int64_t middle = kShort + kLong;
  victim->ends_of_messages = {kShort, middle, middle + kLong};
  const v1::PredictRequest request = Piece(*victim, kShort, middle);
  const std::future<grpc::Status> dead = CallPredict(&client->stub(), client->context(), request);
  client->WaitUntilSent(request.ByteSizeLong());
  grpc::ClientContext living_context;
  SetDeadline(absl::Seconds(30), &living_context);
  std::future<grpc::Status> living =
      CallPredict(&server_->inference(), &living_context, Piece(*victim, middle, middle + kLong));
  WaitALittle(*victim);
  client->Die();
  // It hears in any case; what it sent fits only if the dead client's message had run.
  const grpc::Status status = living.get();
  EXPECT_TRUE(status.ok() || status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) << status.error_message();
  dead.wait();
}

void ClientKiller::KillInPipeline(DoomedClient* client, int64_t piece, bool until_reply_waits, Victim* victim) {
  const auto stream = client->OpenStream();
  for (int64_t i = 0; i < kPipelinedByKilled; ++i) {
    client->Send(Piece(*victim, i * piece, (i + 1) * piece), stream.get());
    victim->ends_of_messages.insert((i + 1) * piece);
  }
  // HTTP/2 lets the server write 64 KiB that nobody reads: two replies of kLong.
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (until_reply_waits && PositionOf(victim->session_id) < 3 * piece) {
    ASSERT_LT(absl::Now(), deadline) << victim->session_id << " does not move";
  }
  client->Die();
  EXPECT_FALSE(stream->Finish().ok());
}

void ClientKiller::KillInForecast(DoomedClient* client, Victim* victim) {
  Run(*victim, 0, kShort);
  victim->ends_of_messages = {kShort};
  v1::ForecastRequest request;
  request.set_model("lstm");
  request.set_session_id(victim->session_id);
  request.set_horizon(kLong);
  const std::future<grpc::Status> call = std::async(std::launch::async, [&] {
    v1::ForecastResponse response;
    return client->stub().Forecast(client->context(), request, &response);
  });
  client->WaitUntilSent(request.ByteSizeLong());
  WaitALittle(*victim);
  client->Die();
  call.wait();
}

void ClientKiller::ExpireInUnary(int number, Victim* victim) {
  victim->ends_of_messages = {0, kLong};
  grpc::ClientContext context;
  SetDeadline(absl::Milliseconds(1 + number % 16), &context);
  v1::PredictResponse response;
  server_->inference().Predict(&context, Piece(*victim, 0, kLong), &response);
}

}  // namespace rondo
