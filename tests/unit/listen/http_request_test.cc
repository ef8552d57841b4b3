#include "server/listen/http_request.h"

#include <string>

#include "gtest/gtest.h"

namespace rondo {
namespace {

TEST(HttpRequestTest, FieldsAreFoundByNamesInAnyCase) {
  const HttpRequest request("GET /metrics HTTP/1.1\r\nHost: a:1\r\nACCEPT:  text/plain \r\naccept: */*");
  EXPECT_EQ(request.line(), "GET /metrics HTTP/1.1");
  EXPECT_EQ(request.Field("Accept"), "text/plain, */*");
  EXPECT_EQ(request.Field("host"), "a:1");
  EXPECT_EQ(request.Field("Accept-Encoding"), "");
  EXPECT_EQ(HttpRequest("GET / HTTP/1.0").line(), "GET / HTTP/1.0");
  EXPECT_EQ(HttpRequest("").Field("accept"), "");
}

double Open(const std::string& accept) { return WantedQuality(accept, "application/openmetrics-text", "1.0.0"); }

TEST(WantedQualityTest, OfWhatIsNamed) {
  EXPECT_EQ(Open("application/openmetrics-text"), 1);
  EXPECT_EQ(Open("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2"), 0.5);
  EXPECT_EQ(Open(" Application/OpenMetrics-Text ; Version = \"1.0.0\" ; Q=0.25 "), 0.25);
  EXPECT_EQ(Open("application/openmetrics-text;version=0.0.1;q=0.75,application/openmetrics-text;version=1.0.0;q=0.6"),
            0.6);
  // As Prometheus 3 asks.
  EXPECT_EQ(
      Open("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3"),
      0.6);
}

TEST(WantedQualityTest, OfWhatIsNotNamedOrMalformed) {
  EXPECT_EQ(Open(""), 0);
  EXPECT_EQ(Open("*/*"), 0);
  EXPECT_EQ(Open("text/plain;version=0.0.4"), 0);
  EXPECT_EQ(Open("application/openmetrics-text;version=2.0.0"), 0);
  EXPECT_EQ(Open("application/openmetrics-text;q=0"), 0);
  for (const char* q : {"", "x", "-1", "2", "nan", "1e9"}) {
    EXPECT_EQ(Open(std::string("application/openmetrics-text;q=") + q), 0) << q;
  }
  EXPECT_EQ(Open(";;,,;=;q"), 0);
}

}  // namespace
}  // namespace rondo
