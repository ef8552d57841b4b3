#include "server/tracing/span_exporter.h"

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/steady_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;

// What a test and its collector, which the exporter owns, share: the answers to come, and the batches that came.
class Mailbox {
 public:
  void Answer(SpanCollector::Answer answer) {
    const MutexLock lock(&mutex_);
    answers_.push_back(std::move(answer));
  }
  std::optional<SpanCollector::Answer> TakeAnswer() {
    const MutexLock lock(&mutex_);
    if (answers_.empty()) return std::nullopt;
    SpanCollector::Answer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }
  void Came(const std::vector<Span>& spans) {
    const MutexLock lock(&mutex_);
    batches_.emplace_back();
    for (const Span& span : spans) batches_.back().push_back(span.name);
    changed_.SignalAll();
  }
  // Returns when so many batches have come.
  std::vector<std::vector<std::string>> Await(size_t batches) {
    const MutexLock lock(&mutex_);
    while (batches_.size() < batches) changed_.Wait(&mutex_);
    return batches_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<SpanCollector::Answer> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::vector<std::string>> batches_ ABSL_GUARDED_BY(mutex_);
};

// Answers what the mailbox has, and hangs while that is empty.
class MailboxCollector : public SpanCollector {
 public:
  explicit MailboxCollector(Mailbox* mailbox) : mailbox_(mailbox) {}
  void Send(const std::vector<Span>& spans) override { mailbox_->Came(spans); }
  std::optional<Answer> Look() override { return mailbox_->TakeAnswer(); }
  void CallOff() override {}

 private:
  Mailbox* const mailbox_;
};

class SpanExporterTest : public testing::Test {
 protected:
  SpanExporterTest() {
    testing::internal::CaptureStderr();
    options_.max_queued = 4;
    options_.max_batch = 2;
    options_.linger = absl::Hours(1);  // a batch that is not full waits, however slowly the test offers its spans
    options_.first_retry = options_.longest_retry = options_.goodbye = absl::Milliseconds(20);
  }
  ~SpanExporterTest() override { testing::internal::GetCapturedStderr(); }

  void Start() {
    exporter_ = std::make_unique<SpanExporter>(options_, std::make_unique<MailboxCollector>(&mailbox_), &probe_);
  }
  void Offer(int count) {
    for (int i = 0; i < count; ++i) {
      Span span{};
      span.name = absl::StrCat(offered_++);
      exporter_->Offer(std::move(span));
    }
  }
  // The exporter goes; what was counted then: exported, and dropped by cause.
  std::vector<uint64_t> Counts() {
    exporter_ = nullptr;
    return {probe_.exported.Value(), probe_.dropped[SpanDrop::kQueueFull].Value(),
            probe_.dropped[SpanDrop::kRefused].Value(), probe_.dropped[SpanDrop::kStopped].Value()};
  }

  SpanExporter::Options options_;
  Mailbox mailbox_;
  TracingProbe probe_;
  std::unique_ptr<SpanExporter> exporter_;
  int offered_ = 0;
};

TEST_F(SpanExporterTest, SendsFullBatchesAndWhatIsLeftWhenItGoes) {
  for (int i = 0; i < 2; ++i) mailbox_.Answer({});
  Start();
  Offer(2);
  EXPECT_THAT(mailbox_.Await(1), ElementsAre(ElementsAre("0", "1")));
  Offer(1);
  EXPECT_THAT(Counts(), ElementsAre(3, 0, 0, 0));
  EXPECT_THAT(mailbox_.Await(2), ElementsAre(ElementsAre("0", "1"), ElementsAre("2")));
}

TEST_F(SpanExporterTest, ABatchThatDoesNotFillIsSentAfterAWhile) {
  mailbox_.Answer({});
  options_.linger = absl::Milliseconds(20);
  Start();
  Offer(1);
  EXPECT_THAT(mailbox_.Await(1), ElementsAre(ElementsAre("0")));
}

TEST_F(SpanExporterTest, WhileTheCollectorHangsSpansWaitThenAreDroppedAndTheEndIsSoon) {
  Start();
  Offer(2);
  mailbox_.Await(1);
  Offer(7);  // four of them find room
  const absl::Time start = SteadyNow();
  EXPECT_THAT(Counts(), ElementsAre(0, 3, 0, 6));
  EXPECT_LT(SteadyNow() - start, absl::Seconds(10));
}

TEST_F(SpanExporterTest, WhatFailsForNowIsSentAgainAndFirst) {
  mailbox_.Answer({absl::UnavailableError("away")});
  mailbox_.Answer({absl::UnavailableError("away")});
  for (int i = 0; i < 2; ++i) mailbox_.Answer({});
  Start();
  Offer(4);
  EXPECT_THAT(mailbox_.Await(4),
              ElementsAre(ElementsAre("0", "1"), ElementsAre("0", "1"), ElementsAre("0", "1"), ElementsAre("2", "3")));
  EXPECT_THAT(Counts(), ElementsAre(4, 0, 0, 0));
}

TEST_F(SpanExporterTest, WhatIsRefusedIsNotSentAgain) {
  mailbox_.Answer({absl::InvalidArgumentError("no"), 0, /*may_retry=*/false});
  mailbox_.Answer({absl::OkStatus(), /*refused=*/1});
  Start();
  Offer(4);
  mailbox_.Await(2);
  EXPECT_THAT(Counts(), ElementsAre(1, 0, 3, 0));
}

TEST_F(SpanExporterTest, ACollectorThatCountsWrongCountsNoMoreThanItGot) {
  mailbox_.Answer({absl::OkStatus(), /*refused=*/1'000'000});
  Start();
  Offer(2);
  mailbox_.Await(1);
  EXPECT_THAT(Counts(), ElementsAre(0, 0, 2, 0));
}

}  // namespace
}  // namespace rondo
