// rondo-train: a CSV in, a model.safetensors out that rondo-server serves.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/option_table.h"
#include "model/train/base_model.h"
#include "model/train/benchmark.h"
#include "model/train/labelled_run.h"
#include "model/train/options.h"
#include "model/train/run.h"

namespace {

using rondo::train::Interrupt;

std::atomic<Interrupt> interrupt{Interrupt::kNone};
static_assert(std::atomic<Interrupt>::is_always_lock_free, "a signal handler stores it");

void OnSignal(int signal) { interrupt.store(signal == SIGTERM ? Interrupt::kStop : Interrupt::kFinish); }

void WatchSignals() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);  // a second one ends the process at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  rondo::train::TrainOptions options;
  rondo::OptionTable table = rondo::train::TrainOptionTable(&options);
  if (const std::optional<int> exit_code = rondo::ReadCommandLine(table, argc, argv)) return *exit_code;
  absl::Status status;
  if (options.benchmark) {
    status = rondo::train::RunBenchmark(options.threads);
  } else if (options.evaluate) {
    status = rondo::train::EvaluateOnData(options);
  } else {
    WatchSignals();
    const bool labelled = options.task != rondo::train::Task::kForecast;
    status = labelled ? rondo::train::RunLabelled(options, interrupt) : rondo::train::RunTraining(options, interrupt);
  }
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "rondo-train: %s\n", std::string(status.message()));
  return 1;
}
