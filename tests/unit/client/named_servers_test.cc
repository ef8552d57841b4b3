// A DNS name that stands for several servers, and a client of such a name.
#include "client/named_servers.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "client/client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/running_sum_server.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A resolver that answers what it is told, counts its questions, and can hang.
class Resolver {
 public:
  void Answer(std::vector<std::string> addresses) {
    const MutexLock lock(&mutex_);
    addresses_ = std::move(addresses);
  }
  void Hang(bool hangs) {
    const MutexLock lock(&mutex_);
    hangs_ = hangs;
    changed_.SignalAll();
  }
  std::vector<std::string> LookUp(const std::string& host) {
    const MutexLock lock(&mutex_);
    EXPECT_EQ(host, "rondo.example");
    ++questions_;
    changed_.SignalAll();
    while (hangs_) changed_.Wait(&mutex_);
    return addresses_;
  }
  void AwaitQuestions(int count) {
    const MutexLock lock(&mutex_);
    while (questions_ < count) changed_.Wait(&mutex_);
  }
  int questions() {
    const MutexLock lock(&mutex_);
    return questions_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool hangs_ ABSL_GUARDED_BY(mutex_) = false;
  int questions_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> addresses_ ABSL_GUARDED_BY(mutex_);
};

// A clock that a test sets.
class TestClock {
 public:
  absl::Time Now() {
    const MutexLock lock(&mutex_);
    return now_;
  }
  void Pass(absl::Duration time) {
    const MutexLock lock(&mutex_);
    now_ += time;
  }

 private:
  Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch();
};

class NamedServersTest : public testing::Test {
 protected:
  NamedServersTest() { resolver_->Answer({"10.0.0.2", "10.0.0.1"}); }

  std::vector<std::string> Now() { return *servers_.Current(absl::InfiniteFuture()); }
  // As Now, once a look that is under way has ended. Until then `each_time` passes again and again.
  void ExpectSoon(const std::vector<std::string>& wanted, absl::Duration each_time = absl::ZeroDuration()) {
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (Now() != wanted && absl::Now() < give_up) {
      absl::SleepFor(absl::Milliseconds(1));
      clock_->Pass(each_time);
    }
    EXPECT_EQ(Now(), wanted);
  }

  // The look-up's thread may outlive the test.
  const std::shared_ptr<Resolver> resolver_ = std::make_shared<Resolver>();
  const std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  NamedServers servers_{{"rondo.example", "8001"},
                        [resolver = resolver_](const std::string& host) { return resolver->LookUp(host); },
                        [clock = clock_] { return clock->Now(); }};
};

TEST_F(NamedServersTest, TheFirstLookIsWaitedForAndAnOldOneIsNot) {
  EXPECT_THAT(Now(), ElementsAre("10.0.0.1:8001", "10.0.0.2:8001"));
  EXPECT_EQ(servers_.Current(absl::InfiniteFuture()), servers_.Current(absl::InfiniteFuture())) << "one object";
  EXPECT_EQ(resolver_->questions(), 1);
  resolver_->Answer({"10.0.0.3", "10.0.0.2", "10.0.0.1"});
  resolver_->Hang(true);
  clock_->Pass(NamedServers::kMaxAge);
  EXPECT_THAT(Now(), ElementsAre("10.0.0.1:8001", "10.0.0.2:8001"));
  resolver_->AwaitQuestions(2);
  EXPECT_THAT(Now(), ElementsAre("10.0.0.1:8001", "10.0.0.2:8001"));
  EXPECT_EQ(resolver_->questions(), 2) << "one look at a time";
  resolver_->Hang(false);
  ExpectSoon({"10.0.0.1:8001", "10.0.0.2:8001", "10.0.0.3:8001"});
}

TEST_F(NamedServersTest, AResolverThatHangsIsWaitedForUntilTheDeadlineOnly) {
  resolver_->Hang(true);
  EXPECT_THAT(*servers_.Current(absl::Now() + absl::Milliseconds(10)), IsEmpty());
  resolver_->Hang(false);
  EXPECT_THAT(Now(), ElementsAre("10.0.0.1:8001", "10.0.0.2:8001"));
}

TEST_F(NamedServersTest, WhenAConnectionHasEndedTheNextLookComesSooner) {
  EXPECT_EQ(Now().size(), 2u);
  resolver_->Answer({"10.0.0.2", "10.0.0.3"});
  servers_.ConnectionEnded();
  EXPECT_EQ(Now().size(), 2u);
  EXPECT_EQ(resolver_->questions(), 1) << "but not at once";
  clock_->Pass(NamedServers::kMinAge);
  ExpectSoon({"10.0.0.2:8001", "10.0.0.3:8001"});
  EXPECT_EQ(resolver_->questions(), 2);
}

TEST_F(NamedServersTest, AClockThatIsSetBackDelaysNoLook) {
  EXPECT_EQ(Now().size(), 2u);
  resolver_->Answer({"10.0.0.2", "10.0.0.3"});
  clock_->Pass(-absl::Hours(1));
  ExpectSoon({"10.0.0.2:8001", "10.0.0.3:8001"});
}

TEST_F(NamedServersTest, ALookThatFindsNothingChangesNothing) {
  EXPECT_EQ(Now().size(), 2u);
  resolver_->Answer({});
  while (resolver_->questions() < 3) {
    clock_->Pass(NamedServers::kMaxAge);
    EXPECT_EQ(Now().size(), 2u);
    absl::SleepFor(absl::Milliseconds(1));
  }
  resolver_->Answer({"10.0.0.9"});
  ExpectSoon({}, NamedServers::kMaxAge);
}

TEST(LookUpHostTest, TheSystemKnowsThisMachineAndNoNonsense) {
  EXPECT_THAT(LookUpHost("127.0.0.9"), ElementsAre("127.0.0.9"));
  EXPECT_THAT(LookUpHost("no such host"), IsEmpty());
}

TEST(NamedClientTest, ItsSessionsAreSpreadOverTheServersOfTheName) {
  RunningSumServer one;
  RunningSumServer two("127.0.0.2", one.port());
  ClientOptions options;
  options.look_up = [](const std::string&) { return std::vector<std::string>{"127.0.0.2", "127.0.0.1"}; };
  const std::string address = absl::StrCat("rondo.example:", one.port());
  const Client client = Client::Connect(address, options).value();
  std::map<std::string, int> homes;
  for (int i = 0; i < 64; ++i) {
    Session session = client.OpenSession("sum", absl::StrCat("s", i)).value();
    ASSERT_TRUE(session.Step(std::vector<float>{1}).ok());
    ASSERT_EQ(session.Step(std::vector<float>{1}).value(), std::vector<float>{2}) << "it stays";
    ++homes[one.position(session.id()) == 2 ? "one" : "two"];
  }
  EXPECT_GT(homes["one"], 16);
  EXPECT_GT(homes["two"], 16);
  EXPECT_EQ(client.OpenSession("sum").value().id().size(), 32u) << "made here, so that it begins at home";
}

}  // namespace
}  // namespace rondo
