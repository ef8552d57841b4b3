#include "client/load/load_options.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/invalid.h"

namespace rondo::load {
namespace {

constexpr char kAbout[] =
    R"(rondo-load measures how fast a rondo-server answers.

  rondo-load --model=demo --streams=128 --duration=10s --echo_baseline
  rondo-load --model=demo --streams=16 --rate=5000 --arrivals=poisson --json
  rondo-load --model=demo --streams=128 --protocol=open_inference --native_baseline
  rondo-load --model=demo --streams=128 --session_pool=1000000 --keep_sessions)";

constexpr char kNotes[] =
    R"(Exit code: 0 measured, 1 not measured to the end or wrong replies came, 2 wrong usage, 130
interrupted.
)";

// Two switches stand for one Baseline.
struct Baselines {
  bool echo = false;
  bool native = false;
};

OptionGroup Target(LoadOptions* options) {
  return {"What is asked",
          {Required({"model",
                     Text(&options->model, "NAME", "the name of one of the server's models",
                          [](absl::string_view text) { return !text.empty(); }),
                     "Name of one of the server's models; its newest version is used."}),
           {"server", Text(&options->server, "HOST:PORT"), "The address of rondo-server."},
           {"protocol",
            Choice(&options->protocol, {{"native", Protocol::kNative}, {"open_inference", Protocol::kOpenInference}}),
            "native: rondo.v1. open_inference: inference.GRPCInferenceService, as Triton's C++ client fills it: one "
            "sequence a stream, START on its first message, END after the last."},
           {"unary", Switch(&options->unary), "Unary calls (Predict, ModelInfer) instead of streams."},
           {"stateless", Switch(&options->stateless), "Send sequences without a session."},
           {"string_ids", Switch(&options->string_ids),
            "With open_inference: sequence ids that are strings, not integers."},
           {"input_tensor", TextOrNone(&options->foreign.input, "NAME"),
            "With open_inference: the server is no rondo-server, and this is its model's FP32 input. --input_shape and "
            "--output_tensor go with it. A reply is checked for its id and an output of any size."},
           {"input_shape", TextOrNone(&options->input_shape, "N[,N...]"),
            "The input's shape in each message, 1 to 16777216 numbers in all: 1,64."},
           {"output_tensor", TextOrNone(&options->foreign.output, "NAME"), "The output that is asked for."}}};
}

OptionGroup Load(LoadOptions* options) {
  return {"How much and when",
          {{"streams", Number(&options->streams, {1, 100'000}, "N"),
            "Streams open at once, or with --unary clients that each have one call open."},
           {"sessions_per_message", Number(&options->sessions_per_message, {1, 65536}, "N"),
            "Sessions that each message steps; every stream has its own."},
           {"timesteps", Number(&options->timesteps, {1, 65536}, "N"), "Timesteps of each session in a message."},
           {"in_flight", Number(&options->in_flight, {1, 1024}, "N"),
            "Messages a stream sends before the first one's reply; 1 with --unary."},
           {"rate", Number(&options->open_loop.rate, {0, 1e6}, "MESSAGES/S"),
            "Messages a second in total (open loop: a latency counts from the scheduled time). 0: closed loop, the "
            "next message is sent when a reply arrives and its latency counts from then."},
           {"arrivals",
            Choice(&options->open_loop.arrivals, {{"constant", Arrivals::kConstant}, {"poisson", Arrivals::kPoisson}}),
            "Open loop: even gaps or random gaps."},
           {"session_pool", Number(&options->session_pool, {0, 100'000'000}, "N"),
            "Sessions that messages draw theirs from, uniformly; native protocol. Each stream has a share of its own "
            "and draws those that none of its unanswered messages step, so all positions are known and checked. All "
            "are created first, by a message each. 0: every message of a stream steps the same sessions."},
           {"keep_sessions", Switch(&options->keep_sessions),
            "With --session_pool: leave the sessions on the server at the end."}}};
}

OptionGroup Measuring(LoadOptions* options, Baselines* baselines) {
  return {"What is measured",
          {{"duration", Number(&options->duration, {absl::Milliseconds(10), absl::Hours(24)}, "DURATION"),
            "Measured time of each server, split evenly over the rounds."},
           {"warmup", Number(&options->warmup, {absl::ZeroDuration(), absl::Hours(1)}, "DURATION"),
            "Time before each round that is not measured. 0: none."},
           {"rounds", Number(&options->rounds, {1, 1000}, "N", {{"0", 0}}),
            "With a baseline each round is one of rondo, then one of it. 0: 3 with a baseline, else 1."},
           {"echo_baseline", Switch(&baselines->echo),
            "Measure a bare gRPC echo of the same messages beside the server, in turn."},
           {"native_baseline", Switch(&baselines->native),
            "With open_inference: measure the same load in the native protocol beside it, in turn."},
           {"json", Switch(&options->json), "Print one JSON object instead of a table."}}};
}

OptionGroup Resources(LoadOptions* options) {
  return {"What the generator uses",
          {{"threads", Number(&options->threads, {1, 256}, "N"), "Threads that drive the streams, at most --streams."},
           {"connections", Number(&options->connections, {1, 10'000}, "N", {{"0", 0}}),
            "Connections to each server, at least one a thread. 0: one a thread."},
           {"cpus", TextOrNone(&options->cpus.generator, "LIST"),
            "CPUs that the generator runs on, as in 0,2-3; empty: those it was started on."},
           {"echo_cpus", TextOrNone(&options->cpus.echo, "LIST"),
            "CPUs that the echo runs on: give it the server's. Empty: as started."}}};
}

// 0: it is no shape.
int64_t NumbersOf(absl::string_view text, std::vector<int64_t>* shape) {
  constexpr int64_t kMost = int64_t{1} << 24;
  int64_t numbers = 1;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    int64_t size = 0;
    if (!absl::SimpleAtoi(part, &size) || size < 1 || size > kMost / numbers) return 0;
    numbers *= size;
    shape->push_back(size);
  }
  return numbers;
}

absl::Status ReadForeignTensors(LoadOptions* options) {
  ForeignTensors& foreign = options->foreign;
  const bool any = !foreign.input.empty() || !foreign.output.empty() || !options->input_shape.empty();
  if (!any) return absl::OkStatus();
  if (foreign.input.empty() || foreign.output.empty() || options->input_shape.empty()) {
    return absl::InvalidArgumentError("--input_tensor, --input_shape, --output_tensor: wanted all three or none");
  }
  if (NumbersOf(options->input_shape, &foreign.shape) == 0) {
    return Invalid("--input_shape=", options->input_shape,
                   ": wanted whole numbers with commas between, 1 to 16777216 in all");
  }
  if (options->protocol != Protocol::kOpenInference || options->baseline != Baseline::kNone || options->timesteps > 1) {
    return absl::InvalidArgumentError(
        "--input_tensor: wanted --protocol=open_inference with it, and neither a baseline nor --timesteps");
  }
  return absl::OkStatus();
}

// A combination of options that is refused, and why.
struct Rule {
  bool broken;
  std::string why;
};

std::vector<Rule> Rules(const LoadOptions& options) {
  const bool native = options.protocol == Protocol::kNative;
  const bool pool = options.session_pool > 0;
  // At least half of each stream's share of a pool is not in flight, so that a free session is soon drawn.
  const int64_t least_pool = 2 * int64_t{options.streams} * options.in_flight * options.sessions_per_message;
  return {
      {native && options.string_ids, "--string_ids: wanted --protocol=open_inference with it"},
      {native && options.baseline == Baseline::kNative, "--native_baseline: wanted --protocol=open_inference with it"},
      {!native && options.baseline == Baseline::kEcho,
       "--echo_baseline: wanted --protocol=native with it, which the echo speaks"},
      {!native && options.sessions_per_message != 1,
       absl::StrCat("--sessions_per_message=", options.sessions_per_message,
                    ": wanted 1 with --protocol=open_inference, whose messages bring one sequence")},
      {!pool && options.keep_sessions, "--keep_sessions: wanted --session_pool with it"},
      {pool && (!native || options.stateless), "--session_pool: wanted --protocol=native and no --stateless with it"},
      {pool && options.session_pool < least_pool,
       absl::StrCat("--session_pool=", options.session_pool, ": wanted at least ", least_pool,
                    ", twice the sessions of all messages in flight")},
      {options.threads > options.streams,
       absl::StrCat("--threads=", options.threads, ": wanted at most --streams=", options.streams)},
      {options.unary && options.in_flight > 1,
       absl::StrCat("--in_flight=", options.in_flight, ": wanted 1 with --unary, whose calls may overtake each other")},
  };
}

OptionGroup Connection(LoadOptions* options) { return {"How it connects", ConnectionRows(&options->connection)}; }

absl::Status Finish(const Baselines& baselines, LoadOptions* options) {
  if (baselines.echo && baselines.native) {
    return absl::InvalidArgumentError("--echo_baseline and --native_baseline are given: wanted one at most");
  }
  options->baseline = baselines.echo ? Baseline::kEcho : baselines.native ? Baseline::kNative : Baseline::kNone;
  if (options->rounds == 0) options->rounds = options->baseline == Baseline::kNone ? 1 : 3;
  if (options->connections == 0) options->connections = options->threads;
  for (const Rule& rule : Rules(*options)) {
    if (rule.broken) return absl::InvalidArgumentError(rule.why);
  }
  if (absl::Status status = ReadForeignTensors(options); !status.ok()) return status;
  options->way.keepalive = absl::InfiniteDuration();  // what is measured is the server, however long it takes
  if (absl::Status status = ReadConnectionFlags(options->connection, &options->way); !status.ok()) return status;
  if (options->way.token == nullptr || options->way.tls.has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError("--token_file: wanted --tls with it");
}

}  // namespace

OptionTable LoadOptionTable(LoadOptions* options) {
  auto baselines = std::make_shared<Baselines>();
  OptionTable table;
  table.program = "rondo-load";
  table.about = kAbout;
  table.groups = {Target(options), Load(options), Measuring(options, baselines.get()), Connection(options),
                  Resources(options)};
  table.notes = kNotes;
  table.finish = [baselines, options](const OptionTable&) { return Finish(*baselines, options); };
  return table;
}

}  // namespace rondo::load
