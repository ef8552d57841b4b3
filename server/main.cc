// rondo-server: see --help.

#include <signal.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/option_table.h"
#include "server/options.h"
#include "server/server.h"

namespace {

// Signals that the main thread waits for; blocked in every thread, since threads inherit it.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Ends the server with an exit code that makes an orchestrator start it again.
constexpr char kDeaf[] = "none: no connections are accepted any more";

// Keeps house once a second until it is told to stop, or deaf; returns the signal's name, or kDeaf.
std::string ServeUntilSignal(rondo::Server* server, const sigset_t& signals) {
  constexpr timespec kTick{1, 0};
  while (true) {
    const int received = sigtimedwait(&signals, nullptr, &kTick);
    if (received == SIGTERM || received == SIGINT) return received == SIGTERM ? "SIGTERM" : "SIGINT";
    if (received == SIGHUP) server->ReloadModels();
    server->Maintain(absl::Now());
    if (!server->IsListening()) return kDeaf;
  }
}

int Fail(const absl::Status& status) {
  rondo::LogEvent(rondo::LogLevel::kError, "failed",
                  {{"code", absl::StatusCodeToString(status.code())}, {"message", std::string(status.message())}});
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // Debian builds abseil with its debug checks: each lock of gRPC's would look for deadlock cycles in a global graph.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const sigset_t signals = BlockSignals();
  rondo::ServerOptions options;
  rondo::OptionTable table = rondo::ServerOptionTable(&options);
  if (const std::optional<int> exit_code = rondo::ReadCommandLine(table, argc, argv)) return *exit_code;

  absl::StatusOr<std::unique_ptr<rondo::Server>> server = rondo::Server::Start(options);
  if (!server.ok()) return Fail(server.status());
  const std::string signal_name = ServeUntilSignal(server->get(), signals);
  rondo::LogEvent(rondo::LogLevel::kInfo, "stopping", {{"signal", signal_name}});
  (*server)->Stop(options.drain_timeout);
  rondo::LogEvent(rondo::LogLevel::kInfo, "stopped");
  return signal_name == kDeaf ? 1 : 0;
}
