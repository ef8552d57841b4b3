// The vectors of retry.json, which the Python client's tests read too.
#include "client/retry.h"

#include "client/channel.h"
#include "client/predict_stream.h"
#include "client/unsaved_steps.h"
#include "gtest/gtest.h"
#include "tests/unit/client/client_vectors.h"

namespace rondo {
namespace {

using nlohmann::json;

Repeat RepeatNamed(const std::string& name) {
  if (name == "unsafe") return Repeat::kUnsafe;
  return name == "safe" ? Repeat::kSafe : Repeat::kUntilDeadline;
}

TEST(RetryDelayTest, EveryAttemptWaitsAsLongAsTheVectorsSay) {
  const json vectors = ReadClientVectors("retry.json");
  for (const json& golden : vectors["attempts"]) {
    SCOPED_TRACE(golden["name"].get<std::string>());
    ClientOptions options;
    options.max_attempts = golden.value("max_attempts", options.max_attempts);
    options.max_backoff = absl::Seconds(golden.value("max_backoff", absl::ToDoubleSeconds(options.max_backoff)));
    const std::string pushback = golden.value("pushback", "");
    FailedTry failed;
    failed.number = golden["attempt"];
    failed.code = StatusCodeNamed(golden.value("code", "UNAVAILABLE"));
    failed.repeat = RepeatNamed(golden.value("repeat", "safe"));
    if (golden.contains("pushback")) failed.pushback = pushback;
    const std::optional<absl::Duration> delay = RetryDelay(options, failed, golden.value("jitter", 0.0));
    ASSERT_EQ(delay.has_value(), !golden["wait"].is_null());
    EXPECT_NEAR(absl::ToDoubleSeconds(delay.value_or(absl::ZeroDuration())),
                golden["wait"].is_null() ? 0 : golden["wait"].get<double>(), 1e-8);
  }
}

TEST(RetryDelayTest, DefaultsAndConstantsAreThoseOfTheVectors) {
  const json vectors = ReadClientVectors("retry.json");
  const ClientOptions options;
  EXPECT_EQ(vectors["defaults"], json({{"timeout_seconds", absl::ToDoubleSeconds(options.timeout)},
                                       {"max_attempts", options.max_attempts},
                                       {"initial_backoff_seconds", absl::ToDoubleSeconds(options.initial_backoff)},
                                       {"max_backoff_seconds", absl::ToDoubleSeconds(options.max_backoff)},
                                       {"max_reply_bytes", options.max_reply_bytes},
                                       {"max_unsaved_bytes", options.max_unsaved_bytes},
                                       {"keepalive_seconds", absl::ToDoubleSeconds(options.keepalive)}}));
  EXPECT_EQ(vectors["constants"], json({{"initial_reconnect_ms", kInitialReconnectMs},
                                        {"min_reconnect_ms", kMinReconnectMs},
                                        {"max_reconnect_ms", kMaxReconnectMs},
                                        {"min_dns_resolution_ms", kMinDnsResolutionMs},
                                        {"max_timesteps_again", int64_t{UnsavedSteps::kMaxTimestepsAgain}},
                                        {"max_unsent_messages", size_t{PredictStream::kMaxUnsentMessages}}}));
}

}  // namespace
}  // namespace rondo
