#include <grpcpp/create_channel.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/test_certificates.h"
#include "tests/integration/test_server.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A server whose certificate is for "localhost", of the CA that its clients trust.
class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    tls_ = {folder_ + "/server.pem", folder_ + "/server.key", ""};
    WriteIdentity(authority_.Issue("localhost"));
  }

  std::string Write(const std::string& path, const std::string& text) const {
    std::ofstream(path, std::ios::trunc) << text;
    return path;
  }
  void WriteIdentity(const Certificate& certificate) const {
    Write(tls_.cert, certificate.cert);
    Write(tls_.key, certificate.key);
  }
  void WantClientCertificates() { tls_.client_ca = Write(folder_ + "/ca.pem", authority_.cert()); }

  void StartServer() {
    server_ = std::make_unique<TestServer>(
        std::vector<std::pair<std::string, ModelFile>>{{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}},
        [this](ServerOptions* options) {
          options->access.tls = tls_;
          options->http_listen = "127.0.0.1:0";
        });
  }
  // Why no server starts with the files as they are.
  std::string WhyNotStarted() const {
    ServerOptions options = TestOptions();
    options.registry.model_repository = folder_;
    options.access.tls = tls_;
    return std::string(Server::Start(options).status().message());
  }

  std::shared_ptr<grpc::Channel> Connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                                         const std::string& name = "localhost") const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetSslTargetNameOverride(name);
    return grpc::CreateCustomChannel(server_->server().address(), credentials, arguments);
  }
  // What the channel's first call ends with.
  static grpc::StatusCode Ask(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::ListModelsResponse response;
    return v1::Models::NewStub(channel)->ListModels(&context, {}, &response).error_code();
  }
  static std::shared_ptr<grpc::ChannelCredentials> Trusting(const CertificateAuthority& authority,
                                                            const Certificate& own = {}) {
    return grpc::SslCredentials({authority.cert(), own.key, own.cert});
  }
  bool Accepts(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    return Ask(Connect(credentials)) == grpc::StatusCode::OK;
  }
  // Lets the server look at its files, as it does each second, until a new client finds that it `is_so`.
  template <typename IsSo>
  void MaintainUntil(IsSo is_so) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!is_so()) {
      ASSERT_LT(absl::Now(), deadline);
      server_->server().Maintain(absl::Now());
    }
  }

  // Sends `request` over TLS of at most `newest`. The answer, or its first `enough` bytes; empty: no connection.
  std::string Talk(const std::string& address, const std::string& request, int newest = TLS1_3_VERSION,
                   size_t enough = 100'000) const {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);  // else it would not try an old version
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, newest);
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>("\2h2"), 3);
    BIO* const bio = BIO_new_ssl_connect(context);
    BIO_set_conn_hostname(bio, address.c_str());
    std::string answer;
    char bytes[4096];
    if (BIO_do_handshake(bio) == 1 && BIO_write(bio, request.data(), static_cast<int>(request.size())) > 0) {
      for (int size; (size = BIO_read(bio, bytes, sizeof(bytes))) > 0;) {
        answer.append(bytes, static_cast<size_t>(size));
        if (answer.size() >= enough || request.empty()) break;
      }
    }
    BIO_free_all(bio);
    SSL_CTX_free(context);
    return answer;
  }

  const CertificateAuthority authority_, other_authority_;
  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
  TlsOptions tls_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(TlsTest, AClientThatTrustsTheCertificateIsServedAndNobodyElse) {
  StartServer();
  EXPECT_EQ(Ask(Connect(Trusting(authority_))), grpc::StatusCode::OK);
  EXPECT_EQ(Ask(Connect(grpc::InsecureChannelCredentials())), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Ask(Connect(Trusting(other_authority_))), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Ask(Connect(Trusting(authority_), "elsewhere")), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, AnExpiredCertificateIsTrustedByNobody) {
  WriteIdentity(authority_.Issue("localhost", -absl::Hours(1)));
  StartServer();
  EXPECT_EQ(Ask(Connect(Trusting(authority_))), grpc::StatusCode::UNAVAILABLE);
  EXPECT_LT(server_->Metric("rondo_tls_certificate_expiry_timestamp_seconds"), absl::ToUnixSeconds(absl::Now()));
}

TEST_F(TlsTest, EachClientNeedsACertificateOfTheClientsCa) {
  WantClientCertificates();
  StartServer();
  EXPECT_TRUE(Accepts(Trusting(authority_, authority_.Issue("client"))));
  EXPECT_FALSE(Accepts(Trusting(authority_)));
  EXPECT_FALSE(Accepts(Trusting(authority_, other_authority_.Issue("client"))));
  EXPECT_FALSE(Accepts(Trusting(authority_, authority_.Issue("client", -absl::Hours(1)))));
  EXPECT_EQ(Talk(server_->server().http_address(), "GET /metrics HTTP/1.0\r\n\r\n"), "");
}

TEST_F(TlsTest, CertificatesChangeWhileAHundredStreamsRunOn) {
  StartServer();
  struct Stream {
    std::unique_ptr<v1::Inference::Stub> stub;
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>> calls;
  };
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < 10; ++i) channels.push_back(Connect(Trusting(authority_)));
  for (size_t i = 0; i < 100; ++i) {
    auto stream = std::make_unique<Stream>();
    stream->stub = v1::Inference::NewStub(channels[i % channels.size()]);
    stream->calls = stream->stub->StreamPredict(&stream->context);
    streams.push_back(std::move(stream));
  }
  int64_t steps = 0;
  const auto step_all = [&] {
    for (size_t i = 0; i < streams.size(); ++i) {
      v1::PredictRequest request;
      request.set_model("lstm");
      AddSequence(&request, absl::StrCat("series-", i), {1, 2})->set_position(steps);
      ASSERT_TRUE(streams[i]->calls->Write(request));
    }
    ++steps;
    for (const auto& stream : streams) {
      v1::PredictResponse response;
      ASSERT_TRUE(stream->calls->Read(&response));
      ASSERT_EQ(response.results_size(), 1) << response.DebugString();
      ASSERT_EQ(response.results(0).next_position(), steps) << response.DebugString();
    }
  };
  step_all();
  WriteIdentity(other_authority_.Issue("localhost", absl::Hours(9)));
  MaintainUntil([&] {
    step_all();
    return HasFatalFailure() || Accepts(Trusting(other_authority_));
  });
  step_all();
  EXPECT_FALSE(Accepts(Trusting(authority_)));
  EXPECT_GT(server_->Metric("rondo_tls_certificate_expiry_timestamp_seconds"),
            absl::ToUnixSeconds(absl::Now() + absl::Hours(8)));
  for (const auto& stream : streams) {
    stream->calls->WritesDone();
    EXPECT_TRUE(stream->calls->Finish().ok());
  }
}

TEST_F(TlsTest, ClientsCasChangeToo) {
  WantClientCertificates();
  StartServer();
  EXPECT_TRUE(Accepts(Trusting(authority_, authority_.Issue("client"))));
  Write(tls_.client_ca, other_authority_.cert());
  MaintainUntil([&] { return Accepts(Trusting(authority_, other_authority_.Issue("client"))); });
  EXPECT_FALSE(Accepts(Trusting(authority_, authority_.Issue("client"))));
}

TEST_F(TlsTest, FilesThatDoNotFitChangeNothing) {
  StartServer();
  for (const char* key : {"", "garbage", "-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n"}) {
    Write(tls_.key, key);
    server_->server().Maintain(absl::Now());
    EXPECT_TRUE(Accepts(Trusting(authority_)));
  }
  std::filesystem::remove(tls_.cert);
  server_->server().Maintain(absl::Now());
  EXPECT_TRUE(Accepts(Trusting(authority_)));
  EXPECT_NE(Talk(server_->server().http_address(), "GET /metrics HTTP/1.0\r\n\r\n"), "");
  WriteIdentity(other_authority_.Issue("localhost"));
  MaintainUntil([&] { return Accepts(Trusting(other_authority_)); });
}

TEST_F(TlsTest, MetricsAreBehindTheSameCertificate) {
  StartServer();
  const std::string address = server_->server().http_address();
  EXPECT_THAT(Talk(address, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("rondo_build_info{")));
}

TEST_F(TlsTest, VersionsBefore12AreRefusedOnBothPorts) {
  StartServer();
  const std::string& http = server_->server().http_address();
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  EXPECT_EQ(Talk(http, request, TLS1_1_VERSION), "");
  EXPECT_NE(Talk(http, request, TLS1_2_VERSION), "");
  const std::string preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 24 + 9);
  const std::string& grpc = server_->server().address();
  EXPECT_EQ(Talk(grpc, preface, TLS1_1_VERSION, 1), "");
  EXPECT_NE(Talk(grpc, preface, TLS1_2_VERSION, 1), "");  // gRPC keeps the connection open
}

TEST_F(TlsTest, FilesThatDoNotFitStartNoServerAndSayWhy) {
  const Certificate good = authority_.Issue("localhost");
  const std::string cert = "--tls_cert=" + tls_.cert, key = "--tls_key=" + tls_.key;
  Write(tls_.cert, "garbage");
  EXPECT_THAT(WhyNotStarted(), StartsWith(cert + ": wanted a certificate in PEM form"));
  Write(tls_.cert, good.cert);
  EXPECT_THAT(WhyNotStarted(), StartsWith(key + ": is not the key of --tls_cert=" + tls_.cert));
  Write(tls_.key, "garbage");
  EXPECT_THAT(WhyNotStarted(), StartsWith(key + ": wanted a private key in PEM form, not encrypted"));
  Write(tls_.key, good.key);
  tls_.client_ca = Write(folder_ + "/ca.pem", "garbage");
  EXPECT_THAT(WhyNotStarted(), StartsWith("--tls_client_ca=" + tls_.client_ca + ": wanted certificates in PEM form"));
  std::filesystem::remove(tls_.cert);
  EXPECT_THAT(WhyNotStarted(), StartsWith(cert + ": "));
}

}  // namespace
}  // namespace rondo
