#ifndef RONDO_SERVER_RPC_NATIVE_DELETE_SESSIONS_CALL_H_
#define RONDO_SERVER_RPC_NATIVE_DELETE_SESSIONS_CALL_H_

#include <optional>
#include <string>

#include "rondo/v1/sessions.grpc.pb.h"
#include "server/rpc/native/leased_call.h"
#include "server/session/session_table.h"

namespace rondo {

// One call of DeleteSessions, which deletes a part. The parts of what is in memory come first, then, if there is a
// store, those of what is in the store; a page token tells which it is.
class DeleteSessionsCall : public LeasedMethodCall<v1::DeleteSessionsRequest, v1::DeleteSessionsResponse> {
 public:
  using Steps = LeasedMethod<v1::DeleteSessionsRequest, v1::DeleteSessionsResponse>;
  using LeasedMethodCall::LeasedMethodCall;

  // What a call does besides Handle.
  static Steps MakeSteps();

 private:
  void ListenAgain() override { Listen<DeleteSessionsCall>(context(), method(), steps()); }
  absl::Status Handle(SessionLease lease) override;
  bool IsDone(SessionWait* sync) override;
  void Complete() override;

  // Deletes a part of what is in memory, or says in stored_ what of the store is to be deleted. Throws std::bad_alloc.
  absl::Status DeleteHere();
  // Deletes a part of what is in memory.
  absl::Status DeleteInMemory(std::string page_token);

  std::optional<StoredDeletion> stored_;  // absent: what is in memory is dealt with
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_DELETE_SESSIONS_CALL_H_
