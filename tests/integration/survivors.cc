#include "tests/integration/survivors.h"

#include <utility>

#include "absl/time/clock.h"

namespace rondo {

ServerChild::ServerChild(const std::string& model_path, const std::string& listen, std::vector<std::string> flags) {
  flags.insert(flags.end(),
               {"--model=" + model_path, "--listen=" + listen, "--http_listen=", "--loops=1", "--kernel=rondo"});
  process_ = std::make_unique<ChildProcess>("rondo-server", std::move(flags));
  const std::string line = process_->WaitForLine("event=listening");
  const std::string key = " address=";
  const size_t begin = line.find(key) + key.size();
  address_ = line.substr(begin, line.find(' ', begin) - begin);
}

SurvivorsTest::SurvivorsTest(size_t sessions)
    : series_(*NetworkOf(model_), sessions, kTimesteps), positions_(sessions, 0) {
  const absl::Status status = WriteModelFile(model_, ModelPath());
  EXPECT_TRUE(status.ok()) << status;
}

void SurvivorsTest::Start(size_t threads, const std::function<void(size_t, size_t)>& drive) {
  for (size_t i = 0; i < threads; ++i) {
    const size_t begin = series_.count() * i / threads;
    const size_t end = series_.count() * (i + 1) / threads;
    threads_.emplace_back([drive, begin, end] { drive(begin, end); });
  }
}

void SurvivorsTest::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void SurvivorsTest::Answered(size_t series, int64_t position, const std::vector<float>& values) {
  EXPECT_EQ(positions_[series], position);
  EXPECT_EQ(values, series_.Outputs(series, position, position + 1)) << IdOf(series) << " at " << position;
  positions_[series] = position + 1;
  if (position + 1 == kTimesteps) stopping_ = true;  // the series is over
  ++answers_;
}

void SurvivorsTest::WaitForAnswers(int64_t more) {
  const int64_t wanted = answers_ + more;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (answers_ < wanted && !stopping_) {
    ASSERT_LT(absl::Now(), deadline) << "nothing is answered";
    absl::SleepFor(absl::Milliseconds(1));
  }
  ASSERT_FALSE(stopping_) << "a client gave up, or the series were too short";
}

}  // namespace rondo
