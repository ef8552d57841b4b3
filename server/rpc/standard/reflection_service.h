#ifndef RONDO_SERVER_RPC_STANDARD_REFLECTION_SERVICE_H_
#define RONDO_SERVER_RPC_STANDARD_REFLECTION_SERVICE_H_

#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/rpc/call/headers_first.h"
#include "server/rpc/call/rpc_context.h"
#include "server/rpc/standard/reflection_answers.h"

namespace rondo {

// The standard reflection protocol, for grpcurl and its like. Ours, because gRPC's own brings synchronous pollers,
// which compete with the loops for every event.
void ServeReflection(const RpcContext* context, HeadersFirst<grpc::reflection::v1alpha::ServerReflection>* service,
                     const ReflectionAnswers* answers);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_STANDARD_REFLECTION_SERVICE_H_
