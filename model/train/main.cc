// rondo-train: a CSV in, a model.safetensors out that rondo-server serves.

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/train/benchmark.h"
#include "model/train/options.h"
#include "model/train/run.h"

namespace {

using rondo::train::Interrupt;

constexpr char kUsage[] =
    "trains a recurrent network on a CSV and writes a model that rondo-server serves.\n\n"
    "  rondo-train --data=weather.csv --time=date --target=temp_max \\\n"
    "              --inputs=temp_max,temp_min,wind,precipitation --output=models/seattle/1\n\n"
    "Ctrl-C ends the training and writes the best weights so far; SIGTERM stops it to be gone on with by --resume.";

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
  absl::SetProgramUsageMessage(kUsage);
  absl::FlagsUsageConfig usage;
  usage.contains_helpshort_flags =
      usage.contains_help_flags = [](absl::string_view file) { return absl::EndsWith(file, "model/train/options.cc"); };
  absl::SetFlagsUsageConfig(usage);
  std::vector<std::string> storage;
  std::vector<char*> arguments = rondo::train::ExpandConfigArguments(argc, argv, &storage);
  const std::vector<char*> rest = absl::ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
  absl::Status status;
  if (rest.size() > 1) {
    status =
        absl::InvalidArgumentError(absl::StrCat("'", rest[1], "' is no option; they are --name=value, see --help"));
  } else if (rondo::train::BenchmarkRequested()) {
    status = rondo::train::RunBenchmark(rondo::train::ThreadsFlag());
  } else {
    const auto options = rondo::train::OptionsFromFlags();
    WatchSignals();
    status = options.ok() ? rondo::train::RunTraining(*options, interrupt) : options.status();
  }
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "rondo-train: %s\n", std::string(status.message()));
  return 1;
}
