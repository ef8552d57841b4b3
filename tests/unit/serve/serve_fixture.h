#ifndef RONDO_TESTS_UNIT_SERVE_SERVE_FIXTURE_H_
#define RONDO_TESTS_UNIT_SERVE_SERVE_FIXTURE_H_

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "gtest/gtest.h"
#include "model/compute_thread.h"
#include "model/model_file.h"
#include "server/loop/compute_helpers.h"
#include "server/loop/inbox.h"
#include "server/loop/step_engine.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/serve/message.h"
#include "server/serve/serve_context.h"
#include "tests/chain_model.h"
#include "tests/temporary_folder.h"

namespace rondo {

// A loop's inbox without a loop: what is posted proceeds when the test says so.
class HandInbox : public Poster {
 public:
  void Post(Event* event) override {
    MutexLock lock(&mutex_);
    inbox_.Post(event);
    posted_.SignalAll();
  }
  // Lets what was posted proceed, on the test's thread.
  void RunPosted() { inbox_.RunAll(); }
  // Returns once something is posted: a store answers on its own thread.
  void Await() {
    MutexLock lock(&mutex_);
    while (inbox_.empty()) posted_.Wait(&mutex_);
  }
  bool empty() const { return inbox_.empty(); }

 private:
  Mutex mutex_;
  CondVar posted_;
  Inbox inbox_;
};

// A message's request and reply as plain values.
class TestExchange : public Exchange {
 public:
  SequenceView SequenceAt(size_t i) const override { return sequences[i]; }
  void AddResults(size_t count) override {
    results.assign(count, std::nullopt);
    values.resize(count);
  }
  float* AllocateValues(size_t i, size_t count) override {
    values[i].assign(count, -7.0f);
    return values[i].data();
  }
  void SetResult(size_t i, const SequenceResult& result) override {
    EXPECT_FALSE(results[i].has_value()) << "result " << i << " is set twice";
    results[i] = result;
  }
  void OnMessageDone(const absl::Status& why) override {
    refusal = why;
    ++done;
  }

  std::vector<SequenceView> sequences;
  std::vector<std::optional<SequenceResult>> results;
  std::vector<std::vector<float>> values;
  absl::Status refusal;
  int done = 0;
};

// The running sum of its inputs: h' = relu(x + h), y = h. Its output can be fed back: a forecast doubles.
inline ModelFile SumModel() {
  ModelFile model;
  model.spec.cell = Cell::kRnn;
  model.spec.activation = Activation::kRelu;
  model.spec.num_layers = model.spec.hidden_size = 1;
  model.spec.inputs = {{"x", 0, 1}};
  model.spec.outputs = {{"y", 0, 1, ""}};
  model.spec.feedback = {{"y", "x"}};
  model.weights.layers.push_back({{1}, {1}, {0}, {0}});
  model.weights.head_weight = {1};
  model.weights.head_bias = {0};
  return model;
}

// Everything that a request needs, without a socket: real models "sum" (versions 1 and 2), "other", "gaussian" and
// "chain", a real session table and a step engine that the test drives.
class ServeFixture : public testing::Test {
 protected:
  explicit ServeFixture(const ActiveSet::Options& queue = {}, const SessionTable::Options& sessions = {},
                        SessionPersistence persistence = {})
      : engine_(queue, &helpers_), sessions_(sessions, WithModels(std::move(persistence))) {
    PrepareComputeThread();
    testing::internal::CaptureStderr();
    Put("sum/1", SumModel());
    Put("sum/2", SumModel());
    Put("other/1", SumModel());
    Put("gaussian/1", GaussianModel());
    Put("chain/1", ChainModel());
    ModelRegistry::Options options;
    options.model_repository = root_;
    options.network.kernel = KernelKind::kReference;
    absl::StatusOr<std::unique_ptr<ModelRegistry>> opened = ModelRegistry::Open(options, &metrics_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    registry_ = *std::move(opened);
    context_.engine = &engine_;
    context_.poster = &inbox_;
    context_.clock = &clock_;
    context_.registry = registry_.get();
    context_.sessions = &sessions_;
    context_.metrics = metrics_.requests();
    context_.draining = &draining_;
    context_.budget = &budget_;
    context_.memory = &memory_;
  }
  ~ServeFixture() override { testing::internal::GetCapturedStderr(); }

  void Put(const std::string& model, const ModelFile& file) {
    std::filesystem::create_directories(root_ / model);
    const absl::Status status = WriteModelFile(file, root_ / model / "model.safetensors");
    ASSERT_TRUE(status.ok()) << status;
  }

  // Until nothing is left to do but by the store's thread.
  void RunUntilIdle() {
    while (!inbox_.empty() || !engine_.idle()) {
      inbox_.RunPosted();
      engine_.RunBatch();
    }
  }

  static SequenceView Of(absl::string_view session, std::optional<int64_t> position, absl::Span<const float> values) {
    SequenceView view;
    view.session_id = session;
    view.position = position;
    view.values = values;
    return view;
  }
  static RequestView RequestOf(absl::string_view model, size_t sequences = 1) {
    RequestView request;
    request.model = model;
    request.sequences = sequences;
    return request;
  }

  // Takes the session, which is made if there is none. REQUIRES: it is free.
  SessionLease Hold(absl::string_view id) {
    const ServedModelPtr model = *registry_->Find("sum", 0);
    absl::StatusOr<std::optional<SessionLease>> lease = sessions_.Acquire(id, &model, nullptr, now_);
    EXPECT_TRUE(lease.ok() && lease->has_value());
    return std::move(**lease);
  }
  // Starts a message of `sequences` for model "sum".
  void Start(std::vector<SequenceView> sequences, Message* message, TestExchange* exchange) {
    exchange->sequences = std::move(sequences);
    message->Start(RequestOf("sum", exchange->sequences.size()), now_, absl::InfiniteFuture());
  }
  // Runs one sequence as a message of its own, to its end.
  SequenceResult Run(const SequenceView& sequence, const RequestView& request = RequestOf("sum"),
                     absl::Time deadline = absl::InfiniteFuture()) {
    TestExchange exchange;
    Message message(&context_, Method::kStreamPredict, &exchange);
    exchange.sequences = {sequence};
    message.Start(request, now_, deadline);
    RunUntilIdle();
    while (message.running()) {
      inbox_.Await();
      RunUntilIdle();
    }
    EXPECT_EQ(exchange.done, 1);
    EXPECT_TRUE(exchange.refusal.ok()) << exchange.refusal;
    if (exchange.results.empty()) return SequenceResult();
    last_values_ = exchange.values[0];
    EXPECT_TRUE(exchange.results[0].has_value());
    return exchange.results[0].value_or(SequenceResult());
  }
  // What the whole of a message without a sequence is refused with.
  absl::Status RefusalOfMessage(const RequestView& request, Method method = Method::kPredict) {
    TestExchange exchange;
    Message message(&context_, method, &exchange);
    exchange.sequences = {Of("", std::nullopt, one_)};
    message.Start(request, now_, absl::InfiniteFuture());
    EXPECT_EQ(exchange.done, 1);
    EXPECT_TRUE(exchange.results.empty());
    EXPECT_EQ(message.refusal(), exchange.refusal);
    return exchange.refusal;
  }

  // Expects that `status` was refused as `why`: with the code and the retry advice of its row, once in the metric.
  void ExpectRefused(const absl::Status& status, Why why, absl::string_view label, absl::StatusCode code,
                     int retry_after_ms, std::optional<int64_t> next_position = std::nullopt) {
    const Refusal refusal = RefusalOf(status);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(refusal.why, why) << status;
    EXPECT_EQ(refusal.retry_after_ms, retry_after_ms) << status;
    EXPECT_EQ(refusal.next_position, next_position) << status;
    EXPECT_EQ(metrics_.requests()->rejected[why].Value(), ++counted_[static_cast<size_t>(why)]) << label;
    EXPECT_EQ(LabelOf(why), label);
  }
  int64_t in_flight() { return metrics_.requests()->in_flight.Value(); }

  const TemporaryFolder folder_;
  const std::filesystem::path root_ = folder_.path();
  Metrics metrics_;
  TurnClock clock_{metrics_.ForLoop(0), metrics_.loops(), absl::InfiniteFuture()};
  std::unique_ptr<ModelRegistry> registry_;
  ComputeHelpers helpers_{0};
  StepEngine engine_;
  HandInbox inbox_;
  std::atomic<bool> draining_{false};
  SessionTable sessions_;
  WorkBudget budget_{WorkLimits{}};
  size_t used_memory_ = 0;
  MemoryBudget memory_{/*limit=*/size_t{1} << 30, [this] { return used_memory_; }};
  ServeContext context_;
  absl::Time now_ = absl::Now();
  std::vector<float> last_values_;  // of the last Run
  const std::vector<float> one_ = {1};
  const std::vector<float> two_ = {2};
  const std::vector<float> three_steps_ = {1, 2, 3};

 private:
  // The mean of y is the running sum, its deviation near 1.
  static ModelFile GaussianModel() {
    ModelFile model = SumModel();
    model.spec.head = Head::kGaussian;
    model.weights.head_weight = {1, 0};
    model.weights.head_bias = {0, 0};
    return model;
  }

  SessionPersistence WithModels(SessionPersistence persistence) {
    persistence.find_model = [this](const RecordedModel& model) { return registry_->Find(model.name, model.version); };
    persistence.metrics = &metrics_;
    return persistence;
  }

  uint64_t counted_[kNumWhys] = {};
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_SERVE_SERVE_FIXTURE_H_
