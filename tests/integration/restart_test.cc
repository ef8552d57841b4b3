// One server with RocksDB that stops, or is killed, and starts again on its port: its clients notice a pause.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/integration/survivors.h"

namespace rondo {
namespace {

class RestartTest : public SurvivorsTest {
 protected:
  static constexpr size_t kSessions = 16;
  static constexpr size_t kThreads = 4;
  static constexpr size_t kCommandLine = kSessions;  // the series of `rondo stream`

  RestartTest() : SurvivorsTest(kSessions + 1) {}
  ~RestartTest() override { Stop(); }

  void StartServer(std::vector<std::string> flags) {
    flags.push_back("--session_store=rocksdb:" + StorePath());
    const std::string listen = server_.has_value() ? server_->address() : "127.0.0.1:0";
    server_.emplace(ModelPath(), listen, std::move(flags));
  }

  // A unary call a step; the series of the command line is left to it.
  void DriveSessions(size_t begin, size_t end) {
    ClientOptions options;
    options.timeout = absl::Seconds(60);
    options.max_backoff = absl::Milliseconds(200);
    const Client client = Client::Connect(server_->address(), options).value();
    std::vector<Session> sessions;
    for (size_t i = begin; i < std::min(end, kSessions); ++i) {
      sessions.push_back(client.OpenSession("lstm", IdOf(i)).value());
    }
    while (!stopping()) {
      for (size_t i = 0; i < sessions.size(); ++i) {
        const int64_t position = sessions[i].position();
        const absl::StatusOr<std::vector<float>> values =
            sessions[i].Step(series_.Inputs(begin + i, position, position + 1));
        if (!values.ok()) {
          ADD_FAILURE() << sessions[i].id() << " at " << position << ": " << values.status();
          return Fail();
        }
        Answered(begin + i, position, *values);
        absl::SleepFor(absl::Milliseconds(5));  // so that a series lasts longer than the restarts
      }
    }
  }

  std::optional<ServerChild> server_;
};

// `rondo stream --retry`, row by row.
class StreamCommand {
 public:
  StreamCommand(const std::string& address, const std::string& id)
      : process_("rondo", {"--server=" + address, "--timeout=1s", "stream", "lstm", "--session=" + id, "--retry"}) {
    process_.WriteInput("a,b,c\n");
    process_.WaitForLine("a,b,c");
  }

  void Write(const std::vector<float>& values) {
    process_.WriteInput(absl::StrFormat("%.9g,%.9g,%.9g\n", values[0], values[1], values[2]));
  }
  // The next answer; remarks about the connection are skipped.
  std::vector<float> Read() {
    std::vector<float> values;
    for (const absl::string_view cell : absl::StrSplit(process_.WaitForLine(","), ',')) {
      values.push_back(std::strtof(std::string(cell).c_str(), nullptr));
    }
    return values;
  }
  ChildProcess& process() { return process_; }

 private:
  ChildProcess process_;
};

TEST_F(RestartTest, SessionsAndTheCommandLineGoOnWhenTheServerIsStoppedAndStarted) {
  StartServer({});
  StreamCommand command(server_->address(), IdOf(kCommandLine));
  Start(kThreads, [this](size_t begin, size_t end) { DriveSessions(begin, end); });
  for (int64_t restart = 0, position = 0; restart < 2; ++restart) {
    for (const int64_t end = position + 5; position < end; ++position) {
      command.Write(series_.Inputs(kCommandLine, position, position + 1));
      Answered(kCommandLine, position, command.Read());
    }
    WaitForAnswers(100);
    server_->process().Signal(SIGTERM);
    ASSERT_EQ(server_->process().WaitForExit(), 0);
    command.Write(series_.Inputs(kCommandLine, position, position + 1));  // nobody is there
    StartServer({});
    Answered(kCommandLine, position, command.Read());
    ++position;
    WaitForAnswers(100);
  }
  Stop();
}

TEST_F(RestartTest, SessionsGoOnFromAnEarlierPositionWhenTheServerIsKilled) {
  const std::vector<std::string> flags = {"--durability=interval", "--sync_interval=100ms"};
  StartServer(flags);
  Start(kThreads, [this](size_t begin, size_t end) { DriveSessions(begin, end); });
  for (int kill = 0; kill < 3; ++kill) {
    WaitForAnswers(200);
    server_->process().Signal(SIGKILL);
    ASSERT_EQ(server_->process().WaitForExit(), -SIGKILL);
    StartServer(flags);
  }
  WaitForAnswers(200);
  Stop();
}

TEST_F(RestartTest, WithoutRetryTheCommandLineSaysThatTheServerIsGone) {
  StartServer({});
  ChildProcess command("rondo", {"--server=" + server_->address(), "--timeout=300ms", "stream", "lstm", "--session=x"});
  command.WriteInput("a,b,c\n1,2,3\n");
  command.WaitForLine(",");
  command.WaitForLine(",");
  server_->process().Signal(SIGTERM);
  ASSERT_EQ(server_->process().WaitForExit(), 0);
  command.WriteInput("1,2,3\n");
  EXPECT_EQ(command.WaitForExit(), 1);
}

}  // namespace
}  // namespace rondo
