// The real rondo-server as a process: it is told to stop under load, while it loads, and before it may.

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "nlohmann/json.hpp"
#include "tests/integration/child_process.h"
#include "tests/integration/store/redis_server.h"
#include "tests/integration/test_server.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ServerProcessTest : public ::testing::Test {
 protected:
  static constexpr int kManyModels = 2000;

  ServerProcessTest() {
    const absl::Status status = WriteModelFile(MakeTestModel(Cell::kLstm, 3, 16), ModelPath());
    EXPECT_TRUE(status.ok()) << status;
  }

  std::string ModelPath() const { return folder_ + "/lstm.safetensors"; }
  std::vector<std::string> Flags(const std::string& listen) const {
    return {"--model=" + ModelPath(), "--listen=" + listen, "--http_listen=", "--loops=2"};
  }
  // The flags of a server with as many models as take a while to load.
  std::vector<std::string> ManyModels() const {
    const std::string larger = folder_ + "/larger.safetensors";
    EXPECT_TRUE(WriteModelFile(MakeTestModel(Cell::kLstm, 3, 64), larger).ok());
    for (int i = 1; i <= kManyModels; ++i) {
      const std::string folder = absl::StrCat(folder_, "/repository/lstm/", i);
      std::filesystem::create_directories(folder);
      std::filesystem::create_hard_link(larger, folder + "/model.safetensors");
    }
    return {"--model_repository=" + folder_ + "/repository", "--listen=127.0.0.1:0", "--http_listen="};
  }
  static std::string AddressOf(ChildProcess* server) { return AddressIn(server->WaitForLine("event=listening")); }
  static std::string AddressIn(const std::string& line, const std::string& key = " address=") {
    const size_t begin = line.find(key) + key.size();
    return line.substr(begin, line.find(' ', begin) - begin);
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
};

TEST_F(ServerProcessTest, ItsLogIsJsonIfAskedAndSignalsMakeItMoreOrLess) {
  std::vector<std::string> flags = Flags("127.0.0.1:0");
  flags.push_back("--log_format=json");
  ChildProcess server("rondo-server", flags);
  const std::string address =
      nlohmann::json::parse(server.WaitForLine("\"event\":\"listening\"")).at("address").get<std::string>();
  const auto call = [&address] {
    grpc::ClientContext context;
    context.AddMetadata("x-request-id", "\",\"event\":\"forged");
    v1::ListModelsResponse response;
    const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    EXPECT_TRUE(v1::Models::NewStub(channel)->ListModels(&context, {}, &response).ok());
  };
  call();
  server.Signal(SIGUSR1);
  EXPECT_EQ(nlohmann::json::parse(server.WaitForLine("log_level_changed")).at("log_level"), "debug");
  EXPECT_THAT(server.printed(), Not(HasSubstr("\"event\":\"call\"")));  // the first was not logged
  call();
  const nlohmann::json line = nlohmann::json::parse(server.WaitForLine("\"event\":\"call\""));
  EXPECT_EQ(line.at("level"), "debug");
  EXPECT_EQ(line.at("method"), "rondo.v1.Models/ListModels");
  EXPECT_EQ(line.at("request_id"), "\",\"event\":\"forged");
  for (const char* const level : {"info", "warning", "error"}) {
    server.Signal(SIGUSR2);
    EXPECT_NE(server.WaitForLine(absl::StrCat("\"log_level\":\"", level, "\"")), "");
  }
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_THAT(server.printed(), Not(HasSubstr("stopping")));
}

TEST_F(ServerProcessTest, SigtermUnderLoadEndsWithExitCode0) {
  ChildProcess server("rondo-server", Flags("127.0.0.1:0"));
  const std::string address = AddressOf(&server);
  ChildProcess load("rondo-load", {"--server=" + address, "--model=lstm", "--streams=16", "--duration=1h"});
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  const auto sessions = v1::Sessions::NewStub(channel);
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  v1::ListSessionsResponse page;
  while (page.sessions_size() < 16) {
    ASSERT_LT(absl::Now(), deadline) << "the load does not come up";
    grpc::ClientContext context;
    ASSERT_TRUE(sessions->ListSessions(&context, v1::ListSessionsRequest(), &page).ok());
  }
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_THAT(server.printed(), HasSubstr("event=stopping signal=SIGTERM"));
  EXPECT_THAT(server.printed(), HasSubstr("event=stopped"));
}

TEST_F(ServerProcessTest, SigtermIsHeardWhileModelsLoad) {
  ChildProcess server("rondo-server", ManyModels());
  server.WaitForLine("event=loading_models");
  server.WaitForLine("event=model_loaded");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_THAT(server.printed(), HasSubstr("event=stopped"));
  EXPECT_THAT(server.printed(), Not(HasSubstr("event=listening")));
  EXPECT_THAT(server.printed(), Not(HasSubstr(absl::StrCat("event=model_loaded model=lstm version=", kManyModels))));
}

TEST_F(ServerProcessTest, HealthIsToldWhileModelsLoad) {
  ChildProcess server("rondo-server", ManyModels());
  const std::string address = AddressIn(server.WaitForLine("event=loading_models"));
  const auto health =
      grpc::health::v1::Health::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  const auto watch = health->Watch(&context, {});
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(AddressOf(&server), address);  // reads the log, on whose full pipe the loader waits
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  context.TryCancel();
}

TEST_F(ServerProcessTest, AModelFileThatDoesNotLoadIsExitCode1) {
  std::ofstream(ModelPath()) << "nonsense";
  ChildProcess server("rondo-server", Flags("127.0.0.1:0"));
  EXPECT_EQ(server.WaitForExit(), 1);
  EXPECT_THAT(server.printed(), HasSubstr("event=failed code=DATA_LOSS message=\"model \\\"lstm\\\" version 1: "));
}

TEST_F(ServerProcessTest, ASecondSigtermEndsTheDrain) {
  std::vector<std::string> flags = Flags("127.0.0.1:0");
  flags.push_back("--drain_timeout=1h");
  ChildProcess server("rondo-server", flags);
  const auto channel = grpc::CreateChannel(AddressOf(&server), grpc::InsecureChannelCredentials());
  const auto inference = v1::Inference::NewStub(channel);
  const auto sessions = v1::Sessions::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = inference->StreamPredict(&context);
  v1::PredictRequest request;
  request.set_model("lstm");
  v1::Sequence* const sequence = AddSequence(&request, "long", RandomValues(3 * 10'000, 1));
  // More replies than a client that reads none has room for.
  for (int i = 0; i < 4; ++i) {
    sequence->set_position(i * 10'000);
    ASSERT_TRUE(stream->Write(request));
  }
  v1::GetSessionRequest get;
  get.set_session_id("long");
  v1::Session session;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (session.position() < 10'000) {
    ASSERT_LT(absl::Now(), deadline) << "the stream does not come up";
    grpc::ClientContext get_context;
    sessions->GetSession(&get_context, get, &session);
  }
  server.Signal(SIGTERM);
  server.WaitForLine("event=stopping");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_THAT(server.printed(), HasSubstr("event=drain_cut_short"));
}

// What is on the path of a port of 127.0.0.1.
std::string Get(const std::string& address, const std::string& path) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<in_port_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(descriptor, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n");
  send(descriptor, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char bytes[4096];
  for (ssize_t size; (size = read(descriptor, bytes, sizeof(bytes))) > 0;) {
    answer.append(bytes, static_cast<size_t>(size));
  }
  close(descriptor);
  return answer;
}

TEST_F(ServerProcessTest, AServerServesOnUntilItsShutdownDelayEnds) {
  ChildProcess server("rondo-server", {"--model=" + ModelPath(), "--listen=127.0.0.1:0", "--http_listen=127.0.0.1:0",
                                       "--shutdown_delay=1h"});
  const std::string listening = server.WaitForLine("event=listening");
  const std::string http = AddressIn(listening, " http_address=");
  EXPECT_THAT(Get(http, "/readyz"), HasSubstr("200 OK"));
  server.Signal(SIGTERM);
  server.WaitForLine("event=leaving in=1h");
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (Get(http, "/readyz").find("503") == std::string::npos) {
    ASSERT_LT(absl::Now(), deadline) << "the server is still ready";
    std::this_thread::yield();
  }
  EXPECT_THAT(Get(http, "/healthz"), HasSubstr("200 OK"));
  const auto inference =
      v1::Inference::NewStub(grpc::CreateChannel(AddressIn(listening), grpc::InsecureChannelCredentials()));
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("lstm");
  AddSequence(&request, "", RandomValues(3, 1));
  grpc::ClientContext context;
  EXPECT_TRUE(inference->Predict(&context, request, &response).ok());
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_THAT(server.printed(), HasSubstr("event=leaving_at_once signal=SIGTERM"));
}

TEST_F(ServerProcessTest, TheShutdownDelayEndsByItself) {
  std::vector<std::string> flags = Flags("127.0.0.1:0");
  flags.push_back("--shutdown_delay=50ms");
  ChildProcess server("rondo-server", flags);
  server.WaitForLine("event=listening");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_THAT(server.printed(), AllOf(HasSubstr("event=leaving in=50ms"), Not(HasSubstr("event=leaving_at_once"))));
}

TEST_F(ServerProcessTest, SystemdIsToldOfTheStartAndTheStop) {
  const int listener = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder_ + "/notify").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  setenv("NOTIFY_SOCKET", address.sun_path, 1);
  ChildProcess server("rondo-server", Flags("127.0.0.1:0"));
  unsetenv("NOTIFY_SOCKET");
  char bytes[64] = {};
  EXPECT_EQ(recv(listener, bytes, sizeof(bytes), 0), 7);
  EXPECT_EQ(std::string(bytes, 7), "READY=1");
  server.Signal(SIGTERM);
  EXPECT_EQ(recv(listener, bytes, sizeof(bytes), 0), 10);
  EXPECT_EQ(std::string(bytes, 10), "STOPPING=1");
  EXPECT_EQ(server.WaitForExit(), 0);
  close(listener);
}

TEST_F(ServerProcessTest, SessionsThatTheStoreDoesNotTakeAreExitCode3) {
  RedisServer redis;
  std::vector<std::string> flags = Flags("127.0.0.1:0");
  flags.push_back("--session_store=" + redis.name());
  flags.push_back("--drain_timeout=100ms");
  flags.push_back("--sync_interval=1h");
  ChildProcess server("rondo-server", flags);
  const auto inference =
      v1::Inference::NewStub(grpc::CreateChannel(AddressOf(&server), grpc::InsecureChannelCredentials()));
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("lstm");
  for (const char* id : {"a", "b", "c"}) AddSequence(&request, id, RandomValues(3, 1))->set_position(0);
  grpc::ClientContext context;
  ASSERT_TRUE(inference->Predict(&context, request, &response).ok());
  redis.Kill();
  for (v1::Sequence& sequence : *request.mutable_sequences()) sequence.set_position(1);
  grpc::ClientContext second_context;
  ASSERT_TRUE(inference->Predict(&second_context, request, &response).ok());
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 3);
  EXPECT_THAT(server.printed(), HasSubstr("event=sessions_lost sessions=3 "));
}

TEST_F(ServerProcessTest, ASecondServerOnAPortIsRefused) {
  ChildProcess first("rondo-server", Flags("127.0.0.1:0"));
  const std::string address = AddressOf(&first);
  ChildProcess second("rondo-server", Flags(address));
  EXPECT_EQ(second.WaitForExit(), 1);
  EXPECT_THAT(second.printed(), HasSubstr(absl::StrCat("cannot listen on ", address)));
}

TEST_F(ServerProcessTest, AWrongFlagIsExitCode2) {
  std::vector<std::string> flags = Flags("127.0.0.1:0");
  flags.push_back("--max_streams=none");
  ChildProcess server("rondo-server", flags);
  EXPECT_EQ(server.WaitForExit(), 2);
  EXPECT_THAT(server.printed(), HasSubstr("--max_streams=none: wanted a whole number"));
}

}  // namespace
}  // namespace rondo
