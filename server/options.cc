#include "server/options.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/flags/flag.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

// Numbers and durations are text here: absl ends the process with its own words and status 1 when it cannot parse a
// typed flag; ParseOptions says what was wanted, and main ends with status 2.
ABSL_FLAG(std::string, model, "",
          "FILE[,FILE...]: model files (.safetensors). Name and version come from NAME/VERSION/model.safetensors, else "
          "the name is the file's and the version 1. Give this or --model_repository.");
ABSL_FLAG(std::string, model_repository, "",
          "DIR with models as DIR/NAME/VERSION/model.safetensors, VERSION a positive integer. New, changed and removed "
          "files are followed while the server runs.");
ABSL_FLAG(std::string, model_poll_interval, "10s",
          "How often to look for changes in --model_repository, e.g. 30s. Bounds: 100ms to 24h. 0: only on SIGHUP.");
ABSL_FLAG(std::string, listen, "127.0.0.1:8001", "HOST:PORT of gRPC. Port 0: any free one.");
ABSL_FLAG(std::string, http_listen, "127.0.0.1:8002", "HOST:PORT of GET /metrics. Port 0: any free one. Empty: off.");
ABSL_FLAG(std::string, loops, "0",
          "Serving loops (threads that read, batch, compute and answer). Bounds: 1 to 256. 0: the default "
          "measured best for the CPUs available.");
ABSL_FLAG(std::string, helpers, "auto",
          "Compute threads that all loops share for steps long enough to split. Bounds: 0 to 256. 0: none. "
          "auto or -1: the CPUs that the loops leave.");
ABSL_FLAG(
    bool, deterministic, false,
    "Make every answer independent of what shares its batch, bit for bit, with any cell. Every kernel call then has "
    "the same number of rows, at most 8: a lone step costs 1.4 to 3.8 times as much, full batches of up to 512 units "
    "about the same.");
ABSL_FLAG(std::string, max_batch_size, "64", "Rows of one kernel call. Bounds: 1 to 1024.");
ABSL_FLAG(std::string, max_message_bytes, "4194304", "Largest request message, in bytes. Bounds: 1024 to 1073741824.");
ABSL_FLAG(std::string, max_timesteps, "10000", "Most timesteps of one sequence. Bounds: 1 to 100000000.");
ABSL_FLAG(std::string, max_sequences_per_message, "4096", "Most sequences of one message. Bounds: 1 to 1000000.");
ABSL_FLAG(std::string, max_sessions, "1000000", "Most live sessions. Bounds: 1 to 2147483648.");
ABSL_FLAG(
    std::string, max_queue_per_session, "64",
    "Most requests that wait for one session. Bounds: 0 to 65536. 0: a second request for a busy session is refused.");
ABSL_FLAG(std::string, max_streams, "10000", "Most StreamPredict streams open at once. Bounds: 1 to 1000000.");
ABSL_FLAG(std::string, max_active_sequences, "4096",
          "Sequences one loop steps through at the same time; the rest queue. Bounds: 1 to 1048576.");
ABSL_FLAG(std::string, max_queued_sequences, "65536",
          "Sequences that wait for one loop to have room; more are refused. Bounds: 0 to 16777216. 0: none may wait.");
ABSL_FLAG(std::string, max_pipelined_messages, "8",
          "Messages of one stream that are read before the first of them is answered. Bounds: 1 to 1024.");
ABSL_FLAG(
    std::string, keepalive_time, "30s",
    "A client that sends nothing for this long is asked whether it is still there, and its connection closed if it "
    "does not answer within as long again. Bounds: 100ms to 24h. 0: never asked, so one that vanished without a "
    "goodbye holds its streams for good.");
ABSL_FLAG(std::string, idle_timeout, "10m",
          "A session without requests for this long ends, unless it was made with a timeout of its own. Bounds: 1s to "
          "--max_idle_timeout. 0: never.");
ABSL_FLAG(std::string, max_idle_timeout, "168h",
          "Longest idle timeout a client may ask for. Bounds: 1s to 87600h. 0: any, and none at all too.");
ABSL_FLAG(std::string, session_store, "memory",
          "Where sessions outlive this process. memory: they do not. rocksdb:DIR: a database on this machine, for one "
          "server. redis://[[USER]:PASSWORD@]HOST:PORT[/DB]: shared by any number of servers, each of which can go on "
          "with any session.");
ABSL_FLAG(std::string, durability, "interval",
          "With a --session_store: when a change is in it. interval: --sync_interval after its answer at the latest. "
          "every_reply: before its answer.");
ABSL_FLAG(std::string, sync_interval, "1s",
          "Longest time until a change is saved with --durability=interval. Bounds: 10ms to 1h.");
ABSL_FLAG(std::string, max_resident_sessions, "0",
          "With a --session_store: sessions held in memory; beyond it the coldest are in the store only and come back "
          "with their next request; a sixteenth of the room is kept free if it can be. Bounds: 1 to --max_sessions. 0: "
          "seven eighths of --max_sessions.");
ABSL_FLAG(
    std::string, adopt_sessions, "never",
    "Whether a new version of a model goes on with the live sessions of the one before. never: each finishes on the "
    "version it began on, which stays loaded for it; one that is in the --session_store only is refused once its "
    "version has left. same_shape: from its next request that names no version the newest version goes on with its "
    "state, if cell, sizes, inputs and outputs are the same (for one in the store whose version has left: cell and "
    "sizes); else as never. Only weights that were trained on from the old ones can make sense of their state.");
ABSL_FLAG(
    std::string, drain_timeout, "30s",
    "How long SIGTERM waits for what runs and queues before it cancels the rest. Bounds: 0 to 1h. 0: cancel at once.");

namespace rondo {
namespace {

// Reads options one after the other and keeps the first thing that was wrong.
class Reader {
 public:
  explicit Reader(const OptionTexts& texts) : texts_(texts) {}

  const std::string& Text(const char* name) const { return texts_.at(name); }

  size_t Number(const char* name, uint64_t least, uint64_t most) {
    uint64_t number = 0;
    // SimpleAtoi also takes spaces and signs, which are more likely a mistake.
    if (absl::c_all_of(Text(name), absl::ascii_isdigit) && absl::SimpleAtoi(Text(name), &number) && number >= least &&
        number <= most) {
      return number;
    }
    Refuse(name, absl::StrCat("a whole number, ", least, " to ", most));
    return least;
  }

  // 0 is always allowed.
  absl::Duration Duration(const char* name, absl::Duration least, absl::Duration most) {
    absl::Duration duration;
    if (absl::ParseDuration(Text(name), &duration) &&
        (duration == absl::ZeroDuration() || (duration >= least && duration <= most))) {
      return duration;
    }
    Refuse(name, absl::StrCat("a duration such as 30s or 10m, ", absl::FormatDuration(least), " to ",
                              absl::FormatDuration(most), ", or 0"));
    return absl::ZeroDuration();
  }

  const std::string& Choice(const char* name, std::initializer_list<absl::string_view> choices) {
    if (!absl::c_linear_search(choices, Text(name))) Refuse(name, absl::StrJoin(choices, " or "));
    return Text(name);
  }

  std::string Address(const char* name) {
    const std::string& text = Text(name);
    const size_t colon = text.rfind(':');
    uint32_t port = 0;
    const std::string port_text = colon == std::string::npos ? "" : text.substr(colon + 1);
    const bool port_ok = !port_text.empty() && absl::c_all_of(port_text, absl::ascii_isdigit) &&
                         absl::SimpleAtoi(port_text, &port) && port <= 65535;
    if (!port_ok || colon == 0) Refuse(name, "HOST:PORT, port 0 to 65535");
    return text;
  }

  void Refuse(const char* name, absl::string_view wanted) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat("--", name, "=", Text(name), ": wanted ", wanted));
    }
  }

  const absl::Status& status() const { return status_; }

 private:
  const OptionTexts& texts_;
  absl::Status status_;
};

ModelRegistry::Options ReadRegistry(Reader* reader) {
  ModelRegistry::Options options;
  options.model_files = absl::StrSplit(reader->Text("model"), ',', absl::SkipEmpty());
  options.model_repository = reader->Text("model_repository");
  if (options.model_files.empty() == options.model_repository.empty()) {
    reader->Refuse("model", "exactly one of --model=FILE[,FILE...] and --model_repository=DIR");
  }
  options.network.max_batch_size = reader->Number("max_batch_size", 1, 1024);
  options.network.deterministic = reader->Text("deterministic") == "true";
  return options;
}

SessionTable::Options ReadSessions(Reader* reader) {
  constexpr absl::Duration kTenYears = absl::Hours(87600);
  const auto zero_is_never = [](absl::Duration d) { return d == absl::ZeroDuration() ? absl::InfiniteDuration() : d; };
  SessionTable::Options options;
  options.max_sessions = reader->Number("max_sessions", 1, uint64_t{1} << 31);
  options.max_queue_per_session = reader->Number("max_queue_per_session", 0, 65536);
  options.max_idle_timeout = zero_is_never(reader->Duration("max_idle_timeout", absl::Seconds(1), kTenYears));
  options.idle_timeout = zero_is_never(reader->Duration("idle_timeout", absl::Seconds(1), kTenYears));
  if (options.idle_timeout > options.max_idle_timeout) {
    reader->Refuse("idle_timeout", absl::StrCat("at most --max_idle_timeout=", reader->Text("max_idle_timeout")));
  }
  return options;
}

ServerOptions::Store ReadStore(Reader* reader, size_t max_sessions) {
  ServerOptions::Store options;
  if (reader->Text("session_store") != "memory") options.name = reader->Text("session_store");
  if (reader->Choice("durability", {"interval", "every_reply"}) == "every_reply") {
    options.durability = Durability::kEveryReply;
  }
  options.sync_interval = reader->Duration("sync_interval", absl::Milliseconds(10), absl::Hours(1));
  if (options.sync_interval == absl::ZeroDuration()) reader->Refuse("sync_interval", "10ms to 1h");
  options.max_resident = reader->Number("max_resident_sessions", 0, max_sessions);
  if (options.max_resident == 0) options.max_resident = std::max<size_t>(1, max_sessions - max_sessions / 8);
  return options;
}

ServerOptions::Loops ReadLoops(Reader* reader) {
  ServerOptions::Loops options;
  if (const size_t count = reader->Number("loops", 0, 256); count != 0) options.count = count;
  const std::string& helpers = reader->Text("helpers");
  if (helpers != "auto" && helpers != "-1") options.helpers = reader->Number("helpers", 0, 256);
  options.max_active_sequences = reader->Number("max_active_sequences", 1, 1 << 20);
  options.max_queued_sequences = reader->Number("max_queued_sequences", 0, 1 << 24);
  return options;
}

ServerOptions::Requests ReadRequests(Reader* reader) {
  ServerOptions::Requests options;
  options.max_message_bytes = reader->Number("max_message_bytes", 1024, 1 << 30);
  options.max_timesteps = reader->Number("max_timesteps", 1, 100'000'000);
  options.max_sequences_per_message = reader->Number("max_sequences_per_message", 1, 1'000'000);
  options.max_streams = reader->Number("max_streams", 1, 1'000'000);
  options.max_pipelined_messages = reader->Number("max_pipelined_messages", 1, 1024);
  return options;
}

}  // namespace

void SetUpHelp() {
  absl::FlagsUsageConfig config;
  config.contains_help_flags = [](absl::string_view file) { return absl::EndsWith(file, "server/options.cc"); };
  config.version_string = [] { return std::string("rondo-server " RONDO_VERSION "\n"); };
  absl::SetFlagsUsageConfig(std::move(config));
}

OptionTexts OptionTextsFromFlags() {
  return {
      {"model", absl::GetFlag(FLAGS_model)},
      {"model_repository", absl::GetFlag(FLAGS_model_repository)},
      {"model_poll_interval", absl::GetFlag(FLAGS_model_poll_interval)},
      {"listen", absl::GetFlag(FLAGS_listen)},
      {"http_listen", absl::GetFlag(FLAGS_http_listen)},
      {"loops", absl::GetFlag(FLAGS_loops)},
      {"helpers", absl::GetFlag(FLAGS_helpers)},
      {"deterministic", absl::GetFlag(FLAGS_deterministic) ? "true" : "false"},
      {"max_batch_size", absl::GetFlag(FLAGS_max_batch_size)},
      {"max_message_bytes", absl::GetFlag(FLAGS_max_message_bytes)},
      {"max_timesteps", absl::GetFlag(FLAGS_max_timesteps)},
      {"max_sequences_per_message", absl::GetFlag(FLAGS_max_sequences_per_message)},
      {"max_sessions", absl::GetFlag(FLAGS_max_sessions)},
      {"max_queue_per_session", absl::GetFlag(FLAGS_max_queue_per_session)},
      {"max_streams", absl::GetFlag(FLAGS_max_streams)},
      {"max_active_sequences", absl::GetFlag(FLAGS_max_active_sequences)},
      {"max_queued_sequences", absl::GetFlag(FLAGS_max_queued_sequences)},
      {"max_pipelined_messages", absl::GetFlag(FLAGS_max_pipelined_messages)},
      {"keepalive_time", absl::GetFlag(FLAGS_keepalive_time)},
      {"idle_timeout", absl::GetFlag(FLAGS_idle_timeout)},
      {"max_idle_timeout", absl::GetFlag(FLAGS_max_idle_timeout)},
      {"session_store", absl::GetFlag(FLAGS_session_store)},
      {"durability", absl::GetFlag(FLAGS_durability)},
      {"sync_interval", absl::GetFlag(FLAGS_sync_interval)},
      {"max_resident_sessions", absl::GetFlag(FLAGS_max_resident_sessions)},
      {"adopt_sessions", absl::GetFlag(FLAGS_adopt_sessions)},
      {"drain_timeout", absl::GetFlag(FLAGS_drain_timeout)},
  };
}

absl::StatusOr<ServerOptions> ParseOptions(const OptionTexts& texts) {
  Reader reader(texts);
  ServerOptions options;
  options.registry = ReadRegistry(&reader);
  options.model_poll_interval = reader.Duration("model_poll_interval", absl::Milliseconds(100), absl::Hours(24));
  options.listen = reader.Address("listen");
  if (!reader.Text("http_listen").empty()) options.http_listen = reader.Address("http_listen");
  options.loops = ReadLoops(&reader);
  options.requests = ReadRequests(&reader);
  options.keepalive_time = reader.Duration("keepalive_time", absl::Milliseconds(100), absl::Hours(24));
  options.sessions = ReadSessions(&reader);
  options.store = ReadStore(&reader, options.sessions.max_sessions);
  if (reader.Choice("adopt_sessions", {"never", "same_shape"}) == "same_shape") {
    options.adopt_sessions = AdoptSessions::kSameShape;
  }
  options.drain_timeout = reader.Duration("drain_timeout", absl::ZeroDuration(), absl::Hours(1));
  if (!reader.status().ok()) return reader.status();
  return options;
}

}  // namespace rondo
