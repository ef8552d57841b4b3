#include "server/options.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

absl::StatusOr<ServerOptions> Parse(const std::vector<std::string>& arguments) {
  ServerOptions options;
  OptionTable table = ServerOptionTable(&options);
  const absl::StatusOr<CommandLineAsks> asks = ReadOptions(table, arguments);
  if (!asks.ok()) return asks.status();
  return options;
}

// The defaults with a model, and one option.
absl::StatusOr<ServerOptions> With(const std::string& name, const std::string& value) {
  return Parse({"--model=weather.safetensors", absl::StrCat("--", name, "=", value)});
}

TEST(OptionsTest, DefaultsAreWhatTheDesignSays) {
  const absl::StatusOr<ServerOptions> options = Parse({"--model=weather.safetensors"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->listen, "127.0.0.1:8001");
  EXPECT_EQ(options->http_listen, "127.0.0.1:8002");
  EXPECT_EQ(options->model_poll_interval, absl::Seconds(10));
  EXPECT_EQ(options->keepalive_time, absl::Seconds(30));
  EXPECT_EQ(options->shutdown_delay, absl::ZeroDuration());
  EXPECT_EQ(options->drain_timeout, absl::Seconds(30));
  EXPECT_THAT(options->registry.model_files, ElementsAre("weather.safetensors"));
  EXPECT_EQ(options->registry.network.max_batch_size, 64u);
  EXPECT_EQ(options->registry.network.kernel, KernelKind::kAuto);
  EXPECT_EQ(options->sessions.max_sessions, 1'000'000u);
  EXPECT_EQ(options->sessions.max_queue_per_session, 64u);
  EXPECT_EQ(options->sessions.idle_timeout, absl::Minutes(10));
  EXPECT_EQ(options->sessions.max_idle_timeout, absl::Hours(168));
  EXPECT_FALSE(options->loops.count.has_value());
  EXPECT_FALSE(options->loops.helpers.has_value());
  EXPECT_EQ(options->loops.active_set.max_active, 4096u);
  EXPECT_EQ(options->loops.active_set.max_queued, 65536u);
  EXPECT_EQ(options->requests.max_message_bytes, 4194304u);
  EXPECT_EQ(options->requests.max_timesteps, 10000u);
  EXPECT_EQ(options->requests.max_sequences_per_message, 4096u);
  EXPECT_EQ(options->requests.max_streams, 10000u);
  EXPECT_EQ(options->requests.max_pipelined_messages, 8u);
  EXPECT_EQ(options->requests.max_work_steps, 50'000'000u);
  EXPECT_EQ(options->requests.max_work_bytes, 0u);
}

TEST(OptionsTest, GrpcMayHoldHalfOfTheMemoryUnlessAnotherNumberIsGiven) {
  EXPECT_EQ(Parse({"--model=m", "--max_memory=100000000"})->connection_limits().max_buffer_bytes, 50'000'000u);
  EXPECT_EQ(Parse({"--model=m", "--max_grpc_bytes=2000000"})->connection_limits().max_buffer_bytes, 2'000'000u);
}

TEST(OptionsTest, TlsTakesCertificateAndKeyTogether) {
  const auto parse = [](const std::string& flag) { return Parse({"--model=m", "--tls_cert=c", flag}); };
  EXPECT_EQ(parse("--tls_key=k")->access.tls.key, "k");
  EXPECT_EQ(parse("--tls_client_ca=a").status().message(), "--tls_cert is given without --tls_key: wanted both");
  EXPECT_THAT(std::string(With("tls_key", "k").status().message()),
              StartsWith("--tls_key is given without --tls_cert"));
  EXPECT_THAT(std::string(With("tls_client_ca", "a").status().message()),
              StartsWith("--tls_client_ca is given without --tls_cert"));
}

TEST(OptionsTest, WhatOtherMachinesReachIsEncryptedOrKnowinglyNot) {
  const auto why_not = [](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments = {"--model=m"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return std::string(Parse(arguments).status().message());
  };
  for (const char* address : {"127.0.0.1:1", "127.1.2.3:1", "localhost:1", "[::1]:1"}) {
    EXPECT_EQ(why_not({absl::StrCat("--listen=", address), absl::StrCat("--http_listen=", address)}), "");
  }
  for (const char* address : {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "host:1", "127.evil.example:1"}) {
    EXPECT_THAT(
        why_not({absl::StrCat("--listen=", address)}),
        StartsWith(absl::StrCat("listening on ", address, " lets other machines connect, unencrypted: wanted")));
    EXPECT_THAT(why_not({absl::StrCat("--http_listen=", address)}), HasSubstr("or --insecure"));
    EXPECT_EQ(why_not({absl::StrCat("--listen=", address), "--insecure"}), "");
    EXPECT_EQ(why_not({absl::StrCat("--listen=", address), "--tls_cert=c", "--tls_key=k"}), "");
  }
  EXPECT_EQ(why_not({"--http_listen="}), "");
}

TEST(OptionsTest, TheKernelIsOursOrOneDnns) {
  EXPECT_EQ(With("kernel", "rondo")->registry.network.kernel, KernelKind::kRondo);
  EXPECT_EQ(With("kernel", "onednn")->registry.network.kernel, KernelKind::kOneDnn);
  EXPECT_FALSE(With("kernel", "reference").ok());
}

TEST(OptionsTest, DeterministicStandsForTheKernelThatIs) {
  EXPECT_EQ(With("deterministic", "true")->registry.network.kernel, KernelKind::kRondo);
  EXPECT_EQ(With("deterministic", "false")->registry.network.kernel, KernelKind::kAuto);
  // It asks for what oneDNN does not promise.
  EXPECT_EQ(Parse({"--model=m", "--deterministic", "--kernel=onednn"}).status().message(),
            "--deterministic and --kernel=onednn are both given: wanted one of them, since oneDNN's answers depend on "
            "what shares their batch");
}

TEST(OptionsTest, ZeroMeansWhatTheHelpSays) {
  EXPECT_FALSE(With("loops", "0")->loops.count.has_value());
  EXPECT_EQ(With("loops", "2")->loops.count, 2u);
  EXPECT_EQ(With("helpers", "0")->loops.helpers, 0u);
  EXPECT_FALSE(With("helpers", "-1")->loops.helpers.has_value());
  EXPECT_EQ(With("max_queue_per_session", "0")->sessions.max_queue_per_session, 0u);
  EXPECT_EQ(With("model_poll_interval", "0")->model_poll_interval, absl::ZeroDuration());
  EXPECT_EQ(With("drain_timeout", "0")->drain_timeout, absl::ZeroDuration());
  EXPECT_EQ(With("max_idle_timeout", "0")->sessions.max_idle_timeout, absl::InfiniteDuration());
  EXPECT_EQ(With("http_listen", "")->http_listen, "");
  EXPECT_EQ(With("idle_timeout", "0").status().message(), "--idle_timeout=0: wanted at most --max_idle_timeout=168h");
  EXPECT_EQ(Parse({"--model=m", "--idle_timeout=0", "--max_idle_timeout=0"})->sessions.idle_timeout,
            absl::InfiniteDuration());
  EXPECT_EQ(With("session_store", "memory")->store.name, "memory");
  EXPECT_EQ(With("max_sessions", "80")->store.max_resident, 70u);
  EXPECT_EQ(With("max_resident_sessions", "0")->store.max_resident, 875'000u);
  EXPECT_EQ(With("max_resident_sessions", "7")->store.max_resident, 7u);
}

TEST(OptionsTest, BoundsAreInclusive) {
  EXPECT_TRUE(With("max_batch_size", "1").ok());
  EXPECT_TRUE(With("max_batch_size", "1024").ok());
  EXPECT_TRUE(With("max_sessions", "2147483648").ok());
  EXPECT_TRUE(With("idle_timeout", "1s").ok());
  EXPECT_TRUE(With("listen", "[::1]:65535").ok());
  EXPECT_TRUE(With("listen", "unix:/run/rondo.sock").ok());
  EXPECT_FALSE(With("listen", "unix:").ok());
  EXPECT_FALSE(With("listen", "unix:" + std::string(108, 'x')).ok());
}

TEST(OptionsTest, RefusalSaysWhatCameAndWhatWasWanted) {
  EXPECT_EQ(With("max_batch_size", "1025").status().message(),
            "--max_batch_size=1025: wanted a whole number, 1 to 1024");
  EXPECT_EQ(With("idle_timeout", "ten").status().message(),
            "--idle_timeout=ten: wanted a duration such as 30s or 10m, 1s to 87600h, or 0");
  EXPECT_EQ(With("idle_timeout", "200h").status().message(),
            "--idle_timeout=200h: wanted at most --max_idle_timeout=168h");
  EXPECT_EQ(With("listen", "8001").status().message(),
            "--listen=8001: wanted HOST:PORT, port 0 to 65535, or unix:PATH of at most 107 bytes");
}

TEST(OptionsTest, ValuesOutOfBoundsOrUnreadableAreRefused) {
  const std::pair<const char*, const char*> wrong[] = {
      {"max_batch_size", "0"},
      {"max_batch_size", ""},
      {"max_batch_size", " 8"},
      {"max_batch_size", "+8"},
      {"max_batch_size", "8.0"},
      {"max_batch_size", "99999999999999999999"},
      {"max_message_bytes", "1023"},
      {"max_message_bytes", "4M"},
      {"max_timesteps", "0"},
      {"max_sequences_per_message", "0"},
      {"max_sessions", "0"},
      {"max_sessions", "2147483649"},
      {"max_streams", "0"},
      {"max_active_sequences", "0"},
      {"max_queued_sequences", "-1"},
      {"max_pipelined_messages", "0"},
      {"loops", "-1"},
      {"loops", "257"},
      {"helpers", "-2"},
      {"helpers", "many"},
      {"idle_timeout", "1ms"},
      {"idle_timeout", "-1s"},
      {"max_idle_timeout", "inf"},
      {"idle_timeout", "10"},
      {"model_poll_interval", "1ms"},
      {"keepalive_time", "99ms"},
      {"drain_timeout", "2h"},
      {"drain_timeout", "-1s"},
      {"listen", ""},
      {"listen", ":8001"},
      {"listen", "host:"},
      {"listen", "host:65536"},
      {"listen", "host:-1"},
      {"http_listen", "host"},
      {"model", ""},
      {"model_repository", "models"},
      {"session_store", ""},
      {"sync_interval", "0"},
      {"max_resident_sessions", "1000001"},
      {"adopt_sessions", "always"},
      {"durability", "none"},
      {"log_format", "xml"},
      {"log_level", "verbose"},
  };
  for (const auto& [name, value] : wrong) {
    const absl::Status status = With(name, value).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name << "=" << value;
    EXPECT_THAT(std::string(status.message()), HasSubstr("wanted ")) << name << "=" << value;
  }
}

TEST(OptionsTest, TheLogIsLogfmtOfInfoUnlessAskedOtherwise) {
  const absl::StatusOr<ServerOptions> options = Parse({"--model=m", "--log_format=json", "--log_level=warning"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->log.format, LogFormat::kJson);
  EXPECT_EQ(options->log.level, LogLevel::kWarning);
  EXPECT_EQ(Parse({"--model=m"})->log.format, LogFormat::kLogfmt);
  EXPECT_EQ(Parse({"--model=m"})->log.level, LogLevel::kInfo);
}

TEST(OptionsTest, TracesAreSentToAnAddressOnly) {
  const absl::StatusOr<ServerOptions> options =
      Parse({"--model=m", "--otlp_endpoint=collector:4317", "--trace_sampling=0.25"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->tracing.otlp_endpoint, "collector:4317");
  EXPECT_EQ(options->tracing.sampling, 0.25);
  for (const char* const wrong : {"http://collector:4317", "collector", ":4317", "collector:0", "collector:65536"}) {
    EXPECT_THAT(std::string(With("otlp_endpoint", wrong).status().message()), HasSubstr("wanted HOST:PORT")) << wrong;
  }
  for (const char* const wrong : {"1.5", "-1", "nan", "all"}) {
    EXPECT_FALSE(Parse({"--model=m", "--otlp_endpoint=c:1", absl::StrCat("--trace_sampling=", wrong)}).ok()) << wrong;
  }
}

TEST(OptionsTest, TracesNeedACollector) {
  EXPECT_THAT(std::string(With("trace_sampling", "1").status().message()), HasSubstr("without --otlp_endpoint"));
  EXPECT_THAT(std::string(With("otlp_tls_ca", "ca.pem").status().message()), HasSubstr("without --otlp_endpoint"));
}

TEST(OptionsTest, ModelsAreGivenAsFilesOrAsARepository) {
  EXPECT_THAT(With("model", "a.safetensors,b.safetensors")->registry.model_files,
              ElementsAre("a.safetensors", "b.safetensors"));
  EXPECT_EQ(Parse({"--model_repository=models"})->registry.model_repository, "models");
  EXPECT_THAT(std::string(Parse({}).status().message()), StartsWith("neither --model nor --model_repository is given"));
}

TEST(OptionsTest, HelpShowsEveryOptionInLinesThatFitATerminal) {
  ServerOptions options;
  const OptionTable table = ServerOptionTable(&options);
  const std::string help = HelpText(table);
  for (const OptionGroup& group : table.groups) {
    for (const Option& option : group.options) {
      EXPECT_THAT(help, HasSubstr(absl::StrCat("  --", option.name)));
      EXPECT_FALSE(option.help.empty()) << option.name;
    }
  }
  for (const absl::string_view line : absl::StrSplit(help, '\n')) EXPECT_LE(line.size(), 100u) << line;
}

}  // namespace
}  // namespace rondo
