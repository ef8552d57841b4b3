#ifndef RONDO_TESTS_UNIT_SESSION_SESSION_FIXTURE_H_
#define RONDO_TESTS_UNIT_SESSION_SESSION_FIXTURE_H_

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/model.h"
#include "model/weights.h"
#include "server/metrics/metrics.h"
#include "server/session/session_table.h"

namespace rondo {

class CountedEvents : public ModelMetrics {
 public:
  int count(SessionEvent event) const { return static_cast<int>(ModelMetrics::sessions.events[event].Value()); }
  Gauge& sessions() { return ModelMetrics::sessions.live; }
};

// An LSTM of one layer with all weights zero: state_size is 2 * hidden_size, output_size 1.
inline ServedModelPtr MakeServedModel(std::string name, int64_t hidden_size, ModelMetrics* metrics, int64_t version = 1,
                                      uint64_t fingerprint = 0, double step_seconds = 0) {
  ModelSpec spec;
  spec.step_seconds = step_seconds;
  spec.num_layers = 1;
  spec.hidden_size = hidden_size;
  spec.inputs.push_back({"in", 0, 1});
  spec.outputs.push_back({"out", 0, 1, {}});
  Weights weights;
  for (const TensorSlot& slot : TensorSlots(spec, &weights)) slot.values->resize(slot.shape.size());
  Network::Options options;
  options.kernel = KernelKind::kReference;
  auto model = std::make_shared<Model>();
  model->name = std::move(name);
  model->version = version;
  model->fingerprint = fingerprint;
  model->network = Network::Create(std::move(spec), std::move(weights), options).value();
  return std::make_shared<ServedModel>(ServedModel{std::move(model), metrics});
}

// Keeps what it hears.
class RecordingWaiter : public LeaseWaiter {
 public:
  void OnLease(absl::StatusOr<SessionLease> lease) override {
    ++calls;
    heard = std::move(lease);
  }

  int calls = 0;
  absl::StatusOr<SessionLease> heard = absl::UnknownError("has not heard");
};

class SessionFixture : public testing::Test {
 protected:
  static constexpr int64_t kStateSize = 8;

  // REQUIRES: the session is free.
  SessionLease AcquireNow(absl::string_view id) { return Take(table_.Acquire(id, nullptr, &unused_, now_)); }
  SessionLease AcquireOrCreate(absl::string_view id) { return Take(table_.Acquire(id, &model_, &unused_, now_)); }
  void Create(absl::string_view id) { ASSERT_TRUE(table_.Create(id, model_, std::nullopt, now_).ok()); }
  // True: `waiter` waits.
  bool Wait(absl::string_view id, LeaseWaiter* waiter, const ServedModelPtr* create_as = nullptr) {
    const auto lease = table_.Acquire(id, create_as, waiter, now_);
    return lease.ok() && !lease->has_value();
  }
  std::string Message(absl::string_view id) { return std::string(table_.Get(id, now_).status().message()); }

  CommittedSequence OneStep(float output = 1) {
    reply_ = {output};
    CommittedSequence sequence;
    sequence.timesteps = 1;
    sequence.fingerprint = 7;
    sequence.reply = reply_;
    return sequence;
  }

  static SessionTable::Options SmallOptions() {
    SessionTable::Options options;
    options.max_sessions = 100;
    options.max_queue_per_session = 4;
    options.max_ended = 10;
    return options;
  }

  CountedEvents metrics_;
  ServedModelPtr model_ = MakeServedModel("m", kStateSize / 2, &metrics_);
  ServedModelPtr other_model_ = MakeServedModel("other", 32, &metrics_);
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  SessionTable table_{SmallOptions()};

 private:
  static SessionLease Take(absl::StatusOr<std::optional<SessionLease>> lease) {
    EXPECT_TRUE(lease.ok()) << lease.status();
    EXPECT_TRUE(lease.ok() && lease->has_value());
    return lease.ok() && lease->has_value() ? std::move(**lease) : SessionLease();
  }

  RecordingWaiter unused_;
  std::vector<float> reply_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_SESSION_SESSION_FIXTURE_H_
