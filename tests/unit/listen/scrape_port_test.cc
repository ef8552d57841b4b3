#include "server/listen/scrape_port.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/listen/local_connection.h"

namespace rondo {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ScrapePortTest : public ::testing::Test {
 protected:
  ScrapePortTest() : port_(Listen([] { return std::string(R"({"models":[]})"); })) {}

  // `models`: see ScrapePort::Facts.
  std::unique_ptr<ScrapePort> Listen(std::function<std::string()> models) {
    ScrapePort::Facts facts;
    facts.is_ready = [this] { return ready_.load(); };
    facts.models = std::move(models);
    return *ScrapePort::Listen("127.0.0.1:0", &metrics_, nullptr, std::move(facts));
  }

  std::string Ask(const std::string& text) const { return Ask(text, *port_); }
  static std::string Ask(const std::string& text, const ScrapePort& port) {
    const LocalConnection client(port.port());
    EXPECT_TRUE(client.connected());
    client.Say(text);
    return client.Hear();
  }

  Metrics metrics_;
  std::atomic<bool> ready_{true};
  std::unique_ptr<ScrapePort> port_;
};

TEST_F(ScrapePortTest, GivesThePageWithItsLength) {
  metrics_.requests()->in_flight.Add(7);
  const std::string answer = Ask("GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
  const size_t head = answer.find("\r\n\r\n") + 4;
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"),
                            HasSubstr("\nrondo_requests_in_flight 7\n"),
                            HasSubstr(absl::StrCat("Content-Length: ", answer.size() - head, "\r\n"))));
}

TEST_F(ScrapePortTest, GivesOpenMetricsToThoseWhoWantItMore) {
  const auto asked = [this](const std::string& accept) {
    return Ask(absl::StrCat("GET /metrics HTTP/1.1\r\nHost: here\r\naccept: ", accept, "\r\n\r\n"));
  };
  const auto is_open = AllOf(
      StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"),
      EndsWith("\n# EOF\n"));
  const auto is_text = StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4");
  EXPECT_THAT(asked("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), is_open);
  EXPECT_THAT(asked("text/plain, application/openmetrics-text"), is_open);
  EXPECT_THAT(asked("text/plain, application/openmetrics-text;q=0.9"), is_text);
  EXPECT_THAT(asked("application/openmetrics-text;version=0.0.1"), is_text);
  EXPECT_THAT(asked("*/*"), is_text);
}

TEST_F(ScrapePortTest, ARequestMayComeInPieces) {
  const LocalConnection client(port_->port());
  for (const char byte : std::string("GET /metrics?x=1 HTTP/1.0\r\n\r\n")) client.Say(std::string(1, byte));
  EXPECT_THAT(client.Hear(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ScrapePortTest, HealthIsTheProcessAndReadinessTheServer) {
  EXPECT_THAT(Ask("GET /readyz HTTP/1.1\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 200 OK"), EndsWith("\r\n\r\nready\n")));
  ready_ = false;
  EXPECT_THAT(Ask("GET /readyz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 503 Service Unavailable"));
  EXPECT_THAT(Ask("GET /healthz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ScrapePortTest, TheRootIsAPageThatMayDoLittle) {
  const std::string answer = Ask("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"),
                    HasSubstr("\r\nContent-Security-Policy: default-src 'none'; script-src 'sha256-"),
                    HasSubstr("\r\nX-Frame-Options: DENY\r\n"), HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"),
                    HasSubstr("\r\nCache-Control: no-store\r\n"), HasSubstr("\r\nReferrer-Policy: no-referrer\r\n")));
  EXPECT_THAT(answer, AllOf(HasSubstr("\r\n\r\n<!doctype html>\n"), EndsWith("</html>\n")));
}

TEST_F(ScrapePortTest, ModelsAreToldOrKeptToThoseWithAToken) {
  EXPECT_THAT(
      Ask("GET /models.json HTTP/1.1\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"), EndsWith("\r\n\r\n{\"models\":[]}")));
  EXPECT_THAT(Ask("GET /models.json HTTP/1.1\r\n\r\n", *Listen(nullptr)), StartsWith("HTTP/1.1 403 "));
}

TEST_F(ScrapePortTest, NothingElseIsServed) {
  EXPECT_THAT(Ask("GET /index.html HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("GET /metrics2 HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("POST /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Ask("\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Ask("GET\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Ask("GET \r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(Ask(std::string(100'000, 'x')), "");
}

TEST_F(ScrapePortTest, SilentConnectionsKeepNobodyOut) {
  std::vector<std::unique_ptr<LocalConnection>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<LocalConnection>(port_->port()));
    silent.back()->Say("GET /metr");
  }
  EXPECT_THAT(Ask("GET /metrics HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ScrapePortTest, BusyPortIsAClearError) {
  const std::string address = absl::StrCat("127.0.0.1:", port_->port());
  const absl::Status status = ScrapePort::Listen(address, &metrics_, nullptr, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith(absl::StrCat("no /metrics: cannot listen on ", address)), EndsWith("in use)")));
}

}  // namespace
}  // namespace rondo
