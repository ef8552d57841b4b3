#include "client/load/load_run.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/cpu_list.h"
#include "client/channel.h"
#include "client/load/driver.h"
#include "client/load/echo_process.h"
#include "client/load/lane.h"
#include "client/load/session_cleanup.h"
#include "rondo/v1/models.grpc.pb.h"

namespace rondo::load {
namespace {

constexpr int kModelSeconds = 5;
constexpr uint64_t kSeed = 20120101;

// Connections of its own to `address`, without retries, which would hide errors and cost time.
std::vector<std::shared_ptr<grpc::Channel>> Connect(const std::string& address, ClientOptions way, int count) {
  way.channel_options = {{GRPC_ARG_ENABLE_RETRIES, 0}, {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1}};
  if (way.token != nullptr) {
    way.credentials = grpc::CompositeChannelCredentials(CredentialsOf(way), grpc::AccessTokenCredentials(way.token()));
  }
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  channels.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    channels.push_back(MakeChannel(address, way));
  }
  return channels;
}

// What messages to a server that is no rondo-server need to know. Its output has any size.
v1::Model ForeignModel(const LoadOptions& options) {
  v1::Model model;
  model.set_name(options.model);
  int64_t numbers = 1;
  for (const int64_t size : options.foreign.shape) numbers *= size;
  model.set_input_size(static_cast<int32_t>(numbers));
  return model;
}

absl::StatusOr<v1::Model> GetModel(const LoadOptions& options) {
  if (!options.foreign.shape.empty()) return ForeignModel(options);
  const std::string& server = options.server;
  const std::string& name = options.model;
  const auto stub = v1::Models::NewStub(Connect(server, options.way, 1).front());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(kModelSeconds));
  v1::GetModelRequest request;
  request.set_name(name);
  v1::Model model;
  const grpc::Status status = stub->GetModel(&context, request, &model);
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                        absl::StrCat("model '", name, "' of ", server, ": ", status.error_message()));
  }
  if (model.input_size() < 1 || model.output_size() < 1 || model.tokens() < 0) {
    return absl::InternalError(absl::StrCat("the server says that model '", name, "' has input_size ",
                                            model.input_size(), ", output_size ", model.output_size(), ", tokens ",
                                            model.tokens()));
  }
  return model;
}

uint64_t RandomBits() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

// The lanes of one server, dealt to its drivers.
std::vector<std::unique_ptr<Driver>> MakeDrivers(const LoadOptions& options, const MessageShape& shape,
                                                 const std::string& address, const ClientOptions& way,
                                                 const std::atomic<bool>* stop) {
  const uint64_t run = RandomBits();  // no two runs share a session
  const auto shape_of = [&](int lane) {
    MessageShape own = shape;
    const bool one_more = lane < options.session_pool % options.streams;
    own.lane_sessions = options.session_pool / options.streams + (one_more ? 1 : 0);
    return own;
  };
  const int64_t steps_per_message = int64_t{shape.sessions_per_message} * shape.timesteps;
  std::vector<std::unique_ptr<Driver>> drivers;
  for (int thread = 0; thread < options.threads; ++thread) {
    Driver::Config config;
    for (int lane = thread; lane < options.streams; lane += options.threads) {
      config.lanes.push_back(
          std::make_unique<Lane>(MakeExchange(shape_of(lane), run, lane, kSeed + static_cast<uint64_t>(lane)),
                                 options.in_flight, steps_per_message));
    }
    config.channels = Connect(address, way, std::max(1, options.connections / options.threads));
    config.method = MethodOf(shape);
    config.unary = options.unary;
    config.rate = options.open_loop.rate / options.threads;
    config.arrivals = options.open_loop.arrivals;
    config.seed = kSeed + static_cast<uint64_t>(thread);
    config.stop = stop;
    drivers.push_back(std::make_unique<Driver>(std::move(config)));
  }
  return drivers;
}

Round PlanRound(const LoadOptions& options) {
  const int64_t begin = MonotonicNanos();
  const int64_t measure_begin = begin + absl::ToInt64Nanoseconds(options.warmup);
  return {begin, measure_begin, measure_begin + absl::ToInt64Nanoseconds(options.duration) / options.rounds};
}

// `run(i)` measures driver i: all at once, each in its own thread but for the first.
Measurement RunTogether(size_t drivers, const std::function<Measurement(size_t)>& run) {
  std::vector<Measurement> results(drivers);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < drivers; ++i) threads.emplace_back([&, i] { results[i] = run(i); });
  results[0] = run(0);
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 1; i < results.size(); ++i) results[0].AddParallel(results[i]);
  return std::move(results[0]);
}

Measurement RunRound(const LoadOptions& options, const std::vector<std::unique_ptr<Driver>>& drivers) {
  const Round round = PlanRound(options);
  return RunTogether(drivers.size(), [&](size_t i) {
    // Threads of an open loop take turns: theirs is a part of one common schedule.
    Round own = round;
    if (options.open_loop.rate > 0) {
      own.begin_nanos += static_cast<int64_t>(static_cast<double>(i) * 1e9 / options.open_loop.rate);
    }
    return drivers[i]->Run(own);
  });
}

// Ends the streams, and the sessions if the server has any of these drivers that are not to be kept.
void Finish(const LoadOptions& options, const std::vector<std::unique_ptr<Driver>>& drivers, bool has_sessions) {
  std::vector<std::string> ids;
  for (const auto& driver : drivers) {
    driver->Close();
    for (std::string& id : driver->SessionIds()) ids.push_back(std::move(id));
  }
  if (!has_sessions || options.keep_sessions || ids.empty()) return;
  const size_t left = DeleteSessions(Connect(options.server, options.way, 1).front(), ids);
  if (left > 0) std::fprintf(stderr, "rondo-load: %zu of %zu sessions could not be deleted\n", left, ids.size());
}

// The way to rondo-echo, which speaks no TLS and allows no pings.
ClientOptions BareWay() {
  ClientOptions way;
  way.keepalive = absl::InfiniteDuration();
  return way;
}

absl::StatusOr<std::unique_ptr<EchoProcess>> StartEcho(const LoadOptions& options, const v1::Model& model) {
  return EchoProcess::Start({absl::StrCat("--input_size=", model.input_size()),
                             absl::StrCat("--output_size=", model.output_size()),
                             absl::StrCat("--cpus=", options.cpus.echo), "--exit_with_stdin"});
}

}  // namespace

absl::StatusOr<RunReport> RunLoad(const LoadOptions& options, const std::atomic<bool>* stop) {
  absl::StatusOr<v1::Model> model = GetModel(options);
  if (!model.ok()) return model.status();
  RunReport report;
  report.options = options;
  report.model = *model;
  MessageShape shape{*model,
                     options.protocol,
                     options.unary,
                     options.sessions_per_message,
                     options.timesteps,
                     options.stateless,
                     options.string_ids,
                     options.foreign};

  const auto rondo_drivers = MakeDrivers(options, shape, options.server, options.way, stop);
  std::unique_ptr<EchoProcess> echo;
  std::vector<std::unique_ptr<Driver>> baseline_drivers;
  if (options.baseline == Baseline::kEcho) {
    absl::StatusOr<std::unique_ptr<EchoProcess>> started = StartEcho(options, *model);
    if (!started.ok()) return started.status();
    echo = *std::move(started);
    baseline_drivers = MakeDrivers(options, shape, echo->address(), BareWay(), stop);
  } else if (options.baseline == Baseline::kNative) {
    shape.protocol = Protocol::kNative;
    baseline_drivers = MakeDrivers(options, shape, options.server, options.way, stop);
  }
  if (!baseline_drivers.empty()) report.baseline.emplace();

  if (options.session_pool > 0) {
    report.creation = RunTogether(rondo_drivers.size(), [&](size_t i) { return rondo_drivers[i]->CreateSessions(); });
  }
  for (int round = 0; round < options.rounds && !stop->load(); ++round) {
    const absl::Time measured_from = absl::Now() + options.warmup;
    report.rounds.push_back({measured_from, RunRound(options, rondo_drivers)});
    report.rondo.AddLater(report.rounds.back().measurement);
    if (report.baseline.has_value() && !stop->load()) report.baseline->AddLater(RunRound(options, baseline_drivers));
  }
  report.interrupted = stop->load();
  Finish(options, rondo_drivers, /*has_sessions=*/!options.stateless);
  Finish(options, baseline_drivers, /*has_sessions=*/!options.stateless && options.baseline == Baseline::kNative);
  return report;
}

}  // namespace rondo::load
