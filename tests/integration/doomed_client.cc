#include "tests/integration/doomed_client.h"

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rondo {

DoomedClient::DoomedClient(const std::string& server, Death death) : relay_(server), death_(death) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_ = grpc::CreateCustomChannel(relay_.address(), grpc::InsecureChannelCredentials(), arguments);
  stub_ = v1::Inference::NewStub(channel_);
  context_.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(1)));
  EXPECT_TRUE(channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + absl::Seconds(20))));
  connected_bytes_ = relay_.bytes_to_server();
}

std::unique_ptr<DoomedClient::Stream> DoomedClient::OpenStream() {
  std::unique_ptr<Stream> stream = stub_->StreamPredict(&context_);
  WaitUntilSent(1);
  return stream;
}

void DoomedClient::Send(const v1::PredictRequest& request, Stream* stream) {
  sent_bytes_ += request.ByteSizeLong();
  EXPECT_TRUE(stream->Write(request));
  WaitUntilSent(sent_bytes_);
}

void DoomedClient::WaitUntilSent(size_t bytes) { EXPECT_TRUE(relay_.WaitForBytesToServer(connected_bytes_ + bytes)); }

void DoomedClient::Die() {
  if (death_ == Death::kCancel) return context_.TryCancel();
  relay_.EndAfter(0, death_ == Death::kReset ? ConnectionEnd::kReset : ConnectionEnd::kClose);
  relay_.WaitUntilEnded();
}

void DoomedClient::DieWhileSending(const v1::PredictRequest& request, size_t part, Stream* stream) {
  relay_.EndAfter(part, death_ == Death::kReset ? ConnectionEnd::kReset : ConnectionEnd::kClose);
  stream->Write(request);
  relay_.WaitUntilEnded();
}

}  // namespace rondo
