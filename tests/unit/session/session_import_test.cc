#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "model/compute_thread.h"
#include "server/session/session_id.h"
#include "server/store/session_record.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// A two-layer GRU and an LSTM with weights that make every step count.
ServedModelPtr MakeLiveModel(Cell cell, ModelMetrics* metrics) {
  ModelSpec spec;
  spec.cell = cell;
  spec.num_layers = 2;
  spec.hidden_size = 5;
  spec.inputs = {{"a", 0, 1}, {"b", 0.5, 2}};
  spec.outputs = {{"y", 0, 1, {}}, {"z", 1, 3, {}}};
  Weights weights;
  float phase = 0;
  for (const TensorSlot& slot : TensorSlots(spec, &weights)) {
    for (int64_t i = 0; i < slot.shape.size(); ++i) slot.values->push_back(0.6f * std::sin(phase += 0.7f));
  }
  auto model = std::make_shared<Model>();
  model->name = "live";
  model->version = 4;
  model->fingerprint = 0xabcdef;
  model->network = Network::Create(std::move(spec), std::move(weights), Network::Options()).value();
  return std::make_shared<ServedModel>(ServedModel{std::move(model), metrics});
}

class SessionImportTest : public SessionFixture {
 protected:
  SessionImportTest() { PrepareComputeThread(); }

  // Moves the session on by one timestep and returns its output.
  std::vector<float> Step(SessionTable* table, absl::string_view id, int64_t step) {
    absl::StatusOr<std::optional<SessionLease>> acquired = table->Acquire(id, nullptr, &waiter_, now_);
    if (!acquired.ok() || !acquired->has_value()) {
      ADD_FAILURE() << acquired.status();
      return {};
    }
    SessionLease lease = std::move(**acquired);
    const Network& network = *lease.model()->model->network;
    const float input[] = {std::sin(static_cast<float>(step)), 0.1f * static_cast<float>(step)};
    std::vector<float> output(static_cast<size_t>(lease.model()->spec().output_size()));
    StepRow row;
    row.input = input;
    row.state_in = row.state_out = lease.state();
    row.output = output.data();
    network.Step(absl::MakeSpan(&row, 1));
    CommittedSequence sequence;
    sequence.timesteps = 1;
    sequence.fingerprint = static_cast<uint64_t>(step);
    sequence.reply = output;
    sequence.last_time = 100 + step;
    lease.Commit(sequence, now_);
    return output;
  }

  SessionRecord ExportOf(absl::string_view id) { return AcquireNow(id).Export(); }

  SessionTable elsewhere_{SmallOptions()};

 private:
  RecordingWaiter waiter_;
};

TEST_F(SessionImportTest, AnImportedSessionGoesOnBitForBit) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kRnn}) {
    const std::string id(CellName(cell));
    const ServedModelPtr model = MakeLiveModel(cell, &metrics_);
    ASSERT_TRUE(table_.Create(id, model, absl::Minutes(3), now_).ok());
    for (int64_t step = 0; step < 20; ++step) Step(&table_, id, step);

    absl::StatusOr<SessionRecord> record = DecodeSession(Encode(ExportOf(id)));
    ASSERT_TRUE(record.ok()) << record.status();
    record->id = "moved-" + id;
    const auto info = elsewhere_.Import(*record, model, now_);
    ASSERT_TRUE(info.ok()) << info.status();
    EXPECT_EQ(info->id, "moved-" + id);
    EXPECT_EQ(info->model, "live");
    EXPECT_EQ(info->version, 4);
    EXPECT_EQ(info->position, 20);
    EXPECT_EQ(info->idle_timeout, absl::Minutes(3));
    for (int64_t step = 20; step < 40; ++step) {
      EXPECT_THAT(Step(&elsewhere_, "moved-" + id, step), ElementsAreArray(Step(&table_, id, step))) << id << step;
    }
  }
}

TEST_F(SessionImportTest, TheLastRequestIsReplayedAfterwards) {
  const ServedModelPtr model = MakeLiveModel(Cell::kLstm, &metrics_);
  ASSERT_TRUE(table_.Create("s", model, std::nullopt, now_).ok());
  Step(&table_, "s", 0);
  const std::vector<float> last = Step(&table_, "s", 1);
  ASSERT_TRUE(elsewhere_.Import(ExportOf("s"), model, now_).ok());
  RecordingWaiter waiter;
  const SessionLease lease = std::move(elsewhere_.Acquire("s", nullptr, &waiter, now_).value().value());
  EXPECT_EQ(lease.Check(1, 1, 1), PositionCheck::kReplay);
  EXPECT_EQ(lease.Check(1, 1, 2), PositionCheck::kWrong);
  EXPECT_EQ(lease.Check(2, 1, 2), PositionCheck::kRun);
  EXPECT_THAT(lease.last_reply(), ElementsAreArray(last));
  EXPECT_EQ(lease.last_time(), 101);
}

TEST_F(SessionImportTest, ExportTellsAllAndChangesNothing) {
  const ServedModelPtr model = MakeLiveModel(Cell::kGru, &metrics_);
  ASSERT_TRUE(table_.Create("s", model, std::nullopt, now_).ok());
  Step(&table_, "s", 0);
  const SessionRecord record = ExportOf("s");
  EXPECT_EQ(record.id, "s");
  EXPECT_EQ(record.model.name, "live");
  EXPECT_EQ(record.model.version, 4);
  EXPECT_EQ(record.model.fingerprint, 0xabcdefu);
  EXPECT_EQ(record.model.cell, "gru");
  EXPECT_EQ(record.model.num_layers, 2);
  EXPECT_EQ(record.model.hidden_size, 5);
  EXPECT_EQ(record.model.input_size, 2);
  EXPECT_EQ(record.model.output_size, 2);
  EXPECT_EQ(record.position, 1);
  EXPECT_EQ(record.idle_timeout_ns, absl::ToInt64Nanoseconds(absl::Minutes(10)));
  EXPECT_EQ(record.last_used_ns, absl::ToUnixNanos(now_));
  EXPECT_EQ(record.state.size(), 10u);
  EXPECT_EQ(Encode(ExportOf("s")), Encode(record));
  EXPECT_EQ(table_.Get("s", now_)->position, 1);
}

TEST_F(SessionImportTest, ASessionBeforeItsFirstCommitIsAValueToo) {
  const SessionRecord record = AcquireOrCreate("s").Export();
  EXPECT_EQ(record.position, 0);
  EXPECT_TRUE(record.last_reply.empty());
  const absl::StatusOr<SessionRecord> decoded = DecodeSession(Encode(record));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(elsewhere_.Import(*decoded, model_, now_).ok());
}

TEST_F(SessionImportTest, AnImportIsACreatedSessionWithAnIdleTimeOfItsOwn) {
  Create("s");
  const SessionRecord record = ExportOf("s");
  EXPECT_EQ(metrics_.count(SessionEvent::kCreated), 1);
  now_ += absl::Hours(1);
  ASSERT_TRUE(elsewhere_.Import(record, model_, now_).ok());
  EXPECT_EQ(metrics_.count(SessionEvent::kCreated), 2);
  EXPECT_EQ(metrics_.sessions().Value(), 2);
  EXPECT_EQ(elsewhere_.ExpireIdle(now_ + absl::Minutes(9)), 0u);
  EXPECT_EQ(elsewhere_.ExpireIdle(now_ + absl::Minutes(11)), 1u);
}

TEST_F(SessionImportTest, AnIdleTimeoutIsAtMostWhatThisTableAllows) {
  Create("s");
  SessionRecord record = ExportOf("s");
  for (const int64_t idle_timeout_ns : {SessionRecord::kNever, SessionRecord::kNever - 1}) {
    record.idle_timeout_ns = idle_timeout_ns;
    record.id += "x";
    const auto info = elsewhere_.Import(record, model_, now_);
    ASSERT_TRUE(info.ok()) << info.status();
    EXPECT_EQ(info->idle_timeout, SmallOptions().max_idle_timeout);
  }
}

TEST_F(SessionImportTest, AnotherShapeIsRefusedByName) {
  Create("s");
  const SessionRecord record = ExportOf("s");
  const auto refusal = [&](void (*change)(SessionRecord*)) {
    SessionRecord changed = record;
    changed.id = "t";
    change(&changed);
    const absl::Status status = table_.Import(changed, model_, now_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal([](SessionRecord* r) { r->model.cell = "gru"; }),
              HasSubstr("session 't' is of cell gru; model 'm' version 1 has lstm"));
  EXPECT_THAT(refusal([](SessionRecord* r) { r->model.num_layers = 2; }), HasSubstr("num_layers 2"));
  EXPECT_THAT(refusal([](SessionRecord* r) { r->model.hidden_size = 8; }), HasSubstr("hidden_size 8"));
  EXPECT_THAT(refusal([](SessionRecord* r) { r->model.input_size = 2; }), HasSubstr("input_size 2"));
  EXPECT_THAT(refusal([](SessionRecord* r) { r->model.output_size = 2; }), HasSubstr("output_size 2"));
  EXPECT_THAT(refusal([](SessionRecord* r) { r->state.push_back(0); }), HasSubstr("state_size 9"));
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(SessionImportTest, IdsAndTheCapHoldAsForCreate) {
  Create("s");
  SessionRecord record = ExportOf("s");
  EXPECT_EQ(table_.Import(record, model_, now_).status().code(), absl::StatusCode::kAlreadyExists);
  for (const char* id : {"", "a b"}) {
    record.id = SessionName("", id);
    EXPECT_EQ(table_.Import(record, model_, now_).status().code(), absl::StatusCode::kInvalidArgument) << id;
  }
  SessionTable::Options one = SmallOptions();
  one.max_sessions = 1;
  SessionTable full(one);
  record.id = "first";
  EXPECT_TRUE(full.Import(record, model_, now_).ok());
  record.id = "second";
  EXPECT_EQ(full.Import(record, model_, now_).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(full.size(), 1u);
}

}  // namespace
}  // namespace rondo
