#include "client/channel.h"

#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "client/client.h"
#include "client/flags/connection_flags.h"
#include "gmock/gmock.h"
#include "grpcpp/support/client_interceptor.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"
#include "tests/unit/client/running_sum_server.h"

namespace rondo {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;

std::string ProblemOf(const ClientOptions& options) {
  return std::string(Client::Connect("x:1", options).status().message());
}

absl::Status Predict(const RunningSumServer& server, const ClientOptions& options) {
  return Client::Connect(server.address(), options).value().Predict("sum", std::vector<float>{1}).status();
}

TEST(ChannelTest, EveryCallAndStreamBringsTheTokenAndTheMetadata) {
  RunningSumServer server;
  ClientOptions options;
  options.token = [] { return "secret"; };
  options.metadata = {{"x-team", "blue"}, {"trace-bin", std::string("\0\1", 2)}};
  std::vector<std::pair<std::string, std::string>> wanted = options.metadata;
  wanted.emplace_back("authorization", "Bearer secret");
  ASSERT_TRUE(Predict(server, options).ok());
  EXPECT_THAT(server.last_metadata(), IsSupersetOf(wanted));
  PredictStream stream = Client::Connect(server.address(), options).value().OpenStream("sum");
  SequenceInput sequence;
  sequence.values = {1};
  ASSERT_TRUE(stream.Write({{sequence}}));
  StreamReply reply;
  ASSERT_TRUE(stream.Read(&reply));
  EXPECT_THAT(server.last_metadata(), IsSupersetOf(wanted));
}

TEST(ChannelTest, ATokenThatNoHeaderMayHaveIsRefusedBeforeItIsSent) {
  RunningSumServer server;
  for (const char* token : {"", "two words", "a\nb", "\xff"}) {
    ClientOptions options;
    options.token = [token] { return token; };
    EXPECT_EQ(Predict(server, options).code(), absl::StatusCode::kInvalidArgument) << token;
    PredictStream stream = Client::Connect(server.address(), options).value().OpenStream("sum");
    EXPECT_EQ(stream.Finish().code(), absl::StatusCode::kInvalidArgument) << token;
  }
  EXPECT_EQ(server.predict_calls(), 0);
}

TEST(ChannelTest, MetadataThatNoHeaderMayHaveIsRefusedByName) {
  ClientOptions options;
  for (const char* name : {"Team", "", ":path", "a b", "grpc-timeout"}) {
    options.metadata = {{name, "x"}};
    EXPECT_THAT(ProblemOf(options), HasSubstr(name));
  }
  options.metadata = {{"team", "a\nb"}};
  EXPECT_THAT(ProblemOf(options), HasSubstr("'team'"));
}

TEST(ChannelTest, TlsIsWholeOrRefused) {
  ClientOptions options;
  options.tls.emplace();
  options.tls->private_key = "key";
  EXPECT_THAT(ProblemOf(options), HasSubstr("both or none"));
  options.tls.emplace();
  options.credentials = grpc::InsecureChannelCredentials();
  EXPECT_THAT(ProblemOf(options), HasSubstr("one at most"));
}

TEST(ChannelTest, CredentialsOfOnesOwnAreUsed) {
  RunningSumServer server;
  ClientOptions options;
  options.credentials = grpc::InsecureChannelCredentials();
  EXPECT_TRUE(Predict(server, options).ok());
  options.credentials = grpc::SslCredentials({});
  options.max_attempts = 1;
  EXPECT_EQ(Predict(server, options).code(), absl::StatusCode::kUnavailable) << "the server speaks no TLS";
}

TEST(ChannelTest, ChannelOptionsWinOverTheClientsOwn) {
  RunningSumServer server;
  ClientOptions options;
  options.channel_options = {{GRPC_ARG_PRIMARY_USER_AGENT_STRING, "mine/1"}, {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, 1}};
  EXPECT_EQ(Predict(server, options).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(server.last_metadata(), Contains(Pair("user-agent", HasSubstr("mine/1"))));
}

class CountingInterceptor : public grpc::experimental::Interceptor {
 public:
  explicit CountingInterceptor(std::atomic<int>* calls) { ++*calls; }
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override { methods->Proceed(); }
};

class CountingFactory : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit CountingFactory(std::atomic<int>* calls) : calls_(calls) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new CountingInterceptor(calls_);
  }

 private:
  std::atomic<int>* const calls_;
};

TEST(ChannelTest, AHostIsProxiedAsTheEnvironmentAndTheOptionsSay) {
  for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"}) unsetenv(name);
  ClientOptions options;
  EXPECT_FALSE(IsProxied("rondo.example", options));
  options.channel_options = {{"grpc.http_proxy", "proxy:3128"}};
  EXPECT_TRUE(IsProxied("rondo.example", options));
  options.channel_options.clear();
  setenv("http_proxy", "http://proxy:3128", 1);
  setenv("no_proxy", "localhost, .svc", 1);
  EXPECT_TRUE(IsProxied("rondo.example", options));
  EXPECT_FALSE(IsProxied("rondo-pods.default.SVC", options));
  options.channel_options = {{"grpc.enable_http_proxy", 0}};
  EXPECT_FALSE(IsProxied("rondo.example", options));
  unsetenv("http_proxy");
  unsetenv("no_proxy");
}

TEST(ChannelTest, InterceptorsSeeEveryCall) {
  RunningSumServer server;
  std::atomic<int> calls{0};
  ClientOptions options;
  options.interceptors = [&calls] {
    std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> made;
    made.push_back(std::make_unique<CountingFactory>(&calls));
    return made;
  };
  ASSERT_TRUE(Predict(server, options).ok());
  EXPECT_EQ(calls, 1);
}

class ConnectionFlagsTest : public testing::Test {
 protected:
  std::string File(const std::string& text) const { return folder_.Write("file", text); }

  const TemporaryFolder folder_;
};

TEST_F(ConnectionFlagsTest, ATokenIsReadAnewForEachCall) {
  ConnectionFlags flags;
  flags.token_file = File("first\n");
  ClientOptions options;
  ASSERT_TRUE(ReadConnectionFlags(flags, &options).ok());
  EXPECT_FALSE(options.tls.has_value());
  EXPECT_EQ(options.token(), "first");
  File("second\n");
  EXPECT_EQ(options.token(), "second");
}

TEST_F(ConnectionFlagsTest, EveryTlsFlagImpliesTls) {
  ConnectionFlags flags;
  flags.tls_ca = File("authority");
  flags.tls_server_name = "rondo.test";
  ClientOptions options;
  ASSERT_TRUE(ReadConnectionFlags(flags, &options).ok());
  ASSERT_TRUE(options.tls.has_value());
  EXPECT_EQ(options.tls->root_certificates, "authority");
  EXPECT_EQ(options.tls->server_name, "rondo.test");
}

TEST_F(ConnectionFlagsTest, AFileThatIsAwayOrEmptyIsNamed) {
  ClientOptions options;
  ConnectionFlags flags;
  flags.token_file = "/nowhere/token";
  EXPECT_THAT(std::string(ReadConnectionFlags(flags, &options).message()), HasSubstr("--token_file=/nowhere/token"));
  flags = {};
  flags.tls_ca = File(" \n");
  EXPECT_THAT(std::string(ReadConnectionFlags(flags, &options).message()), HasSubstr("empty"));
  flags = {};
  flags.tls_cert = File("certificate");
  EXPECT_THAT(std::string(ReadConnectionFlags(flags, &options).message()), HasSubstr("both or none"));
}

}  // namespace
}  // namespace rondo
