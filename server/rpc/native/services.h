#ifndef RONDO_SERVER_RPC_NATIVE_SERVICES_H_
#define RONDO_SERVER_RPC_NATIVE_SERVICES_H_

#include "rondo/v1/inference.grpc.pb.h"
#include "rondo/v1/models.grpc.pb.h"
#include "rondo/v1/sessions.grpc.pb.h"
#include "server/rpc/call/headers_first.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// Predict, StreamPredict, Forecast and Generate: the hot calls, on every loop.
void ServeInference(const RpcContext* context, HeadersFirst<v1::Inference>* service);
// Every method of rondo.v1.Sessions. What export, import and fork do is in session_transfer.h.
void ServeSessions(const RpcContext* context, HeadersFirst<v1::Sessions>* service);
// List and get models.
void ServeModels(const RpcContext* context, HeadersFirst<v1::Models>* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_SERVICES_H_
