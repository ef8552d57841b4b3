// What open sessions cost: resident bytes a session with 1,000,000 open, 512 bytes of state and a reply of one float
// each, against the target, and the time of Acquire and Commit. Exits 1 if the memory target is missed.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "model/model.h"
#include "model/weights.h"
#include "server/metrics/metrics.h"
#include "server/session/session_table.h"

namespace rondo {
namespace {

constexpr size_t kSessions = 1'000'000;
constexpr double kTargetBytes = 1024;
constexpr size_t kWarmSessions = 1'000;  // touched over and over in a table of kTableSessions
constexpr size_t kTableSessions = 100'000;
constexpr double kTargetNanoseconds = 150;

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t pages = 0;
  size_t resident_pages = 0;
  statm >> pages >> resident_pages;
  return resident_pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// LSTM, H=64: 512 bytes of state.
ServedModelPtr MakeModel(ModelMetrics* metrics) {
  ModelSpec spec;
  spec.num_layers = 1;
  spec.hidden_size = 64;
  spec.inputs.push_back({"in", 0, 1});
  spec.outputs.push_back({"out", 0, 1, {}});
  Weights weights;
  for (const TensorSlot& slot : TensorSlots(spec, &weights)) slot.values->resize(slot.shape.size());
  Network::Options options;
  options.kernel = KernelKind::kReference;
  auto model = std::make_shared<Model>();
  model->name = "m";
  model->version = 1;
  model->network = Network::Create(std::move(spec), std::move(weights), options).value();
  return std::make_shared<ServedModel>(ServedModel{std::move(model), metrics});
}

void Step(SessionTable* table, const std::string& id, absl::Time now) {
  const float reply = 1;
  auto lease = table->Acquire(id, nullptr, nullptr, now);
  (*lease)->state()[0] += 1;
  CommittedSequence sequence;
  sequence.timesteps = 1;
  sequence.reply = {&reply, 1};
  (*lease)->Commit(sequence, now);
}

// Opens `count` sessions and runs one step of each.
std::vector<std::string> Open(SessionTable* table, const ServedModelPtr& model, size_t count, absl::Time now) {
  std::vector<std::string> ids;
  ids.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    ids.push_back(table->Create("", model, std::nullopt, now).value().id);
    Step(table, ids.back(), now);
  }
  return ids;
}

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// The best of several rounds in CPU time, so that what else the machine does counts little.
double NanosecondsAStep(SessionTable* table, const std::vector<std::string>& ids, size_t sessions) {
  constexpr size_t kRounds = 20;
  constexpr size_t kSteps = 100'000;
  const absl::Time now = absl::Now();
  double best = std::numeric_limits<double>::infinity();
  for (size_t round = 0; round < kRounds; ++round) {
    const double start = ThreadSeconds();
    for (size_t i = 0, at = round; i < kSteps; ++i, at = (at + 7919) % sessions) Step(table, ids[at], now);
    best = std::min(best, (ThreadSeconds() - start) * 1e9 / kSteps);
  }
  return best;
}

bool MeasureMemory(const ServedModelPtr& model, absl::Time now) {
  const size_t before = ResidentBytes();
  SessionTable table{SessionTable::Options()};
  // The ids are not kept: they are the client's.
  for (size_t opened = 0; opened < kSessions; opened += 1000) Open(&table, model, 1000, now);
  const double bytes = static_cast<double>(ResidentBytes() - before) / kSessions;
  std::printf("%zu sessions: %.0f resident bytes a session (target %.0f, ratio %.2f)\n", table.size(), bytes,
              kTargetBytes, bytes / kTargetBytes);
  const double start = ThreadSeconds();
  const size_t expired = table.ExpireIdle(now + absl::Hours(1));
  std::printf("expiry: %zu sessions in %.2f s\n", expired, ThreadSeconds() - start);
  return bytes <= kTargetBytes;
}

void MeasureTime(const ServedModelPtr& model, absl::Time now) {
  SessionTable table{SessionTable::Options()};
  const std::vector<std::string> ids = Open(&table, model, kTableSessions, now);
  std::printf("acquire and commit in a table of %zu: %.0f ns cache-warm (target %.0f), %.0f ns for any\n", table.size(),
              NanosecondsAStep(&table, ids, kWarmSessions), kTargetNanoseconds,
              NanosecondsAStep(&table, ids, kTableSessions));
}

int Run() {
  Metrics metrics;
  const ServedModelPtr model = MakeModel(metrics.ForModel("m"));
  const absl::Time now = absl::Now();
  const bool small = MeasureMemory(model, now);  // first: memory that was freed before would not be counted
  MeasureTime(model, now);
  return small ? 0 : 1;
}

}  // namespace
}  // namespace rondo

int main() { return rondo::Run(); }
