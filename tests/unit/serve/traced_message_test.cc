// What sampled requests tell of their way.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/steady_time.h"
#include "gmock/gmock.h"
#include "server/serve/forecast.h"
#include "tests/unit/serve/serve_fixture.h"
#include "tests/unit/session/memory_store.h"
#include "tests/unit/tracing/span_list.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const char kMethod[] = "rondo.v1.Inference/Predict";

SessionPersistence EveryReplyOn(const std::shared_ptr<MemoryDisk>& disk) {
  SessionPersistence persistence;
  persistence.store = std::make_unique<MemoryStore>(disk);
  persistence.durability = Durability::kEveryReply;
  return persistence;
}

class TracedMessageTest : public ServeFixture, public MessageOwner {
 protected:
  explicit TracedMessageTest(SessionPersistence persistence = {}) : ServeFixture({}, {}, std::move(persistence)) {
    TraceBy(&source_);
  }
  void OnMessageDone() override { done_ = true; }

  // Starts a message of one sequence for model "sum".
  void Start(const SequenceView& sequence) {
    exchange_.sequences = {sequence};
    RequestView request = RequestOf("sum");
    request.owner = this;
    message_.Start(request, SteadyNow(), absl::InfiniteFuture());
  }
  void RunToItsEnd() {
    RunUntilIdle();
    while (message_.running()) {
      inbox_.Await();
      RunUntilIdle();
    }
  }
  // In the order in which they were offered.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const Span& span : offered_.spans) names.push_back(span.name);
    return names;
  }

  SpanList offered_;
  SpanSource source_{&offered_, kMethod, /*ratio=*/1, std::nullopt, ""};
  TestExchange exchange_;
  Message message_{&context_, Method::kPredict, &exchange_};
  bool done_ = false;
};

class TracedStoredMessageTest : public TracedMessageTest {
 protected:
  TracedStoredMessageTest() : TracedMessageTest(EveryReplyOn(std::make_shared<MemoryDisk>())) {}
};

TEST_F(TracedMessageTest, AStatelessMessageQueuesAndComputes) {
  Start(Of("", std::nullopt, three_steps_));
  RunToItsEnd();
  EXPECT_THAT(Names(), ElementsAre("queue", "compute", kMethod));
  for (const Span& span : offered_.spans) EXPECT_LT(span.start, span.end);
}

TEST_F(TracedMessageTest, AMessageThatWaitsForItsSessionTellsOfIt) {
  SessionLease held = Hold("s");
  Start(Of("s", 0, one_));
  RunUntilIdle();
  EXPECT_TRUE(message_.running());
  held.Release(now_);
  RunToItsEnd();
  EXPECT_THAT(Names(), ElementsAre("session", "queue", "compute", kMethod));
  EXPECT_EQ(offered_.spans[1].start, offered_.spans[0].end);  // it queues once it has its session
}

TEST_F(TracedStoredMessageTest, AMessageThatIsSavedBeforeItsAnswerTellsOfIt) {
  Start(Of("s", 0, one_));
  RunToItsEnd();
  EXPECT_THAT(Names(), ElementsAre("session", "queue", "compute", "store", kMethod));
}

TEST_F(TracedMessageTest, EachMessageThatIsUsedAgainTellsOfItselfAlone) {
  SessionLease held = Hold("s");
  Start(Of("s", 0, one_));
  held.Release(now_);
  RunToItsEnd();
  offered_.spans.clear();
  Start(Of("s", 1, one_));
  RunToItsEnd();
  EXPECT_THAT(Names(), ElementsAre("queue", "compute", kMethod));
}

TEST_F(TracedMessageTest, AMessageThatIsNotSampledTellsNothing) {
  TraceBy(nullptr);
  Start(Of("", std::nullopt, one_));
  RunToItsEnd();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(TracedMessageTest, AForecastQueuesAndComputes) {
  ForecastView view;
  view.model = "sum";
  view.history = three_steps_;
  view.horizon = 3;
  Forecast forecast(&context_, this);
  forecast.Start(view, SteadyNow(), absl::InfiniteFuture());
  RunUntilIdle();
  EXPECT_TRUE(done_);
  EXPECT_TRUE(forecast.status().ok()) << forecast.status();
  EXPECT_THAT(Names(), ElementsAre("queue", "compute", kMethod));
}

}  // namespace
}  // namespace rondo
