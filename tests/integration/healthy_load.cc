#include "tests/integration/healthy_load.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "model/compute_thread.h"

namespace rondo {
namespace {

// The sessions of one client, and the same steps run here.
class SteppedBeside {
 public:
  SteppedBeside(const Network* network, const std::string& model, size_t client) : network_(network) {
    request_.set_model(model);
    const size_t state_size = static_cast<size_t>(network->spec().state_size());
    for (size_t i = 0; i < HealthyLoad::kSessionsPerClient; ++i) {
      AddSequence(&request_, absl::StrCat("healthy-", client, "-", i), {});
      inputs_.push_back(RandomValues(input_size() * kPeriod, static_cast<uint32_t>(1000 + client * 100 + i)));
      states_.emplace_back(state_size, 0.0f);
    }
  }

  const v1::PredictRequest& NextRequest() {
    for (int i = 0; i < request_.sequences_size(); ++i) {
      v1::Sequence* const sequence = request_.mutable_sequences(i);
      const float* const input = InputOf(static_cast<size_t>(i));
      sequence->set_position(position_);
      sequence->mutable_values()->Clear();
      sequence->mutable_values()->Add(input, input + input_size());
    }
    return request_;
  }

  // Empty: it is what this network says. Moves on.
  std::string Check(const v1::PredictResponse& response) {
    if (response.results_size() != request_.sequences_size()) {
      return absl::StrCat("refused: ", response.status().message());
    }
    for (size_t i = 0; i < states_.size(); ++i) {
      std::vector<float> output(static_cast<size_t>(network_->spec().output_size()));
      StepRow row;
      row.input = InputOf(i);
      row.state_in = row.state_out = states_[i].data();
      row.output = output.data();
      network_->Step(absl::MakeSpan(&row, 1));
      const v1::SequenceResult& result = response.results(static_cast<int>(i));
      if (result.has_status()) return absl::StrCat("session ", i, ": ", result.status().message());
      if (ValuesOf(result) != output) return absl::StrCat("session ", i, " answers something else at ", position_);
    }
    ++position_;
    return "";
  }

 private:
  static constexpr size_t kPeriod = 97;  // the inputs come again after so many steps, the states do not

  size_t input_size() const { return static_cast<size_t>(network_->spec().input_size()); }
  const float* InputOf(size_t session) const {
    return &inputs_[session][static_cast<size_t>(position_) % kPeriod * input_size()];
  }

  const Network* const network_;
  v1::PredictRequest request_;
  std::vector<std::vector<float>> inputs_;
  std::vector<std::vector<float>> states_;
  int64_t position_ = 0;
};

}  // namespace

HealthyLoad::HealthyLoad(const TestServer* server, const Network* network, const std::string& model, size_t clients)
    : server_(server), network_(network), model_(model), running_(clients) {
  for (size_t client = 0; client < clients; ++client) {
    threads_.emplace_back([this, client] { Run(client); });
  }
}

HealthyLoad::~HealthyLoad() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void HealthyLoad::Pause() {
  MutexLock lock(&mutex_);
  paused_ = true;
  while (running_ > 0) changed_.Wait(&mutex_);
}

void HealthyLoad::Resume() {
  MutexLock lock(&mutex_);
  paused_ = false;
  changed_.SignalAll();
}

void HealthyLoad::WaitForMessages(int64_t more) const {
  const int64_t wanted = messages() + more;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (messages() < wanted && !failed_) {
    ASSERT_LT(absl::Now(), deadline) << "healthy clients stand still";
    std::this_thread::yield();
  }
}

bool HealthyLoad::WaitWhilePaused() {
  MutexLock lock(&mutex_);
  if (paused_ && !stopping_) {
    --running_;
    changed_.SignalAll();
    while (paused_ && !stopping_) changed_.Wait(&mutex_);
    ++running_;
  }
  return !stopping_;
}

void HealthyLoad::Run(size_t client) {
  PrepareComputeThread();
  SteppedBeside sessions(network_, model_, client);
  const auto stub = v1::Inference::NewStub(server_->NewChannel());
  grpc::ClientContext context;
  const auto stream = stub->StreamPredict(&context);
  v1::PredictResponse response;
  while (WaitWhilePaused()) {
    std::string failure = "the stream has broken";
    if (stream->Write(sessions.NextRequest()) && stream->Read(&response)) failure = sessions.Check(response);
    if (!failure.empty()) {
      ADD_FAILURE() << "healthy client " << client << ": " << failure;
      failed_ = true;
      break;
    }
    ++messages_;
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  MutexLock lock(&mutex_);
  --running_;
  changed_.SignalAll();
}

}  // namespace rondo
