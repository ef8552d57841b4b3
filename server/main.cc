// rondo-server: see --help.

#include <signal.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "server/options.h"
#include "server/server.h"

namespace {

constexpr char kUsage[] =
    "serves recurrent networks over gRPC and keeps the state of every session.\n\n"
    "  rondo-server --model=seattle.safetensors\n"
    "  rondo-server --model_repository=/models --listen=0.0.0.0:8001 --http_listen=0.0.0.0:8002\n\n"
    "SIGTERM or Ctrl-C: finish what runs and exit 0. SIGHUP: look at the models again.\n"
    "--flagfile=FILE reads flags from a file, one a line.";

// Signals that the main thread waits for; blocked in every thread, since threads inherit it.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Keeps house once a second until it is told to stop; returns the signal's name.
std::string ServeUntilSignal(rondo::Server* server, const sigset_t& signals) {
  constexpr timespec kTick{1, 0};
  while (true) {
    const int received = sigtimedwait(&signals, nullptr, &kTick);
    if (received == SIGTERM || received == SIGINT) return received == SIGTERM ? "SIGTERM" : "SIGINT";
    if (received == SIGHUP) server->ReloadModels();
    server->Maintain(absl::Now());
  }
}

int Fail(const absl::Status& status, int exit_code) {
  rondo::LogEvent(rondo::LogLevel::kError, "failed",
                  {{"code", absl::StatusCodeToString(status.code())}, {"message", std::string(status.message())}});
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  // Debian builds abseil with its debug checks: each lock of gRPC's would look for deadlock cycles in a global graph.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const sigset_t signals = BlockSignals();
  absl::SetProgramUsageMessage(kUsage);
  rondo::SetUpHelp();
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  if (arguments.size() > 1) {
    return Fail(
        absl::InvalidArgumentError(absl::StrCat("'", arguments[1], "' is not a flag; rondo-server takes only flags")),
        2);
  }
  const absl::StatusOr<rondo::ServerOptions> options = rondo::ParseOptions(rondo::OptionTextsFromFlags());
  if (!options.ok()) return Fail(options.status(), 2);

  absl::StatusOr<std::unique_ptr<rondo::Server>> server = rondo::Server::Start(*options);
  if (!server.ok()) return Fail(server.status(), 1);
  const std::string signal_name = ServeUntilSignal(server->get(), signals);
  rondo::LogEvent(rondo::LogLevel::kInfo, "stopping", {{"signal", signal_name}});
  (*server)->Stop(options->drain_timeout);
  rondo::LogEvent(rondo::LogLevel::kInfo, "stopped");
  return 0;
}
