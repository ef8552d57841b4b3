// rondo-train: a CSV in, a model.safetensors out that rondo-server serves.

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

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

// Hears SIGINT and SIGTERM on a thread of its own; a second one ends the process at once. A handler on a thread that
// computes would be called amid a matrix product of oneDNN, which uses the stack pointer for other things: what the
// kernel puts there for the handler then lands in the heap. To be called before other threads are started.
void WatchSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, SIG_DFL);
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    interrupt.store(signal == SIGTERM ? Interrupt::kStop : Interrupt::kFinish);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    while (true) pause();
  }).detach();
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
