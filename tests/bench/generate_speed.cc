// generate-speed: how many tokens a second a running server generates for many streams at once.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "base/option_table.h"
#include "client/client.h"

namespace rondo {
namespace {

struct Options {
  std::string server;
  std::string model;
  int streams = 64;
  int tokens = 2000;
  int num_beams = 0;
  absl::Duration duration = absl::Seconds(6);
};

OptionTable Table(Options* options) {
  OptionTable table;
  table.program = "generate-speed";
  table.about = "generate-speed has a server generate: generate-speed --server=127.0.0.1:8001 --model=tokens";
  table.groups = {{"Flags",
                   {Required({"server", Text(&options->server, "HOST:PORT"), "The server."}),
                    Required({"model", Text(&options->model, "NAME"), "A token model."}),
                    {"streams", Number(&options->streams, {1, 1024}, "N"), "Calls at once, each of a thread."},
                    {"tokens", Number(&options->tokens, {1, 9000}, "N"), "Tokens of one call."},
                    {"beams", Number(&options->num_beams, {0, 16}, "N"), "Beam search of that width; 0: sampling."},
                    {"duration", Number(&options->duration, {absl::Seconds(1), absl::Minutes(10)}, "DURATION"),
                     "Time to measure, after a warm-up of a second."}}}};
  return table;
}

// Tokens that have come, with those of all sequences of a beam search.
struct Counts {
  std::atomic<int64_t> all{0};
  std::atomic<int64_t> measured{0};  // after the warm-up
};

// Generates until `end`; what comes from `begin` on is measured.
absl::Status Drive(const Client& client, const Options& options, uint64_t seed, absl::Time begin, absl::Time end,
                   Counts* counts) {
  GenerateInput input;
  input.prompt_tokens = {static_cast<int32_t>(seed % 8)};
  input.max_tokens = options.tokens;
  input.tokens_per_message = 64;
  input.num_beams = options.num_beams;
  const auto count = [&](size_t came) {
    const absl::Time now = absl::Now();
    counts->all += static_cast<int64_t>(came);
    if (now >= begin && now < end) counts->measured += static_cast<int64_t>(came);
    return now < end;
  };
  while (absl::Now() < end) {
    input.seed = ++seed;
    const auto output = client.Generate(options.model, input, [&](const GeneratedPiece& piece) {
      return options.num_beams > 1 || count(piece.tokens.size());
    });
    if (!output.ok() && !absl::IsCancelled(output.status())) return output.status();
    if (output.ok() && options.num_beams > 1) count(output->tokens.size() * output->beams.size());
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  OptionTable table = Table(&options);
  if (const std::optional<int> exit_code = ReadCommandLine(table, argc, argv)) return *exit_code;
  const absl::StatusOr<Client> client = Client::Connect(options.server);
  absl::Status status = client.status();
  if (status.ok()) status = client->GetModel(options.model).status();
  if (!status.ok()) {
    std::fprintf(stderr, "generate-speed: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  const absl::Time begin = absl::Now() + absl::Seconds(1), end = begin + options.duration;
  Counts counts;
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < options.streams; ++i) {
    threads.emplace_back([&, i] {
      const absl::Status driven = Drive(*client, options, static_cast<uint64_t>(i) << 20, begin, end, &counts);
      if (driven.ok() || failed.exchange(true)) return;
      std::fprintf(stderr, "generate-speed: %s\n", std::string(driven.message()).c_str());
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failed) return 1;
  std::printf("{\"tokens_per_second\": %.0f, \"all_tokens\": %.0f, \"streams\": %d}\n",
              static_cast<double>(counts.measured) / absl::ToDoubleSeconds(options.duration),
              static_cast<double>(counts.all), options.streams);
  return 0;
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) { return rondo::Main(argc, argv); }
