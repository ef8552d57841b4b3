// rondo-load: a load generator for rondo-server.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

#include "base/cpu_list.h"
#include "base/option_table.h"
#include "client/load/load_options.h"
#include "client/load/load_run.h"
#include "client/load/report.h"

namespace rondo::load {
namespace {

std::atomic<bool> stop{false};

// A second Ctrl-C ends the program at once.
void StopAtSignals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop.store(true); };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int Fail(int exit_code, const absl::Status& status) {
  std::fprintf(stderr, "rondo-load: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

// Every stream ended before its time.
bool EndedEarly(const RunReport& report) {
  constexpr double kNearlyAll = 0.99;
  return static_cast<double>(report.rondo.elapsed_nanos) <
         kNearlyAll * static_cast<double>(absl::ToInt64Nanoseconds(report.options.duration));
}

int ExitCode(const RunReport& report) {
  if (report.interrupted) return 130;
  if (EndedEarly(report)) return 1;
  const auto has_wrong = [](const Measurement& measured) { return measured.errors.count("WRONG_REPLY") > 0; };
  const bool wrong = has_wrong(report.rondo) || (report.creation.has_value() && has_wrong(*report.creation));
  const bool silent_baseline = report.baseline.has_value() && report.baseline->messages == 0;
  return wrong || silent_baseline || report.rondo.messages == 0 ? 1 : 0;
}

int Main(int argc, char** argv) {
  LoadOptions options;
  OptionTable table = LoadOptionTable(&options);
  if (const std::optional<int> exit_code = ReadCommandLine(table, argc, argv)) return *exit_code;
  // The echo must not inherit the CPUs that the generator moves to.
  if (options.cpus.echo.empty()) options.cpus.echo = CurrentCpus();
  if (const absl::Status moved = MoveToCpus(options.cpus.generator); !moved.ok()) return Fail(2, moved);
  StopAtSignals();
  const absl::StatusOr<RunReport> report = RunLoad(options, &stop);
  if (!report.ok()) return Fail(1, report.status());
  const std::string text = options.json ? ReportJson(*report) : ReportText(*report);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode(*report);
}

}  // namespace
}  // namespace rondo::load

int main(int argc, char** argv) { return rondo::load::Main(argc, argv); }
