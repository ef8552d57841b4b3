#ifndef RONDO_TESTS_INTEGRATION_TEST_SERVER_H_
#define RONDO_TESTS_INTEGRATION_TEST_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/model_file.h"
#include "rondo/v1/inference.grpc.pb.h"
#include "rondo/v1/models.grpc.pb.h"
#include "rondo/v1/sessions.grpc.pb.h"
#include "server/options.h"
#include "server/server.h"
#include "tests/temporary_folder.h"

namespace rondo {

// A model of small random weights: inputs and outputs "a", "b", ... each output fed back into the input of its name.
ModelFile MakeTestModel(Cell cell, int64_t input_size, int64_t hidden_size, uint32_t seed = 1);

// Options as the flags' defaults give them, but on a free port, without HTTP, with one loop and one helper.
ServerOptions TestOptions();

// A real server on a free port with the models written to a folder of its own, and a channel to it. ASSERT started.
class TestServer {
 public:
  // `models`: by name, which is version 1, or by "name/version".
  explicit TestServer(const std::vector<std::pair<std::string, ModelFile>>& models,
                      const std::function<void(ServerOptions*)>& change = {});

  Server& server() { return *server_; }
  const std::string& model_repository() const { return repository_.path(); }
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  // A channel with a connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() const;
  v1::Inference::Stub& inference() { return *inference_; }
  v1::Sessions::Stub& sessions() { return *sessions_; }
  v1::Models::Stub& models() { return *models_; }
  // The value of a sample on /metrics by its full name with labels, e.g. "rondo_sessions{model=\"m\"}"; 0 if absent.
  double Metric(const std::string& sample) const;
  // Until no session has a lease or a queue, and no request is in flight: fails the test after 20 s.
  void WaitUntilQuiet() const;

  grpc::Status Predict(const v1::PredictRequest& request, v1::PredictResponse* response);

 private:
  const TemporaryFolder repository_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Inference::Stub> inference_;
  std::unique_ptr<v1::Sessions::Stub> sessions_;
  std::unique_ptr<v1::Models::Stub> models_;
};

// Adds a sequence of `values` to the request.
v1::Sequence* AddSequence(v1::PredictRequest* request, const std::string& session_id, const std::vector<float>& values);
std::vector<float> RandomValues(size_t count, uint32_t seed);
std::vector<float> ValuesOf(const v1::SequenceResult& result);

// What the float64 reference says of whole sequence `values`, from a zero state: [timesteps][output_size].
std::vector<float> ReferenceOutputs(const ModelFile& model, const std::vector<float>& values);

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_TEST_SERVER_H_
