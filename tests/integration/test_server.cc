#include "tests/integration/test_server.h"

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "model/compute_thread.h"
#include "model/network.h"

namespace rondo {
namespace {

int GatesOf(Cell cell) { return cell == Cell::kLstm ? 4 : cell == Cell::kGru ? 3 : 1; }

}  // namespace

std::vector<float> RandomValues(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

ModelFile MakeTestModel(Cell cell, int64_t input_size, int64_t hidden_size, uint32_t seed) {
  ModelFile model;
  model.spec.cell = cell;
  model.spec.num_layers = 1;
  model.spec.hidden_size = hidden_size;
  for (int64_t i = 0; i < input_size; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    model.spec.inputs.push_back({name, 0.5, 2});
    model.spec.outputs.push_back({name, 0.25, 3, ""});
    model.spec.feedback.push_back({name, name});
  }
  const size_t rows = static_cast<size_t>(GatesOf(cell) * hidden_size);
  const size_t hidden = static_cast<size_t>(hidden_size), inputs = static_cast<size_t>(input_size);
  const auto scaled = [seed, hidden](size_t count, uint32_t offset) {
    std::vector<float> values = RandomValues(count, seed * 100 + offset);
    for (float& value : values) value /= std::sqrt(static_cast<float>(hidden));
    return values;
  };
  model.weights.layers.push_back(
      {scaled(rows * inputs, 1), scaled(rows * hidden, 2), scaled(rows, 3), scaled(rows, 4)});
  model.weights.head_weight = scaled(inputs * hidden, 5);
  model.weights.head_bias = scaled(inputs, 6);
  return model;
}

ServerOptions TestOptions() {
  ServerOptions options;
  OptionTable table = ServerOptionTable(&options);
  const auto asks = ReadOptions(
      table, {"--model_repository=unset", "--listen=127.0.0.1:0", "--http_listen=", "--loops=1", "--helpers=1"});
  EXPECT_TRUE(asks.ok()) << asks.status();
  return options;
}

TestServer::TestServer(const std::vector<std::pair<std::string, ModelFile>>& models,
                       const std::function<void(ServerOptions*)>& change) {
  for (const auto& [name, model] : models) {
    const std::string folder = absl::StrCat(model_repository(), "/", name, absl::StrContains(name, '/') ? "" : "/1");
    std::filesystem::create_directories(folder);
    const absl::Status status = WriteModelFile(model, folder + "/model.safetensors");
    EXPECT_TRUE(status.ok()) << status;
  }
  ServerOptions options = TestOptions();
  options.registry.model_repository = model_repository();
  if (change) change(&options);
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options);
  EXPECT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  EXPECT_EQ(server_->AwaitModels(absl::InfiniteFuture()), absl::OkStatus());
  channel_ = NewChannel();
  inference_ = v1::Inference::NewStub(channel_);
  sessions_ = v1::Sessions::NewStub(channel_);
  models_ = v1::Models::NewStub(channel_);
}

std::shared_ptr<grpc::Channel> TestServer::NewChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments);
}

double TestServer::Metric(const std::string& sample) const {
  const std::string page = server_->MetricsPage();
  for (const absl::string_view line : absl::StrSplit(page, '\n')) {
    double value = 0;
    if (absl::StartsWith(line, sample + " ") && absl::SimpleAtod(line.substr(sample.size() + 1), &value)) return value;
  }
  return 0;
}

void TestServer::WaitUntilQuiet() const {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (Metric("rondo_requests_in_flight") != 0) {
    ASSERT_LT(absl::Now(), deadline) << "requests are still in flight";
    std::this_thread::yield();
  }
}

grpc::Status TestServer::Predict(const v1::PredictRequest& request, v1::PredictResponse* response) {
  grpc::ClientContext context;
  return inference_->Predict(&context, request, response);
}

v1::Sequence* AddSequence(v1::PredictRequest* request, const std::string& session_id,
                          const std::vector<float>& values) {
  v1::Sequence* sequence = request->add_sequences();
  sequence->set_session_id(session_id);
  sequence->mutable_values()->Add(values.begin(), values.end());
  return sequence;
}

std::vector<float> ValuesOf(const v1::SequenceResult& result) {
  return {result.values().begin(), result.values().end()};
}

std::vector<float> ReferenceOutputs(const ModelFile& model, const std::vector<float>& values) {
  PrepareComputeThread();
  Network::Options options;
  options.kernel = KernelKind::kReference;
  absl::StatusOr<std::unique_ptr<Network>> network = Network::Create(model.spec, model.weights, options);
  EXPECT_TRUE(network.ok()) << network.status();
  const size_t inputs = static_cast<size_t>(model.spec.input_size());
  const size_t outputs = static_cast<size_t>(model.spec.output_size());
  std::vector<float> state(static_cast<size_t>(model.spec.state_size()), 0.0f);
  std::vector<float> result(values.size() / inputs * outputs);
  for (size_t step = 0; step < values.size() / inputs; ++step) {
    StepRow row;
    row.input = &values[step * inputs];
    row.state_in = row.state_out = state.data();
    row.output = &result[step * outputs];
    (*network)->Step(absl::MakeSpan(&row, 1));
  }
  return result;
}

}  // namespace rondo
