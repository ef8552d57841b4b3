#include "client/load/session_cleanup.h"

#include <algorithm>
#include <chrono>

#include "rondo/v1/sessions.grpc.pb.h"

namespace rondo::load {
namespace {

constexpr size_t kInFlight = 64;
constexpr int kCallSeconds = 10;

struct Deletion {
  grpc::ClientContext context;
  v1::DeleteSessionResponse reply;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::DeleteSessionResponse>> reader;
};

void Start(v1::Sessions::Stub* stub, const std::string& id, grpc::CompletionQueue* queue) {
  auto deletion = std::make_unique<Deletion>();
  deletion->context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(kCallSeconds));
  v1::DeleteSessionRequest request;
  request.set_session_id(id);
  deletion->reader = stub->AsyncDeleteSession(&deletion->context, request, queue);
  Deletion* const tag = deletion.release();
  tag->reader->Finish(&tag->reply, &tag->status, tag);
}

}  // namespace

size_t DeleteSessions(const std::shared_ptr<grpc::Channel>& channel, const std::vector<std::string>& ids) {
  const auto stub = v1::Sessions::NewStub(channel);
  grpc::CompletionQueue queue;
  size_t started = 0;
  size_t finished = 0;
  size_t deleted = 0;
  bool reachable = true;
  while (finished < started || (reachable && started < ids.size())) {
    while (reachable && started < ids.size() && started - finished < kInFlight)
      Start(stub.get(), ids[started++], &queue);
    void* tag = nullptr;
    bool ok = false;
    if (!queue.Next(&tag, &ok)) break;
    const std::unique_ptr<Deletion> deletion(static_cast<Deletion*>(tag));
    ++finished;
    const grpc::StatusCode code = deletion->status.error_code();
    if (code == grpc::StatusCode::OK || code == grpc::StatusCode::NOT_FOUND) ++deleted;
    if (code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED) reachable = false;
  }
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }
  return ids.size() - deleted;
}

}  // namespace rondo::load
