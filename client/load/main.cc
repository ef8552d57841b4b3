// rondo-load: a load generator for rondo-server.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "base/cpu_list.h"
#include "client/load/load_options.h"
#include "client/load/load_run.h"
#include "client/load/report.h"

ABSL_FLAG(std::string, server, "127.0.0.1:8001", "HOST:PORT of rondo-server.");
ABSL_FLAG(std::string, model, "", "Name of one of the server's models; its newest version is used. Required.");
ABSL_FLAG(int, streams, 1, "Streams open at once, or with --unary clients that each have one call open; 1 to 100000.");
ABSL_FLAG(int, sessions_per_message, 1, "Sessions that each message steps; every stream has its own. 1 to 65536.");
ABSL_FLAG(int, timesteps, 1, "Timesteps of each session in a message, 1 to 65536.");
ABSL_FLAG(double, rate, 0,
          "Messages a second in total, up to 1000000 (open loop: a latency counts from the scheduled time). "
          "0: closed loop, the next message is sent when a reply arrives and its latency counts from then.");
ABSL_FLAG(std::string, arrivals, "constant", "Open loop: constant (even gaps) or poisson (random gaps).");
ABSL_FLAG(int, in_flight, 1, "Messages a stream sends before the first one's reply, 1 to 1024; 1 with --unary.");
ABSL_FLAG(absl::Duration, duration, absl::Seconds(10),
          "Measured time of each server, split evenly over the rounds; 10ms to 24h.");
ABSL_FLAG(absl::Duration, warmup, absl::Seconds(1), "Time before each round that is not measured; 0 (none) to 1h.");
ABSL_FLAG(int, rounds, 0,
          "Rounds, 1 to 1000; with a baseline each is one of rondo, then one of it. "
          "0: 3 with a baseline, else 1.");
ABSL_FLAG(std::string, protocol, "native",
          "native (rondo.v1) or open_inference (inference.GRPCInferenceService, as Triton's C++ client fills it: one "
          "sequence a stream, START on its first message, END after the last).");
ABSL_FLAG(bool, string_ids, false, "With open_inference: sequence ids that are strings; default: integers.");
ABSL_FLAG(bool, echo_baseline, false, "Measure a bare gRPC echo of the same messages beside the server, in turn.");
ABSL_FLAG(bool, native_baseline, false,
          "With open_inference: measure the same load in the native protocol beside it, in turn.");
ABSL_FLAG(
    int64_t, session_pool, 0,
    "Sessions that messages draw theirs from, uniformly, up to 100000000; native protocol. Each stream has a share "
    "of its own and draws those that none of its unanswered messages step, so all positions are known and "
    "checked. All are created first, by a message each. 0: every message of a stream steps the same sessions.");
ABSL_FLAG(bool, keep_sessions, false, "With --session_pool: leave the sessions on the server at the end.");
ABSL_FLAG(bool, stateless, false, "Send sequences without a session.");
ABSL_FLAG(bool, unary, false, "Unary calls (Predict, ModelInfer) instead of streams.");
ABSL_FLAG(int, threads, 1, "Threads that drive the streams, 1 to 256, at most --streams.");
ABSL_FLAG(int, connections, 0, "Connections to each server, 1 to 10000, at least one a thread. 0: one a thread.");
ABSL_FLAG(std::string, cpus, "", "CPUs that the generator runs on, as in 0,2-3; empty: those it was started on.");
ABSL_FLAG(std::string, echo_cpus, "", "CPUs that the echo runs on: give it the server's. Empty: as started.");
ABSL_FLAG(bool, json, false, "Print one JSON object instead of a table.");

namespace rondo::load {
namespace {

constexpr char kUsage[] =
    R"(Load generator for rondo-server.

  rondo-load --model=demo --streams=128 --duration=10s --echo_baseline
  rondo-load --model=demo --streams=16 --rate=5000 --arrivals=poisson --json
  rondo-load --model=demo --streams=128 --protocol=open_inference --native_baseline
  rondo-load --model=demo --streams=128 --session_pool=1000000 --keep_sessions

Exit codes: 0 measured, 1 not measured to the end, wrong replies came or a flag does not parse, 2 flags out of bounds,
130 interrupted.)";

std::atomic<bool> stop{false};

// A second Ctrl-C ends the program at once.
void StopAtSignals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop.store(true); };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

absl::Status ReadNames(LoadOptions* options) {
  const std::string arrivals = absl::GetFlag(FLAGS_arrivals);
  if (arrivals != "constant" && arrivals != "poisson") {
    return absl::InvalidArgumentError("--arrivals is '" + arrivals + "'; wanted constant or poisson");
  }
  options->arrivals = arrivals == "poisson" ? Arrivals::kPoisson : Arrivals::kConstant;
  const std::string protocol = absl::GetFlag(FLAGS_protocol);
  if (protocol != "native" && protocol != "open_inference") {
    return absl::InvalidArgumentError("--protocol is '" + protocol + "'; wanted native or open_inference");
  }
  options->protocol = protocol == "native" ? Protocol::kNative : Protocol::kOpenInference;
  const bool echo = absl::GetFlag(FLAGS_echo_baseline);
  const bool native = absl::GetFlag(FLAGS_native_baseline);
  if (echo && native) {
    return absl::InvalidArgumentError("--echo_baseline and --native_baseline are set; wanted one at most");
  }
  options->baseline = echo ? Baseline::kEcho : native ? Baseline::kNative : Baseline::kNone;
  return absl::OkStatus();
}

absl::StatusOr<LoadOptions> OptionsFromFlags() {
  LoadOptions options;
  if (absl::Status status = ReadNames(&options); !status.ok()) return status;
  options.server = absl::GetFlag(FLAGS_server);
  options.model = absl::GetFlag(FLAGS_model);
  options.streams = absl::GetFlag(FLAGS_streams);
  options.sessions_per_message = absl::GetFlag(FLAGS_sessions_per_message);
  options.timesteps = absl::GetFlag(FLAGS_timesteps);
  options.rate = absl::GetFlag(FLAGS_rate);
  options.in_flight = absl::GetFlag(FLAGS_in_flight);
  options.duration = absl::GetFlag(FLAGS_duration);
  options.warmup = absl::GetFlag(FLAGS_warmup);
  options.string_ids = absl::GetFlag(FLAGS_string_ids);
  options.session_pool = absl::GetFlag(FLAGS_session_pool);
  options.keep_sessions = absl::GetFlag(FLAGS_keep_sessions);
  options.rounds = absl::GetFlag(FLAGS_rounds);
  if (options.rounds == 0) options.rounds = options.baseline == Baseline::kNone ? 1 : 3;
  options.stateless = absl::GetFlag(FLAGS_stateless);
  options.unary = absl::GetFlag(FLAGS_unary);
  options.threads = absl::GetFlag(FLAGS_threads);
  options.connections = absl::GetFlag(FLAGS_connections);
  if (options.connections == 0) options.connections = options.threads;
  // The echo must not inherit the CPUs that the generator moves to.
  options.echo_cpus = absl::GetFlag(FLAGS_echo_cpus);
  if (options.echo_cpus.empty()) options.echo_cpus = CurrentCpus();
  const absl::Status valid = options.Validate();
  if (!valid.ok()) return valid;
  return options;
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

int Run(const std::vector<char*>& arguments) {
  if (arguments.size() > 1) {
    return Fail(2, absl::InvalidArgumentError(std::string("unexpected argument '") + arguments[1] + "'"));
  }
  const absl::StatusOr<LoadOptions> options = OptionsFromFlags();
  if (!options.ok()) return Fail(2, options.status());
  const absl::Status moved = MoveToCpus(absl::GetFlag(FLAGS_cpus));
  if (!moved.ok()) return Fail(2, moved);
  StopAtSignals();
  const absl::StatusOr<RunReport> report = RunLoad(*options, &stop);
  if (!report.ok()) return Fail(1, report.status());
  const std::string text = absl::GetFlag(FLAGS_json) ? ReportJson(*report) : ReportText(*report);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode(*report);
}

}  // namespace
}  // namespace rondo::load

int main(int argc, char** argv) {
  // As in rondo: gRPC 1.51 and abseil's debug checks lose connections. And they slow what is to measure.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::SetProgramUsageMessage(rondo::load::kUsage);
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) { return absl::EndsWith(file, "client/load/main.cc"); };
  absl::SetFlagsUsageConfig(usage);
  return rondo::load::Run(absl::ParseCommandLine(argc, argv));
}
