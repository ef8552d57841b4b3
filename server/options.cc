#include "server/options.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/invalid.h"
#include "base/memory_limit.h"

namespace rondo {
namespace {

constexpr char kAbout[] =
    R"(rondo-server serves recurrent networks over gRPC and keeps the state of every session.

  rondo-server --model=seattle.safetensors
  rondo-server --model_repository=/models --listen=0.0.0.0:8001 --tls_cert=tls.pem --tls_key=key.pem)";

constexpr char kNotes[] =
    R"(SIGTERM or Ctrl-C: serve on for --shutdown_delay, finish what runs, exit; once more: end that delay,
and then cancel what runs.
SIGHUP: look at the models again. SIGUSR1: log one level more; SIGUSR2: one less.
Exit code: 0 stopped as it was told, 1 cannot serve (why is on stderr), 2 wrong usage,
3 stopped as it was told, but the --session_store did not take some sessions (how many:
event=sessions_lost on stderr).
)";

bool IsAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return false;
  const absl::string_view port_text = text.substr(colon + 1);
  uint32_t port = 0;
  return absl::c_all_of(port_text, absl::ascii_isdigit) && absl::SimpleAtoi(port_text, &port) && port <= 65535;
}

bool IsGrpcAddress(absl::string_view text) {
  const std::string path = UnixPathOf(text);
  return path.empty() ? IsAddress(text) : CheckUnixPath(path).ok();
}

bool IsAddressOrEmpty(absl::string_view text) { return text.empty() || IsAddress(text); }

OptionGroup ModelsGroup(ServerOptions* options) {
  ModelRegistry::Options& registry = options->registry;
  return {
      "Models; --model or --model_repository is required",
      {{"model", TextList(&registry.model_files, "FILE[,FILE...]"),
        "Model files (.safetensors). Name and version come from NAME/VERSION/model.safetensors, else the name is "
        "the file's and the version 1."},
       {"model_repository", TextOrNone(&registry.model_repository, "DIR"),
        "A folder with models as DIR/NAME/VERSION/model.safetensors, VERSION a positive integer. New, changed and "
        "removed files are followed while the server runs."},
       {"models_sha256", TextOrNone(&registry.models_sha256, "FILE"),
        "A list as sha256sum writes it, with paths from its own folder: cd DIR && sha256sum */*/model.safetensors > "
        "models.sha256. A model whose file, or the NAME.json beside it, is not listed or has another sum is not "
        "loaded. The list is read again for each model that is loaded. Empty: every file is."},
       {"allow_empty", Switch(&registry.allow_empty),
        "Be ready, for health and ServerReady, without any live model. Otherwise the server is not ready until one is "
        "loaded."},
       {"model_poll_interval",
        Number(&options->model_poll_interval, {absl::Milliseconds(100), absl::Hours(24)}, "DURATION",
               {{"0", absl::ZeroDuration()}}),
        "How often to look for changes in --model_repository. 0: only on SIGHUP."},
       {"adopt_sessions",
        Choice(&options->adopt_sessions, {{"never", AdoptSessions::kNever}, {"same_shape", AdoptSessions::kSameShape}}),
        "Whether a new version of a model goes on with the live sessions of the one before. never: each finishes "
        "on the version it began on, which stays loaded for it; one that is in the --session_store only is refused "
        "once its version has left. same_shape: from its next request that names no version the newest version "
        "goes on with its state, if cell, sizes, inputs and outputs are the same (for one in the store whose "
        "version has left: cell and sizes); else as never. Only weights that were trained on from the old ones can "
        "make sense of their state."}}};
}

OptionGroup ConnectionsGroup(ServerOptions* options) {
  constexpr absl::string_view kAddress = "HOST:PORT, port 0 to 65535";
  return {
      "Connections",
      {{"listen",
        Text(&options->listen, "HOST:PORT", "HOST:PORT, port 0 to 65535, or unix:PATH of at most 107 bytes",
             IsGrpcAddress),
        "The address of gRPC. Port 0: any free one. unix:PATH: a socket at that path, which only this machine reaches; "
        "one that a server has left behind there is replaced. An empty file PATH.lock stays beside it, by which "
        "servers that start together take turns."},
       {"unix_socket_access",
        Choice(&options->unix_socket_access, {{"owner", UnixSocketAccess::kOwner},
                                              {"group", UnixSocketAccess::kGroup},
                                              {"all", UnixSocketAccess::kAll}}),
        "Who may connect to --listen=unix:PATH: the user that the server runs as, its group too, or everyone."},
       {"max_connections", Number(&options->max_connections, {1, 1'000'000}, "N", {{"0", 0}}),
        "Most gRPC connections at once, and never more than descriptors allow: of `ulimit -Hn` all but 128, or half "
        "if that is more. One too many is closed as it comes, which its client reads as UNAVAILABLE. 0: as many as "
        "descriptors allow."},
       {"http_listen", Text(&options->http_listen, "HOST:PORT", kAddress, IsAddressOrEmpty),
        "The address of HTTP: / is a page for people that shows what the server does, /metrics its numbers for "
        "Prometheus, /models.json its models and their graphs, /healthz 200 while the process lives, /readyz 200 or "
        "503 as gRPC health. Port 0: any free one. Empty: off."},
       {"keepalive_time",
        Number(&options->keepalive_time, {absl::Milliseconds(100), absl::Hours(24)}, "DURATION",
               {{"0", absl::ZeroDuration()}}),
        "A client that sends nothing for this long is asked whether it is still there, and its connection closed "
        "if it does not answer within as long again. 0: never asked, so one that vanished without a goodbye holds "
        "its streams for good."},
       {"shutdown_delay", Number(&options->shutdown_delay, {absl::ZeroDuration(), absl::Hours(1)}, "DURATION"),
        "How long the server serves on after SIGTERM while its health says NOT_SERVING, so that load balancers have "
        "sent their clients elsewhere before it goes. A second SIGTERM ends this time. 0: it goes at once."},
       {"drain_timeout", Number(&options->drain_timeout, {absl::ZeroDuration(), absl::Hours(1)}, "DURATION"),
        "How long SIGTERM, or the end of --shutdown_delay, waits for what runs and queues before it cancels the rest. "
        "0: cancel at once."}}};
}

OptionGroup ComputingGroup(ServerOptions* options) {
  return {
      "Computing",
      {{"loops", Number(&options->loops.count, {1, 256}, "N", {{"0", std::nullopt}}),
        "Serving loops (threads that read, batch, compute and answer). 0: the number measured best for the CPUs "
        "available."},
       {"helpers", Number(&options->loops.helpers, {0, 256}, "N", {{"auto", std::nullopt}, {"-1", std::nullopt}}),
        "Compute threads that all loops share for steps long enough to split. 0: none. auto or -1: the CPUs that "
        "the loops leave."},
       {"max_batch_size", Number(&options->registry.network.max_batch_size, {1, 1024}, "ROWS"),
        "Rows of one kernel call."},
       {"kernel",
        Choice(&options->registry.network.kernel,
               {{"auto", KernelKind::kAuto}, {"rondo", KernelKind::kRondo}, {"onednn", KernelKind::kOneDnn}}),
        "What computes a step. rondo: kernels of our own, whose answers are independent of what shares their batch, "
        "bit for bit, on any CPU. onednn: oneDNN's, which says nothing of the kind. auto: rondo where the CPU has AVX2 "
        "or AVX-512, else onednn; nothing is measured. `rondo models` says which one runs, and whether answers are "
        "independent."},
       {"weights",
        Choice(&options->registry.network.weights, Words<std::optional<WeightFormat>>{{"model", std::nullopt},
                                                                                      {"f32", WeightFormat::kF32},
                                                                                      {"bf16", WeightFormat::kBf16},
                                                                                      {"int8", WeightFormat::kInt8}}),
        "How the weights of recurrent layers are held; all sums are of float32. bf16 and int8 make a big network "
        "faster where few rows share its steps, and its answers less exact: a model whose answers they take farther "
        "than 5 % of what its outputs span is not loaded. A network whose weights take less than 1 MiB as f32 stays "
        "f32, which is faster there; `rondo models` and rondo_model_info say what each has. They need --kernel=rondo "
        "or auto. Servers that share a --session_store should agree. model: as each model's file says; f32 if it says "
        "nothing."},
       {"deterministic", Switch(&options->deterministic),
        "Leaves with the next version, and is logged as a warning: --kernel=rondo, which it stands for, is what makes "
        "answers independent of what shares their batch. Not with --kernel=onednn."}}};
}

OptionGroup SessionsGroup(SessionTable::Options* options) {
  constexpr absl::Duration kTenYears = absl::Hours(87600);
  const Words<absl::Duration> zero_is_never = {{"0", absl::InfiniteDuration()}};
  return {
      "Sessions",
      {{"max_sessions", Number(&options->max_sessions, {1, uint64_t{1} << 31}, "N"), "Most live sessions."},
       {"idle_timeout", Number(&options->idle_timeout, {absl::Seconds(1), kTenYears}, "DURATION", zero_is_never),
        "A session without requests for this long ends, unless it was made with a timeout of its own. At most "
        "--max_idle_timeout. 0: never. The default is at least 10 steps of the session's model."},
       {"max_idle_timeout",
        Number(&options->max_idle_timeout, {absl::Seconds(1), kTenYears}, "DURATION", zero_is_never),
        "Longest idle timeout a client may ask for. 0: any, and none at all too."},
       {"max_session_lifetime",
        Number(&options->max_lifetime, {absl::Seconds(1), kTenYears}, "DURATION", zero_is_never),
        "A session ends so long after it was made, within about a second, however much it is used; it is then "
        "NOT_FOUND with that reason. An imported or forked session is a new one. A `limit` line of --tokens_file "
        "may say less for a tenant. 0: never."},
       {"abandoned_after", Number(&options->abandoned_after, {absl::Seconds(1), kTenYears}, "DURATION", zero_is_never),
        "Without a --session_store, where a new session finds no place (--max_sessions, or its tenant's limit): a "
        "session without requests for this long, of that tenant if it is the tenant's limit, ends for it. At "
        "most 1024 are looked at, and after a look in vain none for 100 ms. 0: the new one is refused instead."},
       {"max_queue_per_session", Number(&options->max_queue_per_session, {0, 65536}, "N"),
        "Most requests that wait for one session. 0: a second request for a busy session is refused."}}};
}

OptionGroup StoreGroup(ServerOptions::Store* options) {
  return {
      "Where sessions outlive the process",
      {{"session_store",
        Text(&options->name, "STORE",
             "memory, rocksdb:DIR, redis://HOST:PORT, rediss://HOST:PORT or redis+sentinel://HOST:PORT,.../NAME",
             [](absl::string_view text) { return !text.empty(); }),
        "memory: they do not. rocksdb:DIR: a database on this machine, for one server. "
        "redis://[[USER]:PASSWORD@]HOST:PORT[/DB]: shared by any number of servers, each of which can go on with "
        "any session. redis+sentinel://[...@]HOST[:PORT][,HOST...]/NAME[/DB]: the Redis that these "
        "sentinels call the primary of NAME, also after a fail-over. rediss://, rediss+sentinel://: with TLS. "
        "?replicas=N&password_file=FILE&ca=FILE&sentinel_password_file=FILE may follow: how many replicas must have a "
        "change before it counts as saved (0), a file for the password, which may also be in $RONDO_REDIS_PASSWORD, "
        "the CA of Redis's certificate if the system does not trust it, and a file for the sentinels' password."},
       {"durability",
        Choice(&options->durability, {{"interval", Durability::kInterval}, {"every_reply", Durability::kEveryReply}}),
        "With a --session_store: when a change is in it. interval: --sync_interval after its answer at the latest. "
        "every_reply: before its answer."},
       {"sync_interval", Number(&options->sync_interval, {absl::Milliseconds(10), absl::Hours(1)}, "DURATION"),
        "Longest time until a change is saved with --durability=interval."},
       {"store_damage", Choice(&options->damage, {{"refuse", StoreDamage::kRefuse}, {"serve", StoreDamage::kServe}}),
        "With rocksdb:DIR, when its log is found damaged: refuse to start, or serve what is whole; what is not is "
        "logged and counted."},
       {"max_resident_sessions", Number(&options->max_resident, {1, uint64_t{1} << 31}, "N", {{"0", 0}}),
        "With a --session_store: sessions held in memory, at most --max_sessions; beyond it the coldest are in the "
        "store only and come back with their next request; a sixteenth of the room is kept free if it can be. 0: "
        "seven eighths of --max_sessions."}}};
}

OptionGroup RequestsGroup(ServerOptions* options) {
  ServerOptions::Requests& requests = options->requests;
  ActiveSet::Options& active_set = options->loops.active_set;
  return {
      "What clients may send",
      {{"max_memory", Number(&options->max_memory, {16 << 20, uint64_t{1} << 50}, "BYTES", {{"0", 0}}),
        "Memory of the whole server. Sessions, streams and requests that would need more are refused; live sessions go "
        "on. 0: four fifths of the memory that the machine or the cgroup has."},
       {"max_message_bytes", Number(&requests.max_message_bytes, {1024, 1 << 30}, "BYTES"), "Largest request message."},
       {"max_timesteps", Number(&requests.max_timesteps, {1, 100'000'000}, "N"), "Most timesteps of one sequence."},
       {"max_sequences_per_message", Number(&requests.max_sequences_per_message, {1, 1'000'000}, "N"),
        "Most sequences of one message."},
       {"max_streams", Number(&requests.max_streams, {1, 1'000'000}, "N"), "Most StreamPredict streams open at once."},
       {"max_pipelined_messages", Number(&requests.max_pipelined_messages, {1, 1024}, "N"),
        "Messages of one stream that are read before the first of them is answered."},
       {"max_work_steps", Number(&requests.max_work_steps, {1000, 1'000'000'000'000}, "N"),
        "Steps (timesteps x sequences or paths) of all requests that run or wait; those of one client (one tenant or "
        "one address) may take half of it, and so may one request."},
       {"max_work_bytes", Number(&requests.max_work_bytes, {0, uint64_t{1} << 50}, "BYTES"),
        "Memory for the numbers of all requests that run or wait, with halves as above. 0: a quarter of --max_memory."},
       {"max_active_sequences", Number(&active_set.max_active, {1, 1 << 20}, "N"),
        "Sequences that one loop has at once, with those of --max_queued_sequences; streams and calls share its "
        "batches in turns, one row each."},
       {"max_queued_sequences", Number(&active_set.max_queued, {0, 1 << 24}, "N"),
        "Sequences that one loop takes beyond --max_active_sequences; more are refused. 0: none."}}};
}

OptionGroup LogGroup(LogOptions* options) {
  return {"What is logged, on stderr",
          {{"log_format", Choice(&options->format, {{"logfmt", LogFormat::kLogfmt}, {"json", LogFormat::kJson}}),
            "A line of key=value fields, or of one JSON object whose values are strings. Both are plain ASCII."},
           {"log_level",
            Choice(&options->level, {{"debug", LogLevel::kDebug},
                                     {"info", LogLevel::kInfo},
                                     {"warning", LogLevel::kWarning},
                                     {"error", LogLevel::kError}}),
            "The least level that is logged. debug adds a line for each call and stream that comes. While the server "
            "runs, SIGUSR1 logs one level more and SIGUSR2 one less."}}};
}

// The likeliest word is a file or folder without the option's name before it.
absl::StatusOr<CommandLineAsks> RefuseWord(const std::string& word) {
  return Invalid("'", word, "' is no option: wanted --NAME=VALUE, as --model=", word,
                 " of a model file or --model_repository=", word, " of a folder of models");
}

absl::Status Finish(ServerOptions* options) {
  const ModelRegistry::Options& registry = options->registry;
  if (registry.model_files.empty() == registry.model_repository.empty()) {
    return Invalid(registry.model_files.empty() ? "neither --model nor --model_repository is given"
                                                : "both --model and --model_repository are given",
                   ": wanted exactly one of --model=FILE[,FILE...] and --model_repository=DIR");
  }
  if (options->deterministic && options->registry.network.kernel == KernelKind::kOneDnn) {
    return Invalid("--deterministic and --kernel=onednn are both given",
                   ": wanted one of them, since oneDNN's answers depend on what shares their batch");
  }
  if (options->deterministic) options->registry.network.kernel = KernelKind::kRondo;
  if (absl::Status access = CheckAccess(options->access, {options->listen, options->http_listen}); !access.ok()) {
    return access;
  }
  if (absl::Status tracing = CheckTracing(options->tracing); !tracing.ok()) return tracing;
  SessionTable::Options& sessions = options->sessions;
  if (sessions.idle_timeout != SessionTable::Options().idle_timeout) sessions.idle_steps = 0;  // it was asked for
  if (sessions.idle_timeout > sessions.max_idle_timeout) {
    const absl::Duration idle = sessions.idle_timeout;
    return Invalid("--idle_timeout=", idle == absl::InfiniteDuration() ? "0" : absl::FormatDuration(idle),
                   ": wanted at most --max_idle_timeout=", absl::FormatDuration(sessions.max_idle_timeout));
  }
  size_t& max_resident = options->store.max_resident;
  if (max_resident > sessions.max_sessions) {
    return Invalid("--max_resident_sessions=", max_resident, ": wanted at most --max_sessions=", sessions.max_sessions);
  }
  if (max_resident == 0) max_resident = std::max<size_t>(1, sessions.max_sessions - sessions.max_sessions / 8);
  return absl::OkStatus();
}

}  // namespace

size_t ServerOptions::memory() const { return max_memory != 0 ? max_memory : AvailableMemory() / 5 * 4; }

WorkLimits ServerOptions::work_limits() const {
  WorkLimits limits = requests;
  if (limits.max_work_bytes == 0) limits.max_work_bytes = memory() / 4;
  return limits;
}

ConnectionLimits ServerOptions::connection_limits() const {
  ConnectionLimits limits = access.connections;
  if (limits.max_buffer_bytes == 0) limits.max_buffer_bytes = memory() / 2;
  return limits;
}

OptionTable ServerOptionTable(ServerOptions* options) {
  OptionTable table;
  table.program = "rondo-server";
  table.about = kAbout;
  table.groups = {ModelsGroup(options),        ConnectionsGroup(options),         AccessGroup(&options->access),
                  ComputingGroup(options),     SessionsGroup(&options->sessions), RequestsGroup(options),
                  StoreGroup(&options->store), LogGroup(&options->log),           TracingGroup(&options->tracing)};
  table.notes = kNotes;
  table.take_word = [](OptionTable&, const std::string& word) { return RefuseWord(word); };
  table.finish = [options](const OptionTable&) { return Finish(options); };
  return table;
}

}  // namespace rondo
