// A server that is stopped but not gone, as under a debugger or on a machine that hangs: its connections stay open, and
// nothing comes. Only the client can tell.
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <thread>

#include "absl/time/clock.h"
#include "tests/integration/survivors.h"

namespace rondo {
namespace {

class StoppedServerTest : public SurvivorsTest {
 protected:
  StoppedServerTest() : SurvivorsTest(1) {}

  Client Connect() const {
    ClientOptions options;
    options.spread = false;  // the first one is asked first
    return Client::Connect(stopped_.address() + "," + other_.address(), options).value();
  }
  void Stop() { stopped_.process().Stop(); }
  std::vector<float> Values() const { return series_.Inputs(0, 0, 1); }

  // Runs all at once; each must end before two keepalives have passed.
  static void ExpectEachSoon(const std::vector<std::function<void()>>& calls) {
    const absl::Time begin = absl::Now();
    std::vector<std::thread> threads;
    for (const auto& call : calls) {
      threads.emplace_back([begin, &call] {
        call();
        EXPECT_LT(absl::Now() - begin, 2 * ClientOptions().keepalive);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  ServerChild stopped_{ModelPath(), "127.0.0.1:0", {}};
  ServerChild other_{ModelPath(), "127.0.0.1:0", {}};
};

// With the defaults the other server answers while the call still waits.
TEST_F(StoppedServerTest, IsLeftWithinTwoKeepalives) {
  const Client unary = Connect();
  ASSERT_TRUE(unary.Predict("lstm", Values()).ok());
  PredictStream stream = Connect().OpenStream("lstm");
  SequenceInput sequence;
  sequence.values = Values();
  StreamReply reply;
  ASSERT_TRUE(stream.Write({{sequence}}));
  ASSERT_TRUE(stream.Read(&reply));
  Stop();
  ExpectEachSoon({[&] { EXPECT_TRUE(unary.Predict("lstm", Values()).ok()); },
                  [&] {
                    EXPECT_TRUE(stream.Write({{sequence}}));
                    EXPECT_TRUE(stream.Read(&reply));
                  }});
  stopped_.process().Signal(SIGCONT);
}

}  // namespace
}  // namespace rondo
