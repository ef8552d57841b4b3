// rondo-server: see --help.

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/option_table.h"
#include "base/steady_time.h"
#include "server/options.h"
#include "server/server.h"

namespace {

constexpr int kSessionsLost = 3;  // the exit code

// How often the main thread looks for the end of what another thread does, while it waits for a signal.
constexpr absl::Duration kPoll = absl::Milliseconds(10);

// How often the server is asked to keep house.
constexpr absl::Duration kTick = absl::Seconds(1);

// Signals that the main thread waits for; blocked in every thread, since threads inherit it.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// The next signal; 0: none within `wait`.
int NextSignal(const sigset_t& signals, absl::Duration wait) {
  const timespec time = absl::ToTimespec(wait);
  return std::max(0, sigtimedwait(&signals, nullptr, &time));
}

constexpr int kDeaf = 0;  // instead of a signal: no connections are accepted any more

bool IsStop(int signal) { return signal == SIGTERM || signal == SIGINT; }

const char* NameOf(int signal) {
  return signal == SIGTERM ? "SIGTERM" : signal == SIGINT ? "SIGINT" : "none: no connections are accepted any more";
}

// Keeps house once a second until it is told to stop, while the first models load and after. Returns the signal or
// kDeaf, or why a model that was given by name could not be loaded.
absl::StatusOr<int> ServeUntilSignal(rondo::Server* server, const sigset_t& signals) {
  bool loaded = false;
  absl::Time next_tick = rondo::SteadyNow();
  while (true) {
    const int received = NextSignal(signals, loaded ? kTick : kPoll);
    if (IsStop(received)) return received;
    if (received == SIGHUP) server->AskForModels();
    if (!loaded) {
      const std::optional<absl::Status> first = server->AwaitModels(absl::InfinitePast());
      if (first.has_value() && !first->ok()) return *first;
      loaded = first.has_value();
    }
    const absl::Time now = rondo::SteadyNow();
    if (now < next_tick) continue;
    next_tick = now + kTick;
    server->Maintain(now);
    if (!server->IsListening()) return kDeaf;
  }
}

// Drains the server; a second signal cuts the drain short. Returns how many sessions were lost.
size_t Drain(rondo::Server* server, const sigset_t& signals, absl::Duration timeout) {
  std::atomic<bool> stopped{false};
  size_t lost = 0;
  std::thread stopper([&] {
    lost = server->Stop(timeout);
    stopped = true;
  });
  while (!stopped) {
    if (!IsStop(NextSignal(signals, kPoll))) continue;
    rondo::LogEvent(rondo::LogLevel::kWarning, "drain_cut_short");
    server->CutShort();
  }
  stopper.join();
  return lost;
}

int Fail(const absl::Status& status) {
  rondo::LogEvent(rondo::LogLevel::kError, "failed",
                  {{"code", absl::StatusCodeToString(status.code())}, {"message", std::string(status.message())}});
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const sigset_t signals = BlockSignals();
  rondo::ServerOptions options;
  rondo::OptionTable table = rondo::ServerOptionTable(&options);
  if (const std::optional<int> exit_code = rondo::ReadCommandLine(table, argc, argv)) return *exit_code;

  absl::StatusOr<std::unique_ptr<rondo::Server>> server = rondo::Server::Start(options);
  if (!server.ok()) return Fail(server.status());
  const absl::StatusOr<int> signal = ServeUntilSignal(server->get(), signals);
  if (!signal.ok()) return Fail(signal.status());
  rondo::LogEvent(rondo::LogLevel::kInfo, "stopping", {{"signal", NameOf(*signal)}});
  const size_t lost = Drain(server->get(), signals, options.drain_timeout);
  // An exit code that is not 0 makes an orchestrator start a deaf server again.
  const int exit_code = lost > 0 ? kSessionsLost : *signal == kDeaf ? 1 : 0;
  rondo::LogEvent(rondo::LogLevel::kInfo, "stopped");
  // No load can be broken off: the destructor would wait for it, and what it would leave behind is memory only.
  if ((*server)->loading()) std::_Exit(exit_code);
  return exit_code;
}
