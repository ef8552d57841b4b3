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
#include "absl/time/time.h"
#include "base/log.h"
#include "base/memory_use.h"
#include "base/option_table.h"
#include "base/steady_time.h"
#include "base/systemd_notice.h"
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
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// The next signal; 0: none within `wait`.
int NextSignal(const sigset_t& signals, absl::Duration wait) {
  const timespec time = absl::ToTimespec(wait);
  return std::max(0, sigtimedwait(&signals, nullptr, &time));
}

// Why serving ends without a signal.
constexpr int kDeaf = 0;     // no connections are accepted any more
constexpr int kTimeUp = -1;  // the time to serve is over

bool IsStop(int signal) { return signal == SIGTERM || signal == SIGINT; }

const char* NameOf(int signal) {
  return signal == SIGTERM ? "SIGTERM" : signal == SIGINT ? "SIGINT" : "none: no connections are accepted any more";
}

// Logs one level more, or one less, if there is one.
void ChangeLogLevel(bool more) {
  using rondo::LogLevel;
  const LogLevel last = more ? LogLevel::kDebug : LogLevel::kError;
  LogLevel level = rondo::LeastLogLevel();
  if (level != last) level = static_cast<LogLevel>(static_cast<int>(level) + (more ? -1 : 1));
  rondo::SetLogLevel(level);
  rondo::LogEvent(level, "log_level_changed", {{"log_level", std::string(rondo::NameOf(level))}});
}

// A service that cannot say how it is serves all the same.
void TellSystemd(const char* state) {
  const absl::Status told = rondo::NotifySystemd(state);
  if (told.ok()) return;
  rondo::LogEvent(rondo::LogLevel::kWarning, "systemd_not_told",
                  {{"state", state}, {"message", std::string(told.message())}});
}

// Keeps house once a second until it is told to stop or until `end`, while the first models load and after. Returns
// the signal, kDeaf or kTimeUp, or why a model that was given by name could not be loaded. `*loaded`: they are loaded.
absl::StatusOr<int> Serve(rondo::Server* server, const sigset_t& signals, absl::Time end, bool* loaded) {
  absl::Time next_tick = rondo::SteadyNow();
  while (true) {
    const absl::Duration left = std::max(absl::ZeroDuration(), end - rondo::SteadyNow());
    const int received = NextSignal(signals, std::min(left, *loaded ? kTick : kPoll));
    if (IsStop(received)) return received;
    if (received == SIGHUP) server->AskForModels();
    if (received == SIGUSR1 || received == SIGUSR2) ChangeLogLevel(received == SIGUSR1);
    if (!*loaded) {
      const std::optional<absl::Status> first = server->AwaitModels(absl::InfinitePast());
      if (first.has_value() && !first->ok()) return *first;
      *loaded = first.has_value();
      if (*loaded) TellSystemd("READY=1");
    }
    const absl::Time now = rondo::SteadyNow();
    if (now >= end) return kTimeUp;
    if (now < next_tick) continue;
    next_tick = now + kTick;
    server->Maintain(now);
    if (!server->IsListening()) return kDeaf;
  }
}

// Serves on for `delay`, while health says that the server leaves; a signal ends that time.
void Linger(rondo::Server* server, const sigset_t& signals, absl::Duration delay) {
  rondo::LogEvent(rondo::LogLevel::kInfo, "leaving", {{"in", absl::FormatDuration(delay)}});
  server->SayLeaving();
  bool loaded = true;
  const absl::StatusOr<int> end = Serve(server, signals, rondo::SteadyNow() + delay, &loaded);
  if (end.ok() && IsStop(*end)) LogEvent(rondo::LogLevel::kInfo, "leaving_at_once", {{"signal", NameOf(*end)}});
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

  rondo::OpenLog(options.log);
  if (options.deterministic) {
    rondo::LogEvent(rondo::LogLevel::kWarning, "option_leaves",
                    {{"option", "--deterministic"}, {"instead", "--kernel=rondo"}});
  }
  rondo::KeepFreedMemory();
  absl::StatusOr<std::unique_ptr<rondo::Server>> server = rondo::Server::Start(options);
  if (!server.ok()) return Fail(server.status());
  bool loaded = false;
  const absl::StatusOr<int> signal = Serve(server->get(), signals, absl::InfiniteFuture(), &loaded);
  if (!signal.ok()) return Fail(signal.status());
  rondo::LogEvent(rondo::LogLevel::kInfo, "stopping", {{"signal", NameOf(*signal)}});
  TellSystemd("STOPPING=1");
  // A server that never served has no clients that have to be sent elsewhere. The signal may have come before this
  // thread has heard that the models are loaded.
  loaded = loaded || (*server)->AwaitModels(absl::InfinitePast()).has_value();
  if (IsStop(*signal) && loaded && options.shutdown_delay > absl::ZeroDuration()) {
    Linger(server->get(), signals, options.shutdown_delay);
  }
  const size_t lost = Drain(server->get(), signals, options.drain_timeout);
  // An exit code that is not 0 makes an orchestrator start a deaf server again.
  const int exit_code = lost > 0 ? kSessionsLost : *signal == kDeaf ? 1 : 0;
  rondo::LogEvent(rondo::LogLevel::kInfo, "stopped");
  // No load can be broken off: the destructor would wait for it, and what it would leave behind is memory only.
  if ((*server)->loading()) std::_Exit(exit_code);
  return exit_code;
}
