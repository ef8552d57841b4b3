#include "server/server.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "base/cpu_limit.h"
#include "base/log.h"
#include "base/memory_use.h"
#include "base/steady_time.h"
#include "server/drain.h"
#include "server/listen/descriptor_limit.h"
#include "server/listen/scrape_port.h"
#include "server/loop/compute_helpers.h"
#include "server/metrics/metrics.h"
#include "server/registry/find_recorded_model.h"
#include "server/registry/model_loader.h"
#include "server/registry/model_registry.h"
#include "server/registry/models_json.h"
#include "server/rpc/call/rpc_context.h"
#include "server/rpc/library_logs.h"
#include "server/rpc_front.h"
#include "server/session/session_table.h"
#include "server/store/session_store.h"
#include "server/tracing/otlp_collector.h"
#include "server/tracing/span_source.h"

namespace rondo {
namespace {

// Measured on 2 cores, rondo-load --streams=128 --connections=8: one loop, which drains all that is ready, carries 1.6
// times the messages of two, whose gRPC pollers contend. Where a second one begins to pay is a guess: it was not
// measured.
constexpr size_t kCpusPerLoop = 4;

// What runs is cut at the deadline, but what was answered is saved.
constexpr absl::Duration kLeastFlushTime = absl::Seconds(2);
// How soon a save that waits for the store hears that the drain was cut short.
constexpr absl::Duration kFlushSlice = absl::Milliseconds(200);

// How many messages, each as long as may be, one loop lets come at the same time: together they take half of what gRPC
// may hold.
size_t MostAwaited(const ServerOptions& options, size_t loops) {
  constexpr size_t kLeast = 4;
  return std::max(kLeast,
                  options.connection_limits().max_buffer_bytes / 2 / options.requests.max_message_bytes / loops);
}

// What there is to compute with.
struct Computing {
  explicit Computing(const ServerOptions::Loops& wanted)
      : cpus(static_cast<size_t>(AvailableCpus())),
        loops(wanted.count.value_or((cpus + kCpusPerLoop - 1) / kCpusPerLoop)),
        helpers(wanted.helpers.value_or(cpus > loops ? cpus - loops : 0)) {}

  const size_t cpus;
  const size_t loops;
  ComputeHelpers helpers;
};

// What all requests share of the process, and who shares it.
struct Budgets {
  Budgets(const ServerOptions& options, size_t loops)
      : memory(options.memory(), [this] { return ResidentMemory() + work.bytes(); }),
        work(options.work_limits(), &memory),
        clients(&work, loops) {}

  MemoryBudget memory;
  WorkBudget work;
  Clients clients;
};

// The parts of the server.
class Parts final : public Server {
 public:
  explicit Parts(const ServerOptions& options) : options_(options) {}

  ~Parts() override { Parts::Stop(absl::ZeroDuration()); }

  absl::Status Start() {
    SendLibraryLogsToOurs();
    ShowLimits();
    if (absl::Status status = OpenTracing(); !status.ok()) return status;
    const size_t most_connections = MostConnections(RaiseDescriptorLimit());
    if (absl::Status status = front_.CheckRules(); !status.ok()) return status;
    if (absl::Status status = OpenTls(); !status.ok()) return status;
    absl::StatusOr<std::unique_ptr<Gate>> gate = Gate::Open(options_.access.gate, &metrics_);
    if (!gate.ok()) return gate.status();
    gate_ = *std::move(gate);
    absl::StatusOr<std::unique_ptr<ModelRegistry>> registry = ModelRegistry::Create(options_.registry, &metrics_);
    if (!registry.ok()) return registry.status();
    registry_ = *std::move(registry);
    absl::StatusOr<SessionPersistence> persistence = OpenStore();
    if (!persistence.ok()) return persistence.status();
    SessionTable::Options sessions = options_.sessions;
    sessions.count = [gate = gate_.get()](absl::string_view tenant, int n) { return gate->CountSession(tenant, n); };
    sessions.max_lifetime_of = [gate = gate_.get()](absl::string_view tenant) {
      return gate->SessionLifetimeOf(tenant);
    };
    sessions_ = std::make_unique<SessionTable>(sessions, *std::move(persistence));
    if (absl::Status status = OpenScrapePort(); !status.ok()) return status;
    const RpcFront::House house{gate_.get(), tls_.get(), &computing_.helpers, computing_.loops, most_connections};
    const auto context_of = [this](size_t loop_number) { return ContextOf(loop_number); };
    if (absl::Status status = front_.Start(house, context_of); !status.ok()) return status;
    LogEvent(LogLevel::kInfo, "loading_models", {{"address", address()}, {"http_address", http_address_}});
    loader_ = std::make_unique<ModelLoader>(registry_.get(), [this](const absl::Status& status) { OnLook(status); });
    return absl::OkStatus();
  }

  std::optional<absl::Status> AwaitModels(absl::Time deadline) override { return loader_->AwaitFirst(deadline); }
  bool loading() const override { return loader_->busy(); }

  void SayLeaving() override {
    drain_.SayLeaving();
    front_.TellHealth();
  }

  size_t Stop(absl::Duration timeout) override {
    if (!front_.running()) return 0;
    drain_.SayLeaving();
    loader_->Quit();
    drain_.Begin(absl::Now() + timeout);
    front_.FinishCalls(timeout);
    // Sessions are saved before any client hears that it should go on elsewhere. What the deadline cuts is saved at the
    // end.
    SaveSessions(absl::ZeroDuration());
    front_.Leave();
    const size_t lost = SaveSessions(kLeastFlushTime);
    if (lost > 0) {
      LogEvent(LogLevel::kError, "sessions_lost",
               {{"sessions", absl::StrCat(lost)}, {"message", "the session store did not take their last changes"}});
    }
    sessions_.reset();
    spans_.reset();
    return lost;
  }

  void Maintain(absl::Time now) override {
    if (tls_ != nullptr && tls_->Refresh()) ShowCertificate();
    gate_->Refresh();
    sessions_->ExpireIdle(now);
    front_.Tick();
    if (metrics_.requests()->in_flight.Value() == 0) heap_trim_.TrimIfWorth();
    metrics_.sessions()->state_bytes.Set(static_cast<int64_t>(sessions_->state_bytes()));
    const absl::Duration interval = options_.model_poll_interval;
    if (options_.registry.model_repository.empty() || interval == absl::ZeroDuration()) return;
    if (now < last_reload_ + interval) return;
    AskForModels();
    last_reload_ = now;
  }

  void CutShort() override { drain_.CutShort(); }
  void AskForModels() override { loader_->Ask(); }
  void ReloadModels() override { loader_->AskAndWait(); }

  bool IsListening() override { return front_.IsListening(); }
  const std::string& address() const override { return front_.address(); }
  const std::string& http_address() const override { return http_address_; }
  std::string MetricsPage() const override { return metrics_.Serialize(); }

 private:
  // A look at the models has ended. On the loader's thread, and never once it has quit.
  void OnLook(const absl::Status& status) {
    front_.TellHealth();
    if (serving_ || !status.ok()) return;
    serving_ = true;
    LogEvent(LogLevel::kInfo, "listening",
             {{"address", address()},
              {"http_address", http_address_},
              {"cpus", absl::StrCat(computing_.cpus)},
              {"loops", absl::StrCat(computing_.loops)},
              {"helpers", absl::StrCat(computing_.helpers.count())},
              {"max_connections", absl::StrCat(metrics_.connections()->max.Value())},
              {"models", absl::StrCat(registry_->List().size())},
              {"ready", registry_->ready() ? "yes" : "no"}});
  }

  // Tries until the drain's deadline, but for `at_least` so long. Returns how many sessions the store lacks then.
  size_t SaveSessions(absl::Duration at_least) {
    const absl::Time least = absl::Now() + at_least;
    while (true) {
      if (sessions_->Flush(std::min(std::max(drain_.deadline(), least), absl::Now() + kFlushSlice))) return 0;
      if (absl::Now() + Drain::kPoll > std::max(drain_.deadline(), least))
        return std::max<size_t>(1, sessions_->CountUnsaved());
      absl::SleepFor(Drain::kPoll);
    }
  }

  absl::Status OpenScrapePort() {
    if (options_.http_listen.empty()) return absl::OkStatus();
    ScrapePort::Facts facts;
    facts.is_ready = [this] { return !drain_.leaving() && registry_->ready(); };
    // HTTP has no gate: where calls need a token, nobody is told there what takes one.
    if (!gate_->asks()) facts.models = [this] { return ModelsJson(*registry_); };
    absl::StatusOr<std::unique_ptr<ScrapePort>> port =
        ScrapePort::Listen(options_.http_listen, &metrics_, tls_.get(), std::move(facts));
    if (!port.ok()) return port.status();
    scrape_port_ = *std::move(port);
    http_address_ = AddressWithPort(options_.http_listen, scrape_port_->port());
    return absl::OkStatus();
  }

  void ShowLimits() {
    const bool stored = options_.store.name != "memory";
    const size_t max_sessions = stored ? options_.store.max_resident : options_.sessions.max_sessions;
    const ActiveSet::Options& sequences = options_.loops.active_set;
    metrics_.sessions()->max.Set(static_cast<int64_t>(max_sessions));
    metrics_.requests()->max_streams.Set(static_cast<int64_t>(options_.requests.max_streams));
    metrics_.loops()->max_sequences.Set(static_cast<int64_t>(sequences.max_active + sequences.max_queued));
  }

  absl::Status OpenTls() {
    if (options_.access.tls.cert.empty()) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<TlsFiles>> tls = TlsFiles::Open(options_.access.tls);
    if (!tls.ok()) return tls.status();
    tls_ = *std::move(tls);
    ShowCertificate();
    return absl::OkStatus();
  }

  absl::Status OpenTracing() {
    const TracingOptions& tracing = options_.tracing;
    if (tracing.otlp_endpoint.empty()) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<SpanExporter>> spans = OpenOtlpExporter(tracing, metrics_.tracing());
    if (!spans.ok()) return spans.status();
    spans_ = *std::move(spans);
    tracer_.emplace(tracing.sampling, spans_.get());
    return absl::OkStatus();
  }

  void ShowCertificate() { metrics_.connections()->certificate_expires.Set(absl::ToUnixSeconds(tls_->expires_at())); }

  absl::StatusOr<SessionPersistence> OpenStore() {
    SessionPersistence persistence;
    if (options_.store.name == "memory") return persistence;
    absl::StatusOr<std::unique_ptr<SessionStore>> store = OpenSessionStore(options_.store.name, options_.store.damage);
    if (!store.ok()) return store.status();
    persistence.store = *std::move(store);
    persistence.durability = options_.store.durability;
    persistence.sync_interval = options_.store.sync_interval;
    persistence.max_resident = options_.store.max_resident;
    persistence.find_model = [this](const RecordedModel& model) {
      return FindRecordedModel(*registry_, model, options_.adopt_sessions);
    };
    persistence.metrics = &metrics_;
    return persistence;
  }

  // What the calls of a loop have at hand, but for the loop.
  RpcContext ContextOf(size_t loop_number) {
    RpcContext context;
    context.gate = gate_.get();
    context.registry = registry_.get();
    context.sessions = sessions_.get();
    context.adopt_sessions = options_.adopt_sessions;
    context.metrics = metrics_.requests();
    context.limits = options_.requests;
    context.stream_limits = options_.requests;
    context.budget = &budgets_.work;
    context.memory = &budgets_.memory;
    context.clients = &budgets_.clients;
    context.max_awaited_messages = MostAwaited(options_, computing_.loops);
    context.tracer = tracer_ ? &*tracer_ : nullptr;
    context.loop_number = loop_number;
    context.audit_log = options_.access.audit_log;
    context.leaving = &drain_.leaving();
    context.draining = &drain_.draining();
    return context;
  }

  // Bottom-up: each part uses those above it.
  const ServerOptions options_;
  Metrics metrics_;
  std::unique_ptr<SpanExporter> spans_;  // null: nothing is traced
  std::optional<Tracer> tracer_;
  std::unique_ptr<TlsFiles> tls_;  // null: no TLS
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<ModelRegistry> registry_;
  std::unique_ptr<SessionTable> sessions_;
  Computing computing_{options_.loops};
  Budgets budgets_{options_, computing_.loops};
  Drain drain_;
  RpcFront front_{&options_, &metrics_, &drain_};
  std::string http_address_;
  absl::Time last_reload_ = SteadyNow();
  HeapTrim heap_trim_;
  bool serving_ = false;                 // the loader's own
  std::unique_ptr<ModelLoader> loader_;  // near the end, as the next: its thread uses what is above
  std::unique_ptr<ScrapePort> scrape_port_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  auto parts = std::make_unique<Parts>(options);
  if (absl::Status status = parts->Start(); !status.ok()) return status;
  return parts;
}

}  // namespace rondo
