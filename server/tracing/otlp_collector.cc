#include "server/tracing/otlp_collector.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/async_unary_call.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "opentelemetry/trace_service.grpc.pb.h"

namespace rondo {
namespace {

namespace otlp = opentelemetry::proto::collector::trace::v1;

// Otherwise a collector that comes back may not be found for two minutes.
constexpr int kLongestReconnectMs = 5000;

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr absl::Duration kTimeout = absl::Seconds(10);  // of one sending

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

template <typename Id>
std::string BytesOf(const Id& id) {
  return std::string(id.begin(), id.end());
}

void Add(const char* key, const std::variant<std::string, int64_t>& value, otlp::KeyValue* attribute) {
  attribute->set_key(key);
  if (const auto* const text = std::get_if<std::string>(&value)) {
    attribute->mutable_value()->set_string_value(*text);
  } else {
    attribute->mutable_value()->set_int_value(std::get<int64_t>(value));
  }
}

void Fill(const Span& span, otlp::Span* proto) {
  proto->set_trace_id(BytesOf(span.trace_id));
  proto->set_span_id(BytesOf(span.span_id));
  if (span.parent) proto->set_parent_span_id(BytesOf(*span.parent));
  proto->set_trace_state(span.trace_state);
  proto->set_name(span.name);
  proto->set_kind(span.is_server ? otlp::Span::SPAN_KIND_SERVER : otlp::Span::SPAN_KIND_INTERNAL);
  proto->set_start_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(span.start)));
  proto->set_end_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(span.end)));
  for (const auto& [key, value] : span.attributes) Add(key, value, proto->add_attributes());
  if (span.failed) proto->mutable_status()->set_code(otlp::Status::STATUS_CODE_ERROR);
}

// As the protocol says: what may go better another time.
bool MayRetry(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::RESOURCE_EXHAUSTED:  // else the spans are too many bytes, say, and would be for ever
      return absl::StrContains(status.error_details(), "google.rpc.RetryInfo");
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    default:
      return false;
  }
}

class OtlpCollector final : public SpanCollector {
 public:
  OtlpCollector(const std::string& endpoint, const std::shared_ptr<grpc::ChannelCredentials>& credentials)
      : stub_(otlp::TraceService::NewStub(Channel(endpoint, credentials))) {
    otlp::ResourceSpans* const resource_spans = request_.add_resource_spans();
    otlp::Resource* const resource = resource_spans->mutable_resource();
    Add("service.name", "rondo-server", resource->add_attributes());
    Add("service.version", RONDO_VERSION, resource->add_attributes());
    Add("service.instance.id", absl::StrCat(HostName(), ":", getpid()), resource->add_attributes());
    spans_ = resource_spans->add_scope_spans();
    spans_->mutable_scope()->set_name("rondo");
    spans_->mutable_scope()->set_version(RONDO_VERSION);
  }
  ~OtlpCollector() override {
    if (sending_ != nullptr) CallOff();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Send(const std::vector<Span>& spans) override {
    spans_->clear_spans();
    for (const Span& span : spans) Fill(span, spans_->add_spans());
    sending_ = std::make_unique<Sending>();
    sending_->context.set_deadline(absl::ToChronoTime(absl::Now() + kTimeout));
    sending_->reader = stub_->AsyncExport(&sending_->context, request_, &queue_);
    sending_->reader->Finish(&sending_->response, &sending_->status, sending_.get());
  }

  std::optional<Answer> Look() override {
    if (sending_ == nullptr) return std::nullopt;
    void* tag = nullptr;
    bool ok = false;
    const auto now = std::chrono::system_clock::now();
    if (queue_.AsyncNext(&tag, &ok, now) != grpc::CompletionQueue::GOT_EVENT) return std::nullopt;
    const std::unique_ptr<Sending> sent = std::move(sending_);
    Answer answer;
    answer.status =
        absl::Status(static_cast<absl::StatusCode>(sent->status.error_code()), sent->status.error_message());
    answer.may_retry = MayRetry(sent->status);
    answer.refused = static_cast<size_t>(std::max<int64_t>(0, sent->response.partial_success().rejected_spans()));
    return answer;
  }

  // Waits for gRPC, which takes back what it was given, and not for the collector.
  void CallOff() override {
    sending_->context.TryCancel();
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    sending_ = nullptr;
  }

 private:
  // One call, until its event has come.
  struct Sending {
    grpc::ClientContext context;
    otlp::ExportTraceServiceResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<otlp::ExportTraceServiceResponse>> reader;
  };

  static std::shared_ptr<grpc::Channel> Channel(const std::string& endpoint,
                                                const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // gRPC would connect to whatever $http_proxy names
    return grpc::CreateCustomChannel(endpoint, credentials, arguments);
  }

  grpc::CompletionQueue queue_;
  const std::unique_ptr<otlp::TraceService::Stub> stub_;
  otlp::ExportTraceServiceRequest request_;  // used again, with other spans
  otlp::ScopeSpans* spans_ = nullptr;        // in request_
  std::unique_ptr<Sending> sending_;         // null: none is under way
};

}  // namespace

absl::StatusOr<std::unique_ptr<SpanExporter>> OpenOtlpExporter(const TracingOptions& options, TracingProbe* probe) {
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (!options.otlp_tls_ca.empty()) {
    absl::StatusOr<std::string> roots = ReadSmallFile(options.otlp_tls_ca, kMaxFileBytes);
    if (!roots.ok()) {
      return absl::Status(roots.status().code(),
                          absl::StrCat("--otlp_tls_ca=", options.otlp_tls_ca, ": ", roots.status().message()));
    }
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = *std::move(roots);
    credentials = grpc::SslCredentials(tls);
  }
  return std::make_unique<SpanExporter>(SpanExporter::Options(),
                                        std::make_unique<OtlpCollector>(options.otlp_endpoint, credentials), probe);
}

}  // namespace rondo
