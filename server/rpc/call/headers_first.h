#ifndef RONDO_SERVER_RPC_CALL_HEADERS_FIRST_H_
#define RONDO_SERVER_RPC_CALL_HEADERS_FIRST_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/access/method_rules.h"

namespace rondo {

// A gRPC service, each of whose calls arrives with its headers, before anything is read of its message.
class HeadersFirstService {
 public:
  virtual ~HeadersFirstService() = default;

  // Awaits a call of the method of that index. `tag` comes back through the queue when the call is there; its messages
  // are read and written by `stream`.
  virtual void Await(int method, grpc::ServerContext* context, grpc::internal::ServerAsyncStreamingInterface* stream,
                     grpc::ServerCompletionQueue* queue, void* tag) = 0;
};

// That service for `Api`, a generated class. The generated AsyncService lets a call without a stream of messages arrive
// once its message has been read: whoever may not make the call has sent it by then, and a message that never ends is
// held by gRPC alone. Here every method is served as one with streams of messages, as gRPC serves its "streamed unary"
// methods: on the wire they are equal.
template <typename Api>
class HeadersFirst final : public Api::Service, public HeadersFirstService {
 public:
  HeadersFirst() {
    for (int i = 0; i < descriptor()->method_count(); ++i) {
      if (!descriptor()->method(i)->client_streaming()) this->MarkMethodStreamed(i, nullptr);
      this->MarkMethodAsync(i);
    }
  }

  void Await(int method, grpc::ServerContext* context, grpc::internal::ServerAsyncStreamingInterface* stream,
             grpc::ServerCompletionQueue* queue, void* tag) override {
    this->RequestAsyncBidiStreaming(method, context, stream, queue, queue, tag);
  }

  static const google::protobuf::ServiceDescriptor* descriptor() {
    return google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(Api::service_full_name());
  }
};

// A method of a service, as its calls need to know it.
struct ServedMethod {
  HeadersFirstService* service;
  int index;               // in the service
  const MethodRule* rule;  // null: there is none
};

template <typename Api>
ServedMethod MethodNamed(HeadersFirst<Api>* service, absl::string_view name) {
  return {service, service->descriptor()->FindMethodByName(std::string(name))->index(),
          RuleOf(absl::StrCat(Api::service_full_name(), "/", name))};
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_HEADERS_FIRST_H_
